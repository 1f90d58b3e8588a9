# SPDX-License-Identifier: MIT
# eventfd in memory: a counter that the firmware's poll takes for a stream.

from micropython import const

from . import Handle, IOBase

_GONE = const(128)
_EAGAIN = const(11)
_IN = const(1)
_OUT = const(4)
# io.IOBase's request
_POLL = const(3)
_MOST = 0xFFFFFFFFFFFFFFFE


class _Counter(IOBase):
    def __init__(self, value, semaphore):
        self.value = value
        self.semaphore = int(semaphore)

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
    return _take(h.s) or -_EAGAIN


def eventfd_write(h, value):
    return 0 if _add(h.s, value) else -_EAGAIN


def eventfd_set(h):
    # From a hard interrupt: it allocates nothing.
    h.s.value = 1


# Neither has a branch, where a callback or another thread might come in.


def _take(counter):
    value = counter.value
    n = value - (value - (value > 0)) * counter.semaphore
    counter.value = value - n
    return n


def _add(counter, value):
    free = value <= _MOST - counter.value
    counter.value += value * free
    return free
