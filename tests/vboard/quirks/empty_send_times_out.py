# SPDX-License-Identifier: MIT
from common import pair, say

a, b = pair(7001)
say("send", a.send, b"")
a.settimeout(0.2)
say("send, timeout", a.send, b"")
a.setblocking(False)
say("send, non-blocking", a.send, b"")
