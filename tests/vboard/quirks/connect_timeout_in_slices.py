# SPDX-License-Identifier: MIT
import socket
import time

from common import say

SILENT = "10.0.2.99"
for seconds in (0.05, 0.1, 0.3):
    s = socket.socket()
    s.settimeout(seconds)
    start = time.ticks_ms()
    say(seconds, s.connect, (SILENT, 80))
    print((time.ticks_diff(time.ticks_ms(), start) + 5) // 100, "slices")
    s.close()
