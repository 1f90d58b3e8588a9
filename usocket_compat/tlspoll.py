# SPDX-License-Identifier: MIT
# poll of lists in which there are TLS sockets, or such as a Stream has read ahead of: the port's
# poll of the connections beneath, and what is there of them already, or not yet.

from .zbase import p, tab, table

_ALWAYS = 56  # POLLERR, POLLHUP, POLLNVAL


class _Beneath:
    """A pollfd of the port's pollset."""

    _same = h = None

    def __init__(self, events):
        self.events = self._events = events
        self.revents = 0


class pollset:
    """In the place of a port's (zpollset.py)."""

    changes = -1
    invalid = 0
    # No port's fast poll may keep it.
    several = True
    alone = False

    def __init__(self, fds):
        self.fds = fds
        self.again = list(fds)
        # (pollfd, its socket)
        self.entries = []
        # the port's pollset, its entries, and the events that it was made for
        self.inner = self.beneath = self.wanted = None

    def built(self):
        pass

    def holds(self, fds):
        return list(fds) == self.again

    def add(self, pfd, h):
        self.entries.append((pfd, tab[pfd._fd]))

    def change(self, pfd):
        self.inner = None

    def look(self, ms):
        for pfd in self.again:
            if pfd.revents != 32:
                pfd.revents = 0
        n = self.secure()
        wanted = [
            pfd._events if sock.p is p else sock.p.events(pfd._events)
            for pfd, sock in self.entries
        ]
        if self.inner is None or self.wanted != wanted:
            self.make(wanted)
        if self.inner.look(0 if n else ms) < 0:
            return -1
        for (pfd, sock), under in zip(self.entries, self.beneath):
            if sock.p is p or getattr(sock.p, "shows", False):
                pfd.revents |= under.revents & (pfd._events | _ALWAYS)
        self.secure()
        n = 0
        for pfd in self.again:
            n += pfd.revents != 0
        return -1 if self.changes != table.changes else n

    def secure(self):
        """Shows what TLS sockets are ready for; how many are."""
        n = 0
        for pfd, sock in self.entries:
            if sock.p is not p:
                got = sock.p.ready(pfd._events & 5) & (pfd._events | _ALWAYS)
                if got:
                    pfd.revents = got | (pfd.revents if getattr(sock.p, "shows", False) else 0)
                    n += 1
        return n

    def make(self, wanted):
        made = getattr(p, "pollset", None)
        if made is None:
            from .zpollset import pollset as made
        self.beneath = [_Beneath(events) for events in wanted]
        inner = made(self.beneath)
        inner.changes = table.changes
        for (_, sock), under in zip(self.entries, self.beneath):
            inner.add(under, sock.h if sock.p is p else sock.p.raw)
        inner.built()
        self.inner, self.wanted = inner, wanted
