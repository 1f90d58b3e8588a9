# SPDX-License-Identifier: MIT
# What libuv, mio and LuaSocket do to a socket in one call.

from sys import modules

from .zbase import fail, get, op, p, table

_net = modules[__name__.rpartition(".")[0]]
_number = p.number
_DONTWAIT = p.number("MSG_DONTWAIT")


def _level():
    return _number("SOL_SOCKET")


def close_reset(fd):
    """Closes a TCP connection with a reset: what is unsent is dropped, the peer gets ECONNRESET.

    Raises OSError: EINVAL after a shutdown, and fd stays open; ENOPROTOOPT or EOPNOTSUPP where
    the port cannot, and fd stays open; EBADF. Source: libuv's uv_tcp_close_reset.
    """
    sock = get(fd)
    if getattr(sock, "shut", False):
        fail("EINVAL")
    _net.zsock_setsockopt(fd, _level(), _number("SO_LINGER"), (1, 0))
    _net.zsock_close(fd)


def set_keepalive(fd, on, idle=60, intvl=1, cnt=10):
    """Probes of an idle connection: on or off, the first after idle seconds, cnt of them intvl
    seconds apart, and then the connection fails with ETIMEDOUT.

    When on is false the others are not looked at.
    Raises OSError: EINVAL when one of them is below 1, before anything is set; EBADF; ENOPROTOOPT
    where the port has no such option; OverflowError for one that 32 bits do not hold.
    Source: libuv's uv_tcp_keepalive_ex.
    """
    get(fd)
    if on:
        if idle < 1 or intvl < 1 or cnt < 1:
            fail("EINVAL")
        # Not on before all is known to be set.
        tcp = _number("IPPROTO_TCP")
        _net.zsock_setsockopt(fd, tcp, _number("TCP_KEEPIDLE"), idle)
        _net.zsock_setsockopt(fd, tcp, _number("TCP_KEEPINTVL"), intvl)
        _net.zsock_setsockopt(fd, tcp, _number("TCP_KEEPCNT"), cnt)
    _net.zsock_setsockopt(fd, _level(), _number("SO_KEEPALIVE"), int(bool(on)))


def get_keepalive(fd):
    """(idle, intvl, cnt) of set_keepalive; None when it is off.

    Raises OSError: EBADF, ENOPROTOOPT. Source: mio's TcpStream::keepalive.
    """
    if not _net.zsock_getsockopt(fd, _level(), _number("SO_KEEPALIVE")):
        return None
    tcp = _number("IPPROTO_TCP")
    names = "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"
    return tuple([_net.zsock_getsockopt(fd, tcp, _number(name)) for name in names])


def set_linger(fd, seconds):
    """How long a close waits for what is unsent (seconds, int); None: not at all, it goes on.

    0: it is dropped, and the peer is reset.
    Raises OSError: EBADF, ENOPROTOOPT; OverflowError for seconds that 32 bits do not hold.
    Source: mio's TcpStream::set_linger, LuaSocket's option linger.
    """
    value = (0, 0) if seconds is None else (1, seconds)
    _net.zsock_setsockopt(fd, _level(), _number("SO_LINGER"), value)


def get_linger(fd):
    """What set_linger set: seconds or None. Raises OSError: EBADF, ENOPROTOOPT."""
    raw = _net.zsock_getsockopt(fd, _level(), _number("SO_LINGER"), 8)
    on, seconds = p.struct.unpack("ii", raw)
    return seconds if on else None


def take_error(fd):
    """The socket's pending error, an OSError, which is cleared; None when there is none.

    Raises OSError: EBADF, ENOPROTOOPT. Source: mio's TcpStream::take_error.
    """
    code = _net.zsock_getsockopt(fd, _level(), _number("SO_ERROR"))
    return p.error(code) if code else None


def peek(fd, n_or_buffer):
    """What zsock_recv would give, which stays there.

    Raises as zsock_recv. Source: mio's TcpStream::peek, Zephyr's ZSOCK_MSG_PEEK.
    """
    return _net.zsock_recv(fd, n_or_buffer, _number("MSG_PEEK"))


def readv(fd, buffers):
    """Receives into several buffers, in order: how many bytes came. Waits as zsock_recv does.

    Raises as zsock_recvmsg. Source: POSIX readv().
    """
    return _net.zsock_recvmsg(fd, buffers)[0]


def writev(fd, buffers):
    """Sends the bytes of several buffers, in order: how many were taken. Waits as zsock_send does.

    Raises as zsock_sendmsg. Source: POSIX writev().
    """
    return _net.zsock_sendmsg(fd, buffers)


def read_bufs(fd, buffers):
    """readv, which never waits: EAGAIN. Source: mio's TcpStream::read_bufs."""
    return _net.zsock_recvmsg(fd, buffers, 0, _DONTWAIT)[0]


def write_bufs(fd, buffers):
    """writev, which never waits: EAGAIN, or a part of it. Source: mio's TcpStream::write_bufs."""
    return _net.zsock_sendmsg(fd, buffers, (), _DONTWAIT)


def simultaneous_accepts(fd, on):
    """Does nothing, as of libuv on systems other than Windows. Raises OSError: EBADF.

    Source: libuv's uv_tcp_simultaneous_accepts.
    """
    get(fd)


def detach(fd):
    """Gives the system's descriptor away, and closes the fd alone: the descriptor's number.

    It blocks or not as fd did, and is the caller's to close.
    Raises OSError: EBADF; EBUSY when the socket has another fd (dup), or something was read ahead
    that would be lost; EOPNOTSUPP where sockets have no descriptors.
    Source: CPython's socket.detach(), Rust's into_raw_fd.
    """
    sock = get(fd)
    fileno = op("fileno")
    ops = sock.p
    if ops is not p and not hasattr(ops, "own"):
        fail("EOPNOTSUPP")  # a TLS connection is more than its descriptor
    if table.tab.count(sock) > 1 or ops is not p and ops.at < ops.end:
        fail("EBUSY")
    if table.take(fd) is not sock:
        fail("EBADF")  # another thread was faster
    h = sock.h
    sock.h = p.CLOSED
    if ops is not p:
        h, ops.own = ops.own, p.CLOSED
    if not hasattr(p, "block"):
        h.setblocking(not sock.nonblock)
    elif sock.armed or not sock.nonblock:
        p.block(h, 0, 0)
        if sock.nonblock:
            p.block(h)
    sock.armed = False
    return h.detach() if hasattr(h, "detach") else fileno(h)
