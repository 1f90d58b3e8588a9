"""What is drawn: kinds of sockets, addresses, options, flags, and the calls made of them."""

from __future__ import annotations

import fcntl
import socket
from typing import Any

import kernel
from hypothesis import strategies as st
from hypothesis.stateful import Bundle

OPEN_MOST = 12
# A timeout up to this may be waited for; other calls that would block are made non-blocking.
SHORT = 40  # ms

KINDS = {
    "tcp4": (socket.AF_INET, socket.SOCK_STREAM),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM),
    "udp4": (socket.AF_INET, socket.SOCK_DGRAM),
    "udp6": (socket.AF_INET6, socket.SOCK_DGRAM),
    "unix": (socket.AF_UNIX, socket.SOCK_STREAM),
    "unixd": (socket.AF_UNIX, socket.SOCK_DGRAM),
    "unixq": (socket.AF_UNIX, socket.SOCK_SEQPACKET),
}
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
FOREIGN = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


if not _has_ipv6():
    del KINDS["tcp6"], KINDS["udp6"], LOOPBACK[socket.AF_INET6]


def _closed_port() -> int:
    """A port that nothing uses, below those that the system gives out."""
    for port in range(20011, 30000, 13):
        try:
            for type in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                for family in LOOPBACK:
                    with socket.socket(family, type) as s:
                        s.bind(("", port))
            return port
        except OSError:
            pass
    raise RuntimeError("no free port")


CLOSED_PORT = _closed_port()

SOL, TCP, IP, IP6 = 1, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6
# Options that say the same in both worlds whatever they are set to.
SETTABLE = [
    (SOL, socket.SO_REUSEADDR),
    (SOL, socket.SO_REUSEPORT),
    (SOL, socket.SO_KEEPALIVE),
    (SOL, socket.SO_BROADCAST),
    (SOL, socket.SO_OOBINLINE),
    (SOL, socket.SO_SNDBUF),
    (SOL, socket.SO_RCVBUF),
    (SOL, socket.SO_PRIORITY),
    (TCP, socket.TCP_NODELAY),
    (TCP, socket.TCP_KEEPIDLE),
    (TCP, socket.TCP_KEEPINTVL),
    (TCP, socket.TCP_KEEPCNT),
    (TCP, socket.TCP_USER_TIMEOUT),
    (IP, socket.IP_TTL),
    (IP, socket.IP_TOS),
    (IP, 13),  # IP_RECVTOS
    (IP, 12),  # IP_RECVTTL
    (IP, 8),  # IP_PKTINFO
    (IP, socket.IP_MULTICAST_TTL),
    (IP, socket.IP_MULTICAST_LOOP),
    (IP, socket.IP_MULTICAST_IF),
    (IP, socket.IP_ADD_MEMBERSHIP),
    (IP6, socket.IPV6_V6ONLY),
    (IP6, socket.IPV6_UNICAST_HOPS),
    (IP6, socket.IPV6_MULTICAST_HOPS),
    (IP6, socket.IPV6_MULTICAST_LOOP),
    (IP6, socket.IPV6_RECVPKTINFO),
    (IP6, socket.IPV6_RECVHOPLIMIT),
    (IP6, socket.IPV6_TCLASS),
    (SOL, 9999),
    (9999, 1),
    (-1, 1),
]
READABLE = [
    *SETTABLE,
    (SOL, socket.SO_ERROR),
    (SOL, socket.SO_TYPE),
    (SOL, socket.SO_ACCEPTCONN),
    (SOL, socket.SO_DOMAIN),
    (SOL, socket.SO_PROTOCOL),
    (SOL, socket.SO_LINGER),
    (SOL, socket.SO_RCVTIMEO),
    (SOL, socket.SO_SNDTIMEO),
    (SOL, socket.SO_RCVLOWAT),
    (SOL, socket.SO_SNDLOWAT),
    (TCP, socket.TCP_FASTOPEN),
    (IP, 14),  # IP_MTU
    (IP6, 24),  # IPV6_MTU
]
VALUES = st.one_of(
    st.sampled_from([0, 1, -1, 2, 5, 60, 255, 256, 16384, 65536, 1 << 20, 0x7FFFFFFF]),
    st.sampled_from([b"", b"\1", b"\1\0\0\0", bytes(4), b"\1\0\0\0\0\0\0\0", b"\x7f\0\0\1" * 2]),
    st.sampled_from([bytearray(b"\xe0\1\2\3\x7f\0\0\1"), memoryview(b"\1\0\0\0")]),
)
# Small buffers make how much fits a matter of timing, and TCP sizes them itself until told.
SIZES = ((SOL, socket.SO_SNDBUF), (SOL, socket.SO_RCVBUF))

