# SPDX-License-Identifier: MIT
# A socket's own address and its peer's.

from micropython import const

from . import gone, load, settle

# newlib's errnos
_ENOTCONN = const(128)

# Handle.st
_NEW = const(1)
_PENDING = const(2)
_LISTEN = const(4)
_DEAD = const(8)
_GONE = const(128)


def getsockname(h):
    if h.st & _GONE:
        raise OSError(gone(h))
    if h.domain != 2:
        return ""
    if h.st & _PENDING:
        settle(h)
    host, port = h.name or ("0.0.0.0", 0)
    if host == "0.0.0.0" and h.peer:
        host = load("netif").toward(h.peer[0], h.rare and h.rare.get("device"))
    return host, port


def getpeername(h):
    if h.st & _GONE:
        raise OSError(gone(h))
    if h.st & _PENDING:
        settle(h)
    load("stream").notice(h)
    dead = h.st & _DEAD and not (h.rare and h.rare.get("shut"))
    # Linux: who is connected to port 0 is not connected.
    if dead or h.st & (_PENDING | _NEW | _LISTEN) or not h.peer or not h.peer[1]:
        raise OSError(_ENOTCONN)
    if h.domain != 2 and h.s.left:
        raise OSError(_ENOTCONN)
    return h.peer if h.domain == 2 else ""
