# SPDX-License-Identifier: MIT
import errno
import time

from common import say, udp

s = udp(7001)


def slices(seconds):
    """How many of 100 ms it waits; the least of some, for a machine that is busy."""
    s.settimeout(seconds)
    least = 1000000
    for _ in range(3):
        start = time.ticks_ms()
        try:
            s.recv(1)
        except OSError as e:
            name = errno.errorcode[e.errno]
        least = min(least, time.ticks_diff(time.ticks_ms(), start))
    return "%d slices, %s" % ((least + 5) // 100, name)


for seconds in (0.05, 0.09, 0.1, 0.25, 0.5):
    print(seconds, slices(seconds))
s.settimeout(0)
say("0", s.recv, 1)
