# SPDX-License-Identifier: MIT
# Sends that end when all is sent, and then or in an error say how much that was.

from sys import modules

from .zargs import an_int, as_bytes
from .zbase import fail, get, p
from .zfail import spared, told
from .zwait import wait_ready

_net = modules[__name__.rpartition(".")[0]]
_POLLOUT = 4
_DONTWAIT = p.number("MSG_DONTWAIT")
_EAGAIN = p.number("EAGAIN")


def zsock_send_all(fd, data, flags=0, timeout=None):
    """Sends all of data on a stream, and waits for that also where fd is non-blocking.

    data: bytes-like; flags: as of zsock_send; timeout: seconds that the whole call may take (int
    or float; None: for ever). Returns the count, which is all of it. An error's `sent` is how
    many bytes went before it: data[e.sent:] is what is left to send.
    Raises OSError as zsock_send; ETIMEDOUT; EOPNOTSUPP for what is no stream.
    Source: zsock_send_all.
    """
    return send_limited(_stream(fd), fd, data, flags, None, in_ms(timeout))


def zsock_sendmsg_all(fd, buffers, ancdata=(), flags=0, timeout=None):
    """zsock_send_all of several buffers, in order, and of ancillary data with the first byte.

    buffers, ancdata: as of zsock_sendmsg. Returns the count of bytes. An error's `sent` counts
    over all buffers.
    Raises as zsock_send_all. Source: zsock_sendmsg_all.
    """
    sock = _stream(fd)
    views = [as_bytes(b) for b in buffers]
    limit = in_ms(timeout)
    begin = p.ticks_ms()
    spare = spared("sent")
    sent = 0
    try:
        while views:
            if not len(views[0]) and len(views) > 1:
                views.pop(0)
                continue
            try:
                r = _net.zsock_sendmsg(fd, views[:16], ancdata, flags | _DONTWAIT)
            except OSError as e:
                _wait(fd, sock, e, begin, None, limit)
                continue
            ancdata = ()
            sent += r
            while views and r >= len(views[0]):
                r -= len(views.pop(0))
            if r:
                views[0] = views[0][r:]
    except OSError as e:
        raise told(e, "sent", sent, spare)
    except MemoryError:
        spare.sent = sent
        raise spare
    return sent


def _stream(fd):
    try:
        sock = get(fd)
        if not sock.stream:
            fail("EOPNOTSUPP")
        return sock
    except OSError as e:
        raise told(e, "sent", 0)


def send_limited(sock, fd, data, flags, block, total):
    """zsock_send_all, given ms for each wait and for all; None: for ever."""
    an_int(flags)
    if data.__class__ is not bytes:
        data = as_bytes(data)
    n = len(data)
    spare = spared("sent")
    begin = None
    sent = 0
    part = data
    try:
        while True:
            try:
                sent += _net.zsock_send(fd, part, flags | _DONTWAIT)
            except OSError as e:
                begin = p.ticks_ms() if begin is None else begin
                _wait(fd, sock, e, begin, block, total)
                continue
            if sent >= n:
                return sent
            part = memoryview(data)[sent:]
    except OSError as e:
        raise told(e, "sent", sent, spare)
    except MemoryError:
        spare.sent = sent
        raise spare


def _wait(fd, sock, e, begin, block, total):
    """After a send failed with e: waits until it is worth another try, or raises."""
    if e.errno != _EAGAIN:
        raise e
    wait_limited(fd, sock, _POLLOUT, p.ticks_ms(), begin, block, total)


def wait_limited(fd, sock, want, first, begin, block, total):
    """Waits for want; ETIMEDOUT after block ms since first, or total since begin."""
    now = p.ticks_ms()
    left = -1
    if block is not None:
        left = block - p.ticks_diff(now, first)
    if total is not None:
        rest = total - p.ticks_diff(now, begin)
        left = rest if block is None or rest < left else left
    if left <= 0 and (block is not None or total is not None):
        fail("ETIMEDOUT")
    if not wait_ready(fd, sock, want, left):
        fail("ETIMEDOUT")


def in_ms(seconds):
    """Seconds in ms, rounded up; None for ever."""
    if seconds is None:
        return None
    if isinstance(seconds, str) or seconds < 0:
        raise ValueError("a timeout is seconds, 0 or more, or None")
    return int(seconds * 1000 + 0.999)
