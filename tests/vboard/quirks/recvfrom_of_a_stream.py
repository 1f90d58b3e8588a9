# SPDX-License-Identifier: MIT
import socket

from common import HOST, PORT_ECHO

s = socket.socket()
s.connect((HOST, PORT_ECHO))
s.send(b"hello")
print(s.recvfrom(10) == (b"hello", (HOST, PORT_ECHO)))
