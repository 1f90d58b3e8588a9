# Data both ways at once through an echo with TLS, in pieces of any size. Arguments: host, port,
# bytes.
import asyncio
import hashlib
import random
import ssl
import sys

host, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# asyncio's stream keeps what is to be sent in one piece, for which a board's heap has not always
# 16 KB.
MOST = 4096 if sys.platform == "esp32" else 16384
data = memoryview(bytes(random.getrandbits(8) for _ in range(MOST)))


async def send(writer, digest):
    left = size
    while left:
        part = data[: min(left, random.choice((1, 100, 1000, MOST // 3, MOST)))]
        writer.write(part)
        await writer.drain()
        digest.update(part)
        left -= len(part)


async def receive(reader, digest):
    left = size
    while left:
        part = await reader.read(min(left, random.choice((1, 100, 2000, 8192))))
        assert part
        digest.update(part)
        left -= len(part)


async def main():
    reader, writer = await asyncio.open_connection(
        host, port, ssl=context, server_hostname="test.local"
    )
    sent, received = hashlib.sha256(), hashlib.sha256()
    await asyncio.gather(send(writer, sent), receive(reader, received))
    print(sent.digest() == received.digest())
    writer.close()
    await writer.wait_closed()


asyncio.run(main())
