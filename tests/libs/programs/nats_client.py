# micro-nats. Arguments: host, port.
import asyncio
import sys


class Standing:
    """In the place of modules of CPython that this MicroPython has not, and that it imports."""

    def __init__(self, **names):
        for name, value in names.items():
            setattr(self, name, value)


def quiet(*arguments):
    pass


logger = Standing(debug=quiet, info=quiet, warning=quiet, error=print)
for name, module in (
    ("logging", Standing(getLogger=lambda name: logger)),
    ("base64", Standing(b64decode=None)),
    ("datetime", Standing(datetime=None, timezone=None)),
):
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = module

from micro_nats import model  # noqa: E402
from micro_nats.client import Client  # noqa: E402

got = []


async def heard(message):
    got.append(message)
    if len(message.payload) < 100:
        print(message.subject, message.payload.decode(), message.reply_to)
    else:
        print(message.subject, len(message.payload), message.reply_to)


async def messages(number):
    while len(got) < number:
        await asyncio.sleep(0.01)


async def main():
    client = Client(model.ServerContext("nats://%s:%s" % (sys.argv[1], sys.argv[2])))
    await client.connect()
    while not client.is_connected():
        await asyncio.sleep(0.01)
    await client.subscribe("to.board", heard)
    await client.subscribe("own", heard)
    await asyncio.sleep(0.1)  # it is a task of the library that subscribes
    for i in range(5):
        await client.publish("own", "number %d" % i, wait=True)
    await messages(5)
    await client.publish("own", "x" * 2000, wait=True)
    await messages(6)
    print("ready")
    await messages(7)
    await client.publish(got[6].reply_to, "an answer", wait=True)
    await client.publish("from.board", "the end", wait=True)
    await client.disconnect()
    print("done")


asyncio.run(main())
