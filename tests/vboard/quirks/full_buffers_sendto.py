# SPDX-License-Identifier: MIT
import errno

from common import LOCAL, pair

a, b = pair(7001)
a.setblocking(False)


def refusal(f, *args):
    """What it says when there is no room, also if some came just before the call."""
    for _ in range(100):
        try:
            while True:
                a.send(bytes(1000))
        except OSError as e:
            refused = errno.errorcode[e.errno]
        try:
            if f(*args) is None:
                return refused, None
        except OSError as e:
            return refused, errno.errorcode[e.errno]


print("sendto", refusal(a.sendto, b"x", (LOCAL, 7001)))
print("write", refusal(a.write, b"x"))
