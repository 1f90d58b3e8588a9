# SPDX-License-Identifier: MIT
# The one way to the port and to what an fd stands for. Loaded with the first call of the layer;
# it loads nothing of the layer but the table, and everything else is built on it.

import sys

from ._config import USOCKET_PORT, ZVFS_OPEN_MAX
from .fdtable import Sock, closed

try:
    from .port import load  # installed: usocket_compat/port/
except ImportError:
    from ._beside import load

p = load(USOCKET_PORT)
# The fd table, the port's if it has one.
table = getattr(p, "table", sys.modules[__name__[:-5] + "fdtable"])
Sock.may_arm = hasattr(p, "block")
# Its class has it too: without a GIL an entry may for a moment not have its own.
Sock.h = closed.h = p.CLOSED
# Another has a TLS socket, whose `h` is closed to whoever does not ask for it.
Sock.p = p
closed.shared = 0  # its own: twin sets it, if only for a moment
table.start(ZVFS_OPEN_MAX, closed)
tab = table.tab
# A module's global is found faster than a builtin.
_int = int


def fail(name):
    """Raises OSError with the errno of that name."""
    raise p.error(p.number(name))


def get(fd):
    """The entry of an open fd; EBADF for another int, TypeError for what is no int."""
    # Nor is a bool one, nor what is derived from int: interpreters differ in what they do with it.
    if fd.__class__ is not _int:
        raise TypeError("an fd is an int, not " + type(fd).__name__)
    if 0 <= fd < ZVFS_OPEN_MAX:
        sock = tab[fd]
        if sock is not closed:
            return sock
    fail("EBADF")


def install(sock):
    """Opens an fd for an entry; when the table is full, ENFILE and its handle is closed."""
    try:
        return table.put(sock)
    except ValueError:
        if sock.h is not closed.h or sock.p is not p:
            sock.p.close(sock.h)
        fail("ENFILE")


def uninstall(fd):
    """Closes an fd, and with the last that has its entry the handle; EBADF as get."""
    get(fd)
    sock = table.take(fd)
    if sock is closed:  # another thread was faster
        fail("EBADF")
    if not sock.shared or table.last(sock):
        h = sock.h
        if h.__class__ is _int:
            # A number is given anew, and a call may still be about to ask for it.
            sock.h = closed.h
        sock.p.close(h)


def op(name, p=p):
    """The port's operation of that name, or a socket's; EOPNOTSUPP where there is none."""
    f = getattr(p, name, None)
    if f is None:
        fail("EOPNOTSUPP")
    return f
