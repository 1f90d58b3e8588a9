# SPDX-License-Identifier: MIT
# Readiness: the firmware's poll, and what it does not know put right.

from select import poll
from time import sleep_ms, ticks_diff, ticks_us

from micropython import const

from . import more, odd_handles

# Handle.st
_NEW = const(1)
_PENDING = const(2)
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
_NVAL = const(32)
_SPIN = const(1500)
# What the firmware's poll does not know of.
_ODD = const(_NEW | _DEAD | _EOF | _HELD)


def _mask(events):
    return events & (_IN | _OUT) | _HUP


class poller:
    """The firmware's poll, with what it does not know put right."""

    # whether it polls a native socket that another has taken the place of
    stale = False

    def __init__(self):
        self.native = poll()
        # native socket -> [handle, events]
        self.by = {}
        # [handle, revents] of those that are ready; outs[n] is the list of the first n of them
        self.pairs = []
        self.outs = [[]]

    def register(self, h, events):
        self.native.register(h.s, _mask(events))
        self.by[h.s] = [h, events]
        self.pairs.append([h, 0])
        self.outs.append(self.pairs[:])

    def modify(self, h, events):
        self.native.modify(h.s, _mask(events))
        self.by[h.s][1] = events

    # Frames of no more than 11 words, so few locals: larger ones come from the heap.
    def ipoll(self, ms):
        self.ms = ms
        self.n = _odd(self) if odd_handles[0] else 0
        for s, ms in self.native.ipoll(0):
            self.found(self.by[s], ms)
        if not self.n and self.ms:
            _later(self, self.ms)
        return self.outs[self.n]

    def look(self, ms):
        """Waits like the firmware's poll; how many of `pairs` are ready, which is `n`."""
        self.n = _odd(self) if odd_handles[0] else 0
        for s, ms in self.native.ipoll(0 if self.n else ms):
            self.found(self.by[s], ms)
        return self.n

    def found(self, entry, ev):
        if ev & (_HUP | _NVAL) or entry[0].st & ~(_DGRAM | _BLOCKS):
            self.n = _told(self, entry, ev, self.n)
        else:
            pair = self.pairs[self.n]
            pair[0] = entry[0]
            pair[1] = ev
            self.n += 1


def _later(p, ms):
    if p.stale:
        _renew(p)
    begin = ticks_us()
    while ticks_diff(ticks_us(), begin) < _SPIN:
        sleep_ms(0)
        n = p.look(0)
        if n:
            return n
        if 0 < ms <= 2:
            break
    return p.look(ms)


def _odd(p):
    """Puts in front those that the firmware knows nothing of; how many they are."""
    n = 0
    for s, (h, events) in p.by.items():
        st = h.st
        if h.s is not s:
            _renew(p)
            return _odd(p)
        if st & _ODD:
            if st & _NEW:
                ev = events & _OUT | _HUP
            elif st & _DEAD:
                ev = events & (_IN | _OUT) | _HUP | (_ERR if h.err else 0)
            else:
                ev = events & _IN
            if ev:
                p.pairs[n][0] = h
                p.pairs[n][1] = ev
                n += 1
    return n


def _renew(p):
    """Polls the native sockets that were made after a failed connect."""
    p.stale = False
    for s, entry in list(p.by.items()):
        new = entry[0].s
        if new is not s:
            p.native.unregister(s)
            del p.by[s]
            p.native.register(new, _mask(entry[1]))
            p.by[new] = entry


def _renewed(p, entry):
    """What the firmware's poll says of the new native socket, meanwhile."""
    p.stale = True
    native = poll()
    native.register(entry[0].s, _mask(entry[1]))
    for _, ev in native.ipoll(0):
        return ev
    return 0


def _told(p, entry, ev, n):
    """One more entry of what is ready, put right, behind the n that are there."""
    h = entry[0]
    st = h.st
    if ev & _NVAL and not st & _GONE:
        ev = _renewed(p, entry)
    if st & _PENDING:
        more("endpoints").settle(h)
        st = h.st
        if st & (_PENDING | _GONE):
            return n
        if st & _DEAD:
            ev = _mask(entry[1])
        elif st & (_HELD | _EOF):
            ev |= entry[1] & _IN
    elif st & (_NEW | _DEAD | _GONE) and h.domain:
        return n
    if ev & _HUP and (h.domain == 2 or h.s.reset or h.err):
        ev |= _ERR
    for i in range(n):
        if p.pairs[i][0] is h:
            p.pairs[i][1] |= ev
            return n
    if ev:
        p.pairs[n][0] = h
        p.pairs[n][1] = ev
        n += 1
    return n


class waiter:
    """Waits for one event on one handle."""

    def __init__(self, h, want):
        self.h, self.want, self.s = h, want, None

    def wait(self, ms):
        h = self.h
        if self.s is not h.s:
            self.s = h.s
            p = poller()
            p.register(h, self.want)
            self.p = p
        return self.p.pairs[0][1] if self.p.look(ms) else 0
