# SPDX-License-Identifier: MIT
import socket

from common import say

kept = []


def fill(*args):
    while True:
        kept.append(socket.socket(*args))


say("TCP", fill)
print(len(kept), kept[0].fileno())
while kept:
    kept.pop().close()
say("UDP", fill, socket.AF_INET, socket.SOCK_DGRAM)
print(len(kept))
