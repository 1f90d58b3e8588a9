# SPDX-License-Identifier: MIT
# A socket's own address and its peer's.

from .zbase import get, op


def zsock_getsockname(fd):
    """The socket's own address. Raises OSError: EBADF, EOPNOTSUPP. Source: POSIX getsockname()."""
    sock = get(fd)
    return op("getsockname", sock.p)(sock.h)


def zsock_getpeername(fd):
    """The peer's address.

    Raises OSError: EBADF, ENOTCONN, EOPNOTSUPP. Source: POSIX getpeername().
    """
    sock = get(fd)
    return op("getpeername", sock.p)(sock.h)
