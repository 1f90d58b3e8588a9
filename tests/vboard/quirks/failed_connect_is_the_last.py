# SPDX-License-Identifier: MIT
import socket

from common import HOST, PORT_CLOSED, PORT_OPEN, say

s = socket.socket()
say("refused", s.connect, (HOST, PORT_CLOSED))
say("again", s.connect, (HOST, PORT_OPEN))
say("and again", s.connect, (HOST, PORT_OPEN))
say("send", s.send, b"x")
say("a new one", socket.socket().connect, (HOST, PORT_OPEN))
