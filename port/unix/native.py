# SPDX-License-Identifier: MIT
# MicroPython built without ffi: its socket module alone. What that lacks is not here, and so is
# EOPNOTSUPP. The native socket is non-blocking from birth; the layer above does the waiting,
# since a blocking one answers EAGAIN from some calls and ETIMEDOUT from others.

from .firmware import (  # noqa: F401
    BytesIO,
    IOBase,
    array,
    inet_ntop,
    inet_pton,
    os,
    poller,
    room,
    sleep_ms,
    struct,
    ticks_add,
    ticks_diff,
    ticks_ms,
)
from .firmware import socket as _native
from .numbers import names, number  # noqa: F401
from .sockaddr import pack, unpack

try:
    table = __import__(__name__.rpartition(".")[0] + ".nogil", None, None, ("put",))
except ImportError:
    pass  # no threads here

urandom = os.urandom
ENDS = True
TLS = "tlsmake"
LACKS = "MSG_TRUNC recv_into_no_alloc recv_into_no_alloc_dgram getsockname getpeername"
_MSG_TRUNC = 0x20
_EOPNOTSUPP = 95
try:
    os.stat("/proc/self/net/tcp")
except OSError:
    LACKS += " bound_names"  # procnames.py
_MOST = 0x7FFFFFFF  # A size is cut to a C int.
# What is made of what the kernel gives, by the interpreter and the layer, takes so much (bytes).
_LITTLE = 1024
_LEVELS = {"SO_": 1, "IP_": 0, "IPV": 41}


class _Closed:
    """Answers EBADF: a socket that was closed keeps its number, which another one soon has."""

    def __getattr__(self, name):
        raise OSError(9)


CLOSED = _Closed()


def error(number):
    return OSError(number)


def last_error(r):
    return -r


class gaierror(OSError):
    """getaddrinfo failed; errno is the EAI code."""


def address(family, addr):
    raw = pack(family, addr, getaddrinfo)
    if raw is None:
        raise OSError(number("EINVAL"))
    return raw


def socket(family, type, proto):
    if not (isinstance(family, int) and isinstance(type, int) and isinstance(proto, int)):
        raise TypeError("family, type and proto are ints")  # the native one ignores what is none
    h = _native.socket(family, type, proto)
    h.setblocking(False)
    return h


def close(h):
    h.close()


def bind(h, addr):
    h.bind(addr)


def connect(h, addr, wait):
    try:
        h.connect(addr)
    except OSError as e:
        return -e.errno


def listen(h, backlog):
    h.listen(backlog)


def accept(h, entry):
    room(_LITTLE)
    try:
        entry.h, raw = h.accept()
    except OSError as e:
        return -e.errno
    entry.h.setblocking(False)
    # accept(2) says how long the address is; MicroPython has room for 32 bytes of it.
    return unpack(memoryview(raw)[: min(len(raw), 32)])


def send(h, data, n, flags):
    try:
        return h.send(data, flags)
    except OSError as e:
        return -e.errno


def sendto(h, data, flags, addr):
    try:
        return h.sendto(data, flags, addr)
    except OSError as e:
        return -e.errno


def recv(h, n, flags):
    try:
        # With MSG_TRUNC it would give as many bytes as there were, from beyond its buffer.
        if flags & _MSG_TRUNC:
            return -_EOPNOTSUPP
        room(n + _LITTLE)
        if n > _MOST:
            n = _MOST
        return h.recv(n, flags)
    except OSError as e:
        return -e.errno


def recv_into(h, buf, n, flags):
    # readinto would join datagrams, and drop what it has when a reset follows.
    data = recv(h, n, flags)
    if isinstance(data, int):
        return data
    memoryview(buf)[: len(data)] = data
    return len(data)


def recvfrom(h, n, flags):
    if flags & _MSG_TRUNC:
        return -_EOPNOTSUPP
    room(n + _LITTLE)
    if n > _MOST:
        n = _MOST
    try:
        data, raw = h.recvfrom(n, flags)
    except OSError as e:
        return -e.errno
    return data, unpack(raw)


def recvfrom_into(h, buf, n, flags):
    got = recvfrom(h, n, flags)
    if got.__class__ is not tuple:
        return got
    data, addr = got
    memoryview(buf)[: len(data)] = data
    return len(data), addr


# Options that ask for ancillary data, which nothing here could deliver.
_ANCILLARY = (
    "SO_TIMESTAMPING SO_TIMESTAMP SO_TIMESTAMPNS SO_RXQ_OVFL SO_PASSCRED IP_PKTINFO IP_RECVTTL"
    " IP_RECVTOS IP_RECVERR IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT IPV6_RECVTCLASS IPV6_RECVERR"
)


def setsockopt(h, level, option, value):
    for name in _ANCILLARY.split():
        if option == number(name) and level == _LEVELS[name[:3]]:
            raise OSError(number("ENOPROTOOPT"))
    h.setsockopt(level, option, value)


def getsockname(h):
    from .procnames import of

    return of(h)[0]


def getpeername(h):
    from .procnames import of

    peer = of(h)[1]
    if peer is None:
        raise OSError(number("ENOTCONN"))
    return peer


def wait(h, want, ms):
    native = poller()
    native.register(h, want)
    for _, revents in native.ipoll(ms):
        return revents
    return 0


def wrap(s, told):
    return s


def plain(h, told):
    return told._us


def fileno(h):
    return h.fileno()


def key(h):
    return h


source = key


def writable(buf):
    if isinstance(buf, memoryview):
        if len(buf):
            buf[0] = buf[0]
    elif not isinstance(buf, (bytearray, array)):
        raise TypeError("a writable buffer is required")


def getaddrinfo(host, service, family, type, proto, flags):
    hosts = [host]
    if host is None:
        # MicroPython cannot pass NULL: the hosts that it stands for, in Linux's order.
        if service is None:
            raise gaierror(number("EAI_NONAME"))
        if flags & number("AI_CANONNAME"):
            raise gaierror(number("EAI_BADFLAGS"))
        hosts = ["0.0.0.0", "::"] if flags & number("AI_PASSIVE") else ["::1", "127.0.0.1"]
        hosts = [h for h in hosts if not family or (":" in h) == (family == number("AF_INET6"))]
    found = []
    try:
        for host in hosts:
            found += _native.getaddrinfo(
                host,
                service or "",  # type: ignore[arg-type]  # its stub knows no names of services
                family,
                type,
                proto,
                flags,
            )
    except OSError as e:
        raise _gaierror(e)
    return [(f, t, p, n or "", unpack(raw)) for f, t, p, n, raw in found]


def _gaierror(e):
    # The code is in the text alone: "[addrinfo error -2]".
    text = str(e.args[0])
    try:
        return gaierror(int(text[text.index("-") : text.index("]")]))
    except ValueError:
        return e


def gethostname():
    with open("/proc/sys/kernel/hostname") as f:
        return f.read().strip()


def nameservers(name):
    from .nameservers import nameservers

    return nameservers(name)


def ipv6_first(host6, host4):
    from .nameservers import ipv6_first

    return ipv6_first(host6, host4)
