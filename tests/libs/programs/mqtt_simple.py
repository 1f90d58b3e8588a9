# A client of umqtt.simple that loses its broker. Arguments: host, port, "first" or "".
import sys
import time

if sys.argv[3]:
    # So that `import usocket` of an old library gets the drop-in too.
    import select  # noqa: F401
    import socket  # noqa: F401
from umqtt.simple import MQTTClient

HOST, PORT = sys.argv[1], int(sys.argv[2])


def told(topic, message):
    print(topic.decode(), message.decode())


def start():
    client = MQTTClient(b"simple", HOST, PORT, keepalive=60)
    client.set_callback(told)
    client.connect()
    client.subscribe(b"to/simple", qos=1)
    return client


client = start()
client.publish(b"from/simple", b"zero")
client.publish(b"from/simple", b"one", qos=1)
client.publish(b"from/simple", b"x" * 3000, qos=1)
print("checked", client.check_msg())
print("ready")
client.wait_msg()
client.wait_msg()
client.ping()
print("ping", client.wait_msg())
try:
    client.wait_msg()
except OSError:
    print("lost")
for _ in range(200):
    try:
        client = start()
        break
    except (OSError, IndexError):
        time.sleep_ms(50)
print("back")
client.wait_msg()
client.publish(b"from/simple", b"again", qos=1)
client.disconnect()
print("done")
