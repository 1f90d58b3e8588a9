# SPDX-License-Identifier: MIT
# sendmsg and recvmsg by copying; there is no ancillary data.

from micropython import const

from . import arm, room, send
from .dgram import length, recvfrom, sendto
from .stream import consume, enter, fill

# newlib's errnos
_EISCONN = const(127)
_EAGAIN = const(11)
_EOPNOTSUPP = const(95)

_NEW = const(1)
_PENDING = const(2)
_LISTEN = const(4)
_DGRAM = const(64)
_BLOCKS = const(256)
_TAKES = const(4096)
_GONE = const(128)
_NO_DATA = const(_NEW | _PENDING | _LISTEN | _DGRAM | _GONE)
_PEEK = const(1)
_TRUNC = const(64)
# A stream takes no more than its send buffer at once.
_MOST = const(4096)


def sendmsg(h, buffers, ancdata, flags, addr):
    if ancdata:
        return -_EOPNOTSUPP
    if addr is not None and h.domain == 1 and not h.st & _DGRAM:
        return -_EISCONN
    if h.st & _DGRAM:
        data = b"".join([bytes(b) for b in buffers])
        if addr is None:
            return send(h, data, len(data), flags)
        return sendto(h, data, flags, addr)
    if len(buffers) == 1:
        return send(h, buffers[0], len(buffers[0]), flags)
    sent = 0
    try:
        while True:
            part = b""
            skip = sent
            for b in buffers:
                if skip >= len(b):
                    skip -= len(b)
                elif len(part) < _MOST:
                    part += bytes(b[skip : skip + _MOST - len(part)])
                    skip = 0
            if sent and not part:
                return sent
            r = send(h, part, len(part), flags)
            if r < 0:
                return sent or r
            sent += r
            if r < len(part) or not part:
                return sent
    except MemoryError:
        if sent:
            return sent  # what was sent is sent
        raise


def recvmsg(h, buffers, ancbufsize, flags):
    if ancbufsize:
        return -_EOPNOTSUPP
    total = sum([len(b) for b in buffers])
    if h.st & _BLOCKS:
        arm(h)
    mine = 0 if h.st & _NO_DATA else enter(h)
    try:
        return _receive(h, buffers, total, flags) if mine >= 0 else -_EAGAIN
    finally:
        h.st = h.st & ~(_TAKES * (mine > 0))


def _receive(h, buffers, total, flags):
    dgram = h.st & _DGRAM
    size = length(h) if dgram and flags & _TRUNC else 0
    if size < 0:
        return size
    if dgram:
        # One byte more tells whether a datagram is longer.
        room(total + 1600 + 100 * len(buffers))
        got = recvfrom(h, total + 1, flags & ~_TRUNC)
    else:
        # It is taken when nothing can fail any more.
        got = recvfrom(h, total, flags & ~_TRUNC | _PEEK)
    if got.__class__ is not tuple:
        return got
    data, addr = got
    size = max(len(data), size)
    view = memoryview(data)[:total]
    for b in buffers:
        if flags & _TRUNC and not dgram:
            break  # the bytes are dropped (tcp(7))
        fill(b, view[: len(b)])
        view = view[len(b) :]
    msg_flags = _TRUNC if size > total else 0
    result = size if flags & _TRUNC and dgram else min(size, total), [], msg_flags, addr
    if not dgram and not flags & _PEEK:
        consume(h, size)
    return result
