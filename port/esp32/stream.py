# SPDX-License-Identifier: MIT
# A stream's data where lwIP and Linux differ: resets, the end, what was read ahead, flags.

from _thread import get_ident

from micropython import const

from . import arm, gone, has_room, load, pollable, room, set_state, settle, sleep_ms

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
_AWAY = const(1024)
_WAITS = const(2048)
_TAKES = const(4096)
_BIT = const(12)  # of _TAKES
_NO_DATA = const(_NEW | _PENDING | _LISTEN | _DGRAM | _GONE)
# lwIP's and newlib's numbers
_EOPNOTSUPP = const(95)
_EINTR = const(4)
_EAGAIN = const(11)
_EPIPE = const(32)
_ECONNRESET = const(104)
_ENOTCONN = const(128)
_ECONNABORTED = const(113)
_ETIMEDOUT = const(116)
_EHOSTUNREACH = const(118)
_HUP = const(16)
_PEEK = const(1)
_WAITALL = const(2)
_DONTWAIT = const(8)
_NOSIGNAL = const(32)
_MORE = const(16)
_EOR = const(512)
_OOB = const(4)
_TRUNC = const(64)
_ERRQUEUE = const(8192)

# As much as one native recv makes room for when nobody says how much there is.
_CHUNK = const(1460)
_HUGE = const(1 << 22)
# What lwIP holds of a connection at most.
_WINDOW = const(5760)
# See outage.py: of one write; what is written without a look at the room for it.
_MOST = const(2816)
_SMALL = const(256)


def bury(h, code, writing=False):
    """A native call on a connected stream failed with lwIP's code: minus Linux's errno for it.

    If that is for the connection (outage.py has the table), h is dead from then on.
    """
    if code == _EAGAIN:
        return -code
    if h.st & _GONE:
        return -gone(h)
    if h.st & _DEAD:
        return 0
    if h.domain != 2:
        return -code
    if code == _ENOTCONN:
        code = _ECONNRESET
    elif code == _ECONNABORTED:
        code = _ETIMEDOUT
    elif code != _ECONNRESET and code != _EHOSTUNREACH:
        return -code
    ended = next_alone(h, _had_ended, True) if writing else _had_ended(h, False)
    if ended == _ETIMEDOUT:
        code, ended = ended, False
    set_state(h, _DEAD | h.st & (_HELD | _EOF) | (_EOF if ended and not writing else 0))
    if code == _ECONNRESET and (ended or h.st & _EOF):
        # Linux: what was reset after the peer's end is a broken pipe, and reads as that end.
        code = _EPIPE
        if not writing:
            h.err = code
            return 0
    return -code


def _had_ended(h, writing):
    """Whether the peer's FIN came before its RST; ETIMEDOUT if it was no RST.

    lwIP says ECONNRESET for each of: a FIN that is read after the RST, the RST where it is queued,
    the RST as the connection's pending error, which the first call takes that finds nothing else.
    """
    if h.st & _EOF:
        return True
    if not writing:
        try:
            h.s.write(b"\0")
        except OSError as e:
            if e.errno != _ENOTCONN:
                return _timed_out(e)
        # It was the pending error. The queued RST is still there behind a FIN; else a read that
        # got data and had room for more has swallowed it.
        try:
            h.s.recv(1)
        except OSError as e:
            return e.errno == _ECONNRESET or _timed_out(e)
        return False
    resets = 0
    h.back = h.back  # its place
    while resets < 2:
        room(2 * _CHUNK + len(h.back or b"") + 200)
        try:
            data = h.s.recv(_CHUNK)
            if not data:
                return True  # the firmware itself remembers the end
            hold(h, data)
        except OSError as e:
            if e.errno != _ECONNRESET:
                return _timed_out(e) or resets > 1
            resets += 1
    return True


def _timed_out(e):
    """lwIP's ERR_ABRT, which the call that met it first may have swallowed."""
    return _ETIMEDOUT if e.errno == _ECONNABORTED else False


def _failed(h, n, code):
    """A native write of n bytes failed: minus its errno, or how many were queued all the same."""
    taken = load("outage").failed(h, n) if code == _EHOSTUNREACH and h.domain == 2 else 0
    return taken or bury(h, code, True)


