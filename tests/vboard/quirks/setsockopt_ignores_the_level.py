# SPDX-License-Identifier: MIT
import socket

from common import LOCAL, say, udp, until

IP_TOS, TCP_KEEPIDLE, TCP_KEEPINTVL, IP_DROP_MEMBERSHIP = 1, 3, 4, 4
s = socket.socket()
d = udp(7001)
say("IP_TOS on a stream", s.setsockopt, socket.IPPROTO_IP, IP_TOS, 16)
say("IP_TOS on a datagram socket", d.setsockopt, socket.IPPROTO_IP, IP_TOS, 16)
say("TCP_KEEPIDLE", s.setsockopt, socket.IPPROTO_TCP, TCP_KEEPIDLE, 60)
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
say("bind to the same port", other.bind, (LOCAL, 7001))
for each in (d, other):
    each.setsockopt(socket.IPPROTO_TCP, TCP_KEEPINTVL, 10)
say("after TCP_KEEPINTVL", other.bind, (LOCAL, 7001))
say("IP_DROP_MEMBERSHIP", d.setsockopt, socket.IPPROTO_IP, IP_DROP_MEMBERSHIP, bytes(8))
called = []
say("option 20", d.setsockopt, socket.IPPROTO_TCP, 20, called.append)
d.sendto(b"x", (LOCAL, 7001))
until(lambda: called)
print("called", called == [d])
