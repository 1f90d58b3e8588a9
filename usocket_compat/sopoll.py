# SPDX-License-Identifier: MIT
# What the drop-in's poll does with what the firmware's does not know: fds, sockets whose fd was
# asked for, what is held back. And what a socket answers when the firmware's own poll asks it.

from sys import modules

import uselect

from usocket_compat.zbase import get, p, tab

_IN = 1
_OUT = 4
_HUP = 16
_NVAL = 32
_EINVAL = 22
# How long one wait lasts (ms) before it looks at what the firmware does not know.
_SLICE = 50

_native = getattr(uselect, "native", uselect)
# Whether the firmware's poll takes descriptors of the system, and asks objects for theirs.
_posix = not hasattr(_native, "select")

error = OSError
POLLPRI = 2
POLLERR = 8
POLLHUP = _HUP
POLLNVAL = _NVAL


def ioctl(self, request, arg):
    """Never raises: what asks is C code, which an exception might not leave whole."""
    try:
        if request == 3:
            return _ready(self, self._e, arg)
        if request == 4:
            self.close()
            return 0
        if request == 10 and _posix:
            return p.fileno(self._e.h) if self._us is None else self._us.fileno()
    except Exception:
        pass
    return -_EINVAL


l_ioctl = ioctl


def _ready(obj, e, events):
    """What of events is ready now; obj is an fd, whose entry is or was e, or a socket."""
    if obj.__class__ is int:
        if e is None or tab[obj] is not e:
            return _NVAL
    elif obj._k == 4:
        return _NVAL
    elif obj._us is not None:
        poller = _native.poll()
        poller.register(obj._us, events)
        for _, ready in poller.ipoll(0):
            return ready
        return 0
    else:
        e = obj._e
    return _look(e.h, events)


def _look(h, events):
    pollset = getattr(p, "pollset", None)
    if pollset is None:
        return p.wait(h, events, 0)
    from usocket_compat import zsock_pollfd

    # The port's own, of one that has no fd perhaps.
    pfd = zsock_pollfd(0, events)
    kept = pollset([pfd])
    kept.changes = 0
    kept.add(pfd, h)
    kept.built()
    kept.look(0)
    return pfd.revents


# -- a poll object that has more than the firmware knows of -------------------------------
#
# poll._x has what it does not know: id or fd -> [object or fd, events, entry, what the firmware
# was given instead, to wake for it]; poll._by what was given -> what it stands for.


def _key(obj):
    return obj if obj.__class__ is int else id(obj)


def _odd(obj):
    return obj.__class__ is int or getattr(obj, "_us", obj) is None and not _posix


def register(self, obj, events=7):
    if obj.__class__ is int and obj < 0:
        raise ValueError("file descriptor cannot be a negative integer (%d)" % obj)
    if not hasattr(self, "_x"):
        # No longer the firmware's, nor the class's.
        self._x = {}
        self.register = lambda obj, events=7: register(self, obj, events)
        self.modify = lambda obj, events: modify(self, obj, events)
        self.unregister = lambda obj: unregister(self, obj)
        self.ipoll = lambda timeout=-1, flags=0: iter(wait(self, timeout, flags))
        self.poll = lambda timeout=-1: wait(self, timeout, 0)
    if _key(obj) in self._x:
        unregister(self, obj)
    elif not _posix and obj.__class__ is not int:
        _forget(self, obj)
    if not _odd(obj):
        s = obj if _posix else getattr(obj, "_us", obj)
        self._by[s] = obj
        self._ev[s] = events
        self._p.register(s, events)
        return
    e = None
    if obj.__class__ is not int:
        e = obj._e
    else:
        try:
            e = get(obj)
        except OSError:
            pass  # POLLNVAL
    s = None
    if e is not None:
        s = p.fileno(e.h) if _posix else e.h.s
        if not _posix and not hasattr(s, "setblocking"):
            s = None  # a pair in memory, an eventfd
        elif s in self._by:
            s = None  # another fd of the same socket wakes for it
        else:
            self._p.register(s, events)
            self._by[s] = obj
            self._ev[s] = events
    self._x[_key(obj)] = [obj, events, e, s]


def _forget(self, obj):
    """Takes out the native sockets that an object had; whether there were any."""
    had = [s for s in self._by if self._by[s] is obj]
    for s in had:
        self._p.unregister(s)
        del self._by[s], self._ev[s]
    return had


def moved(self, obj, events=None):
    """modify, or unregister, of what has been closed, or has another handle, since register."""
    if obj.__class__ is int:
        had = None
    elif getattr(obj, "_k", 0) == 4 and events is not None:
        had = [s for s in self._by if self._by[s] is obj]
        for s in had:
            self._p.modify(s, events)
            self._ev[s] = events
    else:
        had = _forget(self, obj)
        if had and events is not None:
            register(self, obj, events)
    if not had and events is not None:
        raise p.error(2)  # ENOENT


