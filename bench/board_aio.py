# SPDX-License-Identifier: MIT
# Two echo servers in one loop, for clients on the host: asyncio's streams on the firmware's
# socket, and usocket_compat.aio. Prints "ready"; runs until a client of the first one sends "end".

import asyncio

import usocket_compat as net
from usocket_compat import aio

STREAMS, AIO = 8001, 8002
SIZE = 64


async def echo_streams(reader, writer):
    try:
        while True:
            data = await reader.read(SIZE)
            if data == b"end":
                over.set()
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # reset: the client went with a reply unread
    writer.close()
    await writer.wait_closed()


async def echo_aio(fd):
    try:
        while True:
            data = await aio.recv(fd, SIZE)
            if not data:
                break
            await aio.sendall(fd, data)
    except OSError:
        pass
    net.close(fd)


async def serve_aio(listener):
    while True:
        try:
            fd, _ = await aio.accept(listener)
        except OSError:
            await asyncio.sleep(0.02)  # no socket is free: as streams do, but for their hurry
            continue
        asyncio.create_task(echo_aio(fd))


async def main():
    global over
    over = asyncio.Event()
    await asyncio.start_server(echo_streams, "0.0.0.0", STREAMS, 6)
    listener = net.socket()
    net.bind(listener, ("0.0.0.0", AIO))
    net.listen(listener, 6)
    asyncio.create_task(serve_aio(listener))
    print("ready")
    await over.wait()
    net.closeall()


asyncio.run(main())
