# SPDX-License-Identifier: MIT
# Addresses as a program may give them (docs/contracts.md, 7), where they are not plain numbers.

import uos as os
from micropython import const

from . import load
from .numeric import is_inet, show4

# newlib's errnos
_EADDRINUSE = const(112)
_EAFNOSUPPORT = const(106)
_ECONNREFUSED = const(111)
_EINVAL = const(22)
_ENOENT = const(2)
_ENOTDIR = const(20)
_EOPNOTSUPP = const(95)

_INET = const(2)
_SUN_PATH = const(108)
# os.stat's
_IFDIR = const(0x4000)


def resolve(family, addr):
    """(host, port) in numbers, of an address as docs/contracts.md (7) takes it."""
    if family != _INET:
        return _path(addr), -1
    if isinstance(addr, (bytes, bytearray, memoryview)):
        addr = unpack(bytes(addr))
        if addr is None:
            raise OSError(_EOPNOTSUPP)
    if not isinstance(addr, tuple):
        raise TypeError("AF_INET address must be tuple")
    if len(addr) != 2:
        raise TypeError("AF_INET address must be a pair (host, port)")
    host, port = addr
    if not isinstance(port, (int, bool)):
        raise TypeError("an integer is required for the port")
    port = int(port)
    if not 0 <= port <= 0xFFFF:
        raise OverflowError("port must be 0-65535.")
    if isinstance(host, (bytes, bytearray)):
        try:
            host = bytes(host).decode()
        except UnicodeError:
            host = ".."  # as little a name
    if host.__class__ is int and host in (0, 0x7F000001, 0xFFFFFFFF):
        # INADDR_ANY, INADDR_LOOPBACK, INADDR_BROADCAST
        host = show4(host.to_bytes(4, "big"))
    if not isinstance(host, str):
        raise TypeError("host must be str")
    if "\0" in host:
        raise ValueError("embedded null character")
    if not host:
        host = "0.0.0.0"
    elif host == "<broadcast>":
        host = "255.255.255.255"
    elif not is_inet(host):
        return load("resolver").getaddrinfo(host, str(port), _INET, 1, 0, 0)[0][4]
    return host, port


def _path(addr):
    """The path of AF_UNIX, in bytes. It leads nowhere, but each call says so in its own way."""
    if isinstance(addr, str):
        addr = addr.encode()
    if not isinstance(addr, (bytes, bytearray)):
        raise TypeError("AF_UNIX address must be str or bytes")
    addr = bytes(addr)
    if len(addr) > 2 and addr[:2] == b"\1\0":
        addr = addr[2:]  # a sockaddr_un
    if len(addr) + (addr[:1] not in (b"", b"\0")) > _SUN_PATH:
        raise OSError(_EINVAL)
    return addr


def no_way(path, binds):
    """Linux's errno of a bind, or a connect, to a path; EOPNOTSUPP where Linux would bind."""
    if not path or path[0] == 0:
        return _EOPNOTSUPP if binds else _ECONNREFUSED if path else _EINVAL
    try:
        path = path.split(b"\0")[0].decode()
    except UnicodeError:
        return _EOPNOTSUPP if binds else _ENOENT
    parts = path.split("/")
    for n in range(1, len(parts) + 1):
        if parts[n - 1] or n == 1 < len(parts):
            try:
                mode = os.stat("/".join(parts[:n]) or "/")[0]
            except OSError:
                return _EOPNOTSUPP if binds and n == len(parts) else _ENOENT
            if n < len(parts) and not mode & _IFDIR:
                return _ENOTDIR
    return _EADDRINUSE if binds else _ECONNREFUSED


def unpack(raw):
    """The address in a packed sockaddr_in of lwIP; None for AF_UNSPEC."""
    if not 16 <= len(raw) <= 128:
        raise OSError(_EINVAL)
    family = raw[1] or raw[0]  # lwIP's has its length in front
    if not family:
        return None
    if family != _INET:
        raise OSError(_EAFNOSUPPORT)
    return show4(raw[4:8]), raw[2] << 8 | raw[3]
