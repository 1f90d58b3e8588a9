# SPDX-License-Identifier: MIT
# A Poller's fds in the kernel's epoll, which gives what is ready and looks at nothing else.
#
# The kernel forgets a descriptor when the last one of the same file is closed, and that may be in
# another process: so who closes an fd takes it out first. What is ready and the kernel does not
# know of it is in zunseen.py.

from sys import modules

from ._config import ZVFS_OPEN_MAX
from .poller import Event
from .zbase import fail, p, tab, table
from .zpolls import ask_for, turns
from .zunseen import gather, leave_within, look_ahead, look_odd

_package = modules[__name__.rpartition(".")[0]]
_number = p.number
_POLLIN = 1
_ALWAYS = 0x38
_POLLRDHUP = 8192
_NONE = ()
_SOON = 100  # ms
_EDGE = 1
_ONESHOT = 2
# EPOLLET, EPOLLONESHOT, by Poller's
_OPTS = 0, 1 << 31, 1 << 30, 3 << 30
# Keys of what has no fd.
_KICK = ZVFS_OPEN_MAX
_WAKER = ZVFS_OPEN_MAX + 1

# Those that are open.
_sets = []
_take = None


def _taking(fd):
    """In the place of the table's take, of a program with a Poller: fd is about to be closed."""
    for each in _sets:
        entry = each.by[fd]
        if entry:
            each.remove(entry)
    return _take(fd)


def _begin(new):
    """From now on closes are told."""
    global _sets, _take
    _sets = _sets + [new]
    if _take is None:
        _take = getattr(table, "take")
        setattr(table, "take", _taking)
        try:
            zheld = _package._module("zheld")
        except ImportError:
            return
        away = zheld.Held.away

        def told(self):
            away(self)
            for each in getattr(self.sock, "watched", ()):
                each[0].has_ahead(each[1], self.sock)

        zheld.Held.away = told


def _odd(sock):
    """Whether the kernel does not know when it is ready."""
    return sock.p is not p and not getattr(sock.p, "shows", False)


def _handle(sock):
    return sock.h if sock.p is p else sock.p.raw


