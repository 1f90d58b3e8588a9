# SPDX-License-Identifier: MIT
# The functions of the drop-in module `socket` that are asked for less often.

from sys import modules

import usocket_compat as _net

_usocket = modules["usocket"]
_socket = _usocket.socket
# Whether an address of IPv6 is understood (CPython: whether it was built for that).
has_ipv6 = _usocket.packs
SocketType = _socket
_NONE = _net  # no timeout was given


def setdefaulttimeout(timeout):
    """The timeout in seconds of sockets that are made from now on; None: they block."""
    if timeout is not None and timeout < 0:
        raise ValueError("Timeout value out of range")
    setattr(_usocket, "default", timeout if timeout is None else float(timeout))


def getdefaulttimeout():
    return _usocket.default


def create_connection(address, timeout=_NONE, source_address=None, all_errors=False):
    """A socket that is connected to (host, port): the first of its addresses that answers.

    timeout: seconds, else the default; source_address: (host, port) to bind to before.
    Raises the OSError of the last one. Source: CPython's socket.create_connection.
    """
    failed = None
    host, port = address
    for family, type, proto, _, addr in _usocket.getaddrinfo(host, port, 0, 1):
        s = None
        try:
            # Whatever the module has by that name now: a program may have put in its own.
            s = _usocket.socket(family, type, proto)
            if timeout is not _NONE:
                s.settimeout(timeout)
            if source_address:
                s.bind(source_address)
            s.connect(addr)
            return s
        except OSError as e:
            failed = e
            if s:
                s.close()
    raise failed or OSError("getaddrinfo returns an empty list")


def create_server(address, family=2, backlog=None, reuse_port=False, dualstack_ipv6=False):
    """A socket that listens at (host, port), with SO_REUSEADDR.

    family: AF_INET (default) or AF_INET6; dualstack_ipv6: for IPv4 as well.
    Raises ValueError for what the platform cannot do. Source: CPython's socket.create_server.
    """
    if dualstack_ipv6:
        if not has_dualstack_ipv6():
            raise ValueError("dualstack_ipv6 not supported on this platform")
        if family != _net.AF_INET6:
            raise ValueError("dualstack_ipv6 requires AF_INET6 family")
    s = _socket(family, 1)
    try:
        s.setsockopt(_net.SOL_SOCKET, _net.SO_REUSEADDR, 1)
        if reuse_port:
            s.setsockopt(_net.SOL_SOCKET, _net.SO_REUSEPORT, 1)
        if family != 2 and hasattr(_net, "IPV6_V6ONLY"):
            s.setsockopt(_net.IPPROTO_IPV6, _net.IPV6_V6ONLY, 0 if dualstack_ipv6 else 1)
        s.bind(address)
        if backlog is None:
            s.listen()
        else:
            s.listen(backlog)
        return s
    except BaseException:
        s.close()
        raise


def has_dualstack_ipv6():
    """Whether one socket can take connections of IPv4 and IPv6."""
    if not has_ipv6:
        return False
    try:
        with _socket(_net.AF_INET6) as s:
            s.setsockopt(_net.IPPROTO_IPV6, _net.IPV6_V6ONLY, 0)
            return True
    except OSError:
        return False


def socketpair(family=1, type=1, proto=0):
    """Two sockets that are connected to each other. Their fds are the program's to close."""
    a, b = _net.zsock_socketpair(family, type, proto)
    try:
        return _socket(fileno=a), _socket(fileno=b)
    except:
        _net.zsock_close(a)
        _net.zsock_close(b)
        raise


def fromfd(fd, family=2, type=1, proto=0):
    """A socket on another fd for the socket of fd."""
    return _socket(family, type, proto, _net.zsock_dup(fd))


def close(fd):
    """Closes an fd of the layer."""
    _net.zsock_close(fd)


def gethostbyname(host):
    """The IPv4 address of a host. Raises gaierror. Source: CPython's socket.gethostbyname."""
    if host is None:
        raise TypeError("a str is required")
    return _usocket.getaddrinfo(host, 0, 2, 1)[0][4][0]


def gethostbyname_ex(host):
    """(host, [], the IPv4 addresses of a host)."""
    found = []
    for each in _usocket.getaddrinfo(host, 0, 2, 1):
        if each[4][0] not in found:
            found.append(each[4][0])
    return host, [], found


def getfqdn(name=""):
    return name if name and name not in ("0.0.0.0", "::") else _net.zsock_gethostname()


def getnameinfo(sockaddr, flags):
    """(host, service) of an address. Raises gaierror. Source: CPython's socket.getnameinfo."""
    return _net.zsock_getnameinfo(sockaddr, flags)
