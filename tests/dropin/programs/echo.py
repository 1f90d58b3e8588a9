# An asyncio echo of 8 clients, through the drop-in if it is in place; and forgotten sockets.
import asyncio
import socket

HOST = "127.0.0.1"
CLIENTS = 4  # whose sockets, with those of the server, are what a board has


async def serve(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(n):
    reader, writer = await asyncio.open_connection(HOST, 8800)
    for i in range(20):
        line = b"%d %d\n" % (n, i)
        writer.write(line)
        await writer.drain()
        assert await reader.readline() == line
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(serve, HOST, 8800)
    # 8 clients, four at a time.
    for half in (0, CLIENTS):
        await asyncio.gather(*[ask(half + n) for n in range(CLIENTS)])
    server.close()
    await server.wait_closed()
    try:
        reader, writer = await asyncio.open_connection(HOST, 8801)
        writer.write(b"x")
        await reader.read(1)
        print("connected to nobody")
    except OSError as e:
        print("refused", e.errno)


asyncio.run(main())
for i in range(30):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if i % 2 else socket.SOCK_STREAM)
    s.settimeout((None, 0, 0.5)[i % 3])
    if i % 4 == 0:
        s.bind((HOST, 0))
print("done", hasattr(socket, "native"))
