# SPDX-License-Identifier: MIT
# What socket and accept are asked for beyond the simplest: flags and odd arguments of socket, what
# an accepted socket inherits.

from .zargs import an_int
from .zbase import fail, p

_number = p.number


def split(type):
    """A socket's type without SOCK_NONBLOCK and SOCK_CLOEXEC, and whether the first was there."""
    nonblock = _number("SOCK_NONBLOCK")
    return type & ~(nonblock | _number("SOCK_CLOEXEC")), type & nonblock != 0


def check(sock, family, type, proto):
    """The type to ask the port for; what else it says goes into the entry."""
    for number in (family, type, proto):
        an_int(number)
    if type > 15:
        type, sock.nonblock = split(type)
    # SOCK_STREAM is 1 on every system, AF_INET 2.
    if type != 1:
        sock.stream = False
    if family != 2:
        sock.family = family
    if 239 < proto < 250:  # IPPROTO_TLS_1_0 and its like, on every system
        try:
            from .tls import load
        except ImportError:  # CONFIG_NET_SOCKETS_SOCKOPT_TLS=n
            fail("EPROTONOSUPPORT")
        load("tlscheck").open_tls(sock, family, type, proto)
    elif family == 0:
        from .zlazy import Lazy

        Lazy(sock, type, proto)
    return type


def inherit(entry, sock):
    """An accepted socket has what its listener has; over AF_UNIX the kernel inherits nothing."""
    entry.family = sock.family
    entry.stream = sock.stream
    if sock.family != _number("AF_UNIX"):
        entry.rcvtimeo, entry.sndtimeo = sock.rcvtimeo, sock.sndtimeo
