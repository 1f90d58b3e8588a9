# SPDX-License-Identifier: MIT
# A descriptor as an object, which every poll of MicroPython takes.

from uio import IOBase

# io.IOBase's requests
_POLL = 3
_GET_FILENO = 10
_EINVAL = 22
_POLLNVAL = 32


class Source(IOBase):
    def __init__(self, h):
        self.h = h

    def ioctl(self, request, arg):
        if request == _GET_FILENO:
            return self.h
        # That of what is closed is negative, and so no descriptor.
        return _POLLNVAL if request == _POLL else -_EINVAL
