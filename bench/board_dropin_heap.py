# SPDX-License-Identifier: MIT
# Heap that an asyncio echo leaves taken on a board, in bytes: "NAME bytes". Run with the drop-in
# modules in place, and without. Argument: NAME.
import gc
import sys


def used():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


begin = used()
import asyncio  # noqa: E402


async def serve(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 7200)
    reader, writer = await asyncio.open_connection("127.0.0.1", 7200)
    for _ in range(3):
        writer.write(b"hello\n")
        await writer.drain()
        assert await reader.readline() == b"hello\n"
    held = used() - begin
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    return held


held = asyncio.run(main())
print(sys.argv[1], held, used() - begin)
