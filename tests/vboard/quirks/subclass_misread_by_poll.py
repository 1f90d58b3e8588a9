# SPDX-License-Identifier: MIT
import errno
import socket

from common import LOCAL, events, say


class Sub(socket.socket):
    pass


def flags(s):
    try:
        return events(s)
    except OSError as e:
        return errno.errorcode[e.errno]


native = flags(socket.socket())
s = Sub()
wrong = False
# What poll takes for the number of the socket depends on the attributes.
for n in range(12):
    setattr(s, "a%d" % n, n)
    wrong = wrong or flags(s) != native
print("native", native, "subclass the same", not wrong)
say("its own methods", s.bind, (LOCAL, 7001))
