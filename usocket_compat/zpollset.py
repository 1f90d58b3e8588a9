# SPDX-License-Identifier: MIT
# poll on a platform's poller that finds the ready ones itself.

from .zbase import get, p

_POLLERR = 8
_POLLHUP = 16
_POLLNVAL = 32
_ALWAYS = _POLLERR | _POLLHUP | _POLLNVAL

try:
    p.struct.pack("O", None)
    _OBJECTS = True
except Exception:
    _OBJECTS = False


class pollset:
    """The poller of a list of pollfds."""

    def __init__(self, fds):
        # All attributes from the start: without a GIL an object that gets another one has, for a
        # moment, none for other threads.
        # The table's count, from before the fds were looked up; -1 makes it void.
        self.changes = -1
        # whether its pollfds are the only ones there are
        self.alone = False
        # how many entries there are; -1 while it is being built
        self.n = -1
        # of no use: `shown` ends with this itself
        self.revents = 0
        self.fds = fds
        # how many are POLLNVAL
        self.invalid = 0
        # the entries that have revents: the first `ready` of these. While a poll is under way, and
        # after one that was interrupted, that is `unknown`: all and one more, which none gives.
        self.shown = list(fds)
        self.shown.append(self)
        self.ready = 0
        self.unknown = len(self.shown)
        # an entry, or a list of those that have the same fd
        self.by_key = {}
        # whether an fd has several entries, and whether one of them is there twice
        self.several = self.twice = False
        if _OBJECTS:
            # What the list holds, to see later whether it still does. MicroPython looks for a
            # method for each pair of objects that == compares; as bytes it compares them at once.
            self.format = str(len(fds)) + "O"
            self.image = bytearray(p.struct.calcsize(self.format))
            self.now = bytearray(self.image)
            p.struct.pack_into(self.format, self.image, 0, *fds)
        else:
            self.image = list(fds)
        poller = p.poller()
        self.register, self.modify, self.ipoll = poller.register, poller.modify, poller.ipoll

    def built(self):
        """All entries are in it: from now on it may be used again."""
        self.n = self.unknown - 1

    def holds(self, fds):
        """Whether these are the entries that it was made of."""
        same = len(fds) == self.n
        if same and _OBJECTS:
            p.struct.pack_into(self.format, self.now, 0, *fds)
            same = self.now == self.image
        elif same:
            same = self.image == fds
        if same:
            self.fds = fds
        return same

    def add(self, pfd, h):
        key = p.key(h)
        others = self.by_key.get(key)
        if others is None:
            self.by_key[key] = pfd
            self.register(h, pfd._events)
            return
        self.several = True
        if others.__class__ is not list:
            others = self.by_key[key] = [others]
        if pfd in others:
            self.twice = True
            return
        others.append(pfd)
        self.modify(h, _wanted(others))

    def change(self, pfd):
        """pfd.events was set: what is polled follows, if it can."""
        if self.n < 0:
            # Another thread builds it, and to register moves what modify would write to.
            self.changes = -1
            return
        try:
            h = get(pfd._fd).h
            self.modify(h, _wanted(self.by_key[p.key(h)]))
        except (OSError, KeyError):
            self.changes = -1

    def look(self, ms):
        """One call of the platform's poll; how many entries have revents."""
        n = self.ready
        while n:
            n -= 1
            self.shown[n].revents = 0
        self.ready = self.unknown
        for key, ms in self.ipoll(ms):
            pfd = self.by_key[key]
            if pfd.__class__ is not list:
                n = self.show(pfd, ms, n)
            else:
                for pfd in pfd:
                    n = self.show(pfd, ms, n)
        if self.ready != self.unknown:
            return -1  # a callback has polled the same list meanwhile
        self.ready = n
        if not self.twice:
            return n + self.invalid
        n = 0
        for pfd in self.fds:
            n += pfd.revents != 0
        return n

    def show(self, pfd, revents, n):
        """Shows it, as the n-th; how many these are then."""
        revents &= pfd._events | _ALWAYS
        if revents:
            self.shown[n] = pfd
            pfd.revents = revents
            n += 1
        return n


def _wanted(pfds):
    """The events of an entry, or of all in a list."""
    if pfds.__class__ is not list:
        return pfds._events
    events = 0
    for pfd in pfds:
        events |= pfd._events
    return events