def write(h, data):
    """A native write on a connected stream failed: as _failed; None where it only waits."""
    if h.st & _GONE:
        return -gone(h)
    if _look(h) & _HUP:
        return bury(h, _ECONNRESET if h.domain == 2 else _EPIPE, True)
    if h.domain == 2:
        # Nothing else leaves a connection standing, and what it queued must not be queued twice.
        plain = data.__class__ in (bytes, bytearray, memoryview)
        return _failed(h, len(data if plain else bytes(data)), _EHOSTUNREACH)
    try:
        return h.s.write(data)
    except OSError as e:
        return bury(h, e.errno, True)


def read(h):
    """A native read on a stream failed, or another thread came in: minus its errno, or EINTR."""
    if h.st & _GONE:
        return -gone(h)
    mine = enter(h)
    try:
        if mine >= 0 and not h.st & ~_TAKES:
            if _look(h) & _HUP:
                return bury(h, _ECONNRESET) or -_EINTR
            # Something else: what this meets, data or an error, is held for the next try.
            read_ahead(h, 1)
        return -_EINTR
    finally:
        h.st = h.st & ~(_TAKES * (mine > 0))


def notice(h):
    """Sees a reset that no call has met yet; what came before it is held back."""
    if not h.st & (_NEW | _PENDING | _LISTEN | _DEAD | _DGRAM | _GONE) and _look(h) & _HUP:
        _ready(h)
        alone(h, read_ahead, _WINDOW)


def _look(h):
    """What the firmware's poll says now."""
    pollable(h)
    for _, ready in h.ipoll(0):
        return ready
    return 0


def _ready(h):
    """The state of a handle that data is asked of: a pending connect may be over."""
    if h.st & _BLOCKS:
        arm(h)
    elif h.st & _PENDING:
        settle(h)
    return h.st


def send(h, data, n, flags):
    if h.st & _GONE:
        return -gone(h)
    if flags & ~(_DONTWAIT | _NOSIGNAL | _MORE | _EOR):
        return -_EOPNOTSUPP
    if _ready(h) & _PENDING:
        return -_EAGAIN
    if not n:
        notice(h)
    if h.st & _DEAD:
        code, h.err = h.err, 0
        return -(code or _EPIPE)
    if h.st & (_NEW | _LISTEN):
        return -_EPIPE
    if not n:
        return 0 if h.domain == 2 or h.s.other else -_EPIPE
    try:
        if h.st & _AWAY:
            return load("outage").write(h, data)
        # While another thread waits within lwIP, its native socket blocks.
        if (n > _SMALL or h.st & _WAITS) and not has_room(h):
            return -_EAGAIN
        return h.s.write(data, _MOST) or -_EAGAIN
    except OSError as e:
        return _failed(h, n, e.errno)


def recv(h, n, flags):
    """recv, the whole of it: bytes or a negative number."""
    if h.st & _GONE:
        return -gone(h)
    if flags & (_OOB | _ERRQUEUE):
        return -_EOPNOTSUPP
    if n > _HUGE:
        raise MemoryError
    st = _ready(h)
    if st & _PENDING:
        return -_EAGAIN
    if st & (_NEW | _LISTEN):
        return -_ENOTCONN
    mine = enter(h)
    try:
        if mine < 0:
            return -_EAGAIN
        # Of what is not read here lwIP knows that it is unread.
        r = read_ahead(h, n if n and flags & _PEEK else 1, n)
        data = h.back
        if data:
            part = data[:n]
            if part.__class__ is not bytes:
                part = bytes(part)  # waits.py holds a bytearray
            if not flags & _PEEK:
                if len(part) < n and not h.st & (_EOF | _DEAD):
                    part += _receive_more(h, n - len(part), n)
                consume(h, min(n, len(data)))
            return part
        if h.err and h.err != _EPIPE:  # that is for whoever sends
            code, h.err = h.err, 0
            return -code
        return r if r < 0 and not h.st & _EOF else b""
    finally:
        h.st = h.st & ~(_TAKES * (mine > 0))


def consume(h, n):
    """The first n bytes of what is held back have been given to the program."""
    if n:
        h.back = h.back[n:] or None
        if not h.back:
            set_state(h, h.st & ~_HELD)


