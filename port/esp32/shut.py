# SPDX-License-Identifier: MIT
# shutdown and POLLRDHUP, of which the firmware knows nothing. SHUT_RD is remembered; SHUT_RDWR
# closes the native socket, which is what lwIP's own shutdown of both ways does, when all that has
# arrived is held back: a close with data unread would be a reset. SHUT_WR cannot be done.

from micropython import const

from . import arm, gone, load, set_state, settle, sleep_ms

# newlib's errnos
_EINVAL = const(22)
_ENOMEM = const(12)
_ENOTCONN = const(128)
_EOPNOTSUPP = const(95)

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
_IN = const(1)
_OUT = const(4)
_ERR = const(8)
_HUP = const(16)
_RDHUP = const(8192)
_WINDOW = const(5760)


def _look_ahead(h, most, run):
    """Reads what lwIP holds, until `most` bytes are held back."""
    if h.st & _BLOCKS:
        arm(h)
    run(h, load("stream").read_ahead, most, _WINDOW)


def shutdown(h, how):
    if h.st & _GONE:
        raise OSError(gone(h))
    if not 0 <= how <= 2:
        raise OSError(_EINVAL)
    if how == 1 or h.st & (_DGRAM | _LISTEN) or h.domain != 2:
        raise OSError(_EOPNOTSUPP)
    if h.st & _PENDING:
        settle(h)
    shut = h.rare and h.rare.get("shut")
    if shut == 2:
        return
    try:
        load("stream").notice(h)
        if h.st & (_NEW | _PENDING | _DEAD):
            raise OSError(_EOPNOTSUPP if h.st & _PENDING else _ENOTCONN)
        if how == 2:
            _look_ahead(h, _WINDOW + len(h.back or b""), load("stream").next_alone)
        load("options").keep(h, "shut", how or 1)
    except MemoryError:
        raise OSError(_ENOMEM)
    end(h, how)


def end(h, how):
    if how == 0:
        set_state(h, h.st | _EOF)
    elif not h.st & _DEAD:
        set_state(h, h.st & _HELD | _EOF | _DEAD)
        h.s.close()


def look_for_end(self, pfd, h, ev):
    """With POLLRDHUP in ev if the peer has ended: then it is behind what can be read ahead."""
    if ev & _HUP:
        return ev | _RDHUP
    asks = False
    while pfd:
        asks = asks or pfd.events & _RDHUP
        pfd = pfd._same
    if asks and ev & _IN and h.domain == 2 and not h.st & _LISTEN:
        try:
            _look_ahead(h, _WINDOW, load("stream").alone)
        except MemoryError:
            # As far as there is room, and what is still in lwIP can be read all the same.
            return ev
        ev &= ~_IN
        if h.st & (_EOF | _HELD):
            ev |= _IN
        if h.st & _DEAD:
            ev = _IN | _OUT | _HUP | _ERR
        if h.st & (_EOF | _DEAD):
            return ev | _RDHUP
        if not self.ready:
            sleep_ms(1)  # what asks for nothing else is not to be asked without pause
    return ev
