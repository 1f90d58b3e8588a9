# SPDX-License-Identifier: MIT
# What this port can do, asked of it. Options are tried on sockets made for that.

import sys

from . import _config
from . import errno as E
from .zio import start

# What answers to the presence of one of the port's operations.
_NEEDS = (
    ("shutdown", "shutdown"),
    ("getsockname", "getsockname"),
    ("getpeername", "getpeername"),
    ("getsockopt", "getsockopt"),
    ("setsockopt", "setsockopt"),
    ("socketpair", "socketpair"),
    ("sendmsg", "sendmsg"),
    ("recvmsg", "recvmsg"),
    ("ancillary", "recvmsg"),
    ("scm_rights", "adopt"),
    ("pktinfo", "recvmsg"),
    ("getaddrinfo", "getaddrinfo"),
    ("getnameinfo", "getnameinfo"),
    ("FIONREAD", "ioctl"),
    ("eventfd", "eventfd"),
)
# What the layer does on every port, unless the port's LACKS names it.
_COMMON = (
    "poll select fcntl dup FIONBIO MSG_DONTWAIT MSG_PEEK MSG_WAITALL MSG_TRUNC MSG_OOB"
    " multicast connect_unspec recv_into_no_alloc recv_into_no_alloc_dgram udp_unreachable"
    " SO_RCVTIMEO SO_SNDTIMEO"
)
_OPTIONS = (
    "SO_REUSEADDR SO_TYPE SO_ERROR SO_DONTROUTE SO_BROADCAST SO_SNDBUF SO_RCVBUF SO_KEEPALIVE"
    " SO_OOBINLINE SO_PRIORITY SO_LINGER SO_REUSEPORT SO_RCVLOWAT SO_BINDTODEVICE SO_ACCEPTCONN"
    " SO_PROTOCOL SO_DOMAIN SO_TIMESTAMPING"
    " TCP_NODELAY TCP_MAXSEG TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_USER_TIMEOUT"
    " IP_TOS IP_TTL IP_PKTINFO IP_RECVTTL IP_MTU IP_MULTICAST_IF IP_MULTICAST_TTL"
    " IP_MULTICAST_LOOP IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP IP_LOCAL_PORT_RANGE"
    " IPV6_UNICAST_HOPS IPV6_MULTICAST_IF IPV6_MULTICAST_HOPS IPV6_MULTICAST_LOOP"
    " IPV6_JOIN_GROUP IPV6_LEAVE_GROUP IPV6_V6ONLY IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT IPV6_TCLASS"
)


def capabilities():
    """What works on this port: a dict of feature name to True or False.

    A feature is a call ("shutdown"), an option ("SO_LINGER"), a flag ("MSG_PEEK"), a family
    ("AF_INET6"), or "ancillary", "scm_rights", "pktinfo", "multicast", "connect_unspec",
    "threads", "recv_into_no_alloc" (streams), "recv_into_no_alloc_dgram", "udp_unreachable" (a
    refused datagram is reported to a connected socket). What is False raises EOPNOTSUPP
    (options: ENOPROTOOPT; families: EAFNOSUPPORT).
    """
    p = start()
    lacks = p.LACKS.split()
    # Not asked of the port itself: that would load all that it loads when first used.
    later = getattr(p, "LATER", "")
    found = {}
    for name, op in _NEEDS:
        found[name] = name not in lacks and (" " + op + " " in later or hasattr(p, op))
    found["socketpair"] = found["socketpair"] and bool(_config.NET_SOCKETPAIR)
    for name in _COMMON.split():
        found[name] = name not in lacks
    try:
        import _thread  # noqa: F401

        found["threads"] = bool(_config.USOCKET_THREADS)
    except ImportError:
        found["threads"] = False
    for name in ("AF_INET6", "AF_UNIX"):
        found[name] = _family(p, p.number(name))
    for name in _OPTIONS.split():
        found[name] = _option(p, name)
    # Asked once, and a board has no room for what is asked no more.
    sys.modules.pop(__name__, None)
    package = sys.modules["usocket_compat"].__dict__
    for name in ("caps", "capabilities"):
        package.pop(name, None)
    return found


def _family(p, family):
    try:
        h = p.socket(family, 2, 0)
    except OSError:
        return False
    p.close(h)
    return True


def _option(p, name):
    kind, level = 1, "SOL_SOCKET"
    family = "AF_INET"
    if name[:4] == "TCP_":
        level = "IPPROTO_TCP"
    elif name[:3] == "IP_":
        kind, level = 2, "IPPROTO_IP"
    elif name[:5] == "IPV6_":
        kind, level, family = 2, "IPPROTO_IPV6", "AF_INET6"
    level, option = p.number(level), p.number(name)
    try:
        h = p.socket(p.number(family), kind, 0)
    except OSError:
        return False
    try:
        return _knows(p, "getsockopt", h, level, option, 0) or _knows(
            p, "setsockopt", h, level, option, 1
        )
    finally:
        p.close(h)


def _knows(p, op, *args):
    f = getattr(p, op, None)
    if f is None:
        return False
    try:
        f(*args)
    except OSError as e:
        return e.errno != E.ENOPROTOOPT and e.errno != E.EOPNOTSUPP
    return True
