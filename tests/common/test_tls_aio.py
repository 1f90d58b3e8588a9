# asyncio on TLS sockets: the same calls as on plain ones.
import asyncio
import gc

from loops import go
from secure import VERSIONS, client, listener

import usocket_compat as net
from check import BOARD, close, eq, needs, raises, true
from usocket_compat import aio, errno

NEEDED = "IPPROTO_TLS_1_2"
# A record that is half out is kept: with both ends a bare ESP32 has room for small ones.
BLOCK = 250 if BOARD else 1000
SIZE = 12 * BLOCK if BOARD else 100000


async def echo(lfd, times):
    for _ in range(times):
        fd, _ = await aio.accept(lfd)
        try:
            while True:
                data = await aio.recv(fd, 700)
                if not data:
                    break
                await aio.sendall(fd, data)
        except OSError as e:
            # The client's end without close_notify, where its platform has none.
            eq(e.errno, errno.ECONNABORTED)
        close(fd)


@needs(NEEDED)
def test_echo():
    for proto in VERSIONS:

        async def main():
            lfd, addr = listener(proto)
            server = asyncio.create_task(echo(lfd, 2))
            for _ in range(2):
                fd = client(proto)
                await aio.connect(fd, addr)
                raises("EISCONN", net.zsock_connect, fd, addr)
                for data in (b"x", b"hello" * 100):
                    await aio.sendall(fd, data)
                    got = b""
                    while len(got) < len(data):
                        got += await aio.recv(fd, 500)
                    eq(got, data)
                close(fd)
            await server
            close(lfd)

        go(main())


@needs(NEEDED)
def test_both_ways_at_once():
    async def main():
        lfd, addr = listener()
        fd = client()
        connecting = asyncio.create_task(aio.connect(fd, addr))
        server, _ = await aio.accept(lfd)
        block = bytes([n % 251 for n in range(BLOCK)])

        async def give(to):
            for _ in range(SIZE // BLOCK):
                await aio.sendall(to, block)

        async def take(of):
            got = 0
            buf = bytearray(333)
            while got < SIZE:
                n = await aio.recv(of, buf)
                true(n)
                eq(buf[0], block[got % BLOCK])
                eq(buf[n - 1], block[(got + n - 1) % BLOCK])
                got += n

        async def there():
            await connecting
            gc.collect()  # a handshake leaves its files in pieces: little room on a bare ESP32
            await asyncio.gather(give(fd), take(fd))

        await asyncio.gather(there(), give(server), take(server))
        close(fd, server, lfd)

    go(main())


@needs(NEEDED)
def test_two_tasks_send():
    """A record of the one that the other brings out does not go twice."""

    async def main():
        lfd, addr = listener()
        fd = client()
        connecting = asyncio.create_task(aio.connect(fd, addr))
        server, _ = await aio.accept(lfd)
        times = 40 if BOARD else 1500
        size = times * 200
        if not BOARD:
            net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDBUF, 20000)

        async def give(letter):
            for _ in range(times):
                await aio.sendall(fd, letter * 200)

        async def take():
            eq(await aio.recv(server, 1), b"x")
            await asyncio.sleep(0.2)  # till then it is full
            got = [0, 0]
            while sum(got) < 2 * size:
                data = await aio.recv(server, 333)
                true(data)
                for i in (0, 1):
                    got[i] += data.count(b"ab"[i : i + 1])
            return got

        taking = asyncio.create_task(take())
        await connecting
        await aio.sendall(fd, b"x")
        await asyncio.gather(give(b"a"), give(b"b"))
        eq(await taking, [size, size])
        await aio.sendall(fd, b"end")
        eq(await aio.recv(server, 333), b"end")
        close(fd, server, lfd)

    go(main())
