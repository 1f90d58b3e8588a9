# SPDX-License-Identifier: MIT
# A stream's data where lwIP and Linux differ: resets, the end, what was read ahead.

from select import poll
from time import sleep_ms, ticks_diff, ticks_ms

from micropython import const

from . import E, arm, awaited, be, gone, lost, more, pollable, told

# Handle.st
_NEW = const(1)
_PENDING = const(2)
_LISTEN = const(4)
_DEAD = const(8)
_EOF = const(16)
_HELD = const(32)
_DGRAM = const(64)
_GONE = const(128)
_BLOCKS = const(256)
# lwIP's and the firmware's numbers
_EAGAIN = const(11)
_OUT = const(4)
_HUP = const(16)
_PEEK = const(1)
_WAITALL = const(2)
_DONTWAIT = const(8)
_NOSIGNAL = const(32)
_MORE = const(16)
_EOR = const(512)
_OOB = const(4)
_ERRQUEUE = const(8192)

# As much as one native recv makes room for when nobody says how much there is.
_CHUNK = const(1460)
_HUGE = const(1 << 22)
# What lwIP holds of a connection at most.
_WINDOW = const(5760)


def reset(h, code, writing=False):
    """A connected stream is dead, says lwIP's code: minus the errno that Linux has for it."""
    if h.st & _GONE:
        return -gone(h)
    if h.st & _DEAD:
        return 0
    if h.domain != 2:
        return -code
    if code == E.ENOTCONN:
        code = E.ECONNRESET
    elif code == E.ECONNABORTED:
        code = E.ETIMEDOUT
    elif code != E.ECONNRESET and code != E.EHOSTUNREACH:
        return -code
    ended = _had_ended(h, writing)
    be(h, _DEAD | h.st & (_HELD | _EOF) | (_EOF if ended and not writing else 0))
    if ended or h.st & _EOF:
        # Linux: what was reset after the peer's end is a broken pipe, and reads as that end.
        code = E.EPIPE
        if not writing:
            h.err = code
            return 0
    return -code


def _had_ended(h, writing):
    """Whether the peer's FIN came before its RST.

    lwIP says ECONNRESET for each of: a FIN that is read after the RST, the RST where it is queued,
    the RST as the connection's pending error, which the first call takes that finds nothing else.
    """
    if h.st & _EOF:
        return True
    if not writing:
        try:
            h.s.write(b"\0")
        except OSError as e:
            if e.errno != E.ENOTCONN:
                return False
        # It was the pending error. The queued RST is still there behind a FIN; else a read that
        # got data and had room for more has swallowed it.
        try:
            h.s.recv(1)
        except OSError as e:
            return e.errno == E.ECONNRESET
        return False
    resets = 0
    while resets < 2:
        try:
            data = h.s.recv(_CHUNK)
            if not data:
                break
            hold(h, data)
        except OSError as e:
            if e.errno != E.ECONNRESET:
                break
            resets += 1
    return resets > 1


def not_written(h, data):
    """A native write on a connected stream failed: minus its errno; None where it only waits."""
    if h.st & _GONE:
        return -gone(h)
    for _, ready in _look(h):
        if ready & _HUP:
            code = E.ECONNRESET if h.domain == 2 else E.EPIPE
            return reset(h, code, True)
    try:
        return h.s.write(data)
    except OSError as e:
        return lost(h, e, True)


def not_read(h):
    """A native read on a connected stream failed: minus its errno."""
    if h.st & _GONE:
        return -gone(h)
    for _, ready in _look(h):
        if ready & _HUP:
            return reset(h, E.ECONNRESET)
    # Something else: what this meets, data or an error, is held for the next try.
    read_ahead(h, 1)
    return -_EAGAIN


def notice(h):
    """Sees a reset that no call has met yet; what came before it is held back."""
    if not h.st & (_NEW | _PENDING | _LISTEN | _DEAD | _DGRAM | _GONE):
        for _, ready in _look(h):
            if ready & _HUP:
                if h.st & _BLOCKS:
                    arm(h)
                read_ahead(h, _WINDOW)


def _look(h):
    pollable(h)
    return h.ipoll(0)