def modify(self, obj, events):
    if _key(obj) in self._x:
        unregister(self, obj)
        register(self, obj, events)
    elif not _posix and self._by.get(getattr(obj, "_us", obj)) is not obj:
        moved(self, obj, events)
    elif obj.__class__ is int:
        raise p.error(2)  # ENOENT
    else:
        s = obj if _posix else getattr(obj, "_us", obj)
        self._p.modify(s, events)
        self._ev[s] = events


def unregister(self, obj):
    known = self._x.pop(_key(obj), None)
    if known:
        s = known[3]
        if s is None:
            return
    elif obj.__class__ is int:
        raise KeyError(obj)
    elif not _posix and self._by.get(getattr(obj, "_us", obj)) is not obj:
        return moved(self, obj)
    else:
        s = obj if _posix else getattr(obj, "_us", obj)
    self._p.unregister(s)
    self._by.pop(s, None)
    self._ev.pop(s, None)


def wait(self, timeout, flags=0):
    """What poll gives: [(object, events)]."""
    timeout = -1 if timeout is None else timeout
    begin = p.ticks_ms()
    left = timeout
    by = self._by
    x = getattr(self, "_x", {})
    while True:
        found = {}
        for k in x:
            obj, events, e, s = x[k]
            # A kernel's poll tells of what it was given.
            ready = _ready(obj, e, events) if s is None or not _posix else 0
            if obj.__class__ is int and (e is None or tab[obj] is not e):
                ready = _NVAL
            if ready:
                found[k] = (obj, ready)
        if not _posix:
            # Sockets that were native when they were registered.
            for s in by:
                obj = by[s]
                if id(obj) not in x and getattr(obj, "_us", s) is None:
                    ready = _ready(obj, None, self._ev[s])
                    if ready:
                        found[id(obj)] = (obj, ready)
        ms = 0 if found else left
        if x and not 0 <= ms <= _SLICE:
            ms = _SLICE
        for s, ready in self._p.ipoll(ms, flags):
            obj = by.get(s, s)
            k = _key(obj)
            if k not in found and (_posix or k not in x and getattr(obj, "_us", s) is not None):
                found[k] = (obj, ready)
        if found or not left:
            return list(found.values())
        if timeout >= 0:
            left = max(timeout - p.ticks_diff(p.ticks_ms(), begin), 0)


def _number(obj):
    """The fd of the layer of an object that is no socket and no stream."""
    if not hasattr(obj, "fileno"):
        raise TypeError("argument must be an int, or have a fileno() method.")
    fd = obj.fileno()
    if fd.__class__ is not int:
        raise TypeError("fileno() returned a non-integer")
    get(fd)
    return fd


def select(rlist, wlist, xlist, timeout=None):
    """Waits until one of rlist can be read, of wlist written, or of xlist has urgent data.

    The lists have sockets, streams and fds; timeout: seconds, None for no limit. Returns the three
    lists of those that are ready. Raises ValueError for a negative fd or a closed socket,
    OSError EBADF for a closed fd. Source: CPython's select.select.
    """
    if timeout is not None and timeout < 0:
        raise ValueError("timeout must be non-negative")
    lists = list(rlist), list(wlist), list(xlist)
    wanted = {}
    for each, event in zip(lists, (_IN, _OUT, POLLPRI)):
        for obj in each:
            if obj.__class__ is int and obj >= 0:
                get(obj)
            elif obj.__class__ is int or getattr(obj, "_k", 0) == 4:
                raise ValueError("file descriptor cannot be a negative integer (-1)")
            one = wanted.setdefault(_key(obj), [obj, 0])
            one[1] |= event
    poller = modules["uselect"].poll()
    numbers = {}
    for k in wanted:
        obj, events = wanted[k]
        try:
            poller.register(obj, events)
        except (OSError, TypeError, AttributeError):
            if obj.__class__ is int:
                raise
            fd = _number(obj)
            numbers.setdefault(fd, []).append(k)
            poller.register(fd, events)
    ready = {}
    for obj, events in poller.poll(-1 if timeout is None else int(timeout * 1000 + 0.999)):
        for k in numbers.get(obj, ()) if obj.__class__ is int else ():
            ready[k] = events
        ready[_key(obj)] = events
    return tuple(
        [
            [obj for obj in each if ready.get(_key(obj), 0) & events]
            for each, events in zip(lists, (_IN | POLLERR | _HUP, _OUT | POLLERR, POLLPRI))
        ]
    )
