# usocket_compat.aio: a cancel at any await loses no byte, no datagram, no connection, and takes
# none twice. Each call is cancelled at each turn of the loop, before and after what it waits for.
import asyncio

from loops import cancelled, fails, go, pause

import usocket_compat as net
from check import (
    close,
    eq,
    fill,
    listener,
    nodelay,
    pair,
    sized,
    tcp,
    true,
    udp,
    udp_pair,
)
from usocket_compat import aio

TURNS = 7
NOW = net.MSG_DONTWAIT


async def turn(i):
    # Some turns last, so that the loop waits for the platform in between.
    await (pause(2) if i % 3 == 2 else asyncio.sleep(0))


async def each_way(begin, happen, call):
    """call() must give what it gives after happen(), whenever it was cancelled before.

    begin(): before each.
    """
    for happens in range(TURNS):
        for cancels in range(TURNS):
            what = "%d, %d:" % (happens, cancels)
            task = asyncio.create_task(call())
            got = None
            for i in range(TURNS):
                if i == happens:
                    expected = happen()
                if i == cancels:
                    got = await cancelled(task)
                await turn(i)
            if got is None:
                got = await call()
            await begin(got, expected, what)


def stream(call):
    async def main():
        a, b = pair()
        nodelay(b)
        sent = [0]

        def happen():
            sent[0] += 1
            data = b"%d," % sent[0]
            net.zsock_send(b, data)
            return data

        async def check(got, expected, what):
            eq(got, expected, what)
            await fails("EAGAIN", aio.recv(a, 1, NOW))

        await each_way(check, happen, lambda: call(a))
        close(a, b)

    go(main())


def test_recv():
    stream(lambda fd: aio.recv(fd, 100))


def test_recv_into_a_buffer():
    buf = bytearray(100)

    async def into(fd):
        n = await aio.recv(fd, buf)
        return bytes(buf[:n])

    stream(into)


def test_recvfrom():
    async def main():
        a, addr = udp()
        b, there = udp()
        sent = [0]

        def happen():
            sent[0] += 1
            data = b"%d," % sent[0]
            net.zsock_sendto(b, data, 0, addr)
            return data, there

        async def check(got, expected, what):
            eq(got, expected, what)
            await fails("EAGAIN", aio.recvfrom(a, 1, NOW))

        await each_way(check, happen, lambda: aio.recvfrom(a, 100))
        close(a, b)

    go(main())


def test_accept():
    async def main():
        server, addr = listener()
        clients = []

        def happen():
            clients.append(tcp())
            net.zsock_connect(clients[0], addr)

        async def check(got, expected, what):
            new, _ = got
            # It is this connection, both ways, and no number is left.
            await aio.sendall(clients[0], b"here")
            eq(await aio.recv(new, 10), b"here", what)
            close(new, clients.pop())
            eq(net.fds(), [server])

        await each_way(check, happen, lambda: aio.accept(server))
        close(server)

    go(main())


def test_connect():
    async def main():
        server, addr = listener()
        for turns in range(TURNS):
            fd = tcp()
            task = asyncio.create_task(aio.connect(fd, addr))
            for i in range(turns):
                await turn(i)
            done = task.done()
            await cancelled(task)
            if not done:
                await aio.connect(fd, addr)
            new, _ = await aio.accept(server)
            await aio.send(fd, b"connected")
            eq(await aio.recv(new, 20), b"connected")
            close(fd, new)
        close(server)

    go(main())


def test_sendall_says_how_much_went():
    async def main():
        size = sized(200000, 3000)
        data = bytes(range(250)) * (size // 250)
        a, b = pair()
        before = fill(a)
        for turns in range(TURNS):
            task = asyncio.create_task(aio.sendall(a, data))
            await turn(0)
            for i in range(turns):
                # Room for a part of it.
                got = 0
                while got < min(sized(30000, 1460), before):
                    got += len(net.zsock_recv(b, sized(8192, 512)))
                before -= got
                await turn(i)
            sent = size
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as e:
                sent = e.sent
            # All that went arrives, in order, and no more.
            before += sent
            rest = b""
            while before:
                part = await aio.recv(b, sized(8192, 512))
                before -= len(part)
                true(before >= 0, "more than was sent")
                rest = (rest + part)[-300:]
            await pause(20)
            await fails("EAGAIN", aio.recv(b, 1, NOW))
            tail = data[max(sent - 100, 0) : sent]
            eq(rest[len(rest) - len(tail) :], tail)
            before = fill(a)
        close(a, b)

    go(main())


def test_send():
    """Each byte is sent once, whenever it was cancelled."""

    async def main():
        a, b = pair()
        total = fill(a)
        for turns in range(TURNS):
            task = asyncio.create_task(aio.send(a, b"0123456789"))
            for i in range(turns):
                if i == turns // 2:
                    while total:
                        total -= len(net.zsock_recv(b, min(total, 4096)))
                await turn(i)
            got = await cancelled(task)
            total += got or 0
            await pause(20)
            while total:
                total -= len(await aio.recv(b, min(total, 4096)))
            await fails("EAGAIN", aio.recv(b, 1, NOW))
            total = fill(a)
        close(a, b)

    go(main())


def test_wait_for():
    """What comes at any time is there, whatever the timeouts were."""

    async def main():
        for datagrams in (False, True):
            a, b = udp_pair() if datagrams else pair()
            count = sized(150, 60)

            async def sender(b=b, count=count):
                for i in range(count):
                    await aio.send(b, b"%03d" % i)
                    await pause(i % 4)

            task = asyncio.create_task(sender())
            got, late, i = b"", 0, 0
            while len(got) < 3 * count:
                i += 1
                try:
                    got += await asyncio.wait_for(aio.recv(a, 3), (i % 5 + 0.5) / 1000)
                except asyncio.TimeoutError:
                    late += 1
                    true(late < 20 * count, "%d of %d bytes" % (len(got), 3 * count))
            eq(got, b"".join([b"%03d" % i for i in range(count)]))
            true(late > 3, "%d timeouts" % late)
            await task
            close(a, b)

    go(main())


def test_gather_and_cancel():
    """All that wait for one fd, all cancelled: the next one finds what came."""

    async def main():
        a, b = pair()
        for _ in range(3):
            tasks = [asyncio.create_task(aio.recv(a, 10)) for _ in range(5)]
            await pause(15)
            await aio.send(b, b"once")
            results = []
            for task in tasks:
                task.cancel()
            for task in tasks:
                try:
                    results.append(await task)
                except asyncio.CancelledError:
                    pass
            if not results:
                results.append(await aio.recv(a, 10))
            eq(results, [b"once"])
        close(a, b)

    go(main())


def test_cancel_as_it_is_closed():
    async def main():
        for cancel_first in (False, True):
            a, b = pair()
            task = asyncio.create_task(aio.recv(a, 10))
            await pause(20)
            if cancel_first:
                task.cancel()
            close(a)
            if not cancel_first:
                task.cancel()
            try:
                await task
                raise AssertionError("it gave something")
            except (asyncio.CancelledError, OSError):
                pass
            close(b)
        # Nothing is left that the loop looks at.
        await pause(30)

    go(main())
