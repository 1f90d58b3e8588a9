# SPDX-License-Identifier: MIT
# What opens fds otherwise than socket and accept: pairs, fds that share an entry, descriptors that
# the platform hands over.

from . import _config
from .zargs import an_int
from .zbase import Sock, closed, fail, get, install, op, p, table, uninstall
from .zkind import split

_number = p.number


def zsock_socketpair(family=1, type=1, proto=0):
    """Two sockets that are connected to each other: (fd, fd).

    family: AF_UNIX (default); type: SOCK_STREAM (default) or SOCK_DGRAM.
    Raises OSError: EAFNOSUPPORT, EPROTONOSUPPORT, ENFILE; EOPNOTSUPP for another family, or where
    the port has none. Source: POSIX socketpair(), zsock_socketpair.
    """
    if not _config.NET_SOCKETPAIR:
        fail("EOPNOTSUPP")
    make = op("socketpair")
    an_int(family)
    an_int(type)
    an_int(proto)
    type, nonblock = split(type)
    pair = Sock(), Sock()
    for sock in pair:
        sock.family, sock.stream, sock.nonblock = family, type == 1, nonblock
        sock.h = closed.h
    size = _config.NET_SOCKETPAIR_BUFFER_SIZE
    pair[0].h, pair[1].h = make(family, type, proto, size)
    try:
        first = install(pair[0])
    except Exception:
        p.close(pair[1].h)
        raise
    try:
        second = install(pair[1])
    except Exception:
        uninstall(first)
        raise
    try:
        return first, second
    except MemoryError:
        uninstall(first)
        uninstall(second)
        raise


def adopt(number):
    """An fd for a descriptor that the platform handed over; when that fails, it is closed."""
    sock = Sock()
    sock.h = closed.h
    try:
        sock.h, sock.nonblock = p.adopt(number)
        try:
            level = _number("SOL_SOCKET")
            sock.family = p.getsockopt(sock.h, level, _number("SO_DOMAIN"), 0)
            sock.stream = p.getsockopt(sock.h, level, _number("SO_TYPE"), 0) == 1
        except OSError:
            # No socket: it can be passed on, waited for and closed, an eventfd also read and
            # written (zvfs.py).
            sock.stream = sock.may_arm = False
            sock.armed = not sock.nonblock
            sock.event = op("is_eventfd")(sock.h)
    except MemoryError:
        if sock.h is not closed.h:
            p.close(sock.h)
        raise
    return install(sock)


class _Told:
    """What a port is told of an object that somebody else has made and connected."""

    _k = 2
    type = 1
    _o = 0
    _name = _peer = None


def wrapped(native):
    """An fd for a connected stream of the firmware's own, which is an object."""
    sock = Sock()
    sock.h = closed.h
    wrap = op("wrap")
    native.setblocking(False)
    sock.h = wrap(native, _Told)
    try:
        return table.put(sock)
    except ValueError:
        fail("ENFILE")


def zsock_dup(fd):
    """Another fd, the lowest free, for the same socket.

    Both share all state, O_NONBLOCK and the timeouts too. The socket is closed with the last.
    Raises OSError: EBADF, ENFILE. Source: POSIX dup().
    """
    get(fd)
    try:
        return table.twin(fd)
    except ValueError:
        fail("ENFILE")
    except IndexError:  # another thread has just closed it
        fail("EBADF")
