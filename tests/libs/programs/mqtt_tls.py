# umqtt.simple with TLS and a client's certificate. Arguments: host, port, authority, certificate
# and key in hex, the time.
import binascii
import ssl
import sys
import time

# Libraries of that age say so.
sys.modules["ussl"] = ssl
from umqtt.simple import MQTTClient  # noqa: E402

words = sys.argv[3:]


def taken():
    """A file that came as words in hex, with "-" behind the last."""
    data = b""
    while True:
        word = words.pop(0)
        if word == "-":
            return data
        data += binascii.unhexlify(word)


authority, certificate, key = [taken() for _ in range(3)]
if time.gmtime()[0] < 2020:
    import machine

    machine.RTC().datetime([int(n) for n in words[0].split(",")])
params = {
    "cert_reqs": ssl.CERT_REQUIRED,
    "cadata": authority,
    "cert": certificate,
    "key": key,
    "server_hostname": "test.local",
}
client = MQTTClient("device", sys.argv[1], int(sys.argv[2]), ssl=True, ssl_params=params)
client.set_callback(lambda topic, message: print(topic.decode(), message.decode()))
client.connect()
client.subscribe(b"to/tls")
client.publish(b"from/tls", b"one", qos=1)
client.publish(b"from/tls", b"x" * 3000)
print("ready")
client.wait_msg()
client.disconnect()
# Without a certificate the broker wants nothing of it.
del params["cert"], params["key"]
client = MQTTClient("device", sys.argv[1], int(sys.argv[2]), ssl=True, ssl_params=params)
try:
    client.connect()
    print("let in")
except OSError as e:
    print("refused", e.args[-1])
