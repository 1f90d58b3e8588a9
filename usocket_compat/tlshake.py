# SPDX-License-Identifier: MIT
# Connecting, and the handshake of both sides; what a TLS socket says that is not open. A board
# drops this file when the handshake is over.

from sys import modules

from .zbase import p

tls = modules[__name__[:-4]]
_number = p.number
# How long a handshake may take (ms): CONFIG_NET_SOCKETS_TLS_CONNECT_TIMEOUT of Zephyr.
LIMIT = 10000
# For so long (ms) it looks without pause where the platform's poll looks seldom.
_HASTE = 4 * getattr(p, "COARSE", 0)


def address(t, family, addr):
    return p.address(family, addr)


def connect(t, h, addr, wait):
    """wait: whether it may take as long as it takes; else it is EINPROGRESS, then EALREADY."""
    r = begin(t, addr, wait)
    while wait and (r == -_number("EINPROGRESS") or r == -_number("EALREADY")):
        # So long it is not seen that another thread has closed it.
        hurry = t.st == 2 and p.ticks_diff(t.until, p.ticks_ms()) > LIMIT - _HASTE
        t.wait(h, 4, 0 if hurry else 50)
        r = begin(t, addr, False)
    return r


def begin(t, addr, wait):
    first = t.st == 0
    if first:
        why = tls.load("tlscheck").missing(t)
        if why:
            t.code, t.why = _number("ECONNABORTED"), why
            return -t.code
    elif t.st == 3:
        fresh, t.fresh = t.fresh, False
        return 0 if fresh else -_number("EISCONN")
    elif t.st > 3:
        return -ended(t)
    if t.st < 2:
        r = p.connect(t.raw, addr, wait)
        if r:
            r = p.last_error(r)
            if first or r != _number("EISCONN"):
                if r == _number("EINPROGRESS") or r == _number("EALREADY"):
                    t.st = 1
                return -r
        t.addr = addr
        start(t, False)
    r = shake(t)
    if r == -_number("EAGAIN"):
        return -_number("EINPROGRESS" if first else "EALREADY")
    return r


def start(t, server):
    """There is a connection: the handshake begins."""
    if server:
        t.server = True
    t.until = p.ticks_add(p.ticks_ms(), LIMIT)
    t.st = 2


def shake(t):
    """Goes on with the handshake: 0 when it is over, else a negative errno."""
    mine = t.enter()
    try:
        if not mine:
            return -_number("EAGAIN")
        if t.st == 2:
            if t.eng is None:
                t.eng = tls.load(p.TLS).Engine(t)
            want = t.eng.step()
            if t.st != 2:
                pass  # it is over; or closed meanwhile
            elif not want:
                t.st = 3
            elif p.ticks_diff(t.until, p.ticks_ms()) <= 0:
                t.code, t.why = _number("ETIMEDOUT"), "the TLS handshake took too long"
                t.st = 4
            else:
                t.want = want
                return -_number("EAGAIN")
    except (OSError, ValueError) as e:
        failed(t, e)
    finally:
        tls.leave[mine](t)
    return 0 if t.st == 3 else -ended(t)


def proceed(t):
    """As shake, in another call than connect: which the next connect is still to be told."""
    r = shake(t)
    if not r and not t.server:
        t.fresh = True
    return r


def state(t, none):
    """0 if data may go, else a negative errno; none: that of what is not connected."""
    if t.st == 2:
        return proceed(t)
    if t.st == 3:
        return 0
    return -none if t.st == 0 else -_number("EAGAIN") if t.st == 1 else -ended(t)


def failed(t, e):
    """It ends with what the engine has raised: minus the errno."""
    if t.st < 4:
        code, why = tls.load(p.TLS).reason(t, e)
        if code == _number("EBADF") or t.st == 2 and code == _number("EPIPE"):
            code, why = _number("ECONNABORTED"), "the connection has gone"
        t.code, t.why = code, why
        t.st = 4
    return -ended(t)


def ended(t):
    """The errno of one that has failed, or was closed."""
    return _number("EBADF") if t.st == 5 else t.code
