# An MQTT client in the shape of micropython-lib's umqtt, which boards have frozen: a timeout from
# before the connect, writes of a part of a buffer, reads that block, wait or do neither.
# Arguments: host, port.
import socket
import struct
import sys
import time

HOST, PORT = sys.argv[1], int(sys.argv[2])


class Client:
    def __init__(self, timeout):
        self.sock = socket.socket()
        self.sock.settimeout(timeout)
        self.sock.connect(socket.getaddrinfo(HOST, PORT)[0][-1])
        start = bytearray(b"\x10\0\0\0\0\0")
        start[1] = 10 + 2 + 5
        self.sock.write(start, 2)
        self.sock.write(b"\0\x04MQTT\x04\x02\0\x3c")
        # Of a str, too.
        self.send_str("shape")
        answer = self.sock.read(4)
        if answer != b"\x20\x02\0\0":
            raise OSError(-1)

    def send_str(self, s):
        self.sock.write(struct.pack("!H", len(s)))
        self.sock.write(s)

    def subscribe(self, topic):
        self.sock.write(struct.pack("!BBH", 0x82, 2 + 2 + len(topic) + 1, 1))
        self.send_str(topic)
        self.sock.write(b"\x01")
        print("granted", self.wait()[1][-1])

    def publish(self, topic, message, qos):
        packet = bytearray(5)
        packet[0] = 0x30 | qos << 1
        size = 2 + len(topic) + len(message) + 2 * qos
        used = 1
        while size > 127:
            packet[used] = size & 127 | 128
            size >>= 7
            used += 1
        packet[used] = size
        self.sock.write(packet, used + 1)
        self.send_str(topic)
        if qos:
            self.sock.write(b"\x12\x34")
        self.sock.write(message)
        while qos and self.wait() != (0x40, b"\x12\x34"):
            pass

    def wait(self):
        """The next packet; None where there is none and the socket does not block."""
        op = self.sock.read(1)
        self.sock.settimeout(5)
        if op is None:
            return None
        if op == b"":
            raise OSError(-1)
        size = shift = 0
        while True:
            byte = self.sock.read(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                break
        body = self.sock.read(size) if size else b""
        if op[0] & 0xF0 == 0x30:
            length = body[0] << 8 | body[1]
            at = 2 + length
            if op[0] & 6:
                self.sock.write(b"\x40\x02" + body[at : at + 2])
                at += 2
            print(body[2 : 2 + length].decode(), body[at:].decode())
        return op[0], body

    def check(self):
        self.sock.setblocking(False)
        return self.wait()


client = Client(5)
client.subscribe("to/shape")
client.publish("from/shape", "zero", 0)
client.publish("from/shape", "one", 1)
client.publish("from/shape", b"x" * 3000, 1)
print("checked", client.check())
client.sock.settimeout(0.1)
try:
    client.wait()
except OSError as e:
    print("waited", e.errno)
print("ready")
client.sock.setblocking(True)
client.wait()
client.wait()
while client.check() is None:
    time.sleep_ms(5)
client.sock.write(b"\xc0\0")
print("ping", client.wait())
try:
    client.sock.setblocking(True)
    client.wait()
except OSError:
    print("lost")
client.sock.close()
for _ in range(200):
    try:
        client = Client(2)
        break
    except OSError:
        time.sleep_ms(50)
client.subscribe("to/shape")
print("back")
client.wait()
client.publish("from/shape", "again", 1)
client.sock.write(b"\xe0\0")
client.sock.close()
print("done")
