# SPDX-License-Identifier: MIT
# Datagrams. The firmware takes an empty one for the end, sends an empty one for ever when it
# blocks, and joins several in readinto.

from micropython import const

from . import E, awaited, be, fill, gone, more, send
from .endpoints import choose_port

# Handle.st
_HELD = const(32)
_DGRAM = const(64)
_GONE = const(128)
# lwIP's and the firmware's numbers
_EAGAIN = const(11)
_PEEK = const(1)
_DONTWAIT = const(8)
_TRUNC = const(64)
_NOSIGNAL = const(32)
_OOB = const(4)
_ERRQUEUE = const(8192)
_MORE = const(16)

_MOST = const(65507)
_HUGE = const(1 << 22)
# ESP-IDF's lwIP reassembles nothing, so that no longer one comes from a network.
_WHOLE = const(1500)


def sendto(h, data, flags, addr):
    st = h.st
    if st & _GONE:
        return -gone(h)
    if not st & _DGRAM:
        # Linux: a connected stream ignores the address.
        return send(h, data, len(data), flags)
    if flags & ~(_DONTWAIT | _NOSIGNAL | _MORE):
        return -E.EOPNOTSUPP
    n = len(data)
    if n > _MOST:
        return -E.EMSGSIZE
    if not addr[1]:
        return -E.EINVAL
    if addr[0] == "255.255.255.255" and not (h.opts and h.opts.get((4095, 32))):
        return -E.EACCES
    if not h.name:
        choose_port(h)
    if addr[0] == "0.0.0.0":
        addr = ("127.0.0.1", addr[1])
    try:
        return h.s.sendto(data, addr)
    except OSError as e:
        if e.errno == E.ETIMEDOUT:  # sent nothing, or sent an empty one
            return -_EAGAIN if n else 0
        if e.errno == E.EHOSTUNREACH:
            return -E.ENETUNREACH
        return -e.errno


def recvfrom(h, n, flags):
    st = h.st
    if st & _GONE:
        return -gone(h)
    if not st & _DGRAM:
        data = more("stream").reads(h, n, flags)
        return data if data.__class__ is int else (data, None)
    if flags & (_OOB | _ERRQUEUE):
        return -E.EOPNOTSUPP
    if n > _HUGE:
        raise MemoryError
    look = _peek if flags & _PEEK else _next
    got = look(h, n)
    if got == -_EAGAIN and h.block and not flags & _DONTWAIT and awaited(h):
        got = look(h, n)
    if got.__class__ is int:
        return got
    return got[0][:n] if len(got[0]) > n else got[0], got[1]


def _next(h, n):
    got = h.back
    if got:
        h.back = None
        be(h, _DGRAM)
        return got
    return _native_from(h, max(n, 1))


def _peek(h, n):
    """The next datagram, n bytes of it at least if it has as many; it is still the next."""
    global _no_flags
    if not h.back and not _no_flags:
        try:
            return _native_from(h, max(n, 1), _PEEK)
        except TypeError:
            _no_flags = True
    if not h.back:
        got = _native_from(h, max(n, _WHOLE))
        if got.__class__ is int:
            return got
        h.back = got
        be(h, _DGRAM | _HELD)
    return h.back


# MicroPython 1.25's recvfrom takes no flags.
_no_flags = False


def _native_from(h, n, *flags):
    try:
        got = h.s.recvfrom(n, *flags)
    except MemoryError:
        # It makes room for n before it looks.
        if n <= _WHOLE:
            raise
        return _native_from(h, _WHOLE, *flags)
    except OSError as e:
        return -e.errno
    if not got[0]:
        # The firmware now believes that the peer has closed; a listen that fails cures it.
        try:
            h.s.listen(0)
        except OSError:
            pass
    return got


def length(h):
    """How long the next datagram is, or a negative number."""
    n = _WHOLE
    while True:
        got = _peek(h, n)
        if got.__class__ is int:
            return got
        if len(got[0]) < n or h.back:
            return len(got[0])
        n *= 2


def waited(h, flags):
    """The same, but a handle that blocks waits for it."""
    n = length(h)
    if n == -_EAGAIN and h.block and not flags & _DONTWAIT and awaited(h):
        n = length(h)
    return n


def recvfrom_into(h, buf, n, flags):
    size = 0
    if flags & _TRUNC and h.st & _DGRAM:
        size = waited(h, flags)
        if size < 0:
            return size
    got = recvfrom(h, n, flags)
    if got.__class__ is not tuple:
        return got
    fill(buf, got[0])
    return max(len(got[0]), size), got[1]
