# SPDX-License-Identifier: MIT
import socket

from common import say

OPTIONS = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, 8),
    ("SO_LINGER", socket.SOL_SOCKET, 0x80),
    ("SO_RCVBUF", socket.SOL_SOCKET, 0x1002),
    ("IP_TTL", socket.IPPROTO_IP, 2),
    ("IPV6_V6ONLY", 41, 27),
    ("none such", 1234, 5678),
)
s = socket.socket()
for name, level, option in OPTIONS:
    say(name, s.setsockopt, level, option, 1)
