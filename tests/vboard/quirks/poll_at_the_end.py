# SPDX-License-Identifier: MIT
import select

from common import events, pair, say, until

a, b = pair(7001)
a.close()
until(lambda: events(b) & select.POLLIN)
print("ended", events(b))
say("recv", b.recv, 1)
print("after it was read", events(b))
say("recv", b.recv, 1)
