# SPDX-License-Identifier: MIT
"""Many fds with a token each, and what is ready of them: mio's Poll, Waker and Event.

How it is done is in another file: zepoll.py where the platform has epoll, else zpolls.py, which
polls a list.
"""

from sys import modules

from .zbase import fail, get, p

_package = modules[__name__.rpartition(".")[0]]
_POLLIN = 1
_POLLPRI = 2
_POLLOUT = 4
_POLLERR = 8
_POLLHUP = 16
_POLLRDHUP = 8192
# What can be asked for: POLLIN, POLLPRI, POLLOUT, POLLRDNORM, POLLRDBAND, POLLWRNORM, POLLWRBAND,
# POLLRDHUP. The other three are told always.
_ASKED = 0x23C7
_KNOWN = 0x23FF
# The longest single wait (ms): a board's clock begins anew after 12 days, an int of C after 24.
_LONGEST = 1 << 28


class Event:
    """What has happened on one fd. `token`: the one it was registered with; `revents`: as poll's.

    readable, writable, error, priority, read_closed (the peer has ended, or all has) and
    write_closed are True or False, by the rules of mio's Event.
    """

    __slots__ = ("revents", "token")

    def __init__(self, token, revents):
        self.token = token
        self.revents = revents

    @property
    def readable(self):
        return self.revents & (_POLLIN | _POLLPRI) != 0

    @property
    def writable(self):
        return self.revents & _POLLOUT != 0

    @property
    def error(self):
        return self.revents & _POLLERR != 0

    @property
    def priority(self):
        return self.revents & _POLLPRI != 0

    @property
    def read_closed(self):
        got = self.revents
        return got & _POLLHUP != 0 or got & _POLLIN != 0 and got & _POLLRDHUP != 0

    @property
    def write_closed(self):
        got = self.revents
        return got & _POLLHUP != 0 or got == _POLLERR or got & 12 == 12

    def __repr__(self):
        return "Event(%r, %d)" % (self.token, self.revents)


class Entry:
    """What is registered. It never changes but for `told`: another takes its place."""

    # of one-shot: [1] when its event has been given
    told = None
    # what the platform's set has it by, where that is not its own handle
    own = None

    def __init__(self, fd, sock, token, events, opts):
        self.fd, self.sock, self.token, self.events, self.opts = fd, sock, token, events, opts
        self.pfd = self.told = self.own = None


class Poller:
    """A set of fds, each with a token, that tells which are ready.

        poller = net.Poller()
        poller.register(fd, "the listener", net.POLLIN)
        for event in poller.poll(1000):
            print(event.token, event.readable)

    It costs what is ready, not what is registered, where capabilities()["edge"] is True: that is
    where there is epoll. Close it in the end, or use `with`. Source: mio's Poll and Registry.
    """

    LEVEL = 0
    EDGE = 1
    ONESHOT = 2

    def __init__(self):
        way = "zepoll" if hasattr(p, "epoll") else "zpolls"
        self._set = _package._module(way).Set(self)

    def register(self, fd, token, interests, opts=0):
        """From now on poll tells of fd, until it is closed or deregistered.

        token: any object, which its events have; interests: POLLIN, POLLOUT, POLLPRI, POLLRDHUP,
        or-ed; opts: Poller.LEVEL (each poll tells what is so), EDGE (only what is new), ONESHOT
        (one event, then none until reregister), or-ed.
        Raises OSError: EBADF; EEXIST when it is registered; EINVAL for no interests, or other
        ones; EOPNOTSUPP for EDGE without epoll or of a TLS socket, POLLPRI where no urgent data
        is told; ENOMEM for more than ZVFS_POLL_MAX without epoll; EPERM for an adopted file.
        Source: mio's Registry::register, epoll_ctl(2).
        """
        entry = _entry(fd, token, interests, opts)
        if self._set.registered(fd):
            fail("EEXIST")
        self._set.add(entry)

    def reregister(self, fd, token, interests, opts=0):
        """Changes token, interests and opts of a registered fd; a one-shot is armed again.

        Raises OSError: as register; ENOENT when it is not registered.
        Source: mio's Registry::reregister, epoll_ctl(2).
        """
        entry = _entry(fd, token, interests, opts)
        old = self._set.registered(fd)
        if not old:
            fail("ENOENT")
        self._set.change(old, entry)

    def deregister(self, fd):
        """poll tells of fd no more.

        Raises OSError: EBADF; ENOENT when it is not registered.
        Source: mio's Registry::deregister, epoll_ctl(2).
        """
        get(fd)
        old = self._set.registered(fd)
        if not old:
            fail("ENOENT")
        self._set.remove(old)

    def poll(self, timeout_ms=-1):
        """The events of what is ready: a list of Event, one an fd.

        Waits for one for timeout_ms (0: not at all; negative or None: for ever); [] when the time
        is over. Raises OSError: EBADF when the Poller was closed.
        Source: mio's Poll::poll, epoll_wait(2).
        """
        timeout_ms = -1 if timeout_ms is None else timeout_ms
        if timeout_ms.__class__ is not int:
            raise TypeError("timeout_ms is an int")
        while timeout_ms > _LONGEST:
            found = self._set.poll(_LONGEST)
            if found:
                return found
            timeout_ms -= _LONGEST
        return self._set.poll(max(timeout_ms, -1))

    def close(self):
        """Deregisters all. A poll in another thread ends with EBADF."""
        self._set.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _entry(fd, token, interests, opts):
    sock = get(fd)
    if not interests.__class__ is opts.__class__ is int:
        raise TypeError("interests and opts are ints")
    if not interests & _ASKED or interests & ~_KNOWN or opts & ~3:
        fail("EINVAL")
    if interests & _POLLPRI and "MSG_OOB" in p.LACKS.split():
        fail("EOPNOTSUPP")
    return Entry(fd, sock, token, interests, opts)


class Waker:
    """Ends a poll from elsewhere: another thread, a callback, a signal's handler.

    poller: the Poller, which has one at most; token: that of the event that poll gives then,
    readable, one for however many wakes before it. Raises OSError: EEXIST, ENFILE.
    Source: mio's Waker.
    """

    def __init__(self, poller, token):
        self._set = poller._set
        self._entry = Entry(-1, None, token, _POLLIN, 0)
        self._call, self._arg = self._set.waker(self._entry)

    def wake(self, _=None, __=None):
        """Ends the poll that waits, or the next one. It allocates nothing.

        What else it is given it ignores, as a timer's or a signal's callback is. Also from a hard
        interrupt. Raises OSError: EBADF after close.
        Source: mio's Waker::wake.
        """
        self._call(self._arg)

    def close(self):
        """Gives back what it takes; there may be another then. Closed with the Poller too."""
        self._call = _gone
        self._set.unwaker(self._entry)


def _gone(_):
    fail("EBADF")
