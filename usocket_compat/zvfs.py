# SPDX-License-Identifier: MIT
# What POSIX has for any descriptor: another number for the same one, and a counter to wait for.

from . import errno as E
from .fdtable import Sock, free, get, lock, reserve, tab
from .zio import start
from .zwait import POLLIN, POLLOUT, again, op

_UINT32 = 0xFFFFFFFF
_UINT64 = 0xFFFFFFFFFFFFFFFF


class _Event(Sock):
    stream = False


def zsock_dup(fd):
    """Another fd, the lowest free, for the same socket.

    Both share all state, O_NONBLOCK and the timeouts too. The socket is closed with the last.
    Raises OSError: EBADF, ENFILE. Source: POSIX dup().
    """
    sock = get(fd)
    new = reserve()
    lock.acquire()
    try:
        if tab[fd] is sock:
            sock.others += 1
            tab[new] = sock
            return new
    finally:
        lock.release()
    # Another thread has just closed it.
    free(new)
    raise start().error(E.EBADF)


def shared(sock):
    """Whether a Sock that an fd gave up is still that of another."""
    lock.acquire()
    try:
        sock.others -= 1
        return sock.others >= 0
    finally:
        lock.release()


def zvfs_eventfd(initval=0, flags=0):
    """A counter behind an fd: POLLIN while it is above 0, POLLOUT while 1 can be added.

    initval: 0 to 4294967295; flags: EFD_SEMAPHORE, EFD_NONBLOCK, EFD_CLOEXEC. Returns the fd, for
    zvfs_eventfd_read and _write, zsock_poll, zsock_select, zsock_fcntl, zsock_dup, zsock_close.
    Raises OSError: EINVAL for another flag, ENFILE, EOPNOTSUPP where the port has none.
    Source: eventfd(2), zvfs_eventfd.
    """
    p = start()
    _unsigned(initval, _UINT32)
    _unsigned(flags, _UINT32)
    make = op("eventfd")
    semaphore, nonblock = p.number("EFD_SEMAPHORE"), p.number("EFD_NONBLOCK")
    if flags & ~(semaphore | nonblock | p.number("EFD_CLOEXEC")):
        raise p.error(E.EINVAL)
    fd = reserve()
    try:
        sock = _Event(make(initval, bool(flags & semaphore)))
    except BaseException:
        free(fd)
        raise
    sock.nonblock = bool(flags & nonblock)
    tab[fd] = sock
    return fd


def zvfs_eventfd_read(fd):
    """The counter, which is 0 then; of a semaphore 1, and the counter is one less.

    Waits while it is 0 unless fd is non-blocking.
    Raises OSError: EBADF; EAGAIN; EINVAL for what is no eventfd. Source: eventfd(2).
    """
    sock = _event(fd)
    return _waiting(fd, sock, POLLIN, op("eventfd_read"), (sock.h,))


def zvfs_eventfd_write(fd, value):
    """Adds value, 0 to 0xFFFFFFFFFFFFFFFE, to the counter.

    Waits while it would pass 0xFFFFFFFFFFFFFFFE unless fd is non-blocking.
    Raises OSError: EBADF; EAGAIN; EINVAL for a larger value, or what is no eventfd.
    Source: eventfd(2).
    """
    sock = _event(fd)
    _unsigned(value, _UINT64)
    if value == _UINT64:
        raise start().error(E.EINVAL)
    _waiting(fd, sock, POLLOUT, op("eventfd_write"), (sock.h, value))


def _event(fd):
    sock = get(fd)
    if sock.__class__ is not _Event:
        raise start().error(E.EINVAL)
    return sock


def _waiting(fd, sock, want, call, args):
    begin = None
    while True:
        r = call(*args)
        if r >= 0:
            return r
        err = start().last_error(r)
        begin = again(fd, sock, err, not sock.nonblock, want, begin, 0)


def _unsigned(value, most):
    if not isinstance(value, int):
        raise TypeError("an int is required, not " + type(value).__name__)
    if not 0 <= value <= most:
        raise OverflowError("the int is out of range")
