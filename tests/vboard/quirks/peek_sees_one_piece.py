# SPDX-License-Identifier: MIT
import socket
import time

from common import pair, say

MSG_WAITALL = 2
a, b = pair(7001)
a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for piece in (b"one", b"two", b"three"):
    a.send(piece)
    time.sleep_ms(50)
say("peek", b.recv, 100, socket.MSG_PEEK)
say("recv", b.recv, 100)
a.send(b"four")
say("waitall", b.recv, 100, MSG_WAITALL)
for name, flag in (("MSG_OOB", 4), ("MSG_NOSIGNAL", 32)):
    a.send(b"x")
    say(name, b.recv, 1, flag)
