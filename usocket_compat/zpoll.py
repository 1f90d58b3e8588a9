# SPDX-License-Identifier: MIT
# poll.
#
# The platform's poller for a list of pollfds is kept on them, so that polling the same list again
# costs one call of the platform's poll and touches only the entries that are ready.

import struct

from . import _config, fdtable
from . import errno as E
from .fdtable import get
from .zio import start

_POLLERR = 8
_POLLHUP = 16
_POLLNVAL = 32
_ALWAYS = _POLLERR | _POLLHUP | _POLLNVAL
# How long one wait lasts (ms) before it looks whether an fd was closed by another thread.
_SLICE = 50
_THREADS = _config.USOCKET_THREADS
_len, _int, _list = len, int, list


try:
    struct.pack("O", None)
    _OBJECTS = True
except Exception:
    _OBJECTS = False


class _Image:
    """What a list holds now, to see later whether it still does.

    MicroPython calls a method for each pair of objects that == compares; as bytes it compares
    them at once.
    """

    def __init__(self, items):
        self.n = n = len(items)
        if _OBJECTS:
            self.format = str(n) + "O"
            self.items = bytearray(n * struct.calcsize("O"))
            self.now = bytearray(self.items)
            struct.pack_into(self.format, self.items, 0, *items)
        else:
            self.items = list(items)

    def same(self, items):
        if not _OBJECTS:
            return self.items == items
        if len(items) != self.n:
            return False
        struct.pack_into(self.format, self.now, 0, *items)
        return self.now == self.items


# How many pollfds were ever made.
_made = 0


class zsock_pollfd:
    """What to wait for on one fd: `fd`, `events`; zsock_poll sets `revents` (struct pollfd)."""

    def __init__(self, fd, events):
        global _made
        self._kept = None
        self.fd = fd
        self.events = events
        self.revents = 0
        _made += 1

    @property
    def fd(self):
        return self._fd

    @fd.setter
    def fd(self, value):
        if not isinstance(value, int):
            raise TypeError("an fd is an int")
        self._fd = value
        if self._kept:
            self._kept.closes = -1

    @property
    def events(self):
        return self._events

    @events.setter
    def events(self, value):
        if not isinstance(value, int):
            raise TypeError("events is an int")
        self._events = value
        if self._kept:
            self._kept.change(self)

    def __repr__(self):
        return "zsock_pollfd(%d, %d) -> %d" % (self._fd, self._events, self.revents)


class _Kept:
    """The poller of a list of pollfds."""

    def __init__(self, p, fds):
        self.image = _Image(fds)
        # While these are the only pollfds there are, a list as long can only hold the same.
        self.made = _made if _made == len(fds) else -1
        self.closes = fdtable.closes
        self.invalid = 0
        self.ready = 0
        self.shown = [None] * len(fds)
        self.by_key = {}
        poller = p.poller()
        for pfd in fds:
            if pfd._kept is self:
                raise p.error(E.EINVAL)  # the same entry twice
            if pfd._kept:
                pfd._kept.closes = -1
            pfd._kept = self
            pfd._same = None
            pfd.revents = 0
            if pfd._fd < 0:
                continue
            try:
                h = get(pfd._fd).h
            except OSError:
                pfd.revents = _POLLNVAL
                self.invalid += 1
                continue
            key = p.key(h)
            pfd._same = self.by_key.get(key)
            self.by_key[key] = pfd
            if pfd._same:
                poller.modify(h, self.wanted(pfd))
            else:
                poller.register(h, pfd._events)
        self.poller = poller
        self.ipoll = poller.ipoll

    def wanted(self, pfd):
        events = 0
        while pfd:
            events |= pfd._events
            pfd = pfd._same
        return events

    def change(self, pfd):
        """pfd.events was set: the poller follows, if it can."""
        try:
            h = get(pfd._fd).h
            self.poller.modify(h, self.wanted(self.by_key[start().key(h)]))
        except (OSError, KeyError):
            self.closes = -1

    # As zsock_send: frames of no more than 11 words, so few locals.
    def poll(self, ms):
        """One call of the platform's poll; how many entries have revents."""
        while self.ready:
            self.ready -= 1
            self.shown[self.ready].revents = 0
        for key, ms in self.ipoll(ms):
            self.show(self.by_key[key], ms)
        return self.ready + self.invalid

    def show(self, pfd, revents):
        if pfd._same is None:
            pfd.revents = revents
            self.shown[self.ready] = pfd
            self.ready += 1
        else:
            self.show_same(pfd, revents)

    def show_same(self, pfd, revents):
        while pfd:
            pfd.revents = revents & (pfd._events | _ALWAYS)
            if pfd.revents:
                self.shown[self.ready] = pfd
                self.ready += 1
            pfd = pfd._same


def zsock_poll(fds, timeout_ms):
    """Waits until one of fds is ready, or timeout_ms have passed (0: at once; negative: for ever).

    fds: a list of zsock_pollfd, which the caller keeps and uses again. Sets `revents` of each and
    returns how many are not 0. A negative fd is skipped; a closed one is POLLNVAL.
    Raises OSError: ENOMEM for more than ZVFS_POLL_MAX entries. Source: POSIX poll(), zsock_poll.
    """
    if fds.__class__ is _list and fds and fds[0].__class__ is zsock_pollfd:
        kept = fds[0]._kept
        if kept and kept.closes == fdtable.closes and not kept.invalid:
            if kept.made == _made and kept.image.n == _len(fds) or kept.image.same(fds):
                if timeout_ms.__class__ is _int:
                    if 0 <= timeout_ms <= _SLICE:
                        return kept.poll(timeout_ms)
                    # Most calls have something to tell within the first slice.
                    n = kept.poll(_SLICE)
                    if n and kept.closes == fdtable.closes:
                        return n
                    if timeout_ms > 0:
                        timeout_ms -= _SLICE
                return _poll_rest(fds, kept, timeout_ms)
    return _poll_rest(fds, None, timeout_ms)


def _poll_rest(fds, kept, timeout_ms):
    if timeout_ms is None:
        timeout_ms = -1
    if not isinstance(timeout_ms, int):
        raise TypeError("timeout_ms is an int")
    if kept is None:
        kept = _keep(fds)
    if not _THREADS:
        return kept.poll(0 if kept.invalid else timeout_ms)
    left = timeout_ms
    begin = -1
    while True:
        n = kept.poll(0 if kept.invalid else left if 0 <= left <= _SLICE else _SLICE)
        if kept.closes != fdtable.closes:
            kept = _keep(fds)
        elif n or not left:
            return n
        if timeout_ms >= 0:
            now = start().ticks_ms()
            if begin < 0:
                # The clock is read when the first wait is over: most calls need none.
                begin = now
                timeout_ms -= min(timeout_ms, _SLICE)
            left = max(timeout_ms - start().ticks_diff(now, begin), 0)
            if not left:
                return 0


def _keep(fds):
    if not isinstance(fds, (list, tuple)) or not all([isinstance(f, zsock_pollfd) for f in fds]):
        raise TypeError("poll takes a list of zsock_pollfd")
    p = start()
    if len(fds) > _config.ZVFS_POLL_MAX:
        raise p.error(E.ENOMEM)
    return _Kept(p, fds)
