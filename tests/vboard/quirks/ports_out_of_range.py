# SPDX-License-Identifier: MIT
import socket

from common import LOCAL, say, udp

s = udp(7001)
for port in (65536, 70000, -1):
    say("connect to %d" % port, socket.socket().connect, (LOCAL, port))
    say("bind to %d" % port, socket.socket().bind, (LOCAL, port))
say("sendto", s.sendto, b"wrapped", (LOCAL, 65536 + 7001))
say("recvfrom", s.recvfrom, 10)
