# A client of umqtt.simple2, which does not block. Arguments: host, port, "first" or "".
import sys
import time

if sys.argv[3]:
    import select  # noqa: F401
    import socket  # noqa: F401
from umqtt.simple2 import MQTTClient, MQTTException

HOST, PORT = sys.argv[1], int(sys.argv[2])
confirmed = []


def told(topic, message, retained, again):
    print(topic.decode(), message.decode())


def start():
    client = MQTTClient(b"simple2", HOST, PORT, keepalive=60, socket_timeout=2)
    client.set_callback(told)
    client.set_callback_status(lambda pid, status: confirmed.append((pid, status)))
    client.connect()
    wait_for(client, client.subscribe(b"to/simple2", qos=1))
    return client


def wait_for(client, pid):
    while (pid, 1) not in confirmed:
        client.check_msg()
    confirmed.clear()


client = start()
client.publish(b"from/simple2", b"zero")
wait_for(client, client.publish(b"from/simple2", b"one", qos=1))
wait_for(client, client.publish(b"from/simple2", b"x" * 3000, qos=1))
print("checked", client.check_msg())
print("ready")
client.wait_msg()
client.wait_msg()
client.ping()
print("ping", client.wait_msg())
try:
    while True:
        client.check_msg()
        time.sleep_ms(10)
except (OSError, MQTTException):
    print("lost")
try:
    client.disconnect()
except (OSError, MQTTException):
    pass
for _ in range(200):
    try:
        client = start()
        break
    except (OSError, MQTTException):
        time.sleep_ms(50)
print("back")
client.wait_msg()
wait_for(client, client.publish(b"from/simple2", b"again", qos=1))
client.disconnect()
print("done")
