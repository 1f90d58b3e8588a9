"""usocket_compat.aio on CPython's loops: one that has the descriptor, one that takes none, two."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Iterator
from typing import Callable

import pytest

import usocket_compat as net
from usocket_compat import aio

SECONDS = 10


@pytest.fixture
def pair() -> Iterator[list[int]]:
    fds = list(net.zsock_socketpair())
    yield fds
    for fd in fds:
        if fd in net.fds():
            net.zsock_close(fd)


def test_a_descriptor_that_the_loop_knows(pair: list[int]) -> None:
    """What the program gave to add_reader stays, and is called as before."""

    async def main() -> None:
        a, b = pair
        seen: list[bytes] = []
        loop = asyncio.get_running_loop()
        loop.add_reader(net.zsock_fileno(a), lambda: seen.append(net.zsock_recv(a, 1)))
        writing = asyncio.create_task(aio.sendall(a, bytes(3_000_000)))
        await asyncio.sleep(0.05)
        assert not writing.done()
        await aio.send(b, b"x")
        await asyncio.sleep(0.05)
        assert seen == [b"x"]
        writing.cancel()
        await asyncio.sleep(0.01)
        await aio.send(b, b"y")
        await asyncio.sleep(0.05)
        assert seen == [b"x", b"y"]
        assert loop.remove_reader(net.zsock_fileno(a))
        reading = asyncio.create_task(aio.recv(a, 10))
        await asyncio.sleep(0.05)
        await aio.send(b, b"z")
        assert await reading == b"z"

    asyncio.run(main())


class NoReaders(asyncio.SelectorEventLoop):
    """As Windows' usual loop."""

    def add_reader(self, fd, callback, *args):  # type: ignore[no-untyped-def]
        raise NotImplementedError

    add_writer = add_reader


def in_loop(loop: asyncio.AbstractEventLoop, main: Callable[[], Awaitable[None]]) -> None:
    try:
        loop.run_until_complete(asyncio.wait_for(main(), SECONDS))
    finally:
        loop.close()


def test_a_loop_without_add_reader(pair: list[int]) -> None:
    async def main() -> None:
        a, b = pair
        reading = asyncio.create_task(aio.recv(a, 10))
        await asyncio.sleep(0.05)
        await aio.send(b, b"seen")
        assert await reading == b"seen"
        reading = asyncio.create_task(aio.recv(a, 10))
        await asyncio.sleep(0.05)
        net.zsock_close(a)
        with pytest.raises(OSError) as e:
            await reading
        assert e.value.errno == net.errno.EBADF

    in_loop(NoReaders(), main)


def test_two_loops_in_two_threads(pair: list[int]) -> None:
    a, b = pair
    failed: list[BaseException] = []

    async def echo() -> None:
        for _ in range(200):
            await aio.sendall(a, await aio.recv(a, 100))

    async def ask() -> None:
        for i in range(200):
            await aio.sendall(b, b"%d" % i)
            assert await aio.recv(b, 100) == b"%d" % i

    def run(main: Callable[[], Awaitable[None]]) -> None:
        try:
            in_loop(asyncio.new_event_loop(), main)
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=run, args=(main,)) for main in (echo, ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
    assert not failed


def test_two_loops_for_one_fd(pair: list[int]) -> None:
    """Both wait; what comes is for one of them, and the other goes on to wait."""
    a, b = pair
    got: list[bytes] = []

    async def one() -> None:
        got.append(await aio.recv(a, 1))

    threads = [
        threading.Thread(target=in_loop, args=(asyncio.new_event_loop(), one)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    for byte in (b"1", b"2"):
        net.zsock_send(b, byte)
        time.sleep(0.1)
    for thread in threads:
        thread.join(SECONDS)
    assert sorted(got) == [b"1", b"2"]


def test_a_closed_fd_does_not_keep_the_loop_busy(pair: list[int]) -> None:
    class Counting(asyncio.SelectorEventLoop):
        turns = 0

        def _run_once(self) -> None:
            self.turns += 1
            super()._run_once()  # type: ignore[misc]

    loop = Counting()

    async def main() -> None:
        a, b = pair
        tasks = [asyncio.create_task(aio.recv(a, 1)), asyncio.create_task(aio.recv(b, 1))]
        await asyncio.sleep(0.05)
        net.zsock_close(a)
        with pytest.raises(OSError):
            await tasks[0]
        assert await tasks[1] == b""
        loop.turns = 0
        reading = asyncio.create_task(aio.recv(b, 1))
        assert await reading == b""
        await asyncio.sleep(0.3)
        assert loop.turns < 20

    in_loop(loop, main)


def test_the_loop_is_asked_for_nothing_more(pair: list[int]) -> None:
    """When nobody waits, no timer is left, and a loop that is closed gives its poller back."""
    import os

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(aio.recv(pair[0], 1), 0.05)
        await asyncio.sleep(0.2)

    asyncio.run(main())
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        asyncio.run(main())
    assert len(os.listdir("/proc/self/fd")) <= before + 1
