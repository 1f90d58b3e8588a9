# asyncio with TLS: streams of a client and of a server. Arguments: host, the server's port, our
# port, authority, certificate and key in hex, the time.
import asyncio
import binascii
import ssl
import sys
import time

words = sys.argv[4:]


def taken():
    """A file that came as words in hex, with "-" behind the last."""
    data = b""
    while True:
        word = words.pop(0)
        if word == "-":
            return data
        data += binascii.unhexlify(word)


host, port, ours = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
authority, certificate, key = [taken() for _ in range(3)]
if time.gmtime()[0] < 2020:
    import machine

    machine.RTC().datetime([int(n) for n in words[0].split(",")])
mine = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
mine.verify_mode = ssl.CERT_REQUIRED
mine.load_verify_locations(cadata=authority)
serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
serving.load_cert_chain(certificate, key)
served = 0
done = asyncio.Event()


async def serve(reader, writer):
    global served
    try:
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        for _ in range(20):
            writer.write(b"0123456789" * 50)
            await writer.drain()
        served += 1
    except OSError as e:
        print("server", e.args[-1])
    writer.close()
    await writer.wait_closed()
    if served == 3:
        done.set()


async def get(name):
    reader, writer = await asyncio.open_connection(host, port, ssl=mine, server_hostname=name)
    writer.write(b"GET /small HTTP/1.0\r\n\r\n")
    await writer.drain()
    data = await reader.read(-1)
    writer.close()
    await writer.wait_closed()
    return len(data.split(b"\r\n\r\n", 1)[1])


async def main():
    print(await get("test.local"))
    print(await asyncio.gather(get("test.local")))
    try:
        print(await get("other.local"))
    except (OSError, ValueError) as e:
        print(str(e).replace("\n", " ").strip())
    server = await asyncio.start_server(serve, "0.0.0.0", ours, ssl=serving)
    print("ready")
    await done.wait()
    server.close()
    await server.wait_closed()
    print("done")


asyncio.run(main())
