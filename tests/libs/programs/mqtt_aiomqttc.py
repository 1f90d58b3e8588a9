# A client of aiomqttc that connects again by itself. Arguments: host, port.
import asyncio
import builtins
import sys

if sys.platform == "linux":
    # The library's log asks for a clock, which is in a board's `machine` alone.
    class RTC:
        def datetime(self):
            return (2020, 1, 1, 3, 0, 0, 0, 0)

    class Machine:
        pass

    Machine.RTC = RTC
    sys.modules["machine"] = Machine
# CPython's name, which the library uses on MicroPython too.
builtins.TimeoutError = asyncio.TimeoutError
import aiomqttc  # noqa: E402

aiomqttc.log = lambda text="": None
connected = asyncio.Event()
lost = asyncio.Event()
got = []


async def on_connect(client, code):
    await client.subscribe("to/aio", 1)
    connected.set()


async def on_message(client, topic, message, retained):
    got.append(message)
    print(topic, bytes(message).decode())


async def messages(number):
    while len(got) < number:
        await asyncio.sleep_ms(10)


async def main():
    client = aiomqttc.MQTTClient("aio", sys.argv[1], int(sys.argv[2]), keepalive=60)
    client.on_connect = on_connect
    client.on_message = on_message
    print(await client.connect())
    print("zero", await client.publish("from/aio", b"zero", qos=0))
    print("one", await client.publish("from/aio", b"one", qos=1))
    print("long", await client.publish("from/aio", b"x" * 3000, qos=1))
    print("ready")
    await messages(2)
    # What it sends when nobody is there ends the connection.
    while client.connected and await client.publish("from/aio", b"ping", qos=0) is not None:
        await asyncio.sleep_ms(50)
    print("lost")
    connected.clear()
    while not await client.connect(2):
        await asyncio.sleep_ms(50)
    print("back")
    await messages(3)
    print("again", await client.publish("from/aio", b"again", qos=1))
    if sys.platform == "esp32":
        print("cut it")
        await asyncio.sleep(0.3)
        # It says that there is no way to the broker, and connects when there is.
        print("away", await client.publish("from/aio", b"over", qos=1))
        while not await client.publish("from/aio", b"over", qos=1):
            await asyncio.sleep_ms(50)
        print("over")
    await client.disconnect()
    print("done")


asyncio.run(main())
