# SPDX-License-Identifier: MIT
# The life of a socket: fd -> entry of the table -> operation of the port.

from . import zio
from .fdtable import Sock, free, get, reserve, tab, take
from .zio import fresh, start

# MicroPython takes a frame of more than 11 words (locals, stack, 3 for a try) from the heap, which
# costs more than the call: hence the small steps below, and `except:` where it raises again.


def install(fd, h):
    """Opens fd for a handle that the port has just made; on failure both are given up."""
    try:
        tab[fd] = fresh(h)
        return fd
    except:  # noqa: E722
        _give_up(fd, h)
        raise


def _give_up(fd, h):
    free(fd)
    zio.p.close(h)


def describe(fd, family, type):
    """What is not as Sock has it by default. SOCK_STREAM is 1 on every system."""
    if family != 2:
        tab[fd].family = family
    if type != 1:
        tab[fd].stream = False


def zsock_socket(family=2, type=1, proto=0):
    """A new socket.

    family: AF_INET (default), AF_INET6, AF_UNIX; type: SOCK_STREAM (default), SOCK_DGRAM or
    SOCK_RAW, with SOCK_NONBLOCK or-ed in for a non-blocking one; proto: 0 or a protocol's number.
    Returns its fd, the lowest free small non-negative int.
    Raises OSError: EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT; ENFILE when ZVFS_OPEN_MAX fds
    are open. Source: POSIX socket(), zsock_socket.
    """
    if type > 15 or not 0 <= family < 256:
        from .zopt import flagged

        return flagged(family, type, proto)
    return described(family, type, proto)


def described(family, type, proto):
    if not zio.p:
        start()
    fd = _build(reserve(), (family, type), proto)
    if family != 2 or type != 1:
        describe(fd, family, type)
    return fd


def _build(fd, kind, proto):
    try:
        proto = _make(kind, proto)
    except:  # noqa: E722
        free(fd)
        raise
    return install(fd, proto)


def _make(kind, proto):
    if proto != 0:
        from .zwait import an_int

        an_int(proto)
    return zio.p.socket(kind[0], kind[1], proto)


def zsock_close(fd):
    """Closes fd. A call that blocks on it in another thread ends with EBADF.

    Raises OSError: EBADF, also for a second close. Source: POSIX close(), zsock_close.
    """
    sock = take(fd)
    if sock.others:
        from .zvfs import shared

        if shared(sock):
            return
    zio.p.close(sock.h)


def zsock_bind(fd, addr):
    """Gives the socket a local address, e.g. ("127.0.0.1", 8080); port 0 lets the system choose.

    Raises OSError: EBADF, EADDRINUSE, EADDRNOTAVAIL, EACCES; EINVAL when it is bound already.
    Source: POSIX bind().
    """
    sock = get(fd)
    p = zio.p
    p.bind(sock.h, p.address(sock.family, addr))


def zsock_listen(fd, backlog=128):
    """Lets the socket accept connections; `backlog` of them may wait. A negative one counts as 0.

    Raises OSError: EBADF, EADDRINUSE, EOPNOTSUPP for a datagram socket. Source: POSIX listen().
    """
    sock = get(fd)
    zio.p.listen(sock.h, min(max(backlog, 0), 0x7FFF))


def zsock_accept(fd):
    """The next connection: (fd, addr). Waits for one unless fd is non-blocking.

    The new socket is blocking; a TCP one inherits the listener's options and timeouts (Linux).
    Raises OSError: EBADF; EAGAIN when none came in time; EINVAL when it does not listen; ENFILE.
    Source: POSIX accept().
    """
    return _accepted(get(fd), reserve(), fd)


def _accepted(sock, new, fd):
    try:
        fd = _next(fd, sock)
        tab[new] = _entry(fd[0], sock)
    except:  # noqa: E722
        free(new)
        raise
    return new, fd[1]


def _next(fd, sock):
    got = zio.p.accept(sock.h)
    if got.__class__ is tuple:
        return got
    from .zwait import accept_rest

    return accept_rest(fd, sock, got)


def _entry(h, sock):
    entry = Sock(h)
    if sock.family != 2 or sock.rcvtimeo or sock.sndtimeo:
        from .zwait import inherit

        inherit(entry, sock)
    return entry


def zsock_connect(fd, addr):
    """Connects to addr, or, on a datagram socket, makes it the peer.

    Raises OSError: EBADF, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EISCONN; ETIMEDOUT (the
    network's, or after CONFIG_NET_SOCKETS_CONNECT_TIMEOUT); EINPROGRESS, then EALREADY, when it is
    non-blocking or SO_SNDTIMEO expires. Source: POSIX connect(), socket(7), zsock_connect.
    """
    sock = get(fd)
    addr = zio.p.address(sock.family, addr)
    err = zio.p.connect(sock.h, addr)
    if err:
        err = zio.p.last_error(err)
        from .zwait import connect_rest

        connect_rest(fd, sock, addr, err)
