# SPDX-License-Identifier: MIT
import select

from common import events, pair, say, until

for unread in (b"", b"unread"):
    a, b = pair(7001)
    b.settimeout(2)
    if unread:
        b.send(unread)
        until(lambda: events(a) & select.POLLIN)
    a.close()
    say("unread %d" % len(unread), b.recv, 1)
    b.close()
