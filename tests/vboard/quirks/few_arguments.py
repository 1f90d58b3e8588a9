# SPDX-License-Identifier: MIT
import socket

from common import pair, say

say("keyword", lambda: socket.socket(type=socket.SOCK_DGRAM))
say("bind to a name", socket.socket().bind, ("localhost", 7002))
a, b = pair(7001)
say("flags for send", a.send, b"x", 0)
print("makefile", a.makefile() is a)
a.setblocking(False)
say("read", a.read, 1)
say("readinto", a.readinto, bytearray(1))
say("readline", a.readline)
say("sendall", a.sendall, bytes(100000))
a.close()
say("close again", a.close)
say("fileno", a.fileno)
say("recv", a.recv, 1)
say("with", lambda: a.__enter__)
