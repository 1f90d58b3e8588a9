# SPDX-License-Identifier: MIT
import select

from common import events, pair, say, until


def reset(data):
    """The end of a connection whose peer sent this and reset it."""
    a, b = pair(7001)
    if data:
        a.send(data)
        until(lambda: events(b) & select.POLLIN)
    b.send(b"unread")
    until(lambda: events(a) & select.POLLIN)
    a.close()
    until(lambda: events(b, select.POLLHUP))
    return b


for data in (b"", b"data"):
    s = reset(data)
    for _ in range(4):
        say("recv", s.recv, 10)
    say("send", s.send, b"x")
