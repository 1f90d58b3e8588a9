# SPDX-License-Identifier: MIT
import socket

from common import pair, say

a, b = pair(7001)
a.send(b"data")
a.close()
for _ in range(4):
    say("recv", b.recv, 10)
say("read", b.read, 10)
say("peek", b.recv, 10, socket.MSG_PEEK)
