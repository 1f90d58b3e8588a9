# SPDX-License-Identifier: MIT
# eventfd: a counter to wait for, behind an fd.

from .zbase import Sock, closed, fail, get, install, op, p

_UINT32 = 0xFFFFFFFF
_UINT64 = 0xFFFFFFFFFFFFFFFF
_number = p.number
_POLLIN = 1
_POLLOUT = 4


class _Event(Sock):
    event = True
    stream = False
    may_arm = False


def zvfs_eventfd(initval=0, flags=0):
    """A counter behind an fd: POLLIN while it is above 0, POLLOUT while 1 can be added.

    initval: 0 to 4294967295; flags: EFD_SEMAPHORE, EFD_NONBLOCK, EFD_CLOEXEC. Returns the fd, for
    zvfs_eventfd_read and _write, zsock_poll, zsock_select, zsock_fcntl, zsock_dup, zsock_close.
    Raises OSError: EINVAL for another flag, ENFILE, EOPNOTSUPP where the port has none.
    Source: eventfd(2), zvfs_eventfd.
    """
    _unsigned(initval, _UINT32)
    _unsigned(flags, _UINT32)
    make = op("eventfd")
    semaphore, nonblock = _number("EFD_SEMAPHORE"), _number("EFD_NONBLOCK")
    if flags & ~(semaphore | nonblock | _number("EFD_CLOEXEC")):
        fail("EINVAL")
    sock = _Event()
    sock.h = closed.h  # its place: what is made must not be lost for want of one
    sock.h = make(initval, bool(flags & semaphore))
    sock.nonblock = bool(flags & nonblock)
    return install(sock)


def zvfs_eventfd_read(fd):
    """The counter, which is 0 then; of a semaphore 1, and the counter is one less.

    Waits while it is 0 unless fd is non-blocking.
    Raises OSError: EBADF; EAGAIN; EINVAL for another kind of fd. Source: eventfd(2).
    """
    sock = _event(fd)
    return _until(fd, sock, _POLLIN, op("eventfd_read"))


def zvfs_eventfd_write(fd, value):
    """Adds value, 0 to 0xFFFFFFFFFFFFFFFE, to the counter.

    Waits while it would pass 0xFFFFFFFFFFFFFFFE unless fd is non-blocking.
    Raises OSError: EBADF; EAGAIN; EINVAL for a larger value, or another kind of fd.
    Source: eventfd(2).
    """
    sock = _event(fd)
    _unsigned(value, _UINT64)
    if value == _UINT64:
        fail("EINVAL")
    _until(fd, sock, _POLLOUT, op("eventfd_write"), value)


def _event(fd):
    sock = get(fd)
    if not sock.event:
        fail("EINVAL")
    return sock


def _until(fd, sock, want, call, *args):
    """The call's result; where it cannot be had now, waits for it."""
    while sock.armed and not p.wait(sock.h, want, 0):
        # Others have it too, and so it blocks by itself.
        from .zwait import wait_ready

        wait_ready(fd, sock, want, -1)
    r = call(sock.h, *args)
    if r >= 0:
        return r
    err = p.last_error(r)
    from .zwait import retry

    return retry(fd, sock, err, not sock.nonblock, want, 0, call, sock.h, *args)


def _unsigned(value, most):
    if not isinstance(value, int):
        raise TypeError("an int is required, not " + type(value).__name__)
    if not 0 <= value <= most:
        raise OverflowError("the int is out of range")