def send(h, data, n, flags):
    st = h.st
    if st & _GONE:
        return -gone(h)
    if flags & ~(_DONTWAIT | _NOSIGNAL | _MORE | _EOR):
        return -E.EOPNOTSUPP
    if st & _DGRAM:
        if not h.peer:
            return -E.EDESTADDRREQ
        return more("dgram").sendto(h, data, flags, h.peer)
    if st & _PENDING:
        more("endpoints").settle(h)
        st = h.st
        if st & _PENDING:
            return -_EAGAIN
    if not n:
        notice(h)
        st = h.st
    if st & _DEAD:
        code, h.err = h.err, 0
        return -(code or E.EPIPE)
    if st & (_NEW | _LISTEN):
        return -E.EPIPE
    if not n:
        return 0 if h.domain == 2 or h.s.other else -E.EPIPE
    if st & _BLOCKS:
        arm(h)
    try:
        r = h.s.write(data)
        if not r and h.block and not flags & _DONTWAIT and room(h):
            r = h.s.write(data)
        return r or -_EAGAIN
    except OSError as e:
        return lost(h, e, True)


def room(h):
    """Waits until h can be written; whether it can."""
    p = poll()
    p.register(h.s, _OUT)
    return told(p.ipoll, h.swait)


def reads(h, n, flags):
    """recv, the whole of it: bytes or a negative number."""
    st = h.st
    if st & _GONE:
        return -gone(h)
    if flags & (_OOB | _ERRQUEUE):
        return -E.EOPNOTSUPP
    if st & _DGRAM:
        got = more("dgram").recvfrom(h, n, flags)
        return got[0] if got.__class__ is tuple else got
    if n > _HUGE:
        raise MemoryError
    if st & _PENDING:
        more("endpoints").settle(h)
        st = h.st
        if st & _PENDING:
            return -_EAGAIN
    if st & (_NEW | _LISTEN):
        return -E.ENOTCONN
    if st & _BLOCKS:
        arm(h)
    wanted = n if n and flags & _PEEK else 1
    # Of what is not read here lwIP knows that it is unread.
    r = read_ahead(h, wanted, n)
    if h.block and not flags & _DONTWAIT:
        begin = ticks_ms()
        if r == -_EAGAIN and not h.back and awaited(h):
            r = read_ahead(h, wanted, n)
        if flags & _PEEK and flags & _WAITALL:
            while len(h.back or b"") < n and not h.st & (_EOF | _DEAD):
                left = h.rwait - ticks_diff(ticks_ms(), begin)
                if left <= 0 or h.st & _GONE:
                    break
                sleep_ms(min(left, 5))
                r = read_ahead(h, n)
    data = h.back
    if data:
        part = data[:n]
        if not flags & _PEEK:
            if len(part) < n and not h.st & (_EOF | _DEAD):
                part += _native_recv(h, n - len(part))
            # Not data[n:]: a writer that met a reset may have put more behind it.
            h.back = h.back[min(n, len(data)) :] or None
            if not h.back:
                be(h, h.st & ~_HELD)
        return part
    if h.err and h.err != E.EPIPE:  # that is for whoever sends
        code, h.err = h.err, 0
        return -code
    return r if r < 0 else b""


def _native_recv(h, n):
    """What else is there now, and never an error: that is for the next call."""
    try:
        data = h.s.recv(min(n, _WINDOW))
    except MemoryError:
        return b""
    except OSError as e:
        if e.errno != _EAGAIN:
            h.err = -reset(h, e.errno) or h.err
        return b""
    if not data:
        be(h, h.st | _EOF)
    return data


def hold(h, data):
    """Keeps data for a later call. At once: what else fails must not lose it."""
    h.back = (h.back or b"") + data
    be(h, h.st | _HELD)


def read_ahead(h, n, most=1):
    """Reads until n bytes are held back, or there are no more now; a negative number if none.

    One read asks for up to `most` bytes.
    """
    r = 0
    left = n - len(h.back or b"")
    while left > 0 and not h.st & _EOF:
        dead = h.st & _DEAD
        try:
            data = h.s.recv(min(max(left, most), _CHUNK))
        except OSError as e:
            if h.st & _GONE:
                return -gone(h)
            if e.errno == _EAGAIN and not dead:
                r = -_EAGAIN
            elif dead:
                be(h, h.st | _EOF)
            else:
                h.err = -reset(h, e.errno) or h.err
            if dead or not h.st & _DEAD:
                break
            continue
        if data:
            hold(h, data)
            left -= len(data)
        else:
            be(h, h.st | _EOF)
    return r


def writable(buf):
    if isinstance(buf, memoryview):
        if len(buf):
            buf[0] = buf[0]
    elif isinstance(buf, (bytes, str)) or not hasattr(buf, "append"):
        raise TypeError("a writable buffer is required")
