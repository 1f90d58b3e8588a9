# SPDX-License-Identifier: MIT
# MSG_WAITALL, and what ends it before all has come: file descriptors.

from . import errno as E
from . import zio
from .zwait import MSG_DONTWAIT, POLLIN, again, as_bytes, p, ready

_POLLERR = 8
_peek = p.number("MSG_PEEK")


def carries(sock):
    """Whether what is received on sock may come with file descriptors."""
    return sock.family == p.number("AF_UNIX") and hasattr(p, "recvmsg")


def take(sock, view, flags):
    """Receives into view: the count or a negative number, and whether descriptors came with it.

    Those end a MSG_WAITALL, as on Linux; here they are lost.
    """
    if not carries(sock):
        return p.recv_into(sock.h, view, len(view), flags), False
    got = p.recvmsg(sock.h, [view], 0, flags)
    if got.__class__ is not tuple:
        return got, False
    return got[0], bool(got[2] & p.number("MSG_CTRUNC"))


def recv_all(fd, sock, buf, size, flags):
    """MSG_WAITALL: the whole of buf; less only at the end of the stream, an error or a timeout."""
    peek = flags & _peek
    if peek and not zio.timeouts:
        raise p.error(E.EOPNOTSUPP)
    view = as_bytes(buf)
    got = 0
    begin = None
    first = p.ticks_ms()
    if not peek and carries(sock):
        flags |= MSG_DONTWAIT
        begin = first
    while True:
        tried = p.ticks_ms()
        r, last = take(sock, view[got:], flags)
        if r < 0:
            try:
                begin = again(fd, sock, p.last_error(r), True, POLLIN, begin, sock.rcvtimeo)
            except OSError:
                if got:
                    return got
                raise
            continue
        now = p.ticks_ms()
        left = sock.rcvtimeo - p.ticks_diff(now, first) if sock.rcvtimeo else -1
        if peek:
            # What it peeked at is all when the platform did not wait for more.
            if r >= size or not zio.tick or p.ticks_diff(now, tried) < zio.tick // 2:
                return r
        else:
            got += r
            if not r or got >= size or last:
                return got
            # From here on nothing may wait, and so take an error, inside the port.
            flags |= MSG_DONTWAIT
        if sock.rcvtimeo and left <= 0:
            return r if peek else got
        if not peek:
            # When time runs out, or an error is next, that is for the next call to report.
            revents = ready(fd, sock, POLLIN, left)
            if not revents or revents & _POLLERR:
                return got
