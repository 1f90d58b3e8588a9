# SPDX-License-Identifier: MIT
import socket

from common import listener, say

s = listener(7001)
say("TCP_NODELAY", s.setsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
say("SO_REUSEADDR", s.setsockopt, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
