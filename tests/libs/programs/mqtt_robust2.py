# A client of umqtt.robust2, which connects again by itself. Arguments as mqtt_simple2's.
import sys
import time

if sys.argv[3]:
    import select  # noqa: F401
    import socket  # noqa: F401
from umqtt.robust2 import MQTTClient

got = []


def told(topic, message, retained, again):
    got.append(message)
    print(topic.decode(), message.decode())


def step():
    """What its documentation has a program do all the time."""
    if client.is_conn_issue():
        client.reconnect()
        if client.is_conn_issue():
            time.sleep_ms(50)
            return False
        client.resubscribe()
    client.check_msg()
    client.send_queue()
    return not client.is_conn_issue()


client = MQTTClient(
    b"robust2", sys.argv[1], int(sys.argv[2]), keepalive=60, socket_timeout=2, message_timeout=2
)
client.set_callback(told)
client.connect(clean_session=False)
client.subscribe(b"to/robust2", qos=1)
client.publish(b"from/robust2", b"zero")
client.publish(b"from/robust2", b"one", qos=1)
while client.things_to_do():
    step()
print("ready")
while len(got) < 2:
    step()
while step():
    pass
print("lost")
# Kept until there is a connection.
client.publish(b"from/robust2", b"kept", qos=1)
while not step() or client.things_to_do():
    pass
print("back")
while len(got) < 3:
    step()
client.publish(b"from/robust2", b"again", qos=1)
while client.things_to_do():
    step()
client.disconnect()
print("done")
