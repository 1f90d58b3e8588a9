# SPDX-License-Identifier: MIT
import io
import select
import socket

from common import events


class Wrapped(io.IOBase):
    def __init__(self, s):
        self.s = s

    def ioctl(self, request, argument):
        print("ioctl", request, argument)
        return argument & select.POLLOUT if request == 3 else -1


s = Wrapped(socket.socket())
print(events(s))
