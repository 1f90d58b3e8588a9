# SPDX-License-Identifier: MIT
import gc
import socket

from common import say

lost = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(10)]
lost = None
say("with ten lost", lambda: type(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).__name__)


class Owner:
    def __del__(self):
        print("deleted")


Owner()
gc.collect()
print("collected")
