# Clients of an echo server, all at once, with asyncio. Arguments: host, port, how many, lines.
import asyncio
import sys

HOST, PORT, CLIENTS, LINES = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])


async def client(number):
    reader, writer = await asyncio.open_connection(HOST, PORT)
    right = 0
    for i in range(LINES):
        line = b"%d of %d %s\n" % (i, number, b"." * (7 * i % 200))
        writer.write(line)
        await writer.drain()
        right += await reader.readline() == line
    writer.close()
    await writer.wait_closed()
    return right


async def main():
    print(await asyncio.gather(*[client(number) for number in range(CLIENTS)]))


asyncio.run(main())
