# usocket_compat.aio with more of everything: clients than a board has sockets, tasks than fds, and
# less memory than a call takes.
import asyncio

from loops import go, pause
from shortage import fill, release
from starve import swept

import usocket_compat as net
from check import close, eq, listener, now, pair, since, sized, tcp, true, udp, udp_pair
from usocket_compat import aio, errno

CLIENTS = 50
# A board has ten sockets; each client here takes two, and one listens.
AT_ONCE = sized(10, 4)
MESSAGE = b"a message of one of many clients"


async def echo(fd):
    buf = bytearray(64)
    while True:
        n = await aio.recv(fd, buf)
        if not n:
            break
        await aio.sendall(fd, memoryview(buf)[:n])
    close(fd)


async def full(e):
    """All sockets are in use, or lwIP's connections that are just ending: it waits its turn."""
    if e.errno not in (errno.ENFILE, errno.EMFILE, errno.ENOBUFS):
        raise e
    await pause(5)


def test_clients_by_turns():
    async def main():
        server, addr = listener(backlog=4)
        served, met = [0], [0]

        async def serve():
            while True:
                try:
                    fd, _ = await aio.accept(server)
                except OSError as e:
                    await full(e)
                    continue
                served[0] += 1
                asyncio.create_task(echo(fd))

        async def clients():
            while met[0] < CLIENTS:
                met[0] += 1
                while True:
                    try:
                        fd = tcp()
                        break
                    except OSError as e:
                        await full(e)
                await aio.connect(fd, addr)
                for _ in range(2):
                    await aio.sendall(fd, MESSAGE)
                    got = b""
                    while len(got) < len(MESSAGE):
                        got += await aio.recv(fd, 64)
                    eq(got, MESSAGE)
                close(fd)

        task = asyncio.create_task(serve())
        await asyncio.gather(*[clients() for _ in range(AT_ONCE)])
        begin = now()
        while len(net.fds()) > 1 and since(now(), begin) < 2000:
            await pause(10)
        eq(served[0], CLIENTS)
        eq(net.fds(), [server])
        task.cancel()
        close(server)

    go(main())


def test_a_full_table_leaves_the_connection_waiting():
    async def main():
        server, addr = listener(backlog=4)
        fd = tcp()
        await aio.connect(fd, addr)
        # All other numbers are taken.
        others = []
        try:
            while True:
                others.append(net.zsock_dup(fd))
        except OSError as e:
            eq(e.errno, errno.ENFILE)
        try:
            await aio.accept(server)
            raise AssertionError("there was a number")
        except OSError as e:
            eq(e.errno, errno.ENFILE)
        close(*others)
        new, _ = await aio.accept(server)
        await aio.send(fd, b"x")
        eq(await aio.recv(new, 1), b"x")
        close(fd, new, server)

    go(main())


def test_many_tasks():
    """Each of many tasks waits on a socket of its own, or they share what there is."""

    async def main():
        n = sized(200, 30)
        fds = [udp() for _ in range(sized(40, 3))]
        source, _ = udp()
        got = []

        async def one(fd):
            got.append((await aio.recvfrom(fd, 20))[0])

        tasks = [asyncio.create_task(one(fds[i % len(fds)][0])) for i in range(n)]
        for i in range(n):
            await aio.sendto(source, b"%d" % i, 0, fds[i % len(fds)][1])
            if i % 3 == 2:
                await pause(1)  # lwIP keeps six datagrams a socket
        await asyncio.gather(*tasks)
        eq(sorted(got, key=int), [b"%d" % i for i in range(n)])
        close(source, *[fd for fd, _ in fds])

    go(main())


def test_both_ways_through_one_connection():
    """A reader and a writer at each end; every byte arrives, in order."""

    async def main():
        a, b = pair()
        size = sized(2000000, 20000)
        data = bytes(range(251))

        async def write(fd):
            left = size
            while left:
                part = min(left, len(data))
                await aio.sendall(fd, memoryview(data)[:part])
                left -= part

        async def read(fd):
            buf = bytearray(sized(8192, 512))
            at = 0
            while at < size:
                n = await aio.recv(fd, buf)
                for i in (0, n - 1):
                    eq(buf[i], (at + i) % len(data) if at + i < size else None)
                at += n

        await asyncio.gather(write(a), write(b), read(a), read(b))
        close(a, b)

    go(main())


# -- no memory --------------------------------------------------------------------------


def starving(free, call, happen=None):
    """What call() gives with so many bytes of heap free; after a turn happen() gives them back."""

    async def main():
        async def ends():
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            release()
            if happen:
                happen()

        task = asyncio.create_task(ends())
        result = None
        fill(free)
        try:
            result = await call()
        except MemoryError:
            pass
        finally:
            release()
        await task
        return result

    return go(main())


DATAGRAM = b"0123456789" * 6


@swept
def test_no_memory_to_receive(free):
    """What is there already is given, or stays."""
    a, b = udp_pair()
    net.zsock_send(b, DATAGRAM)
    got = starving(free, lambda: aio.recv(a, 100))
    true(got in (None, DATAGRAM), got)
    if got is None:
        eq(net.zsock_recv(a, 100), DATAGRAM)
    close(a, b)
    return got


@swept
def test_no_memory_to_wait(free):
    """What comes while it waits, with no memory left or some again, is given, or stays."""
    a, b = udp_pair()
    got = starving(free, lambda: aio.recv(a, 100), lambda: net.zsock_send(b, DATAGRAM))
    true(got in (None, DATAGRAM), got)
    if got is None:
        eq(net.zsock_recv(a, 100), DATAGRAM)
    close(a, b)
    return got


@swept
def test_no_memory_to_accept(free):
    server, addr = listener()
    fd = tcp()
    net.zsock_connect(fd, addr)
    got = starving(free, lambda: aio.accept(server))
    new = got[0] if got else net.zsock_accept(server)[0]
    net.zsock_send(fd, b"x")
    eq(net.zsock_recv(new, 1), b"x")
    close(fd, new, server)
    return got
