# SPDX-License-Identifier: MIT
# What is rarer of a DTLS socket (tlsdgram.py): a server's handshakes, messages, asyncio's poll.
# Each is called by its name on a Dtls, which it gets first.

from sys import modules

from .tls import load
from .zbase import p

# Loaded with the first DTLS socket.
dgram = modules[__name__[:-4] + "gram"]
_number = p.number
_EAGAIN = p.number("EAGAIN")
_EINTR = p.number("EINTR")


def serve(t):
    """Goes on with a server's handshake, whosever it is: 0 when there is a session."""
    if not t.st:
        t.st = 2
    mine = t.enter()
    try:
        if not mine:
            return -_EAGAIN
        for _ in range(dgram.BURST):
            if t.st != 2:
                return -_EINTR * (t.st == 5)
            try:
                if t.eng is None:
                    r = _meet(t)
                    if r:
                        return r
                    if t.eng is None:
                        continue
                if not t.eng.step():
                    t.st = 3
                    return 0
                if not t.eng.next and p.ticks_diff(t.until, p.ticks_ms()) > 0:
                    return -_EAGAIN
            except dgram.FAILURES as e:
                if isinstance(e, OSError) and 0 < e.errno < 256:
                    # Ours, such as for want of memory; else it is the peer's, and is over.
                    t.code, t.why = load(p.TLS).reason(t, e)
                    t.renew()
                    return -t.code
            # Also for who has to show first that it gets what is sent to it (a cookie).
            t.renew()
        return -_EAGAIN
    finally:
        dgram.leave[mine](t)


def _meet(t):
    """Looks for somebody who begins a handshake: 0, or a negative errno."""
    got, t.hello = t.hello, None
    if not got:
        got = p.recvfrom(t.raw, dgram.WHOLE, 0)
        if got.__class__ is int:
            return -p.last_error(got)
    if dgram.hello(got[0]):
        t.peer = got[1]
        t.addr = p.address(t.sock.family, t.peer)
        t.until = p.ticks_add(p.ticks_ms(), 10000)  # as tlshake.py
        eng = load(p.TLS).Engine(t)
        eng.rest = got[0]
        t.eng = eng
    return 0


def sendmsg(t, h, buffers, ancdata, flags, addr):
    if ancdata:
        return -_number("EOPNOTSUPP")
    data = b"".join([bytes(b) for b in buffers])
    return t.sendto(h, data, flags, addr) if addr else t.send(h, data, len(data), flags)


def recvmsg(t, h, buffers, ancbufsize, flags):
    data = t.recv(h, 1 << 16, flags)
    if data.__class__ is int:
        return data
    at = 0
    for b in buffers:
        part = data[at : at + len(b)]
        b[: len(part)] = part
        at += len(part)
    return at, [], _number("MSG_TRUNC") * (at < len(data)), t.peer


def _awaited(t, want):
    """For asyncio: who waits for a handshake waits for data, of which there is none behind it."""
    return t.ready(want) or want * t.fresh


def source(t, h):
    if not getattr(t, "_source", None):
        t._source = load("tlssource").Source(t, _awaited)
    return t._source


def ioctl(t, h, request):
    t.ready(1)
    return len(t.got or b"")
