# asyncio on TLS sockets: what waits and is cancelled.
import asyncio

from loops import go
from secure import client, listener

from check import close, eq, needs, true
from usocket_compat import aio, errno

NEEDED = "IPPROTO_TLS_1_2"


@needs(NEEDED)
def test_cancel_takes_nothing():
    async def main():
        lfd, addr = listener()
        fd = client()
        connecting = asyncio.create_task(aio.connect(fd, addr))
        server, _ = await aio.accept(lfd)
        waiting = asyncio.create_task(aio.recv(server, 9))
        await connecting
        await asyncio.sleep(0.05)
        waiting.cancel()
        try:
            await waiting
            raise AssertionError("it was not cancelled")
        except asyncio.CancelledError:
            pass
        await aio.send(fd, b"kept")
        eq(await aio.recv(server, 9), b"kept")
        try:
            await asyncio.wait_for(aio.recv(server, 9), 0.1)
            raise AssertionError("there was nothing")
        except asyncio.TimeoutError:
            pass
        waiting = asyncio.create_task(aio.recv(server, 9))
        await asyncio.sleep(0.05)
        close(server)
        try:
            await waiting
            raise AssertionError("it was closed")
        except OSError as e:
            eq(e.errno, errno.EBADF)
        close(fd, lfd)

    go(main())


@needs(NEEDED)
def test_who_is_not_trusted():
    async def main():
        lfd, addr = listener()
        fd = client(name="other.test")

        async def serve():
            server, _ = await aio.accept(lfd)
            try:
                await aio.recv(server, 1)
                raise AssertionError("it came through")
            except OSError as e:
                true(e.errno in (errno.ECONNABORTED, errno.ECONNRESET))
            close(server)

        serving = asyncio.create_task(serve())
        try:
            await aio.connect(fd, addr)
            raise AssertionError("it was trusted")
        except OSError as e:
            eq(e.errno, errno.ECONNABORTED)
            true("match" in str(e.args[1]), repr(e))
        close(fd)
        await serving
        close(lfd)

    go(main())
