"""A UDP echo server with asyncio, and clients in the same loop: udp_echo.py [PORT]"""

import asyncio
import sys

import usocket_compat as net
from usocket_compat import aio


async def serve(fd):
    while True:
        data, addr = await aio.recvfrom(fd, 1472)
        await aio.sendto(fd, data, 0, addr)


async def ask(addr, text):
    fd = net.socket(net.AF_INET, net.SOCK_DGRAM)
    # A datagram may be lost: aio.recvfrom raises EAGAIN after a second, as net.recvfrom does.
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 1)
    try:
        for _ in range(3):
            await aio.sendto(fd, text, 0, addr)
            try:
                return (await aio.recvfrom(fd, 1472))[0]
            except OSError as e:
                if e.errno != net.errno.EAGAIN:
                    raise
    finally:
        net.close(fd)


async def main():
    addr = ("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 7777)
    fd = net.socket(net.AF_INET, net.SOCK_DGRAM)
    net.bind(fd, addr)
    server = asyncio.create_task(serve(fd))
    print(await asyncio.gather(*[ask(addr, b"client %d" % n) for n in range(3)]))
    server.cancel()
    net.close(fd)


asyncio.run(main())
