# SPDX-License-Identifier: MIT
# epoll on MicroPython, by ffi.

from .clib import check, libc
from .firmware import BytesIO, os, struct

_CLOEXEC = 0x80000
_F_DUPFD_CLOEXEC = 1030
_EINTR = 4
_ADD, _DEL, _MOD = 1, 2, 3
_OUT = 4
# So many events at once.
_MOST = 64
_ONE = struct.pack("Q", 1)
# Where the data are in a struct epoll_event, and how long that is: packed on x86-64, as C has it
# elsewhere. Asked of the kernel.
_at = _size = 0


def _look():
    global _at, _size
    epoll = check(libc("epoll_create1", "i", "i")(_CLOEXEC))
    h = -1
    try:
        h = check(libc("eventfd", "i", "Ii")(0, _CLOEXEC))
        event = bytearray(struct.pack("I", _OUT)) + bytearray(b"123456789abc")
        check(libc("epoll_ctl", "i", "iiiP")(epoll, _ADD, h, event))
        told = bytearray(32)
        check(libc("epoll_wait", "i", "iPii")(epoll, told, 1, 0))
        at = told.find(b"12345678")
        _at, _size = (at, at + 8) if at >= 0 else (8, 16)
    finally:
        libc("close", "i", "i")(epoll)
        h >= 0 and libc("close", "i", "i")(h)


class Epoll:
    # ms; callbacks come in when a wait ends
    LONGEST = 50
    quick = None

    def __init__(self):
        if not _size:
            _look()
        self._buf = bytearray(_MOST * _size)
        # how many events there are in it that nobody has told yet
        self._n = 0
        self._wait = libc("epoll_wait", "i", "iPii")
        self._ctl = libc("epoll_ctl", "i", "iiiP")
        self._h = check(libc("epoll_create1", "i", "i")(_CLOEXEC))

    def add(self, h, events, key):
        self._change(_ADD, h, events, key)

    def modify(self, h, events, key):
        self._change(_MOD, h, events, key)

    def _change(self, what, h, events, key):
        event = bytearray(16)
        struct.pack_into("I", event, 0, events)
        struct.pack_into("I", event, _at, key)
        check(self._ctl(self._h, what, h, event))

    def remove(self, h, key):
        # Not NULL, which kernels before 2.6.9 refused; what was closed is not in it any more.
        self._ctl(self._h, _DEL, h, self._buf)

    def wait(self, ms, mine):
        buf = self._buf if mine else bytearray(_MOST * _size)
        n = mine and self._n
        if not n:
            # Its result must find room.
            BytesIO(_MOST * 64).close()
            n = self._wait(self._h, buf, _MOST, ms)
            if mine:
                self._n = max(n, 0)
            if n < 0 and os.errno() != _EINTR:
                check(n)
        found = []
        for i in range(n):
            i *= _size
            found.append(
                (struct.unpack_from("I", buf, i + _at)[0], struct.unpack_from("I", buf, i)[0])
            )
        return found

    def left(self):
        return self._n > 0

    def forget(self):
        self._n = 0

    def show(self, h, revents, event):
        pass

    def hide(self):
        pass

    def not_plain(self):
        pass

    def waited(self, ms):
        return True

    def dup(self, h=None):
        n = self._h if h is None else h
        return check(libc("fcntl", "i", "iil")(n, _F_DUPFD_CLOEXEC, 0))

    def drop(self, number):
        libc("close", "i", "i")(number)

    def __getattr__(self, name):
        if name != "wake":
            raise AttributeError(name)
        write = libc("write", "l", "iPL")
        self.wake = lambda h: write(h, _ONE, 8)
        return self.wake

    def close(self):
        h, self._h = self._h, -1
        libc("close", "i", "i")(h)
