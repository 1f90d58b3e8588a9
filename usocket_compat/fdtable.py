# SPDX-License-Identifier: MIT
# The fd table: small ints -> sockets. It calls nothing of a port.
#
# Whoever makes an fd does it in this order: reserve it, build the Sock, put it into `tab`; and
# free the fd on every failure.

from . import _config
from . import errno as E
from ._port import allocate_lock, load

lock = allocate_lock()


class Sock:
    """One open socket: the port's handle and what the layer knows of it."""

    # What most sockets never change costs them nothing here.
    family = 2  # AF_INET, on every system
    stream = True
    nonblock = False
    # SO_RCVTIMEO and SO_SNDTIMEO in ms; 0 waits for ever
    rcvtimeo = 0
    sndtimeo = 0
    # pollers for one waiting reader and one waiting writer, made when first needed
    rwait = None
    wwait = None
    # how many other fds have this Sock (zsock_dup)
    others = 0

    def __init__(self, h):
        self.h = h


# Empty until the port is loaded.
tab = []
closed = None
_reserved = None
# Counts closes: what was derived from fds before is void after.
closes = 0
_low = 0
_max = _config.ZVFS_OPEN_MAX
_int = int


def start():
    """Loads the port and makes the table; zio.start calls it, once."""
    global closed, _reserved
    p = load()
    if not tab:  # else a first attempt has failed after this
        closed = Sock(p.CLOSED)
        _reserved = Sock(p.CLOSED)
        tab.extend([closed] * _max)
    return p


def reserve():
    """The lowest free fd, held until a Sock is put there, or free; ENFILE when it is full."""
    global _low
    # With finally: Ctrl-C in between must not leave it locked.
    lock.acquire()
    try:
        fd = _low
        while fd < _max and tab[fd] is not closed:
            fd += 1
        if fd == _max:
            raise load().error(E.ENFILE)
        _low = fd + 1
        tab[fd] = _reserved
        return fd
    finally:
        lock.release()


def free(fd):
    """Gives up an fd that was reserved."""
    global _low
    lock.acquire()
    try:
        tab[fd] = closed
        if fd < _low:
            _low = fd
    finally:
        lock.release()


def get(fd):
    """The Sock of an open fd; EBADF for another int, TypeError for what is no int."""
    if fd.__class__ is _int and 0 <= fd < _max and tab:
        sock = tab[fd]
        if sock is not closed and sock is not _reserved:
            return sock
    _bad(fd)


def take(fd):
    """The Sock of an open fd, and the fd is closed; errors as get."""
    global closes, _low
    if fd.__class__ is _int and 0 <= fd < _max and tab:
        lock.acquire()
        try:
            sock = tab[fd]
            if sock is not closed and sock is not _reserved:
                tab[fd] = closed
                closes += 1
                if fd < _low:
                    _low = fd
                return sock
        finally:
            lock.release()
    _bad(fd)


def _bad(fd):
    if not isinstance(fd, int):
        raise TypeError("an fd is an int, not " + type(fd).__name__)
    raise load().error(E.EBADF)


def used():
    """How many fds are open or reserved."""
    return len(tab) - tab.count(closed)
