# SPDX-License-Identifier: MIT
import socket

from common import HOST, PORT_HELD, say

# Closed here, but not by the host: nothing of them is left but the PCB.
for _ in range(3):
    s = socket.socket()
    s.connect((HOST, PORT_HELD))
    s.close()
kept = []


def fill():
    while True:
        kept.append(socket.socket())


say("TCP", fill)
print(len(kept))
