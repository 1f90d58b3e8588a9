# SPDX-License-Identifier: MIT
# Connections and servers in one call. An error leaves no fd behind.

from sys import modules

from .zargs import an_int
from .zbase import fail, get, p
from .zfail import told
from .zsendall import in_ms

_net = modules[__name__.rpartition(".")[0]]
_number = p.number


def create_connection(
    address,
    timeout=None,
    source_address=None,
    options=(),
    all_errors=False,
    nonblock=False,
    keepalive=False,
    family=0,
):
    """Connects to a host, by each of its addresses in turn: the fd of the one that answered.

    address: (host, port), a name or numbers; or an address of AF_UNIX. timeout: seconds for each
    address, None for as long as the system tries. source_address: (host, port) to bind to, port
    0 for any. options: (level, option, value) each, set before the connect; keepalive: whether
    SO_KEEPALIVE is. family: AF_INET or AF_INET6 if the name has both. The fd is blocking.
    timeout=0, or nonblock: of the first address alone, and without waiting: the fd, non-blocking,
    may still be connecting (poll for POLLOUT, then take_error).
    Raises OSError: that of the last address, with all_errors its `errors` is the list of all;
    gaierror for a name that is not found; ENOPROTOOPT for an option that the port has not.
    TypeError for another address.
    Source: CPython's socket.create_connection, Hare's net::tcp::connect, LuaSocket.
    """
    limit = in_ms(timeout)
    at_once = nonblock or limit == 0
    errors = []
    for family, addr in _addresses(address, family):
        fd = -1
        try:
            fd = _net.zsock_socket(family, _number("SOCK_STREAM"))
            _options(fd, options, keepalive)
            if source_address:
                _net.zsock_bind(fd, source_address)
            _connect(fd, addr, limit, at_once)
            return fd
        except OSError as e:
            _drop(fd)
            errors.append(e)
            if at_once:
                break
        except BaseException as other:
            _drop(fd)
            raise other
    last = errors[-1]
    raise told(last, "errors", errors) if all_errors else last


def _connect(fd, addr, limit, at_once):
    sock = get(fd)
    pending = _number("EINPROGRESS")
    if at_once:
        sock.nonblock = True
    elif limit:
        sock.sndtimeo = limit
    try:
        _net.zsock_connect(fd, addr)
    except OSError as e:
        if e.errno != pending:
            raise e
        if not at_once:
            fail("ETIMEDOUT")
    if limit and not at_once:
        sock.sndtimeo = 0


_ADDRESS = "an address is (host, port), or one of AF_UNIX, not "


def _addresses(address, family):
    """[(family, address)] of what a program names; numbers ask no server."""
    if not isinstance(address, tuple):
        if not isinstance(address, (str, bytes, bytearray, memoryview)):
            raise TypeError(_ADDRESS + type(address).__name__)
        return [(_number("AF_UNIX"), address)]
    host, port = address[:2]
    stream = _number("SOCK_STREAM")
    if isinstance(host, str) and len(address) > 2:
        return [(_number("AF_INET6"), address)]
    found = _net.zsock_getaddrinfo(host, port, family, stream)
    return [(item[0], item[4]) for item in found]


def _options(fd, options, keepalive):
    for level, option, value in options:
        _net.zsock_setsockopt(fd, level, option, value)
    if keepalive:
        _net.zsock_setsockopt(fd, _number("SOL_SOCKET"), _number("SO_KEEPALIVE"), 1)


def _drop(fd):
    if fd >= 0:
        try:
            _net.zsock_close(fd)
        except OSError:
            pass  # another thread was faster


