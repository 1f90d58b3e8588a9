# SPDX-License-Identifier: MIT
# Waiting for a stream's data within lwIP, which wakes its reader at once. The firmware's poll
# looks once in 10 ms: time for more small segments than lwIP keeps of a connection. It is for
# streams that have brought more than a segment, or than was asked for, while their reader waited
# (Handle.many): on others the 100 ms, in which no callback comes in, would give nothing.

from _thread import get_ident

from micropython import const

from . import CLOSED, NOTHING, odd_handles, recv_rest, sleep_ms, tab, zsock_recv
from .stream import bury, enter, writable

_NEW = const(1)
_DEAD = const(8)
_EOF = const(16)
_HELD = const(32)
_GONE = const(128)
_WAITS = const(2048)
_TAKES = const(4096)
_ODD = const(_NEW | _DEAD | _EOF | _HELD)
_IN = const(1)
_EAGAIN = const(11)
_HUGE = const(1 << 22)

# How often a call waits within lwIP, 100 ms each; callbacks come in between. After that it polls.
_TIMES = const(20)


def receive(fd, n_or_buffer, sock):
    """A blocking recv of a stream that has nothing: waits within lwIP, and receives."""
    h = sock.h
    kind = n_or_buffer.__class__
    into = kind is bytearray
    if kind is int:
        times = _TIMES if 0 < n_or_buffer < _HUGE else 0
    elif into or kind is memoryview:
        if not into:
            writable(n_or_buffer)
        times = _TIMES if len(n_or_buffer) else 0
    else:
        times = 0
    # What is on its way from the board itself is cheaper to look for: to block takes 4 messages.
    # To look for longer was tried: over the loopback it stalls three times as often.
    sleep_ms(0)
    if tab[fd] is sock and not h.st and next(h.ipoll(0), NOTHING)[1] == _IN:
        return zsock_recv(fd, n_or_buffer)
    mine = enter(h)
    try:
        while times and mine > 0 and h.st == _TAKES and h.many and tab[fd] is sock:
            times -= 1
            got = _into(h, n_or_buffer, _behind(h, n_or_buffer)) if into else _ahead(h)
            if got is None:
                continue
            if got > 0:
                return got
            if got:
                h.err = -bury(h, -got) or h.err
            break  # recv_rest gives what is held, the end or the error
    finally:
        h.st = h.st & ~(_TAKES * (mine > 0))
    return recv_rest(fd, n_or_buffer, 0, -_EAGAIN, sock)


# Only in these two the native socket blocks; a callback that comes in goes by h.st. From their
# look at it on there is no branch, where another could close it, before the native socket waits.


def _into(h, buf, behind):
    """Waits for the first byte, and reads what is there: None after 100 ms, else as recv_into."""
    s = h.s
    n = 0
    h.st = h.st | _WAITS
    try:
        s.settimeout(0.05)  # 100 ms, for the firmware
        n = s.readinto(buf, 1)
        s.setblocking(False)
        # As in zsock_recv: no more while there is an error behind it.
        left = (len(buf) - 1) * (n == 1) * (next(h.ipoll(0), NOTHING)[1] == _IN)
        left = s.readinto(behind, left)
        return n and n + (left or 0)
    except OSError as e:
        return n or -e.errno
    finally:
        s.setblocking(False)
        h.st = h.st & ~_WAITS


def _ahead(h):
    """Waits for the first byte, and holds it: as _into, but that is 0."""
    s = h.s
    h.back = h.back  # its place
    # Made before: while this waits, others may take all memory.
    one = bytearray(1)
    keeper = CLOSED, h
    n = None
    h.st = h.st | _WAITS
    try:
        s.settimeout(0.05)
        n = s.readinto(one, 1)
        keeper[n == 1].back = one
    except OSError as e:
        return -e.errno
    finally:
        s.setblocking(False)
        held = (n == 1) & (h.st & _GONE == 0)
        odd_handles[0] += held & (h.st & _ODD == 0)
        h.st = h.st & ~_WAITS | _HELD * held
    return n and 0


def _behind(h, buf):
    """buf without its first byte; the same object each time, since a call allocates nothing."""
    if len(buf) == 1:
        return buf  # there is none
    view = h.behind
    if view and len(view) == len(buf) - 1:
        # A bytearray that has grown meanwhile may be elsewhere: whether this is still its memory.
        # No branch in between, where others might come.
        was = view[0]
        view[0] = was ^ 255
        same = buf[1] == was ^ 255
        view[0] = was
        if same and buf[1] == was:
            return view
    view = h.behind = memoryview(buf)[1:]
    return view


def turn(h, ms):
    """Waits for another thread's end with h's data: 1, or 0 after ms; None if it is this one's."""
    me = get_ident()
    while h.st & _TAKES and h.who != me:
        if ms <= 0:
            return 0
        sleep_ms(1)
        ms -= 1
    return None if h.st & _TAKES and not h.st & _HELD else 1
