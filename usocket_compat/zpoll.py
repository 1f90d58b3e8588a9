# SPDX-License-Identifier: MIT
# poll and select.
#
# The platform's poller for a list of pollfds is kept on them, so that polling the same list again
# costs one call of the platform's poll and touches only the entries that are ready.

from . import _config, fdtable
from . import errno as E
from .fdtable import get, tab
from .zio import start

_POLLIN = 1
_POLLPRI = 2
_POLLOUT = 4
_POLLERR = 8
_POLLHUP = 16
_POLLNVAL = 32
_ALWAYS = _POLLERR | _POLLHUP | _POLLNVAL
# How long one wait lasts (ms) before it looks whether an fd was closed by another thread.
_SLICE = 50
_THREADS = _config.USOCKET_THREADS


class zsock_pollfd:
    """What to wait for on one fd: `fd`, `events`; zsock_poll sets `revents` (struct pollfd)."""

    def __init__(self, fd, events):
        self._kept = None
        self.fd = fd
        self.events = events
        self.revents = 0

    @property
    def fd(self):
        return self._fd

    @fd.setter
    def fd(self, value):
        if not isinstance(value, int):
            raise TypeError("an fd is an int")
        self._fd = value
        if self._kept:
            self._kept.fds = None

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
        self.fds = list(fds)
        self.closes = fdtable.closes
        self.invalid = 0
        self.ready = 0
        self.shown = [None] * len(fds)
        self.by_key = {}
        poller = p.poller()
        for pfd in fds:
            if pfd._kept:
                pfd._kept.fds = None
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
        if self.fds is None:
            return
        try:
            h = get(pfd._fd).h
            self.poller.modify(h, self.wanted(self.by_key[start().key(h)]))
        except (OSError, KeyError):
            self.fds = None

    def poll(self, ms):
        """One call of the platform's poll; how many entries have revents."""
        shown = self.shown
        n = self.ready
        while n:
            n -= 1
            shown[n].revents = 0
        count = 0
        by_key = self.by_key
        for key, revents in self.ipoll(ms):
            pfd = by_key[key]
            if pfd._same is None:
                pfd.revents = revents
                shown[count] = pfd
                count += 1
            else:
                while pfd:
                    pfd.revents = revents & (pfd._events | _ALWAYS)
                    if pfd.revents:
                        shown[count] = pfd
                        count += 1
                    pfd = pfd._same
        self.ready = count
        return count + self.invalid


def zsock_poll(fds, timeout_ms):
    """Waits until one of fds is ready, or timeout_ms have passed (0: at once; negative: for ever).

    fds: a list of zsock_pollfd, which the caller keeps and uses again. Sets `revents` of each and
    returns how many are not 0. A negative fd is skipped; a closed one is POLLNVAL.
    Raises OSError: ENOMEM for more than ZVFS_POLL_MAX entries. Source: POSIX poll(), zsock_poll.
    """
    if timeout_ms is None:
        timeout_ms = -1
    try:
        kept = fds[0]._kept
        if kept.fds != fds or kept.closes != fdtable.closes:
            kept = None
    except (AttributeError, IndexError, TypeError):
        kept = None
    if kept is None:
        kept = _keep(fds)
    if kept.invalid:
        timeout_ms = 0
    if 0 <= timeout_ms <= _SLICE or not _THREADS:
        return kept.poll(timeout_ms)
    return _poll_long(fds, kept, timeout_ms)


def _keep(fds):
    if not isinstance(fds, (list, tuple)) or not all([isinstance(f, zsock_pollfd) for f in fds]):
        raise TypeError("poll takes a list of zsock_pollfd")
    p = start()
    if len(fds) > _config.ZVFS_POLL_MAX:
        raise p.error(E.ENOMEM)
    return _Kept(p, fds)


def _poll_long(fds, kept, timeout_ms):
    p = start()
    begin = p.ticks_ms()
    left = timeout_ms
    while True:
        n = kept.poll(0 if kept.invalid else left if 0 <= left <= _SLICE else _SLICE)
        if n and kept.closes == fdtable.closes:
            return n
        if kept.closes != fdtable.closes:
            kept = _keep(fds)
            continue
        if timeout_ms >= 0:
            left = timeout_ms - p.ticks_diff(p.ticks_ms(), begin)
            if left <= 0:
                return 0


def zsock_select(rlist, wlist, xlist, timeout_s=None):
    """Waits until an fd of rlist can be read, of wlist written, or of xlist has urgent data.

    timeout_s: seconds, int or float; None waits for ever. Returns the three lists of ready fds.
    Raises OSError: EBADF for an invalid fd; EINVAL for a negative timeout; ENOMEM for more than
    ZVFS_POLL_MAX fds. Source: POSIX select(), zsock_select.
    """
    p = start()
    if timeout_s is not None and not timeout_s >= 0:
        raise p.error(E.EINVAL)
    wanted = {}
    for fds, event in ((rlist, _POLLIN), (wlist, _POLLOUT), (xlist, _POLLPRI)):
        for fd in fds:
            get(fd)
            wanted[fd] = wanted.get(fd, 0) | event
    fds = [zsock_pollfd(fd, wanted[fd]) for fd in wanted]
    zsock_poll(fds, -1 if timeout_s is None else int(timeout_s * 1000 + 0.999))
    ready = {}
    for pfd in fds:
        if pfd.revents & _POLLNVAL:
            raise p.error(E.EBADF)
        ready[pfd.fd] = pfd.revents
    return (
        [fd for fd in rlist if ready[fd] & (_POLLIN | _POLLERR | _POLLHUP)],
        [fd for fd in wlist if ready[fd] & (_POLLOUT | _POLLERR)],
        [fd for fd in xlist if ready[fd] & _POLLPRI],
    )
