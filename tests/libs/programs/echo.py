# An asyncio echo server, by lines, that ends when a client says so; and clients of its own.
# Arguments: port, how many clients at once.
import asyncio
import sys

PORT, CLIENTS = int(sys.argv[1]), int(sys.argv[2])
ended = asyncio.Event()
now = most = served = 0


async def echo(reader, writer):
    global now, most, served
    now += 1
    most = max(most, now)
    # Nobody is answered before all are there.
    while most < CLIENTS:
        await asyncio.sleep_ms(5)
    while True:
        line = await reader.readline()
        if not line:
            break
        served += 1
        if line == b"end\n":
            ended.set()
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()
    now -= 1


async def main():
    server = await asyncio.start_server(echo, "0.0.0.0", PORT)
    print("ready")
    await ended.wait()
    while now:
        await asyncio.sleep_ms(5)
    server.close()
    await server.wait_closed()
    print("at once", most, "served", served)


asyncio.run(main())
