# SPDX-License-Identifier: MIT
# A TLS socket as an object, which MicroPython's poll takes. Only tlsmore.py loads it.

from sys import modules

from uio import IOBase

_MORE = __name__[:-6] + "more"  # which another thread may still be loading
# io.IOBase's request, and what is no such
_POLL = 3
_EINVAL = 22
_IN_OUT = 5


class Source(IOBase):
    def __init__(self, t):
        self.t = t

    def ioctl(self, request, arg):
        # What is raised here would end within the firmware's poll.
        try:
            return modules[_MORE].ready(self.t, arg & _IN_OUT) if request == _POLL else -_EINVAL
        except Exception:
            return _IN_OUT
