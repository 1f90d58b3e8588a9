# SPDX-License-Identifier: MIT
from common import pair, say

a, b = pair(7001)
a.settimeout(0.1)
say("sendall", a.sendall, bytes(30000))
a.close()
count = 0
while True:
    try:
        piece = b.recv(5000)
    except OSError:
        break
    if not piece:
        break
    count += len(piece)
print("some went out", 0 < count < 30000)
