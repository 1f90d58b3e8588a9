# SPDX-License-Identifier: MIT
import select
import socket

from common import HOST, PORT_CLOSED, events, pair, say, until

ALL = select.POLLIN | select.POLLOUT | select.POLLERR | select.POLLHUP
s = socket.socket()
print("new", events(s), events(s, select.POLLIN))
s.setblocking(False)
say("connect", s.connect, (HOST, PORT_CLOSED))
until(lambda: events(s))
print("failed", events(s), events(s, ALL))
a, b = pair(7001)
print("connected", events(a), events(a, ALL))
b.send(b"unread")
until(lambda: events(a) & select.POLLIN)
a.close()
until(lambda: events(b) & select.POLLIN)
print("reset", events(b), events(b, ALL))
a.close()
print("closed", events(a))
print(hasattr(select, "POLLNVAL"))
