# SPDX-License-Identifier: MIT
import socket

from common import LOCAL, say

print(socket.getaddrinfo(LOCAL, 80))
print(socket.getaddrinfo("", "80", 0, socket.SOCK_DGRAM))
print(socket.getaddrinfo("fec0::2", 80))
print(len(socket.getaddrinfo("localhost", 80)))
say("not numeric", socket.getaddrinfo, LOCAL, "http")
say("family", socket.getaddrinfo, LOCAL, 80, 99)
say("no such name", socket.getaddrinfo, "nowhere.invalid", 80)
say("port", socket.getaddrinfo, LOCAL, 65536)
