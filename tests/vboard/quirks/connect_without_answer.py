# SPDX-License-Identifier: MIT
import socket

from common import HOST, PORT_SILENT, say

say("connect", socket.socket().connect, (HOST, PORT_SILENT))
