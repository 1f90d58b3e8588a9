# A client of mqtt_async, for boards: it looks after the Wi-Fi too. Arguments: host, port.
import asyncio
import sys

import mqtt_async

mqtt_async.log.info = mqtt_async.log.warning = lambda *arguments: None
got = []
connections = []


def told(topic, message, retained, qos):
    got.append(message)
    print(topic.decode(), message.decode())


async def connected(client):
    await client.subscribe("to/async", 1)
    print("back")
    subscribed.set()


async def noted(up):
    if not up:
        subscribed.clear()
        print("lost")


async def messages(number):
    while len(got) < number:
        await asyncio.sleep_ms(10)


async def main():
    config = mqtt_async.config
    config.server, config.port = sys.argv[1], int(sys.argv[2])
    config.ssid, config.wifi_pw = "lab", "secret99"
    config.response_time = 1
    config.subs_cb = told
    config.connect_coro = connected
    config.wifi_coro = noted
    client = mqtt_async.MQTTClient(config)
    await client.connect()
    await client.publish("from/async", "zero")
    await client.publish("from/async", "one", qos=1)
    await client.publish("from/async", "x" * 3000, qos=1)
    await subscribed.wait()
    print("ready")
    await messages(3)
    await client.publish("from/async", "again", qos=1)
    print("cut it")
    await asyncio.sleep(0.5)
    # Until it is acknowledged, over as many connections as it takes.
    await client.publish("from/async", "at last", qos=1)
    await messages(4)
    await client.disconnect()
    print("done")


subscribed = asyncio.Event()
asyncio.run(main())
