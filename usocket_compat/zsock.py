# SPDX-License-Identifier: MIT
# The life of a socket: fd -> entry of the table -> operation of the port. Whatever has to wait, or
# was asked for with flags, goes on in a file that is loaded then.

from sys import modules

from ._config import NET_SOCKETS_CONNECT_TIMEOUT
from .zbase import Sock, closed, get, install, p, tab, table, uninstall


def zsock_socket(family=2, type=1, proto=0):
    """A new socket.

    family: AF_INET (default), AF_INET6, AF_UNIX; AF_UNSPEC is that of the first bind or connect,
    and options set before are kept (libuv's lazy socket; POSIX has EAFNOSUPPORT). type:
    SOCK_STREAM (default), SOCK_DGRAM or SOCK_RAW, with SOCK_NONBLOCK or-ed in for a non-blocking
    one; proto: 0 or a protocol's number.
    Returns its fd, the lowest free small non-negative int.
    Raises OSError: EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT; ENFILE when ZVFS_OPEN_MAX fds
    are open. Source: POSIX socket(), zsock_socket.
    """
    sock = Sock()
    sock.h = closed.h  # its place: no descriptor is lost for want of one
    if (
        family == 2
        and proto == 0
        and (type == 1 or type == 2)
        and family.__class__ is type.__class__ is proto.__class__ is int
    ):
        # SOCK_STREAM and SOCK_DGRAM, of AF_INET, on every system
        if type == 2:
            sock.stream = False
    else:
        if hasattr(p, "BytesIO"):
            # MicroPython crashes on a second import of what had no memory for its module.
            p.BytesIO(800).close()
        from .zkind import check

        type = check(sock, family, type, proto)
    if sock.p is p:
        sock.h = p.socket(family, type, proto)
    return install(sock)


def zsock_close(fd):
    """Closes fd. A call that blocks on it in another thread ends with EBADF.

    Raises OSError: EBADF, also for a second close. Source: POSIX close(), zsock_close.
    """
    uninstall(fd)


def zsock_bind(fd, addr):
    """Gives the socket a local address, e.g. ("127.0.0.1", 8080); port 0 lets the system choose.

    Raises OSError: EBADF, EADDRINUSE, EADDRNOTAVAIL, EACCES; EINVAL when it is bound already.
    Source: POSIX bind().
    """
    sock = get(fd)
    addr = sock.p.address(sock.family, addr)
    sock.p.bind(sock.h, addr)


def zsock_listen(fd, backlog=128):
    """Lets the socket accept connections; `backlog` of them may wait. A negative one counts as 0.

    Raises OSError: EBADF, EADDRINUSE, EOPNOTSUPP for a datagram socket. Source: POSIX listen().
    """
    sock = get(fd)
    sock.p.listen(sock.h, min(max(backlog, 0), 0x7FFF) | 0)


def zsock_accept(fd):
    """The next connection: (fd, addr). Waits for one unless fd is non-blocking.

    The new socket is blocking; a TCP one inherits the listener's options and timeouts (Linux).
    Raises OSError: EBADF; EAGAIN when none came in time; EINVAL when it does not listen; ENFILE.
    Source: POSIX accept().
    """
    sock = get(fd)
    entry = Sock()
    entry.h = closed.h
    try:
        # It has its number before a connection is taken: a full table must leave that waiting.
        new = install(entry)
        if sock.family != 2 or sock.rcvtimeo or sock.sndtimeo:
            from .zkind import inherit

            inherit(entry, sock)
        addr = sock.p.accept(sock.h, entry)
        if addr.__class__ is int:
            addr = _accept_rest(fd, sock, entry, sock.p.last_error(addr))
        if entry.p is not p:
            entry.p.accepted(new, sock)
        # The port has seen to it that there is memory for this.
        return new, addr
    except:
        # Ctrl-C too leaves no number and no handle behind.
        if entry in tab:
            table.take(tab.index(entry))
        if entry.h is not closed.h or entry.p is not p:
            entry.p.close(entry.h)
        raise


def zsock_connect(fd, addr):
    """Connects to addr, or, on a datagram socket, makes it the peer.

    Raises OSError: EBADF, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EISCONN; ETIMEDOUT (the
    network's, or after CONFIG_NET_SOCKETS_CONNECT_TIMEOUT); EINPROGRESS, then EALREADY, when it is
    non-blocking or SO_SNDTIMEO expires. Source: POSIX connect(), socket(7), zsock_connect.
    """
    sock = get(fd)
    addr = sock.p.address(sock.family, addr)
    r = sock.p.connect(
        sock.h, addr, not (sock.nonblock or sock.sndtimeo or NET_SOCKETS_CONNECT_TIMEOUT)
    )
    if r:
        _connect_rest(fd, sock, addr, sock.p.last_error(r))


# What goes on in files that are loaded then. Each of these puts what it loads in its own place.


def _accept_rest(fd, sock, entry, err):
    global _accept_rest
    from .zwait import accept_rest as _accept_rest

    return _accept_rest(fd, sock, entry, err)


def _connect_rest(fd, sock, addr, err):
    global _connect_rest
    from .zconnect import connect_rest as _connect_rest

    _connect_rest(fd, sock, addr, err)


def setsockopt_rest(fd, level, option, value):  # noqa: F811
    global setsockopt_rest
    from .zopt import zsock_setsockopt as setsockopt_rest

    setsockopt_rest(fd, level, option, value)


def poll_rest(fds, timeout_ms):  # noqa: F811
    global poll_rest
    from .zpoll import poll_rest

    return poll_rest(fds, timeout_ms)


# These are taken from the port, and so put what they load there.


def send_rest(fd, data, flags, r, sock):
    from .zwait import send_rest

    p.send_rest = send_rest
    return send_rest(fd, data, flags, r, sock)


def recv_rest(fd, n_or_buffer, flags, r, sock):
    from .zwait import recv_rest

    p.recv_rest = recv_rest
    return recv_rest(fd, n_or_buffer, flags, r, sock)


# A port that does whole calls itself has these for what they leave.
p.layer, p.tab, p.send_rest, p.recv_rest = modules[__name__], tab, send_rest, recv_rest
