# A microdot application with TLS. Arguments: port, certificate and key in hex.
import asyncio
import binascii
import ssl
import sys

from microdot import Microdot

app = Microdot()
words = sys.argv[2:]


def taken():
    """A file that came as words in hex, with "-" behind the last."""
    data = b""
    while True:
        word = words.pop(0)
        if word == "-":
            return data
        data += binascii.unhexlify(word)


@app.get("/")
async def index(request):
    return "Hello, world!"


@app.get("/long")
async def long(request):
    return "0123456789" * 1000


@app.post("/count")
async def count(request):
    return "%d bytes" % len(request.body)


@app.get("/shutdown")
async def shutdown(request):
    request.app.shutdown()
    return "down"


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(taken(), taken())
    serving = asyncio.create_task(app.start_server("0.0.0.0", int(sys.argv[1]), ssl=context))
    while app.server is None:
        await asyncio.sleep_ms(5)
    print("ready")
    await serving
    # The answer to the shutdown is still on its way.
    await asyncio.sleep(1)
    print("done")


asyncio.run(main())
