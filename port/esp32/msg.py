# SPDX-License-Identifier: MIT
# sendmsg and recvmsg by copying; there is no ancillary data.

from micropython import const

from . import E, fill, send
from .dgram import recvfrom, sendto, waited

_DGRAM = const(64)
_TRUNC = const(64)
# A stream takes no more than its send buffer at once.
_MOST = const(4096)


def sendmsg(h, buffers, ancdata, flags, addr):
    if ancdata:
        return -E.EOPNOTSUPP
    if h.st & _DGRAM:
        data = b"".join([bytes(b) for b in buffers])
        if addr is None:
            return send(h, data, len(data), flags)
        return sendto(h, data, flags, addr)
    if len(buffers) == 1:
        return send(h, buffers[0], len(buffers[0]), flags)
    sent = 0
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


def recvmsg(h, buffers, ancbufsize, flags):
    if ancbufsize:
        return -E.EOPNOTSUPP
    total = sum([len(b) for b in buffers])
    dgram = h.st & _DGRAM
    size = waited(h, flags) if dgram and flags & _TRUNC else 0
    if size < 0:
        return size
    # One byte more tells whether a datagram is longer.
    got = recvfrom(h, total + 1 if dgram else total, flags & ~_TRUNC)
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
    return size if flags & _TRUNC and dgram else min(size, total), [], msg_flags, addr