def recv_into(h, buf, n, flags):
    if not h.st and n and not _look(h):
        return -_EAGAIN  # a wait allocates nothing
    mine = 0 if h.st & _NO_DATA else enter(h)
    try:
        if mine < 0:
            return -_EAGAIN
        # What is there is taken when nothing can fail any more.
        r = recv(h, n, flags | _PEEK)
        if r.__class__ is int:
            return r
        if not flags & _TRUNC:  # the bytes are dropped (tcp(7))
            fill(buf, r)
        if not flags & _PEEK:
            consume(h, len(r))
        return len(r)
    finally:
        h.st = h.st & ~(_TAKES * (mine > 0))


def _receive_more(h, n, total):
    """What else is there now, and never an error: that is for the next call."""
    if h.st & _WAITS and not _look(h):
        return b""
    try:
        room(min(n, _WINDOW) + total + 200)
        data = h.s.recv(min(n, _WINDOW))
    except MemoryError:
        return b""
    except OSError as e:
        if e.errno != _EAGAIN:
            h.err = -bury(h, e.errno) or h.err
        return b""
    if not data:
        set_state(h, h.st | _EOF)
    return data


def hold(h, data):
    """Keeps data for a later call. At once: what else fails must not lose it."""
    h.back = h.back + data if h.back else data
    set_state(h, h.st | _HELD)


def read_ahead(h, n, most=1):
    """Reads until n bytes are held back, or there are no more now; a negative number if none.

    One read asks for up to `most` bytes.
    """
    r = 0
    left = n - len(h.back or b"")
    # After SHUT_RD too there is what has come since.
    while left > 0 and (not h.st & _EOF or h.rare and h.rare.get("shut") == 1):
        if h.st & _WAITS and not _look(h):
            return -_EAGAIN  # a callback has come into that wait, and would wait too
        dead = h.st & _DEAD
        h.back = h.back  # its place
        want = min(max(left, most), _CHUNK)
        room(2 * want + len(h.back or b"") + 200)
        try:
            data = h.s.recv(want)
        except OSError as e:
            if h.st & _GONE:
                return -gone(h)
            if e.errno == _EAGAIN and not dead:
                r = -_EAGAIN
            elif dead:
                set_state(h, h.st | _EOF)
            else:
                h.err = -bury(h, e.errno) or h.err
            if dead or not h.st & _DEAD:
                break
            continue
        if data:
            hold(h, data)
            left -= len(data)
        else:
            set_state(h, h.st | _EOF)
    return r


# What a thread takes from lwIP, or of what is held, is one step for all others: nothing is there
# for them until it has ended. It begins and ends without a branch, where others might come in.

# Who takes, who comes, to choose from: to calculate with ids above 30 bits (C6, P4) takes memory.
_who = [0, 0]


def enter(h):
    """The calling thread is about to take data: 1, and it clears TAKES at its end; -1 if another
    is at it; 0 for a callback that came into its own thread's, which cannot wait for that.
    """
    h.who = h.who  # its place
    me = get_ident()
    mine = 1 - (h.st >> _BIT & 1)
    h.st = h.st | _TAKES
    _who[0] = h.who
    _who[1] = me
    h.who = _who[mine]
    return mine - (h.who != me)


def alone(h, call, *args):
    """call(h, *args), which takes data; None while another thread does such a thing."""
    mine = enter(h)
    try:
        return call(h, *args) if mine >= 0 else None
    finally:
        h.st = h.st & ~(_TAKES * (mine > 0))


def next_alone(h, call, *args):
    """As alone, after any other thread: of those only a reader within lwIP takes its time."""
    while True:
        mine = enter(h)
        try:
            if mine >= 0:
                return call(h, *args)
        finally:
            h.st = h.st & ~(_TAKES * (mine > 0))
        h.many = False  # so that it ends
        sleep_ms(1)


def fill(buf, data):
    """Puts data into the caller's buffer, whose items are bytes (zargs.target)."""
    memoryview(buf)[: len(data)] = data


def writable(buf):
    if isinstance(buf, memoryview):
        if len(buf):
            buf[0] = buf[0]
    elif isinstance(buf, (bytes, str)) or not hasattr(buf, "append"):
        raise TypeError("a writable buffer is required")
