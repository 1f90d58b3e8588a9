# usocket_compat.aio: each call does what the plain one does, and the loop goes on. Right is what
# the kernel does of a blocking call, and what asyncio does of a task.
import asyncio

from loops import closing, fails, go, outcome, passes, pause, took

import usocket_compat as net
from check import (
    LATE,
    WAKE,
    Thread,
    between,
    black_hole,
    close,
    closed_port,
    eq,
    fill,
    has,
    listener,
    needs,
    nonblocking,
    pair,
    sized,
    sleep_ms,
    stream_pair,
    tcp,
    true,
    udp,
    udp_pair,
)
from usocket_compat import aio


async def echo_datagrams(fd):
    while True:
        data, addr = await aio.recvfrom(fd, 1472)
        await aio.sendto(fd, data, 0, addr)


def test_udp_echo():
    async def main():
        server, addr = udp()
        task = asyncio.create_task(echo_datagrams(server))
        clients = [udp()[0] for _ in range(3)]

        async def ask(fd, text):
            for i in range(5):
                message = b"%s %d" % (text, i)
                eq(await aio.sendto(fd, message, 0, addr), len(message))
                eq(await aio.recvfrom(fd, 100), (message, addr))

        await asyncio.gather(*[ask(fd, b"client %d" % fd) for fd in clients])
        task.cancel()
        close(server, *clients)

    go(main())


def test_udp_connected():
    async def main():
        a, b = udp_pair()
        reading = asyncio.create_task(aio.recv(b, 100))
        await pause(20)
        eq(await aio.send(a, b"datagram"), 8)
        eq(await reading, b"datagram")
        buf = bytearray(10)
        reading = asyncio.create_task(aio.recvfrom(b, buf))
        await pause(20)
        await aio.send(a, b"again")
        eq((await reading)[0], 5)
        eq(bytes(buf[:5]), b"again")
        close(a, b)

    go(main())


async def echo_stream(fd):
    while True:
        data = await aio.recv(fd, 512)
        if not data:
            break
        await aio.sendall(fd, data)
    net.zsock_close(fd)


async def serve(fd, handle):
    while True:
        client, _ = await aio.accept(fd)
        asyncio.create_task(handle(client))


def test_tcp_echo():
    async def main():
        server, addr = listener()
        task = asyncio.create_task(serve(server, echo_stream))

        async def client(n):
            fd = tcp()
            await aio.connect(fd, addr)
            buf = bytearray(64)
            for i in range(5):
                message = b"%d %d" % (n, i)
                await aio.sendall(fd, message)
                got = 0
                while got < len(message):
                    got += await aio.recv(fd, memoryview(buf)[got:])
                eq(bytes(buf[:got]), message)
            close(fd)

        await asyncio.gather(*[client(n) for n in range(3)])
        await pause(50)  # the servers of these see the end
        task.cancel()
        close(server)

    go(main())


def test_accept_gives_the_peer():
    async def main():
        server, addr = listener()
        task = asyncio.create_task(aio.accept(server))
        await pause(20)
        fd = tcp()
        await aio.connect(fd, addr)
        new, peer = await task
        true(new not in (fd, server))
        eq(peer[0], "127.0.0.1")
        if has("getsockname"):
            eq(peer, net.zsock_getsockname(fd))
        close(fd, new, server)

    go(main())


def test_a_blocking_fd_blocks_no_loop():
    async def main():
        server, addr = listener()
        a, b = pair()
        # Each has waited in the platform before, as a program of threads does.
        for fd in (a, b):
            net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.02)
            for call in (net.zsock_recv,):
                try:
                    call(fd, 1)
                except OSError:
                    pass
            net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0)
        turns = [0]

        async def ticking():
            while True:
                turns[0] += 1
                await pause(5)

        clock = asyncio.create_task(ticking())
        waiting = [asyncio.create_task(aio.recv(a, 10)), asyncio.create_task(aio.accept(server))]
        await pause(300)
        true(turns[0] > 15, "the loop turned %d times" % turns[0])
        for fd in (a, server):
            eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, 0)
        await aio.sendall(b, b"data")
        eq(await waiting[0], b"data")
        fd = tcp()
        await aio.connect(fd, addr)
        new, _ = await waiting[1]
        clock.cancel()
        close(a, b, fd, new, server)

    go(main())