def create_server(
    address,
    family=0,
    backlog=10,
    reuse_addr=True,
    reuse_port=False,
    keepalive=False,
    dualstack_ipv6=False,
    options=(),
):
    """A socket that listens: its fd. `getsockname(fd)[1]` is its port.

    address: (host, port), host "" or "*" for all of this machine's, port 0 for a free one; or the
    port alone: by IPv6 and IPv4 where there is IPv6, else by IPv4. family: AF_INET or AF_INET6; 0:
    that of the host's first address. backlog: how many may wait. keepalive: whether
    connections have SO_KEEPALIVE. dualstack_ipv6: IPv4 too, of an address of IPv6.
    Raises OSError: EADDRINUSE, EADDRNOTAVAIL, EACCES; ENOPROTOOPT for an option that the port has
    not; EAFNOSUPPORT; EINVAL for dualstack_ipv6 with AF_INET. TypeError for another address, such
    as a host alone.
    Source: CPython's socket.create_server, Hare's net::tcp::listen, LuaSocket's socket.bind.
    """
    inet, inet6 = _number("AF_INET"), _number("AF_INET6")
    if isinstance(address, (int, bool)):
        if not family:
            family = _any_family()
        dualstack_ipv6 = family == inet6
        address = ("", address)
    elif not isinstance(address, tuple):
        raise TypeError(
            "a server's address is (host, port), or a port, not " + type(address).__name__
        )
    host, port = address[:2]
    if isinstance(host, str) and host in ("", "*"):
        family = family or inet
        address = ("::" if family == inet6 else "0.0.0.0", port) + address[2:]
    elif len(address) > 2:
        family = inet6
    elif not family:
        family, address = _addresses(address, 0)[0]
    if dualstack_ipv6 and family != inet6:
        fail("EINVAL")
    fd = _net.zsock_socket(family, _number("SOCK_STREAM"))
    try:
        if reuse_addr:
            _set(fd, "SO_REUSEADDR", 1)
        if reuse_port:
            _set(fd, "SO_REUSEPORT", 1)
        if family == inet6:
            only = not dualstack_ipv6
            _net.zsock_setsockopt(fd, _number("IPPROTO_IPV6"), _number("IPV6_V6ONLY"), int(only))
        _options(fd, options, keepalive)
        _net.zsock_bind(fd, address)
        _net.zsock_listen(fd, backlog)
        return fd
    except BaseException as e:
        _drop(fd)
        raise e


def _set(fd, name, value):
    _net.zsock_setsockopt(fd, _number("SOL_SOCKET"), _number(name), value)


def _any_family():
    """AF_INET6 where there are such sockets, and they take IPv4 too."""
    try:
        inet6 = _number("AF_INET6")
        fd = _net.zsock_socket(inet6, _number("SOCK_STREAM"))
    except OSError:
        return _number("AF_INET")
    try:
        level = _number("IPPROTO_IPV6")
        _net.zsock_setsockopt(fd, level, _number("IPV6_V6ONLY"), 0)
        _net.zsock_bind(fd, ("::", 0))
        return inet6
    except OSError:
        return _number("AF_INET")
    finally:
        _drop(fd)


def dial(text, timeout=None):
    """create_connection to "host:port" or "[v6]:port"; port: a number or a service's name.

    Raises TypeError for what is no text, ValueError for text without a port; else as
    create_connection. Source: Hare's net::dial.
    """
    if not isinstance(text, str):
        raise TypeError("dial takes a text, host:port, not " + type(text).__name__)
    host, _, port = text.rpartition(":")
    if host[:1] == "[" and host[-1:] == "]":
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not host or not port:
        raise ValueError("no host:port or [v6]:port: " + text)
    if port.isdigit():
        port = int(port)
    return create_connection((host, port), timeout)


def accept4(fd, flags=0):
    """zsock_accept with flags for the new socket: SOCK_NONBLOCK, SOCK_CLOEXEC. (fd, addr).

    SOCK_CLOEXEC is what every socket has. Raises as zsock_accept; EINVAL for another flag.
    Source: accept4(2), Hare's net::tcp::accept.
    """
    an_int(flags)
    nonblock = _number("SOCK_NONBLOCK")
    if flags & ~(nonblock | _number("SOCK_CLOEXEC")):
        get(fd)
        fail("EINVAL")
    new, addr = _net.zsock_accept(fd)
    if flags & nonblock:
        get(new).nonblock = True
    return new, addr


def peeraddr(fd):
    """The peer's address, or None for a socket that has none.

    Raises OSError: EBADF, EOPNOTSUPP. Source: Hare's net::tcp::peeraddr.
    """
    try:
        return _net.zsock_getpeername(fd)
    except OSError as e:
        if e.errno != _number("ENOTCONN") and e.errno != _number("EINVAL"):
            raise e
