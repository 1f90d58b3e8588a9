# SPDX-License-Identifier: MIT
# poll: its entries, and what it does when a list is new or has changed, or when it has to wait.
# The call itself is the port's (port/esp32/polls.py), or zrepoll.py's where the port has none.
#
# What a list of pollfds comes to on the platform, its pollset, is kept on them: polling the same
# list again costs one call of the platform's poll, and touches only entries that are ready.

from . import _config
from .zbase import get, p, table

_POLLNVAL = 32
# How long one wait lasts (ms) before it looks whether an fd was closed by another thread.
SLICE = 50


class zsock_pollfd:
    """What to wait for on one fd: `fd`, `events`; zsock_poll sets `revents` (struct pollfd)."""

    # How many there ever were.
    _made = 0

    def __init__(self, fd, events):
        # All attributes from the start, for threads without a GIL.
        self._kept = None
        self.revents = 0
        self.fd = fd
        self.events = events
        zsock_pollfd._made += 1
        # A list may be given it in the place of another: each is looked through.
        table.changes += 1

    @property
    def fd(self):
        return self._fd

    @fd.setter
    def fd(self, value):
        self._fd = _an_int(value)
        if self._kept:
            self._kept.changes = -1

    @property
    def events(self):
        return self._events

    @events.setter
    def events(self, value):
        self._events = _an_int(value)
        if self._kept:
            self._kept.change(self)

    def __repr__(self):
        return "zsock_pollfd(%d, %d) -> %d" % (self._fd, self._events, self.revents)


def _an_int(value):
    if value.__class__ is not int:
        raise TypeError("fd, events and timeout_ms are ints")
    return value


def poll_rest(fds, timeout_ms):
    """zsock_poll, the whole of it."""
    left = timeout_ms = -1 if timeout_ms is None else _an_int(timeout_ms)
    begin = p.ticks_ms()
    kept = fds and getattr(fds[0], "_kept", None)
    while True:
        if not kept or kept.changes != table.changes or kept.invalid or not kept.holds(fds):
            # It is a new list, or an fd was closed meanwhile.
            kept = _build(fds)
        n = kept.look(0 if kept.invalid else left if 0 <= left <= SLICE else SLICE)
        if n < 0:
            kept.changes = -1
        elif n or not left:
            return n
        if timeout_ms > 0:
            left = max(timeout_ms - p.ticks_diff(p.ticks_ms(), begin), 0)
            if not left and not n:
                return 0


# How many were begun to be built.
_builds = 0


def _build(fds, secure=None):
    """The pollset of a list; secure: that of tlspoll.py, where one has other operations."""
    global _builds
    if not isinstance(fds, (list, tuple)):
        raise TypeError("poll takes a list of zsock_pollfd")
    if len(fds) > _config.ZVFS_POLL_MAX:
        raise p.error(p.number("ENOMEM"))
    pollset = secure or getattr(p, "pollset", None)
    if pollset is None:
        from .zpollset import pollset
    _builds = mine = _builds + 1
    kept = pollset(fds)
    # What changes while it is built makes it void.
    kept.changes = table.changes
    # While these are the only pollfds there are, the list can hold no other.
    kept.alone = zsock_pollfd._made == len(fds)
    for pfd in fds:
        if not isinstance(pfd, zsock_pollfd):
            raise TypeError("poll takes a list of zsock_pollfd")
        if pfd._kept is not kept:
            if pfd._kept:
                pfd._kept.changes = -1
            pfd._kept = kept
        pfd.revents = 0
        if pfd._fd >= 0:
            try:
                sock = get(pfd._fd)
                if sock.p is p:
                    kept.add(pfd, sock.h)
                    continue
                beside = sock.p.pollset
                if beside and not secure:
                    return _build(fds, beside)
                kept.add(pfd, sock.p.raw)
            except OSError:
                pfd.revents = _POLLNVAL
                kept.invalid += 1
    # Whole, and not before this of use to another poll.
    kept.built()
    if _builds != mine:
        # A callback, or another thread, has built one meanwhile, perhaps of the same pollfds.
        table.changes += 1
    return kept
