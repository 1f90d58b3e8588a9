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
