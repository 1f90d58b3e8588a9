# SPDX-License-Identifier: MIT
# eventfd in memory: a counter that the firmware's poll takes for a stream.

import io

from micropython import const

from . import E, Handle

_GONE = const(128)
_IN = const(1)
_OUT = const(4)
# io.IOBase's request
_POLL = const(3)
_MOST = 0xFFFFFFFFFFFFFFFE


class _Counter(io.IOBase):
    def __init__(self, value, semaphore):
        self.value = value
        self.semaphore = semaphore

    def ioctl(self, request, arg):
        if request != _POLL:
            return 0
        return arg & ((_IN if self.value else 0) | (_OUT if self.value < _MOST else 0))

    def close(self):
        pass


def eventfd(value, semaphore):
    h = Handle(_Counter(value, semaphore))
    h.domain = 0
    # To every call on sockets it is none.
    h.st = _GONE
    return h


def eventfd_read(h):
    counter = h.s
    n = 1 if counter.semaphore and counter.value else counter.value
    counter.value -= n
    return n or -E.EAGAIN


def eventfd_write(h, value):
    counter = h.s
    if value > _MOST - counter.value:
        return -E.EAGAIN
    counter.value += value
    return 0
