# SPDX-License-Identifier: MIT
# A TLS socket as an object, which MicroPython's poll takes. Only tlsmore.py loads it.

from uio import IOBase

# io.IOBase's request, and what is no such
_POLL = 3
_EINVAL = 22
_IN_OUT = 5


class Source(IOBase):
    def __init__(self, t, ready):
        self.t = t
        self.ready = ready  # not by its file's name: another thread may still be loading that

    def ioctl(self, request, arg):
        # What is raised here would end within the firmware's poll.
        try:
            return self.ready(self.t, arg & _IN_OUT) if request == _POLL else -_EINVAL
        except Exception:
            return _IN_OUT
