# SPDX-License-Identifier: MIT
# The fds as a whole, for the prompt, and the system's descriptor behind one.

from . import fdtable
from ._config import ZVFS_OPEN_MAX
from .zbase import closed, fail, get, op, p, tab, uninstall


def fds():
    """The open fds, in order: a list of int. At the prompt: what a program left open."""
    return [fd for fd, sock in enumerate(tab) if sock is not closed]


def adopt(sock):
    """An fd for a socket that was made elsewhere: an object, or a descriptor's number.

    Of the drop-in module `socket`: the fd is the same each time; the layer's calls may be made on
    it, and the object's as before: both are the same socket, closed when either is. It is no
    longer closed when the program forgets it.
    A descriptor (int), and what CPython's or MicroPython's own `socket` made: the fd alone goes
    on, and closes it; CPython's object is detached. A board has no descriptors, and of an object
    of the firmware's can tell no more than that it is a connected stream, which it has to be.
    Raises TypeError for what is no such thing; OSError: EBADF for a closed one; EEXIST when an fd
    has it already; ENFILE, and then it stays open; EOPNOTSUPP for a number on a board.
    Source: CPython's socket.fileno(), socket.detach(); libuv's uv_tcp_open.
    """
    if hasattr(sock, "_us"):
        fd = sock.fileno()
        if fd < 0:
            fail("EBADF")
        return fd
    from .zopen import adopt, wrapped

    if isinstance(sock, int) and not isinstance(sock, bool):
        _free(sock)
        if sock >> 31 and hasattr(p, "adopt"):
            fail("EBADF")  # of more bits a port may see the low ones, another's descriptor
        return adopt(sock)
    if not hasattr(sock, "setblocking"):
        raise TypeError("no socket, nor a descriptor: " + type(sock).__name__)
    if not hasattr(p, "adopt"):
        for entry in tab:
            if getattr(entry.h, "s", entry.h) is sock:
                fail("EEXIST")
        return wrapped(sock)
    if sock.fileno() < 0:
        fail("EBADF")
    _free(sock.fileno())
    return adopt(sock.detach() if hasattr(sock, "detach") else sock.fileno())


def _free(number):
    """Nobody has it, and there is room for it."""
    op("adopt")
    for fd in fds():
        sock = tab[fd]
        if getattr(sock.p, "fileno", _nobody)(sock.h) == number:
            fail("EEXIST")
    if len(fds()) >= ZVFS_OPEN_MAX:
        fail("ENFILE")


def _nobody(h):
    return -1


# By this name for who looks into the table.
setattr(fdtable, "used", fds)


def closeall():
    """Closes every open fd: at the prompt, after a program that left some open.

    Where a close fails the others are closed all the same; then OSError is raised, the first.
    """
    failed = None
    for fd in fds():
        try:
            uninstall(fd)
        except OSError as e:
            if failed is None and e.errno != p.number("EBADF"):  # another thread was faster
                failed = e
    if failed:
        raise failed


def zsock_fileno(fd):
    """The system's descriptor behind an fd: int. For what waits on descriptors beside the layer.

    Two fds of one socket (dup) have the same. It belongs to the layer, which reads it without
    waiting, sets timeouts on it and closes it with the last fd: wait on it, and no more.
    Raises OSError: EBADF; EOPNOTSUPP where sockets have no descriptors, as on boards.
    Source: POSIX fileno().
    """
    sock = get(fd)
    number = op("fileno", sock.p)(sock.h)
    if number < 0:  # another thread has just closed it
        fail("EBADF")
    return number
