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
_WAITALL = const(2)
_DONTWAIT = const(8)
_TRUNC = const(64)
_NOSIGNAL = const(32)
_OOB = const(4)
_ERRQUEUE = const(8192)
_MORE = const(16)

_MOST = const(65507)
_HUGE = const(1 << 22)
# What a read makes room for when the whole datagram is needed: to peek at it, or for its length.
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
    got = h.back
    if got is None:
        size = max(n, _WHOLE if flags & (_PEEK | _TRUNC) else 1)
        got = _native_from(h, size)
        if got == -_EAGAIN and h.block and not flags & _DONTWAIT and awaited(h):
            got = _native_from(h, size)
        if got.__class__ is int:
            return got
    if flags & _PEEK:
        h.back = got
        be(h, _DGRAM | _HELD)
    elif h.back:
        h.back = None
        be(h, _DGRAM)
    return got[0][:n] if len(got[0]) > n else got[0], got[1]


def _native_from(h, n):
    try:
        got = h.s.recvfrom(n)
    except MemoryError:
        if n <= _WHOLE:
            raise
        return _native_from(h, _WHOLE)
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
    """How long the next datagram is; 0 if there is none."""
    got = recvfrom(h, _WHOLE, _PEEK | _DONTWAIT)
    return len(got[0]) if got.__class__ is tuple else 0


def recvfrom_into(h, buf, n, flags):
    whole = flags & _TRUNC and h.st & _DGRAM
    got = recvfrom(h, max(n, _WHOLE) if whole else n, flags)
    if got.__class__ is not tuple:
        return got
    data, addr = got
    fill(buf, data if len(data) <= n else data[:n])
    return len(data), addr
