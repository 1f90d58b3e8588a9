# SPDX-License-Identifier: MIT
import socket

from common import PORT_ECHO6, say

s = socket.socket(socket.AF_INET6)
say("connect", s.connect, ("fec0::2", PORT_ECHO6))
s = socket.socket(socket.AF_INET6)
say("connect to a neighbour", s.connect, ("fe80::2", PORT_ECHO6))
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
say("datagrams", s.connect, ("fec0::2", PORT_ECHO6))
say("send", s.send, b"x")
server = socket.socket(socket.AF_INET6)
server.bind(("::", 7001))
server.listen(1)
client = socket.socket()
say("IPv4 to the wildcard", client.connect, ("127.0.0.1", 7001))
