# SPDX-License-Identifier: MIT
# The rest of a connect that is not over at once.

from . import _config
from .zbase import fail, p, tab

_POLLOUT = 4
# How long one wait lasts (ms) before it looks whether the fd was closed by another thread.
_SLICE = 50
_LIMIT = _config.NET_SOCKETS_CONNECT_TIMEOUT
_EAGAIN = p.number("EAGAIN")
_EBADF = p.number("EBADF")
_EISCONN = p.number("EISCONN")
_PENDING = p.number("EINPROGRESS"), p.number("EALREADY"), p.number("EINTR")


def connect_rest(fd, sock, addr, err):
    """After a first connect has said err."""
    if err == _EBADF and sock.p is not p:
        # A port's own call does not know it.
        r = sock.p.connect(sock.h, addr, False)
        if not r:
            return
        err = sock.p.last_error(r)
    if sock.nonblock:
        raise sock.p.error(err)
    limit, late = _LIMIT, "ETIMEDOUT"
    if sock.sndtimeo and not 0 < limit < sock.sndtimeo:
        limit, late = sock.sndtimeo, "EINPROGRESS"
    begin = p.ticks_ms()
    asked = False
    while True:
        if tab[fd] is not sock:
            fail("EBADF")
        left = limit - p.ticks_diff(p.ticks_ms(), begin) if limit else _SLICE
        if err in _PENDING:
            # At once it asks again: a connection within this machine may be there already.
            ms = max(min(left, _SLICE), 0)
            if asked and not sock.p.wait(sock.h, _POLLOUT, ms) and left <= 0:
                fail(late)
            asked = True
        elif err == _EAGAIN and left > 0:
            # The queue of an AF_UNIX listener is full; nothing tells when it is not.
            p.sleep_ms(10)
        else:
            raise sock.p.error(err)
        err = sock.p.connect(sock.h, addr, False)
        if not err:
            return
        err = sock.p.last_error(err)
        if asked and err == _EISCONN:
            return
