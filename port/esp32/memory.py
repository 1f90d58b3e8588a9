# SPDX-License-Identifier: MIT
# socketpair in memory: two ends that the firmware's poll takes for streams, and no lwIP socket.

import io

from micropython import const

from usocket_compat import _config

from . import E, Handle, fail

_DGRAM = const(64)
_IN = const(1)
_OUT = const(4)
_HUP = const(16)
# io.IOBase's requests
_POLL = const(3)
_CLOSE = const(4)
# As many datagrams wait at most.
_QUEUE = const(16)
_SIZE = _config.NET_SOCKETPAIR_BUFFER_SIZE


class _End(io.IOBase):
    """One end, with the native socket's methods."""

    def __init__(self, dgram):
        self.dgram = dgram
        # gone: closed; left: a datagram found that the other end is closed
        self.reset = self.gone = self.left = False
        self.queue = []
        # copied byte by byte, which allocates nothing
        self.ring = bytearray(0 if dgram else _SIZE)
        self.first = self.count = 0
        self.other = None

    def room(self):
        if not self.dgram:
            return _SIZE - self.count
        return _SIZE - len(b"".join(self.queue)) if len(self.queue) < _QUEUE else 0

    def _other(self):
        if self.gone:
            raise OSError(E.EBADF)
        return self.other

    def write(self, data):
        other = self._other()
        if other is None:
            raise OSError(E.EPIPE)
        n = min(_SIZE - other.count, len(data))
        if not n:
            return None
        ring = other.ring
        at = (other.first + other.count) % _SIZE
        for i in range(n):
            ring[at] = data[i]
            at += 1
            if at == _SIZE:
                at = 0
        other.count += n
        return n

    def sendto(self, data, addr):
        other = self._other()
        if other is None:
            code = E.ENOTCONN if self.left else E.ECONNREFUSED
            self.left = True
            raise OSError(code)
        if len(data) > _SIZE:
            raise OSError(E.EMSGSIZE)
        if len(data) > other.room() or len(other.queue) == _QUEUE:
            raise OSError(E.EAGAIN)
        other.queue.append(bytes(data))
        return len(data)

    def recv(self, n):
        buf = bytearray(min(n, self.count) or 1)
        n = self.readinto(buf)
        if n is None:
            raise OSError(E.EAGAIN)
        return bytes(buf[:n])

    def recvfrom(self, n, flags=0):
        if self.queue:
            return (self.queue[0] if flags else self.queue.pop(0))[:n], None
        self._other()
        raise OSError(E.EAGAIN)

    def readinto(self, buf, n=-1):
        n = min(self.count, len(buf) if n < 0 else n)
        if not n:
            if self.reset:
                self.reset = False
                raise OSError(E.ECONNRESET)
            return None if self._other() else 0
        ring = self.ring
        at = self.first
        for i in range(n):
            buf[i] = ring[at]
            at += 1
            if at == _SIZE:
                at = 0
        self.first = at
        self.count -= n
        return n

    def ioctl(self, request, arg):
        if request == _CLOSE:
            self.close()
            return 0
        if request != _POLL:
            return -E.EINVAL
        ready = _IN if self.queue or self.count else 0
        if self.other is None:
            ready |= _OUT if self.dgram else _IN | _OUT | _HUP
        elif self.other.room() > 0:
            ready |= _OUT
        return ready & (arg | _HUP)

    def close(self):
        self.gone = True
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            # Linux: what nobody read is a reset for the other end of a stream.
            other.reset = self.count > 0

    def listen(self, backlog):
        pass  # the firmware's sockets need it after an empty datagram

    def setblocking(self, flag):
        pass


def socketpair(family, type, proto):
    if family != 1:
        fail("EOPNOTSUPP" if family == 2 else "EAFNOSUPPORT")
    if type not in (1, 2):
        fail("ESOCKTNOSUPPORT" if 0 < type < 11 else "EINVAL")
    if proto not in (0, 1):
        fail("EPROTONOSUPPORT")
    a, b = _End(type == 2), _End(type == 2)
    a.other, b.other = b, a
    return _handle(a), _handle(b)


def _handle(end):
    h = Handle(end)
    h.domain = 1
    h.peer = h.name = ("", 1)
    h.st = _DGRAM if end.dgram else 0
    return h