class Set:
    """The entries, and the kernel's set."""

    def __init__(self, poller):
        # by fd
        self.by = [None] * (ZVFS_OPEN_MAX + 2)
        # counts registrations
        self.serial = 0
        # whether the list of those that the kernel does not know is void; and that, with a
        # pollfd for the kernel's set itself
        self.void = False
        self.odd = ()
        self.within = None
        # of which fds a Stream has perhaps read ahead, and whether there are any
        self.ahead = bytearray(ZVFS_OPEN_MAX)
        self.some_ahead = False
        self.wakes = None
        self.closed = False
        self.turns = turns()
        self.kernel = p.epoll()
        self.kick = p.eventfd(0, False)
        self.kernel.add(self.kick, _POLLIN, _KICK)
        quick = self.kernel.quick
        if quick and poller.__class__.__name__ == "Poller":
            poller.poll = quick(poller.poll)
        _begin(self)

    def registered(self, fd):
        """The entry of an open fd; None."""
        if self.closed:
            fail("EBADF")
        entry = self.by[fd]
        return entry if entry and entry.sock is tab[fd] else None

    def add(self, entry):
        sock, fd = entry.sock, entry.fd
        odd = _odd(sock)
        if odd and entry.opts & _EDGE:
            fail("EOPNOTSUPP")
        old = self.by[fd]
        if old:
            self.remove(old)  # of one that was closed
        self.serial += 1
        entry.serial = self.serial
        self.by[fd] = entry
        if odd:
            self.add_odd(entry)
            return
        if entry.opts:
            self.not_plain()
        try:
            mark = getattr(table, "mark", None)
            mark and mark(fd, sock)
            watched = getattr(sock, "watched", ())
            if (self, fd) not in watched:
                sock.watched = watched + ((self, fd),)
            self.kernel.add(_handle(sock), _bits(entry), fd)
        except OSError as e:
            self.by[fd] = None
            if e.errno != _number("EEXIST"):
                raise
            # Another fd of the same socket (dup).
            entry.own = self.kernel.dup(_handle(sock))
            self.by[fd] = entry
            try:
                self.kernel.add(entry.own, _bits(entry), fd)
            except:
                self.remove(entry)
                raise
        except:
            self.remove(entry)
            raise
        if tab[fd] is not sock:
            self.remove(entry)
            fail("EBADF")
        if sock.p is not p:
            self.has_ahead(fd, sock)

    def add_odd(self, entry):
        mark = getattr(table, "mark", None)
        mark and mark(entry.fd, entry.sock)
        ask_for(entry, entry.events)
        self.not_plain()
        self.void = True
        self.wake_up()

    def change(self, old, entry):
        odd = _odd(entry.sock)
        if odd and entry.opts & _EDGE:
            fail("EOPNOTSUPP")
        self.serial += 1
        entry.serial = self.serial
        entry.own = old.own
        if odd:
            self.by[entry.fd] = entry
            self.add_odd(entry)
            return
        if entry.opts:
            self.not_plain()
        # Before the kernel: what that tells from now on is of the new one.
        self.by[entry.fd] = entry
        try:
            self.kernel.modify(_own(entry), _bits(entry), entry.fd)
        except:
            self.by[entry.fd] = old
            raise
        if entry.sock.p is not p:
            self.has_ahead(entry.fd, entry.sock)

    def remove(self, entry):
        fd = entry.fd
        if self.by[fd] is entry:
            self.by[fd] = None
        self.kernel.hide()
        sock = entry.sock
        if entry.pfd:
            self.void = True
            return
        own, entry.own = entry.own, None
        if own is not None:
            self.kernel.remove(own, fd)
            self.kernel.drop(own)
        else:
            self.kernel.remove(_handle(sock), fd)

    def not_plain(self):
        self.kernel.not_plain()

    def has_ahead(self, fd, sock):
        """A Stream may hold what it has read of fd, which is ready then without the kernel."""
        self.ahead[fd] = 1
        self.some_ahead = True
        self.not_plain()
        # So it says when it leaves some behind.
        sock.p.polled = True
        if sock.p.at < sock.p.end:
            self.wake_up()

    def wake_up(self):
        """Who waits in the kernel looks again."""
        self.kernel.wake(self.kick)

    # -- poll -----------------------------------------------------------------------------

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
                    self.step(left, mine, found, told)
            finally:
                me[0] = None
                self.turns.leave(me)
                if self.closed:
                    self.free(0)
            return found
        except:
            me[0] = None
            self.take_back(told)
            raise

    def take_back(self, told):
        """What was told, or all but, is not given: Ctrl-C came in between. It is told anew."""
        told[0] = 0
        for entry in told[1:]:
            if entry is self.wakes:
                self.kernel.wake(entry.own)
            elif self.by[entry.fd] is entry and not entry.pfd:
                self.arm(entry)

    def arm(self, entry):
        """The kernel tells of it, as if it were new."""
        try:
            self.kernel.modify(_own(entry), _bits(entry), entry.fd)
        except OSError:
            pass  # it was closed, or deregistered, just now

    def step(self, ms, mine, found, told):
        """One wait."""
        if self.closed:
            fail("EBADF")
        kernel = self.kernel
        longest = kernel.LONGEST
        if longest > 0 and not 0 <= ms < longest:
            ms = longest
        told[0] = 0
        woken = None
        stale = mine and kernel.left()
        if stale:
            ms = 0
        ahead = look_ahead(self) if self.some_ahead else _NONE
        if ahead:
            ms = 0
        if self.void:
            gather(self)
        if self.odd:
            look_odd(self, ms, found, told)
            ms = 0
        serial = self.serial
        for key, revents in kernel.wait(ms, mine):
            entry = self.by[key] if 0 <= key < _KICK else None
            if entry:
                unsure = stale or entry.serial > serial
                self.show(entry, revents, ahead.pop(key, 0) if ahead else 0, unsure, found, told)
            elif key == _WAKER:
                woken = self.wakes
            elif key == _KICK:
                p.eventfd_read(self.kick)
        for fd in ahead:
            entry = self.by[fd]
            if entry and not (entry.told and entry.told[0]):
                self.show(entry, 0, ahead[fd], False, found, told)
        if woken:
            found.append(Event(woken.token, _POLLIN))
            told.append(woken)
            p.eventfd_read(woken.own)
        told[0] = 1
        mine and kernel.forget()

    def show(self, entry, revents, ahead, unsure, found, told):
        """Adds its event to what was found."""
        fd, sock = entry.fd, entry.sock
        if tab[fd] is not sock:
            self.remove(entry)  # another fd keeps it open
            return
        given = entry.told and entry.told[0]
        asked = _asked(entry)
        if unsure and not given:
            # Told of what had the number before, perhaps, or of a while ago.
            revents = sock.p.wait(sock.h, asked, 0)
            if tab[fd] is not sock:
                self.remove(entry)  # closed just now, and told as POLLNVAL
                return
            if not revents and entry.opts & _ONESHOT:
                self.arm(entry)
        shown = (revents | ahead) & (asked | _ALWAYS)
        if given or not shown:
            return
        event = Event(entry.token, shown)
        found.append(event)
        if entry.opts:
            told.append(entry)
        if entry.opts & _ONESHOT:
            entry.told = told
        if not (unsure or ahead or entry.opts):
            self.kernel.show(_own(entry), revents, event)
            if self.by[fd] is not entry:
                self.kernel.hide()  # closed, or registered anew, just now

    # -- the waker ------------------------------------------------------------------------

    def waker(self, entry):
        """(function, argument) that wakes."""
        if self.closed:
            fail("EBADF")
        if self.wakes:
            fail("EEXIST")
        entry.own = p.eventfd(0, False)
        self.wakes = entry
        try:
            self.kernel.add(entry.own, _POLLIN, _WAKER)
        except:
            self.unwaker(entry)
            raise
        return self.kernel.wake, entry.own

    def unwaker(self, entry):
        if self.wakes is entry:
            self.wakes = None
            self.kernel.remove(entry.own, _WAKER)
            p.close(entry.own)

    def close(self):
        global _sets
        if self.closed:
            return
        _sets = [each for each in _sets if each is not self]
        self.not_plain()
        self.closed = True
        if self.wakes:
            self.unwaker(self.wakes)
        for entry in self.by:
            entry and self.remove(entry)
        leave_within(self)
        self.wake_up()
        self.free(_SOON)

    def free(self, ms):
        """Gives the kernel's set back, once nobody waits in it."""
        me = [self.turns.thread()]
        try:
            if self.kernel.waited(ms) and self.turns.enter(me, p.ticks_add(p.ticks_ms(), ms), ms):
                kick, self.kick = self.kick, None
                if kick is not None:
                    self.kernel.close()
                    p.close(kick)
        finally:
            self.turns.leave(me)


def _own(entry):
    """What the kernel's set has it by."""
    return _handle(entry.sock) if entry.own is None else entry.own


def _asked(entry):
    """Its events; the end of the peer's data comes with POLLIN, and costs nothing."""
    return entry.events | (entry.events & _POLLIN) * _POLLRDHUP


def _bits(entry):
    return _asked(entry) | _OPTS[entry.opts]
