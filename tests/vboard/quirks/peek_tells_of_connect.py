# SPDX-License-Identifier: MIT
import socket

from common import HOST, PORT_CLOSED, PORT_OPEN, events, say, until

FLAGS = socket.MSG_PEEK | socket.MSG_DONTWAIT
SILENT = "10.0.2.99"


def begin(host, port):
    s = socket.socket()
    s.setblocking(False)
    say("connect", s.connect, (host, port))
    return s


s = begin(SILENT, 80)
say("pending, again", s.connect, (SILENT, 80))
s = begin(HOST, PORT_OPEN)
until(lambda: events(s))
say("connected, peek", s.recv, 1, FLAGS)
say("connected, again", s.connect, (HOST, PORT_OPEN))
s = begin(HOST, PORT_CLOSED)
until(lambda: events(s))
say("failed, peek", s.recv, 1, FLAGS)
say("failed, again", s.connect, (HOST, PORT_CLOSED))
