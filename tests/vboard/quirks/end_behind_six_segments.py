# SPDX-License-Identifier: MIT
import socket
import time

from common import pair, say

for count in (5, 6, 7):
    a, b = pair(7000 + count)
    a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(count):
        a.send(b"x")
        time.sleep_ms(5)
    a.close()
    time.sleep_ms(5)
    b.settimeout(10 if count == 7 else 1)
    print(count, b.recv(100))
    say("the rest", b.recv, 100)
    say("the end", b.recv, 100)
    b.close()
