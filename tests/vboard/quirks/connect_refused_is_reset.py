# SPDX-License-Identifier: MIT
import socket

from common import HOST, LOCAL, PORT_CLOSED, events, say, until

s = socket.socket()
say("refused here", s.connect, (LOCAL, 1))
say("refused by the host", socket.socket().connect, (HOST, PORT_CLOSED))
s = socket.socket()
s.setblocking(False)
say("non-blocking", s.connect, (HOST, PORT_CLOSED))
until(lambda: events(s))
say("then", s.recv, 1)
