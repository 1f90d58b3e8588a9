# SPDX-License-Identifier: MIT
# Names on CPython, as libc takes them from every other program. Of a host that is a str its socket
# would make Punycode, which MicroPython cannot, and of "a..b" a UnicodeError.
# And what of links.py CPython has by another name.

from .firmware import os
from .firmware import socket as _native


def inheritable(h, flag=None):
    if flag is not None:
        os.set_inheritable(h.fileno(), flag)
    return os.get_inheritable(h.fileno())


def plain(host):
    """A host for CPython, which else would make Punycode, or a UnicodeError, of some."""
    if isinstance(host, (bytes, bytearray)):
        if 0 in host:
            raise ValueError("embedded null character")
    elif isinstance(host, str):
        if "\0" in host:
            raise ValueError("embedded null character")
        if not host.isascii():
            try:
                return host.encode()
            except UnicodeError:
                return b".."  # as little a name
    return host


def getaddrinfo(host, service, family, type, proto, flags):
    if host is not None:
        host = plain(host)
        if host.__class__ is str:
            host = host.encode()
    return [
        (int(f), int(t), p, name, addr)
        for f, t, p, name, addr in _native.getaddrinfo(host, service, family, type, proto, flags)
    ]


def getnameinfo(addr, flags, address):
    """`address` is the port's own."""
    host = addr[0].encode("utf-8", "replace")
    numeric = _native.getaddrinfo(host, None, 0, _native.SOCK_DGRAM, 0, _native.AI_NUMERICHOST)
    if numeric[0][0] == _native.AF_INET and len(addr) > 2:
        raise TypeError("AF_INET address must be a pair (host, port)")
    if "%" in addr[0]:
        addr = address(_native.AF_INET6, addr)
    return _native.getnameinfo(addr, flags)
