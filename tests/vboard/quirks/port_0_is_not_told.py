# SPDX-License-Identifier: MIT
import socket

from common import LOCAL, say

s = socket.socket()
say("bind", s.bind, (LOCAL, 0))
say("listen", s.listen, 1)
say("getsockname", lambda: s.getsockname())
