# SPDX-License-Identifier: MIT
# What this port can do, asked of it. Options are tried on sockets made for that.

import sys

from . import _config
from .zbase import p

# What answers to the presence of one of the port's operations.
_NEEDS = (
    ("shutdown", "shutdown"),
    ("SHUT_RD", "shutdown"),
    ("SHUT_RDWR", "shutdown"),
    ("getsockname", "getsockname"),
    ("getpeername", "getpeername"),
    ("bound_names", "getsockname"),
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
    ("fileno", "fileno"),
    ("edge", "epoll"),
    ("use_interface", "use_interface"),
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
    " SO_PROTOCOL SO_DOMAIN SO_TIMESTAMPING SO_PEERCRED SO_TIMESTAMP SO_TIMESTAMPNS"
    " SO_MARK SO_RXQ_OVFL SO_INCOMING_CPU SO_SOCKS5"
    " TCP_NODELAY TCP_MAXSEG TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_USER_TIMEOUT TCP_SYNCNT"
    " TCP_LINGER2 TCP_WINDOW_CLAMP TCP_INFO TCP_CONGESTION TCP_NOTSENT_LOWAT TCP_FASTOPEN_CONNECT"
    " IP_TOS IP_TTL IP_PKTINFO IP_RECVTTL IP_MTU IP_MULTICAST_IF IP_MULTICAST_TTL"
    " IP_MULTICAST_LOOP IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP IP_LOCAL_PORT_RANGE IP_OPTIONS"
    " IP_RECVERR IP_FREEBIND IP_TRANSPARENT IP_BIND_ADDRESS_NO_PORT IP_MULTICAST_ALL IP_DONTFRAG"
    " IPV6_UNICAST_HOPS IPV6_MULTICAST_IF IPV6_MULTICAST_HOPS IPV6_MULTICAST_LOOP"
    " IPV6_JOIN_GROUP IPV6_LEAVE_GROUP IPV6_V6ONLY IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT IPV6_TCLASS"
    " IPV6_MTU_DISCOVER IPV6_RECVERR IPV6_DONTFRAG IPV6_RECVTCLASS IPV6_ADDR_PREFERENCES"
)
# TLS sockets and their options.
_TLS = (
    "IPPROTO_TLS_1_2 IPPROTO_TLS_1_3 IPPROTO_DTLS_1_2 TLS_CREDENTIAL_PSK TLS_CLOSE_NOTIFY"
    " TLS_SEC_TAG_LIST TLS_HOSTNAME TLS_HOSTNAME_NONE TLS_PEER_VERIFY TLS_NATIVE TLS_ALPN_LIST"
    " TLS_CIPHERSUITE_LIST TLS_CIPHERSUITE_USED TLS_SESSION_CACHE TLS_SESSION_CACHE_PURGE"
    " TLS_DTLS_ROLE TLS_DTLS_HANDSHAKE_TIMEOUT_MIN TLS_DTLS_HANDSHAKE_TIMEOUT_MAX"
    " TLS_DTLS_HANDSHAKE_ON_CONNECT TLS_DTLS_CID TLS_DTLS_CID_STATUS TLS_DTLS_CID_VALUE"
    " TLS_DTLS_PEER_CID_VALUE TLS_CERT_NOCOPY TLS_CERT_VERIFY_RESULT TLS_CERT_VERIFY_CALLBACK"
)


def capabilities():
    """What works on this port: a dict of feature name to True or False.

    A feature is a call ("shutdown", of all kinds; "SHUT_RD", "SHUT_RDWR" of TCP alone;
    "bound_names": getsockname and getpeername of TCP that listens or is connected, and of UDP that
    is bound, where "getsockname" is of all kinds and states), an option
    ("SO_LINGER"), a flag ("MSG_PEEK"), a family ("AF_INET6"), or "ancillary", "scm_rights",
    "pktinfo", "multicast", "connect_unspec", "threads", "recv_into_no_alloc" (streams),
    "recv_into_no_alloc_dgram", "udp_unreachable" (a refused datagram is reported to a connected
    socket), "edge" (Poller.EDGE, and a Poller that costs what is ready). Of TLS: a protocol
    ("IPPROTO_TLS_1_3": EPROTONOSUPPORT), an option ("TLS_ALPN_LIST"), "TLS_CREDENTIAL_PSK",
    "TLS_HOSTNAME_NONE" (a peer that is verified but not its name) and "TLS_CLOSE_NOTIFY"
    (shutdown; to be told from a connection that was cut).
    What is False raises EOPNOTSUPP (options: ENOPROTOOPT; families: EAFNOSUPPORT).
    """
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
        found[name] = _family(p.number(name))
    for name in _OPTIONS.split():
        found[name] = _option(name)
    _tls(found)
    if _config.USOCKET_LAZY:
        # Asked once, and a board has no room for what is asked no more.
        sys.modules.pop(__name__, None)
        package = sys.modules[__name__.rpartition(".")[0]].__dict__
        for name in ("caps", "capabilities"):
            package.pop(name, None)
    return found


def _tls(found):
    for name in _TLS.split():
        found[name] = False
    try:
        package = __name__[:-4]
        known = package + "tls" in sys.modules
        can = __import__(package + "tlscheck", None, None, ("p",)).driver().features()
        if _config.USOCKET_LAZY:
            for name in ("tlscheck", p.TLS) if known else ("tlscheck", p.TLS, "tls"):
                sys.modules.pop(package + name, None)
                sys.modules[package[:-1]].__dict__.pop(name, None)
    except (ImportError, OSError):
        return
    for name in can.split():
        found[name] = True


def _family(family):
    try:
        h = p.socket(family, 2, 0)
    except OSError:
        return False
    p.close(h)
    return True


def _option(name):
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
        return _knows("getsockopt", h, level, option, 0) or _knows(
            "setsockopt", h, level, option, 1
        )
    finally:
        p.close(h)


def _knows(op, *args):
    f = getattr(p, op, None)
    if f is None:
        return False
    try:
        f(*args)
    except OSError as e:
        return e.errno != p.number("ENOPROTOOPT") and e.errno != p.number("EOPNOTSUPP")
    return True
