# SPDX-License-Identifier: MIT
import select

from common import events, pair, say, until

a, b = pair(7001)
b.settimeout(0.1)
say("recv(0), nothing there", b.recv, 0)
a.send(b"data")
until(lambda: events(b) & select.POLLIN)
say("recv(0)", b.recv, 0)
say("recv(10)", b.recv, 10)
