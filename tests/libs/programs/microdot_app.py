# A microdot application. Argument: port.
import asyncio
import sys

from microdot import Microdot, Request, Response

Request.max_content_length = 100000
Request.max_body_length = 1000  # what is longer is read by pieces
app = Microdot()


handle_request = app.handle_request
active = 0


async def counted(reader, writer):
    global active
    active += 1
    try:
        await handle_request(reader, writer)
    finally:
        active -= 1


app.handle_request = counted


@app.get("/")
async def index(request):
    return "Hello, world!"


@app.get("/who")
async def who(request):
    return {"address": repr(request.client_addr)}


@app.post("/json")
async def json(request):
    return {"sum": sum(request.json["numbers"])}, 201


@app.post("/upload")
async def upload(request):
    total = 0
    while total < request.content_length:
        data = await request.stream.read(min(500, request.content_length - total))
        if not data:
            break
        for byte in data:
            if byte != total % 251:
                return "wrong at %d" % total
            total += 1
    return "%d bytes" % total


@app.get("/stream/<int:count>")
async def stream(request, count):
    # MicroPython has no asynchronous generators.
    pieces = ("piece %d\n" % i for i in range(count))
    return pieces, 200, {"Content-Type": "text/plain"}


@app.get("/long")
async def long(request):
    return Response(b"0123456789" * 1000)


@app.get("/fails")
async def fails(request):
    return str(1 // 0)


@app.get("/shutdown")
async def shutdown(request):
    request.app.shutdown()
    return "down"


async def main():
    serving = asyncio.create_task(app.start_server(host="0.0.0.0", port=int(sys.argv[1])))
    while app.server is None:
        await asyncio.sleep_ms(5)
    print("ready")
    await serving
    # The answer to the shutdown is still on its way.
    while active:
        await asyncio.sleep_ms(5)
    print("done")


@app.errorhandler(ZeroDivisionError)
async def zero(request, error):
    return "no", 500


asyncio.run(main())
