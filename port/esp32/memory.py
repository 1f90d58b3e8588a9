# SPDX-License-Identifier: MIT
# socketpair in memory: two ends that the firmware's poll takes for streams, and no lwIP socket.

from micropython import const

from . import BytesIO, Handle, IOBase

# newlib's errnos
_EAFNOSUPPORT = const(106)
_EAGAIN = const(11)
_EBADF = const(9)
_ECONNREFUSED = const(111)
_ECONNRESET = const(104)
_EINVAL = const(22)
_EMSGSIZE = const(122)
_ENOTCONN = const(128)
_EOPNOTSUPP = const(95)
_EPIPE = const(32)
_EPROTONOSUPPORT = const(123)
_ESOCKTNOSUPPORT = const(124)

_DGRAM = const(64)
_IN = const(1)
_OUT = const(4)
_HUP = const(16)
# io.IOBase's requests
_POLL = const(3)
_CLOSE = const(4)
# As many datagrams wait at most.
_QUEUE = const(16)


# Threads and callbacks come in at a branch alone. So each of these four, which has none and no
# loop, is one step: a write is whole, and what was read is taken once.
#
# The ring is there twice, one behind the other, so that what is read is always in one piece; it is
# a BytesIO, whose write and readinto allocate nothing. `first` counts on far beyond its end: a
# reader sees by it whether another one was faster.


def _put(end, data):
    """How many bytes of data found room."""
    at = (end.first + end.count) % end.size
    end.ring.seek(at)
    n = end.ring.write(data, 0, end.size - end.count)
    head = min(n, end.size - at)
    end.ring.seek(at + end.size)
    end.ring.write(data, 0, head)
    end.ring.seek(0)
    end.ring.write(data, head, n - head)
    end.count += n
    return n


def _take(end, buf):
    """How many bytes there were for buf."""
    end.ring.seek(end.first % end.size)
    n = end.ring.readinto(buf, end.count)
    end.first = (end.first + n) % (end.size << 12)
    end.count -= n
    return n


def _look(end, buf):
    """As _take, but they stay there."""
    end.ring.seek(end.first % end.size)
    return end.ring.readinto(buf, end.count)


def _took(end, first, n):
    """Takes what a look has found, unless somebody else was faster."""
    ours = end.first == first
    end.first = (end.first + n * ours) % (end.size << 12)
    end.count -= n * ours
    return ours


class _End(IOBase):
    """One end, with the native socket's methods."""

    def __init__(self, dgram, size):
        self.dgram = dgram
        self.size = size
        # gone: closed; left: a datagram found that the other end is closed
        self.reset = self.gone = self.left = False
        self.queue = []
        self.first = self.count = 0
        self.other = None
        if not dgram:
            self.ring = BytesIO(2 * size)
            self.ring.write(bytes(2 * size))

    def room(self):
        if not self.dgram:
            return self.size - self.count
        return self.size - len(b"".join(self.queue)) if len(self.queue) < _QUEUE else 0

    def _other(self):
        if self.gone:
            raise OSError(_EBADF)
        return self.other

    def write(self, data, most=0):
        other = self._other()
        if other is None:
            raise OSError(_EPIPE)
        return _put(other, data) or (None if len(data) else 0)

    def sendto(self, data, addr):
        other = self._other()
        if other is None:
            code = _ENOTCONN if self.left else _ECONNREFUSED
            self.left = True
            raise OSError(code)
        if len(data) > self.size:
            raise OSError(_EMSGSIZE)
        if len(data) > other.room() or len(other.queue) == _QUEUE:
            raise OSError(_EAGAIN)
        other.queue.append(bytes(data))
        return len(data)

    def recv(self, n):
        while True:
            if self.count:
                # The result is made before anything is taken.
                buf = bytearray(max(min(n, self.count), 1))
                first = self.first
                if _look(self, buf) == len(buf):
                    data = bytes(buf)
                    if _took(self, first, len(buf)):
                        return data
            elif self.readinto(bytearray(0)) is None:
                raise OSError(_EAGAIN)
            elif not self.count:
                return b""

    def recvfrom(self, n, flags=0):
        while self.queue:
            took = self.queue[:1]
            if took:
                got = took[0][:n], None
                try:
                    if not flags:
                        self.queue.remove(took[0])
                    return got
                except ValueError:
                    pass  # another reader was faster
        self._other()
        raise OSError(_EAGAIN)

    def readinto(self, buf, _=0):
        n = _take(self, buf)
        if n:
            return n
        if self._other():
            return None
        # What came just before the end.
        n = _take(self, buf)
        if not n and self.reset:
            self.reset = False
            raise OSError(_ECONNRESET)
        return n

    def ioctl(self, request, arg):
        if request == _CLOSE:
            self.close()
            return 0
        if request != _POLL:
            return -_EINVAL
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
            # Linux: what nobody read is a reset for the other end of a stream.
            other.reset = self.count > 0
            other.other = None

    def listen(self, backlog):
        pass  # the firmware's sockets need it after an empty datagram

    def setblocking(self, flag):
        pass


def socketpair(family, type, proto, size):
    if family != 1:
        raise OSError(_EOPNOTSUPP if family == 2 else _EAFNOSUPPORT)
    if type not in (1, 2):
        raise OSError(_ESOCKTNOSUPPORT if 0 < type < 11 else _EINVAL)
    if proto not in (0, 1):
        raise OSError(_EPROTONOSUPPORT)
    a, b = _End(type == 2, size), _End(type == 2, size)
    a.other, b.other = b, a
    return _handle(a), _handle(b)


def _handle(end):
    h = Handle(end)
    h.domain = 1
    h.peer = h.name = ("", 1)
    h.st = _DGRAM if end.dgram else 0
    return h