@needs("threads")
def test_one_that_waits_in_the_platform():
    """A thread waits in the call of the system that a task wants to make."""

    async def main():
        a, b = pair()
        thread = Thread(net.zsock_recv, a, 1)
        sleep_ms(200)
        task = asyncio.create_task(aio.recv(a, 10))
        _, ms = await took(passes(5))
        between(ms, 0, 20)
        await aio.sendall(b, b"xy")
        await pause(300)
        # One of them had the first byte, or both, and the other what was left.
        if not thread.done or not task.done():
            await aio.sendall(b, b"z")
        true((await task) + thread.join() in (b"xy", b"yx", b"xyz", b"zxy", b"yzx"))
        close(a, b)

    go(main())


def test_a_nonblocking_fd_is_waited_for():
    async def main():
        a, b = pair()
        nonblocking(a)
        task = asyncio.create_task(aio.recv(a, 10))
        await pause(50)
        await aio.send(b, b"late")
        eq(await task, b"late")
        eq(net.zsock_fcntl(a, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
        close(a, b)

    go(main())


def test_dontwait():
    async def main():
        a, b = pair()
        await fails("EAGAIN", aio.recv(a, 10, net.MSG_DONTWAIT))
        u, _ = udp()
        await fails("EAGAIN", aio.recvfrom(u, 10, net.MSG_DONTWAIT))
        fill(a)
        await fails("EAGAIN", aio.send(a, b"more", net.MSG_DONTWAIT))
        close(a, b, u)

    go(main())


def test_waitall_is_refused():
    async def main():
        a, b = pair()
        await aio.send(b, b"x")
        await fails("EOPNOTSUPP", aio.recv(a, 10, net.MSG_WAITALL))
        eq(await aio.recv(a, 10), b"x")
        close(a, b)

    go(main())


def test_bad_arguments():
    async def main():
        for call in (aio.recv(250, 1), aio.send(-1, b"x"), aio.accept(7), aio.sendall(9, b"")):
            await fails("EBADF", call)
        await fails("EBADF", aio.connect(5, ("127.0.0.1", 9)))
        a, b = pair()
        await fails(ValueError, aio.recv(a, -1))
        await fails(TypeError, aio.sendall(a, "text"))
        await fails(TypeError, aio.recv("a", 1))
        await fails("EINVAL", aio.accept(a))
        u, addr = udp()
        await fails(OverflowError, aio.sendto(u, b"x", 0, ("127.0.0.1", 70000)))
        close(a, b, u)

    go(main())


# -- time -------------------------------------------------------------------------------


def timeout(fd, option, seconds):
    net.zsock_setsockopt(fd, net.SOL_SOCKET, option, seconds)


def test_rcvtimeo():
    async def main():
        server, addr = listener()
        a, b = pair()
        u, _ = udp()
        for fd, call in (
            (a, lambda: aio.recv(a, 1)),
            (u, lambda: aio.recvfrom(u, 1)),
            (server, lambda: aio.accept(server)),
        ):
            timeout(fd, net.SO_RCVTIMEO, 0.15)
            _, ms = await took(fails("EAGAIN", call()))
            between(ms, 150, 150)
            timeout(fd, net.SO_RCVTIMEO, -1)
            _, ms = await took(fails("EAGAIN", call()))
            between(ms, 0, 0)
        # The shorter one is in time beside a longer one that came first.
        timeout(a, net.SO_RCVTIMEO, 1.0)
        timeout(u, net.SO_RCVTIMEO, 0.06)
        first = asyncio.create_task(aio.recv(a, 1))
        await pause(10)
        _, ms = await took(fails("EAGAIN", aio.recv(u, 1)))
        between(ms, 60, 60)
        await aio.send(b, b"in time")
        eq(await first, b"i")
        close(server, a, b, u)

    go(main())


def test_sndtimeo():
    async def main():
        a, b = pair()
        fill(a)
        timeout(a, net.SO_SNDTIMEO, 0.1)
        for call in (aio.send, aio.sendall):
            _, ms = await took(fails("EAGAIN", call(a, b"more")))
            between(ms, 100, 100)
        close(a, b)

    go(main())


def test_connect_timeout():
    async def main():
        fd, addr, queued = black_hole()
        client = tcp()
        timeout(client, net.SO_SNDTIMEO, 0.1)
        _, ms = await took(fails("EINPROGRESS", aio.connect(client, addr)))
        between(ms, 100, 100)
        close(client, queued, fd)

    go(main())


def test_connect_refused():
    async def main():
        fd = tcp()
        await fails("ECONNREFUSED", aio.connect(fd, closed_port()))
        close(fd)

    go(main())


# -- closes -----------------------------------------------------------------------------


def waits():
    """Each way of waiting: the fds, the first of which waits, and the call."""
    a, b = pair()
    yield (a, b), lambda: aio.recv(a, 1)
    a, b = pair()
    fill(a)
    yield (a, b), lambda: aio.sendall(a, b"more")
    u, _ = udp()
    yield (u,), lambda: aio.recvfrom(u, 1)
    server, _ = listener()
    yield (server,), lambda: aio.accept(server)


def test_close_by_a_task():
    async def main():
        for fds, call in waits():
            task = asyncio.create_task(call())
            ms = await closing(fds[0], task)
            true(ms < WAKE + LATE, "%d ms" % ms)
            close(*fds[1:])

    go(main())


@needs("threads")
def test_close_by_a_thread():
    async def main():
        for fds, call in waits():
            task = asyncio.create_task(call())
            await pause(30)

            def later(fd=fds[0]):
                sleep_ms(60)
                net.zsock_close(fd)

            thread = Thread(later)
            _, ms = await took(fails("EBADF", task))
            thread.join()
            between(ms, 0, WAKE + 60)
            close(*fds[1:])

    go(main())


@needs("recvmsg")
def test_messages():
    async def main():
        a, b = pair()
        buf = bytearray(4)
        task = asyncio.create_task(aio.recvmsg(a, [buf, bytearray(10)]))
        await pause(30)
        eq(await aio.sendmsg(b, [b"in ", b"parts"]), 8)
        eq((await task)[0], 8)
        eq(bytes(buf), b"in p")
        close(a, b)

    go(main())


def test_close_wakes_all_and_the_loop_goes_on():
    async def main():
        a, b = pair()
        tasks = [asyncio.create_task(aio.recv(a, 1)) for _ in range(4)]
        await pause(30)
        close(a)
        for task in tasks:
            await fails("EBADF", task)
        # It takes no time of the loop's from then on.
        _, ms = await took(pause(100))
        between(ms, 100, 100)
        a, c = pair()
        await aio.send(a, b"x")
        eq(await aio.recv(c, 10), b"x")
        close(a, b, c)

    go(main())


def test_a_number_opened_anew_is_another():
    async def main():
        for quiet in (False, True):
            a, b = pair()
            task = asyncio.create_task(aio.recv(a, 10))
            other, addr = udp()
            second = asyncio.create_task(aio.recvfrom(other, 10))
            await pause(30)
            close(a, other)
            # The lowest free numbers, and the system's descriptors, are given anew.
            c, d = pair()
            true({c, d} & {a, other}, "the numbers are others")
            if not quiet:
                await aio.send(c, b"to d")
                await aio.send(d, b"to c")
            (_, ms), (_, later) = await asyncio.gather(
                took(fails("EBADF", task)), took(fails("EBADF", second))
            )
            true(max(ms, later) < WAKE + LATE, "%d, %d ms" % (ms, later))
            if quiet:
                await aio.send(c, b"to d")
                await aio.send(d, b"to c")
            eq(await aio.recv(c, 100), b"to c")
            eq(await aio.recv(d, 100), b"to d")
            # And it can be waited for.
            task = asyncio.create_task(aio.recv(c, 10))
            await pause(30)
            await aio.send(d, b"again")
            eq(await task, b"again")
            close(b, c, d)

    go(main())


def test_end_of_the_peer():
    async def main():
        a, b = pair()
        task = asyncio.create_task(aio.recv(a, 10))
        await pause(30)
        close(b)
        eq(await task, b"")
        eq(await aio.recv(a, 10), b"")
        close(a)

    go(main())


# -- several tasks on one fd ------------------------------------------------------------


def test_several_readers():
    async def main():
        a, addr = udp()
        b, _ = udp()
        n = sized(20, 5)
        tasks = [asyncio.create_task(aio.recvfrom(a, 10)) for _ in range(n)]
        await pause(30)
        for i in range(n):
            await aio.sendto(b, b"%d" % i, 0, addr)
        got = [data for data, _ in await asyncio.gather(*tasks)]
        eq(sorted(got, key=int), [b"%d" % i for i in range(n)])
        close(a, b)

    go(main())


def test_a_reader_and_a_writer():
    """One that is cancelled, or was served, leaves the other where it is."""

    async def main():
        a, b = pair()
        for first in (0, 1):
            full = fill(a)
            tasks = [
                asyncio.create_task(aio.recv(a, 10)),
                asyncio.create_task(aio.sendall(a, b"at the end")),
            ]
            await pause(30)
            tasks[first].cancel()
            await pause(30)
            true(not tasks[1 - first].done())
            await aio.send(b, b"x" if first else b"")
            got = 0
            while first == 0 and got < full + 10 or first and got < full:
                got += len(await aio.recv(b, 4096))
            eq(await tasks[1 - first], b"x" if first else None)
        close(a, b)

    go(main())


@needs("dup")
def test_two_fds_of_one_socket():
    async def main():
        a, b = pair()
        c = net.zsock_dup(a)
        tasks = [asyncio.create_task(aio.recv(fd, 1)) for fd in (a, c)]
        await pause(30)
        await aio.send(b, b"12")
        eq(sorted(await asyncio.gather(*tasks)), [b"1", b"2"])
        tasks = [asyncio.create_task(aio.recv(fd, 1)) for fd in (a, c)]
        await pause(30)
        close(a)
        await fails("EBADF", tasks[0])
        await aio.send(b, b"3")
        eq(await tasks[1], b"3")
        close(b, c)

    go(main())


# -- what the platform's poll does not know ---------------------------------------------


@needs("socketpair")
def test_socketpair():
    async def main():
        a, b = net.zsock_socketpair()
        task = asyncio.create_task(aio.recv(a, 10))
        await pause(30)
        await aio.send(b, b"here")
        eq(await task, b"here")
        filled = fill(a)
        task = asyncio.create_task(aio.send(a, b"more"))
        await pause(30)
        true(not task.done())
        got = 0
        while got < filled:
            got += len(await aio.recv(b, 4096))
        eq(await task, 4)
        close(a, b)

    go(main())


@needs("MSG_PEEK")
def test_what_is_held_back():
    """One task looks at data, which the port may hold back from then on; another waits for it."""

    async def main():
        a, b = pair()
        task = asyncio.create_task(aio.recv(a, 10))
        await pause(30)
        net.zsock_send(b, b"looked at")
        sleep_ms(30)
        eq(net.zsock_recv(a, 20, net.MSG_PEEK), b"looked at")
        eq(await task, b"looked at")
        net.zsock_send(b, b"once more")
        sleep_ms(30)
        eq(await aio.recv(a, 4, net.MSG_PEEK), b"once")
        eq(await aio.recv(a, 20), b"once more")
        close(a, b)

    go(main())


# -- poll -------------------------------------------------------------------------------


def test_poll():
    async def main():
        a, b = stream_pair()
        c, d = stream_pair()
        fds = [net.zsock_pollfd(a, net.POLLIN), net.zsock_pollfd(c, net.POLLIN)]
        eq(await aio.poll(fds, 0), 0)
        n, ms = await took(aio.poll(fds, 100))
        eq(n, 0)
        between(ms, 100, 100)
        task = asyncio.create_task(aio.poll(fds, -1))
        await pause(30)
        await aio.send(d, b"x")
        eq(await task, 1)
        eq([pfd.revents for pfd in fds], [0, net.POLLIN])
        one = [net.zsock_pollfd(a, net.POLLIN)]
        task = asyncio.create_task(aio.poll(one, 5000))
        await pause(30)
        await aio.send(b, b"x")
        eq(await task, 1)
        eq(await aio.poll([net.zsock_pollfd(a, net.POLLOUT)], -1), 1)
        nothing = [net.zsock_pollfd(-1, 1)]
        n, ms = await took(aio.poll(nothing, 60))
        eq(n, 0)
        between(ms, 60, 60)
        for fd in (a, c):
            net.zsock_recv(fd, 10)
        for which in (fds, one):
            task = asyncio.create_task(aio.poll(which, -1))
            await pause(30)
            true(not task.done())
            task.cancel()
        task = asyncio.create_task(aio.poll([net.zsock_pollfd(c, net.POLLIN)], -1))
        await pause(30)
        close(c)
        eq(await task, 1)
        close(a, b, d)

    go(main())


# -- the loop ---------------------------------------------------------------------------


def test_a_flood_lets_others_have_their_turn():
    async def main():
        a, b = stream_pair()
        turns = [0]

        async def flood():
            while True:
                await aio.send(a, b"x")
                await aio.recv(b, 1)

        async def ticking():
            while True:
                turns[0] += 1
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(flood()), asyncio.create_task(ticking())]
        await pause(200)
        for task in tasks:
            task.cancel()
        await passes(3)
        true(turns[0] > 3, "%d turns" % turns[0])
        close(a, b)

    go(main())


def test_one_loop_after_another():
    """What waited in a loop that has ended is of no more account."""
    a, b = pair()

    async def main():
        asyncio.create_task(aio.recv(a, 10))
        await pause(30)

    for _ in range(2):
        go(main())

    async def last():
        task = asyncio.create_task(aio.recv(a, 10))
        await pause(30)
        await aio.send(b, b"found")
        eq(await outcome(task), b"found")

    go(last())
    close(a, b)
