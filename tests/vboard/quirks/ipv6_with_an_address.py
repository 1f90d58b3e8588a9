# SPDX-License-Identifier: MIT
import socket

from common import PORT_ECHO6, say

print(socket.getaddrinfo("fec0::2", 80))
s = socket.socket(socket.AF_INET6)
s.connect(("fec0::2", PORT_ECHO6))
s.send(b"hello")
print(s.recvfrom(10) == (b"hello", ("0.0.0.0", PORT_ECHO6)))
server = socket.socket(socket.AF_INET6)
server.bind(("::1", 7001))
server.listen(1)
client = socket.socket(socket.AF_INET6)
client.connect(("::1", 7001))
print("accept", server.accept()[1][0])
receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
receiver.bind(("::1", 7002))
sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
say("sendto", sender.sendto, b"x", ("::1", 7002))
say("connect", sender.connect, ("::1", 7002))
say("send", sender.send, b"x")
data, address = receiver.recvfrom(10)
print(data, address[0])
say("four items", client.connect, ("::1", 80, 0, 0))
