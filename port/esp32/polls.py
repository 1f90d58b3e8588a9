# SPDX-License-Identifier: MIT
# poll: the firmware's, and what it does not know put right. A board has ten sockets: what changes
# makes the set void, and another is built.

from sys import modules

from micropython import const

from . import load, odd_handles, poll, settle, sleep_ms, ticks_diff, ticks_us

layer = modules[__name__.rpartition(".")[0]].layer
fdtable = layer.table

# Handle.st
_NEW = const(1)
_PENDING = const(2)
_DEAD = const(8)
_EOF = const(16)
_HELD = const(32)
_DGRAM = const(64)
_GONE = const(128)
# lwIP's and the firmware's numbers
_IN = const(1)
_OUT = const(4)
_ERR = const(8)
_HUP = const(16)
_NVAL = const(32)
_RDHUP = const(8192)
_ALWAYS = const(_ERR | _HUP | _NVAL)
_SPIN = const(1500)


class pollset:
    """The firmware's poller of a list of pollfds."""

    # The table's count, from before the fds were looked up; -1 makes it void.
    changes = -1
    # what it is made of, once it is whole
    fds = None

    def __init__(self, fds):
        self.again = list(fds)
        # the entries that have revents: the first `ready` of these
        self.shown = list(fds)
        self.ready = self.invalid = 0
        # native socket -> its entry, or the last of them
        self.by = {}
        # whether a socket has several entries
        self.several = False
        # whether an entry asks for POLLRDHUP, of which the firmware knows nothing
        self.ends = False
        self.native = poll()
        self.ipoll = self.native.ipoll

    def built(self):
        """All entries are in it: from now on it may be used again."""
        self.fds = self.again

    def holds(self, fds):
        """Whether these are the entries that it was made of."""
        return self.fds == fds

    def add(self, pfd, h):
        pfd.h = h
        other = self.by.get(h.s)
        events = pfd.events
        while other is not None:
            self.several = True
            if other is pfd:
                return
            events |= other.events
            other = other._same
        pfd._same = self.by.get(h.s)
        self.by[h.s] = pfd
        if events & _RDHUP and not h.st & _DGRAM:
            self.ends = True
            events |= _IN
        self.native.register(h.s, events & (_IN | _OUT) | _HUP)

    def change(self, pfd):
        self.changes = -1

    def look(self, ms):
        """One poll; how many entries have revents, -1 if this is void."""
        while self.ready:
            self.ready -= 1
            self.shown[self.ready].revents = 0
        if odd_handles[0]:
            _show_odd(self)
        _look(self, 0)
        if ms and not self.ready:
            begin = ticks_us()
            while not self.ready and ticks_diff(ticks_us(), begin) < _SPIN and not 0 < ms <= 2:
                sleep_ms(0)
                _look(self, 0)
            if not self.ready:
                _look(self, ms)
            # What was read ahead for POLLRDHUP has ended that wait.
            while self.ends and not self.ready and self.changes >= 0:
                left = ms - ticks_diff(ticks_us(), begin) // 1000
                if left <= 0:
                    break
                _look(self, left)
        if self.changes < 0:
            return -1
        if not self.several:
            return self.ready + self.invalid
        n = 0
        for pfd in self.fds:
            n += pfd.revents != 0
        return n


# The set that was polled last, if each of its sockets has one entry.
_last = None


# A frame of no more than 11 words, beyond which it comes from the heap. So its arguments become
# others: fds the entry that is ready, timeout_ms its revents.
def zsock_poll(fds, timeout_ms):
    kept = _last
    if (
        kept is None
        or kept.changes != fdtable.changes
        or odd_handles[0]
        or kept.fds != fds
        or timeout_ms.__class__ is not kept.changes.__class__  # int, which is a builtin far away
    ):
        return _remember(fds, timeout_ms)
    # Each attribute asked for once, and kept in what is a local anyway.
    key = kept.ready
    while key:
        key -= 1
        kept.shown[key].revents = 0
    kept.ready = 0
    for key, timeout_ms in kept.ipoll(0):
        fds = kept.by[key]
        fds.revents = timeout_ms
        kept.shown[kept.ready] = fds
        kept.ready += 1
        if timeout_ms & ~(_IN | _OUT):
            key = layer.poll_rest  # called by a local, which is a word less than by an attribute
            return key(kept.fds, 0)
    key = kept.ready
    if key or timeout_ms == 0:
        return key
    return layer.poll_rest(kept.fds, timeout_ms)


def _remember(fds, timeout_ms):
    global _last
    _last = None
    n = layer.poll_rest(fds, timeout_ms)
    if fds:
        kept = fds[0]._kept
        if kept and not (kept.several or kept.invalid or kept.ends):
            _last = kept
    return n


def _look(self, ms):
    for s, ms in self.ipoll(ms):
        _show(self, self.by[s], ms)


def _show_odd(self):
    """Shows the entries that the firmware knows nothing of."""
    for s, pfd in self.by.items():
        h = pfd.h
        if h.s is not s:
            self.changes = -1  # a failed connect has had its native socket replaced
        elif h.st & _NEW:
            _show_all(self, pfd, _OUT | _HUP)
        elif h.st & _DEAD:
            _show_all(self, pfd, _IN | _OUT | _HUP | _RDHUP | (_ERR if h.err else 0))
        elif h.st & (_EOF | _HELD):
            _show_all(self, pfd, _IN | _RDHUP if h.st & _EOF else _IN)


def _show(self, pfd, ev):
    """Shows what the firmware says of an entry, put right."""
    h = pfd.h
    if h.st & _PENDING:
        settle(h)
        if h.st & (_PENDING | _GONE):
            return
        if h.st & _DEAD:
            ev = _IN | _OUT | _HUP | _RDHUP
        elif h.st & (_HELD | _EOF):
            ev |= _IN
    elif h.st & (_NEW | _DEAD | _GONE) and h.domain:
        return
    if ev & _NVAL:
        self.changes = -1
        return
    if ev & _HUP and (h.domain == 2 or h.s.reset or h.err):
        ev |= _ERR
    if self.ends and not h.st & _DGRAM:
        ev = load("shut").look_for_end(self, pfd, h, ev)
    _show_all(self, pfd, ev)


def _show_all(self, pfd, ev):
    """Shows it to all entries that ask for this socket."""
    while pfd:
        new = ev & (pfd.events | _ALWAYS)
        if new and not pfd.revents:
            # From here on no branch, where Ctrl-C might come.
            self.shown[self.ready] = pfd
            self.ready += 1
        pfd.revents |= new
        pfd = pfd._same
