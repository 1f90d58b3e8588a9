# SPDX-License-Identifier: MIT
# The life of a socket: fd -> entry of the table -> operation of the port.

from . import _config, zio
from . import errno as E
from .fdtable import Sock, finalize, free, get, reserve, tab, take
from .zio import again, bound, ready, start

_POLLIN = 1
_POLLOUT = 4


def op(name):
    """The port's operation of that name; EOPNOTSUPP where it has none."""
    p = start()
    f = getattr(p, name, None)
    if f is None:
        raise p.error(E.EOPNOTSUPP)
    return f


def install(fd, h, family, type):
    """Finalizes fd for a handle that the port has just made."""
    sock = Sock(h)
    if family != 2:
        sock.family = family
    if type != 1:
        sock.stream = type != 2  # SOCK_STREAM is 1 and SOCK_DGRAM 2 on every system
    try:
        bound(sock)
    except BaseException:
        zio.p.close(h)
        raise
    return finalize(fd, sock)


def split(type):
    """A socket's type without SOCK_NONBLOCK and SOCK_CLOEXEC, and whether the first was there."""
    number = start().number
    nonblock = number("SOCK_NONBLOCK")
    return type & ~(nonblock | number("SOCK_CLOEXEC")), type & nonblock


def set_nonblock(sock, flag):
    if flag != sock.nonblock:
        zio.p.setblocking(sock.h, not flag)
        sock.nonblock = flag


def zsock_socket(family=2, type=1, proto=0):
    """A new socket.

    family: AF_INET (default), AF_INET6, AF_UNIX; type: SOCK_STREAM (default), SOCK_DGRAM or
    SOCK_RAW, with SOCK_NONBLOCK or-ed in for a non-blocking one; proto: 0 or a protocol's number.
    Returns its fd, the lowest free small non-negative int.
    Raises OSError: EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT; ENFILE when ZVFS_OPEN_MAX fds
    are open. Source: POSIX socket(), zsock_socket.
    """
    p = zio.p or start()
    nonblock = 0
    if type > 15:
        type, nonblock = split(type)
    fd = reserve()
    try:
        install(fd, p.socket(family, type, proto), family, type)
    except BaseException:
        free(fd)
        raise
    if nonblock:
        set_nonblock(tab[fd], True)
    return fd


def zsock_close(fd):
    """Closes fd. A call that blocks on it in another thread ends with EBADF.

    Raises OSError: EBADF, also for a second close. Source: POSIX close(), zsock_close.
    """
    sock = take(fd)
    zio.p.close(sock.h)


def zsock_shutdown(fd, how):
    """Ends reading (SHUT_RD), writing (SHUT_WR) or both (SHUT_RDWR).

    Raises OSError: EBADF, ENOTCONN, EINVAL for another `how`, EOPNOTSUPP where the port cannot.
    Source: POSIX shutdown().
    """
    sock = get(fd)
    op("shutdown")(sock.h, how)


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
    if not isinstance(backlog, int):
        raise TypeError("backlog is an int")
    zio.p.listen(sock.h, min(max(backlog, 0), 0x7FFF))


def zsock_accept(fd):
    """The next connection: (fd, addr). Waits for one unless fd is non-blocking.

    The new socket is blocking; a TCP one inherits the listener's options and timeouts (Linux).
    Raises OSError: EBADF; EAGAIN when none came in time; EINVAL when it does not listen; ENFILE.
    Source: POSIX accept().
    """
    sock = get(fd)
    p = zio.p
    new = reserve()
    try:
        try:
            h, addr = p.accept(sock.h)
        except OSError as e:
            h, addr = _accept_rest(p, fd, sock, e.errno)
    except BaseException:
        free(new)
        raise
    if addr.__class__ is not tuple:
        install(new, h, sock.family, 1)  # of AF_UNIX, which inherits nothing
        return new, addr
    entry = Sock(h)
    if sock.family != 2:
        entry.family = sock.family
    if sock.rcvtimeo or sock.sndtimeo:
        entry.rcvtimeo, entry.sndtimeo = sock.rcvtimeo, sock.sndtimeo
    return finalize(new, entry), addr


def _accept_rest(p, fd, sock, err):
    left = sock.rcvtimeo
    while True:
        left = again(fd, sock, err, not sock.nonblock, _POLLIN, left, sock.rcvtimeo)
        try:
            return p.accept(sock.h)
        except OSError as e:
            err = e.errno


def zsock_connect(fd, addr):
    """Connects to addr, or, on a datagram socket, makes it the peer.

    Raises OSError: EBADF, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EISCONN; ETIMEDOUT (the
    network's, or after CONFIG_NET_SOCKETS_CONNECT_TIMEOUT); EINPROGRESS, then EALREADY, when it is
    non-blocking or SO_SNDTIMEO expires. Source: POSIX connect(), socket(7), zsock_connect.
    """
    sock = get(fd)
    p = zio.p
    addr = p.address(sock.family, addr)
    if sock.nonblock:
        p.connect(sock.h, addr)
        return
    begin = p.ticks_ms()
    try:
        p.connect(sock.h, addr)
    except OSError as e:
        _connect_rest(p, fd, sock, addr, begin, e.errno)


def _connect_rest(p, fd, sock, addr, begin, err):
    limit, late = _config.NET_SOCKETS_CONNECT_TIMEOUT, E.ETIMEDOUT
    if sock.sndtimeo and not 0 < limit < sock.sndtimeo:
        limit, late = sock.sndtimeo, E.EINPROGRESS
    pending = False
    while err and not (pending and err == E.EISCONN):
        if tab[fd] is not sock:
            raise p.error(E.EBADF)
        left = max(limit - p.ticks_diff(p.ticks_ms(), begin), 0) if limit else -1
        if err == E.EAGAIN and left:
            # The queue of an AF_UNIX listener is full; nothing tells when it is not.
            p.sleep_ms(10)
        elif err == E.EINPROGRESS or err == E.EALREADY or err == E.EINTR:
            pending = True
            if not ready(fd, sock, _POLLOUT, left):
                raise p.error(late)
        else:
            raise p.error(err)
        try:
            err = p.connect(sock.h, addr)
        except OSError as e:
            err = e.errno