PEEK, DONTWAIT, WAITALL = socket.MSG_PEEK, socket.MSG_DONTWAIT, socket.MSG_WAITALL
TRUNC, OOB, MORE = socket.MSG_TRUNC, socket.MSG_OOB, socket.MSG_MORE
# Addresses that cannot be used.
ODD = ("foreign", "family", "range", "shape")
FORMS = {"bytes": bytes, "bytearray": bytearray, "memoryview": memoryview}
RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)


socks = Bundle("socks")


def pick(*items: Any) -> Any:
    return st.sampled_from(items)


_SENT = pick(0, 1, 2, 5, 5, 64, 100, 1500, 4096)
_ASKED = pick(0, 1, 2, 5, 5, 64, 100, 1500, 5000, 70000)
_SEND_FLAGS = pick(0, 0, 0, DONTWAIT, socket.MSG_NOSIGNAL, MORE, OOB, socket.MSG_DONTROUTE)
_RECV_FLAGS = pick(
    *[0, DONTWAIT, PEEK, WAITALL] * 2,
    PEEK | DONTWAIT,
    PEEK | TRUNC,
    PEEK | WAITALL,
    TRUNC,
    WAITALL | DONTWAIT,
    OOB,
    socket.MSG_ERRQUEUE,
)
# Rather a socket that has something to read.
_THERE = pick(True, True, True, True, False)
EVENTS = pick(0, 1, 4, 5, 5, 2, 7, kernel.POLLRDHUP, 0x40 | 0x100)


def _call(name: str, *args: Any) -> Any:
    return st.tuples(st.just(name), *args)


_SEND = _call("send", _SENT, _SEND_FLAGS, pick("bytes", "bytearray", "memoryview", "array"))
_RECV = _call(
    "recv", _ASKED, _RECV_FLAGS, pick("bytes", "bytes", "bytearray", "memoryview", "array"), _THERE
)
TALK = st.one_of(
    _SEND,
    _SEND,
    _call(
        "sendto",
        _SENT,
        _SEND_FLAGS,
        pick(*["twin"] * 6, "packed", "packed", "closed", "mapped", *ODD),
        socks,
    ),
    _call(
        "sendmsg",
        st.lists(_SENT, max_size=3),
        _SEND_FLAGS,
        pick(None, None, None, "twin", "closed"),
        socks,
        st.one_of(st.none(), socks),
        pick(1, 1, 2),
    ),
    _RECV,
    _RECV,
    _RECV,
    _call("recvfrom", _ASKED, _RECV_FLAGS, st.booleans(), _THERE),
    _call(
        "recvmsg",
        st.lists(_ASKED, max_size=3),
        pick(0, 0, 16, 20, 24, 40, 256),
        _RECV_FLAGS,
        _THERE,
    ),
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 5), EVENTS, st.one_of(st.none(), st.none(), socks)), max_size=3
)
LIFE = st.one_of(
    _call("refused", pick(True, True, False), st.booleans()),
    _call("bind", pick(*["loopback"] * 6, "any", "any", "twin", "packed", *ODD), socks),
    _call("listen", pick(-1, 0, 1, 5, 128, 1 << 20)),
    _call(
        "connect",
        pick(*["twin"] * 8, "packed", "packed", "closed", "closed", "mapped", "any", *ODD),
        socks,
    ),
    _call("dissolve"),
    _call("accept", _THERE),
    _call("shutdown", pick(0, 1, 2, 1, 2, 3, -1)),
    _call("shutdown", pick(0, 1)),
    _call("close"),
    _call("close"),
    # One argument that is wrong: of several any may be told.
    _call("odd_socket", pick(99, 9999, -1), pick(1, 2), st.just(0)),
    _call("odd_socket", pick(1, 2, 10), pick(0, 3, 4, 5, 77, -1, 2048 | 1, 0x80001), st.just(0)),
    _call("odd_socket", pick(1, 2, 10), pick(1, 2), pick(1, 6, 17, 132, 255, 9999)),
)
STATE = st.one_of(
    _call("so_error"),
    _call("expire", pick(12, 20)),
    _call("getsockopt", st.sampled_from(READABLE), pick(0, 0, 4, 8, 1, 16)),
    _call("setsockopt", st.sampled_from(SETTABLE), VALUES),
    _call("timeout", st.booleans(), pick(0, 20, 40, 1000), pick("float", "int", "timeval")),
    _call("linger", pick((0, 0), (1, 0), (0, 5)), st.booleans()),
    _call("set_nonblock", st.booleans(), pick("fcntl", "ioctl")),
    _call("fcntl", pick(fcntl.F_GETFL, fcntl.F_GETFL, 9999, -1)),
    _call("fionread"),
    _call("getsockname"),
    _call("getpeername"),
)
