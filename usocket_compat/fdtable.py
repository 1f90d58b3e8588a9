# SPDX-License-Identifier: MIT
# The fd table: small ints -> sockets. It knows no socket call and no port but close.
#
# Whoever makes an fd does it in this order: reserve, build, finalize; and free on every failure.

from . import _config
from . import errno as E
from ._port import load

try:
    if not _config.USOCKET_THREADS:
        raise ImportError
    from _thread import allocate_lock

    _lock = allocate_lock()
except ImportError:

    class _lock:
        def __enter__(self):
            pass

        def __exit__(self, *exc):
            pass

    _lock = _lock()


class Sock:
    """One open socket: the port's handle and what the layer knows of it."""

    def __init__(self, h, family, stream):
        self.h = h
        self.family = family
        self.stream = stream
        self.nonblock = False
        # SO_RCVTIMEO and SO_SNDTIMEO in ms; 0 waits for ever
        self.rcvtimeo = 0
        self.sndtimeo = 0
        # pollers for one waiting reader and one waiting writer, made when first needed
        self.rwait = None
        self.wwait = None


# Twice ZVFS_OPEN_MAX long: the upper half is never opened, so that a negative index finds a
# closed entry without being checked for.
tab = []
closed = None
# Counts closes: what was derived from fds before is void after.
closes = 0
_low = 0


def start():
    """Loads the port and makes the table, once."""
    global closed
    if closed is None:
        with _lock:
            if closed is None:
                entry = Sock(load().CLOSED, 0, False)
                tab.extend([entry] * (2 * _config.ZVFS_OPEN_MAX))
                closed = entry
    return load()


def reserve():
    """The lowest free fd, held until finalize or free. ENFILE when the table is full."""
    global _low
    start()
    with _lock:
        fd = _low
        while fd < _config.ZVFS_OPEN_MAX and tab[fd] is not closed:
            fd += 1
        if fd < _config.ZVFS_OPEN_MAX:
            tab[fd] = Sock(closed.h, 0, False)
            _low = fd + 1
            return fd
    raise load().error(E.ENFILE)


def finalize(fd, sock):
    tab[fd] = sock
    return fd


def free(fd, sock=None):
    """Takes fd out of the table; False when it no longer stands for `sock`."""
    global closes, _low
    with _lock:
        if sock is not None and tab[fd] is not sock:
            return False
        tab[fd] = closed
        closes += 1
        if fd < _low:
            _low = fd
    return True


def get(fd):
    """The Sock of an open fd; EBADF for another int, TypeError for what is no int."""
    if not isinstance(fd, int):
        raise TypeError("an fd is an int, not " + type(fd).__name__)
    if 0 <= fd < len(tab):
        sock = tab[fd]
        if sock.h is not closed.h:
            return sock
    start()
    raise load().error(E.EBADF)


def used():
    """How many fds are open or reserved."""
    return len(tab) - sum(1 for sock in tab if sock is closed)
