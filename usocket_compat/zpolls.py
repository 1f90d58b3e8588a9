# SPDX-License-Identifier: MIT
# A Poller's fds as a list that zsock_poll polls: where there is no epoll. Each poll looks at all,
# as the platform's poll does.

from sys import modules

from . import _config
from .poller import Event
from .zbase import fail, p, tab, table
from .zpoll import SLICE, zsock_pollfd

_package = modules[__name__.rpartition(".")[0]]
_POLLIN = 1
_POLLNVAL = 32
_POLLRDHUP = 8192
_EDGE = 1
_ONESHOT = 2


def _as_it_is(events):
    return events


def _with_end(events):
    return events | (events & _POLLIN) * _POLLRDHUP


def ask_for(entry, events):
    """Its pollfd."""
    pfd = zsock_pollfd(entry.fd, events)
    setattr(pfd, "entry", entry)
    entry.pfd = pfd


class Set:
    """The entries, and who polls them."""

    def __init__(self, poller):
        # by fd
        self.by = [None] * len(tab)
        self.count = self.changes = 0
        self.fds, self.seen = [], -1
        # a waker's event that an interrupted poll has not given
        self.owed = self.wakes = None
        self.woken = self.closed = False
        # On Linux the end of the peer's data comes with POLLIN, and at no cost.
        self.asked = _with_end if hasattr(p, "ENDS") else _as_it_is
        self.turns = turns()

    def registered(self, fd):
        """The entry of an open fd; None."""
        if self.closed:
            fail("EBADF")
        entry = self.by[fd]
        return entry if entry and entry.sock is tab[fd] else None

    def add(self, entry):
        if entry.opts & _EDGE:
            fail("EOPNOTSUPP")
        if self.count >= _config.ZVFS_POLL_MAX:
            self.look_through()
            if self.count >= _config.ZVFS_POLL_MAX:
                fail("ENOMEM")
        ask_for(entry, self.asked(entry.events))
        self.count += not self.by[entry.fd]
        self.by[entry.fd] = entry
        self.changes += 1

    def change(self, old, entry):
        if entry.opts & _EDGE:
            fail("EOPNOTSUPP")
        ask_for(entry, self.asked(entry.events))
        self.by[entry.fd] = entry
        self.changes += 1

    def remove(self, old):
        if self.by[old.fd] is old:
            self.by[old.fd] = None
            self.count -= 1
        self.changes += 1

    def look_through(self):
        """What was closed is not registered any more; the list of what is to be polled."""
        fds = []
        n = 0
        for fd, entry in enumerate(self.by):
            if entry and entry.sock is not tab[fd]:
                if self.by[fd] is entry:
                    self.by[fd] = None
            elif entry:
                n += 1
                if not (entry.told and entry.told[0]):
                    fds.append(entry.pfd)
        self.count = n
        if self.wakes and self.wakes.pfd:
            fds.append(self.wakes.pfd)
        return fds

    def poll(self, timeout_ms):
        until = timeout_ms > 0 and p.ticks_add(p.ticks_ms(), timeout_ms)
        # told: whether what was found is given, 1, then the entries of what is told only once
        me, found, told = [self.turns.thread()], [], [0]
        try:
            try:
                mine = self.turns.enter(me, until, timeout_ms)
                left = -1
                while mine is not None and left and not found:
                    left = timeout_ms
                    if until is not False:
                        left = max(p.ticks_diff(until, p.ticks_ms()), 0)
                    self.step(left if 0 <= left < SLICE else SLICE, mine, found, told)
            finally:
                me[0] = None
                self.turns.leave(me)
            return found
        except:
            me[0] = None
            if told[0]:
                # It is not given: Ctrl-C came in between.
                told[0] = 0
                self.seen = -1
                if self.wakes in told:
                    self.owed = Event(self.wakes.token, _POLLIN)
            raise

    def step(self, ms, mine, found, told):
        """One slice of a poll."""
        if self.closed:
            fail("EBADF")
        fds = self.fds
        now = self.changes, table.changes
        # Who comes in as a callback of one that polls has a list of his own.
        if not mine or self.seen != now:
            fds = self.look_through()
            if mine:
                self.fds, self.seen = fds, now
        if self.woken or self.owed:
            ms = 0
        if self.wakes and not self.wakes.pfd:
            ms = min(ms, 10)
        if fds:
            _package.zsock_poll(fds, ms)
        elif ms:
            p.sleep_ms(ms)
        told[0] = 0
        woken = self.owed
        wakes = self.wakes
        if wakes and not woken and (self.woken or wakes.pfd and wakes.pfd.revents):
            woken = Event(wakes.token, _POLLIN)
        for pfd in fds:
            if pfd.revents:
                self.show(pfd.entry, pfd.revents, found, told, mine)
        if woken:
            # From here on it is owed until it is given.
            self.owed = woken
            found.append(woken)
            if wakes:
                told.append(wakes)
                self.reset(wakes)
        # One-shots are told when this is 1, and the list is made anew then.
        told[0] = 1
        if len(told) > 1:
            self.seen = -1
        self.owed = None

    def show(self, entry, revents, found, told, mine):
        if entry is self.wakes:
            pass
        elif self.by[entry.fd] is not entry or entry.sock is not tab[entry.fd]:
            pass  # closed, or registered anew, meanwhile
        elif not revents & _POLLNVAL and not (entry.told and entry.told[0]):
            if entry.opts & _ONESHOT:
                if not mine:
                    return  # it is the outer poll's
                told.append(entry)
                entry.told = told
            found.append(Event(entry.token, revents))

    # -- the waker ------------------------------------------------------------------------

    def waker(self, entry):
        """(function, argument) that wakes."""
        if self.closed:
            fail("EBADF")
        if self.wakes:
            fail("EEXIST")
        if not hasattr(p, "eventfd"):
            self.wakes = entry
            return _set_woken, self
        entry.fd = _package.zvfs_eventfd()
        entry.sock = tab[entry.fd]
        ask_for(entry, _POLLIN)
        self.wakes = entry
        self.changes += 1
        return getattr(p, "eventfd_set", _add_one), entry.sock.h

    def reset(self, entry):
        self.woken = False
        if entry.pfd and tab[entry.fd] is entry.sock:
            p.eventfd_read(entry.sock.h)

    def unwaker(self, entry):
        if self.wakes is entry:
            self.wakes = self.owed = None
            self.changes += 1
            if entry.pfd and tab[entry.fd] is entry.sock:
                _package.zsock_close(entry.fd)

    def close(self):
        self.closed = True
        if self.wakes:
            self.unwaker(self.wakes)
        for fd in range(len(self.by)):
            self.by[fd] = None


def _set_woken(polls):
    polls.woken = True


def _add_one(h):
    p.eventfd_write(h, 1)


def _one_thread():
    return 1


class turns:
    """Two threads that poll the same take turns; a callback within a poll does not wait."""

    def __init__(self):
        # 0: whose turn it is: [thread], or [None] when that has just ended
        self.whose = {}
        try:
            from _thread import get_ident

            self.thread = get_ident
        except ImportError:
            self.thread = _one_thread

    def enter(self, me, until, timeout_ms):
        """True when it is mine, False within one of this thread, None when there was no time."""
        while self.whose.setdefault(0, me) is not me:
            other = self.whose.get(0)
            if other:
                if other[0] == me[0]:
                    return False
                if other[0] is None:
                    self.whose.pop(0, None)
                    continue
            if timeout_ms == 0 or until is not False and p.ticks_diff(until, p.ticks_ms()) <= 0:
                return None
            p.sleep_ms(1)
        return True

    def leave(self, me):
        me[0] = None
        if self.whose.get(0) is me:
            self.whose.pop(0, None)
