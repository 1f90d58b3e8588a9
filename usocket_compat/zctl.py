# SPDX-License-Identifier: MIT
# A socket's state: O_NONBLOCK, what waits to be read, which directions are shut.

from .zargs import an_int
from .zbase import fail, get, op, p


def zsock_shutdown(fd, how):
    """Ends reading (SHUT_RD), writing (SHUT_WR) or both (SHUT_RDWR).

    Of a TLS socket the end of writing goes out as data does: it waits for room as send.
    Raises OSError: EBADF, ENOTCONN, EINVAL for another `how`, EOPNOTSUPP where the port cannot;
    EAGAIN for a TLS socket without room, which is asked again when poll says POLLOUT.
    Source: POSIX shutdown().
    """
    sock = get(fd)
    an_int(how)
    shut = op("shutdown", sock.p)
    sock.shut = getattr(sock, "shut", False)  # its place
    r = shut(sock.h, how)
    if r and sock.p is not p:
        from .zwait import POLLOUT, retry

        wait, limit = not sock.nonblock, sock.sndtimeo
        retry(fd, sock, -r, wait, POLLOUT, limit, sock.p.shutdown, sock.h, how)
    sock.shut = sock.shut or how > 0  # which zcontrol.close_reset asks


def zsock_fcntl(fd, cmd, arg=0):
    """F_GETFL gives O_RDWR, with O_NONBLOCK or-ed in; F_SETFL sets or clears O_NONBLOCK.

    Raises OSError: EBADF; EINVAL for another cmd or flag. Source: POSIX fcntl().
    """
    sock = get(fd)
    an_int(cmd)
    an_int(arg)
    nonblock = p.number("O_NONBLOCK")
    if cmd == p.number("F_GETFL"):
        return 2 | (nonblock if sock.nonblock else 0)
    # The access mode is ignored, as POSIX says; no other flag can be set.
    if cmd != p.number("F_SETFL") or arg & ~(nonblock | 3):
        fail("EINVAL")
    set_nonblock(sock, bool(arg & nonblock))
    return 0


def set_nonblock(sock, flag):
    sock.nonblock = flag
    if sock.armed:
        from .zarm import disarm

        disarm(sock)


def zsock_ioctl(fd, request, arg=None):
    """FIONREAD gives how many bytes can be read now; FIONBIO makes fd non-blocking if arg is true.

    Raises OSError: EBADF; EINVAL for FIONREAD on a listener; EOPNOTSUPP for another request.
    Source: POSIX ioctl(), zsock_ioctl.
    """
    sock = get(fd)
    an_int(request)
    if request == p.number("FIONBIO"):
        if not isinstance(arg, (int, bool)):
            raise TypeError("FIONBIO takes an int")
        set_nonblock(sock, bool(arg))
        return 0
    if request == p.number("FIONREAD"):
        return op("ioctl", sock.p)(sock.h, request)
    fail("EOPNOTSUPP")
