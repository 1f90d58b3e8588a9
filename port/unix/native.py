# SPDX-License-Identifier: MIT
# MicroPython built without ffi: its socket module alone. What that lacks is not here, and so is
# EOPNOTSUPP. The native socket is non-blocking from birth; the layer above does the waiting,
# since a blocking one answers EAGAIN from some calls and ETIMEDOUT from others.

import socket as _native
from array import array
from select import poll as poller  # noqa: F401
from socket import inet_ntop, inet_pton  # noqa: F401
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms  # noqa: F401

from uctypes import addressof, bytearray_at

from .numbers import names, number  # noqa: F401
from .sockaddr import pack, unpack

TICK = 0
LACKS = "MSG_TRUNC recv_into_no_alloc recv_into_no_alloc_dgram"
_MSG_TRUNC = 0x20
_EOPNOTSUPP = 95
_LEVELS = {"SO_": 1, "IP_": 0, "IPV": 41}
CLOSED = _native.socket()
CLOSED.close()


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
    if not isinstance(family, int) or not isinstance(type, int):
        raise TypeError("family and type are ints")
    h = _native.socket(family, type, proto)
    h.setblocking(False)
    return h


def close(h):
    h.close()


def bind(h, addr):
    h.bind(addr)


def connect(h, addr):
    try:
        h.connect(addr)
    except OSError as e:
        return -e.errno


def listen(h, backlog):
    h.listen(backlog)


def accept(h):
    try:
        new, raw = h.accept()
    except OSError as e:
        return -e.errno
    new.setblocking(False)
    # accept(2) says how long the address is; MicroPython has room for 32 bytes of it.
    return new, unpack(memoryview(raw)[: min(len(raw), 32)])


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
        return h.recv(n, flags)
    except OSError as e:
        return -e.errno


def recv_into(h, buf, n, flags):
    # readinto would join datagrams, and drop what it has when a reset follows.
    data = recv(h, n, flags)
    if isinstance(data, int):
        return data
    _fill(buf, data)
    return len(data)


def _fill(buf, data):
    if isinstance(buf, array):
        buf = bytearray_at(addressof(buf), len(data))
    memoryview(buf)[: len(data)] = data


def recvfrom(h, n, flags):
    if flags & _MSG_TRUNC:
        return -_EOPNOTSUPP
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
    _fill(buf, data)
    return len(data), addr


# Options that ask for ancillary data, which nothing here could deliver.
_ANCILLARY = "SO_TIMESTAMPING IP_PKTINFO IP_RECVTTL IP_RECVTOS IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT"


def setsockopt(h, level, option, value):
    for name in _ANCILLARY.split():
        if option == number(name) and level == _LEVELS[name[:3]]:
            raise OSError(number("ENOPROTOOPT"))
    h.setsockopt(level, option, value)


def setblocking(h, flag):
    pass  # the handle is always non-blocking


def fileno(h):
    return h.fileno()


def key(h):
    return h


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
        hosts = ["0.0.0.0", "::"] if flags & number("AI_PASSIVE") else ["::1", "127.0.0.1"]
        hosts = [h for h in hosts if not family or (":" in h) == (family == number("AF_INET6"))]
    found = []
    try:
        for host in hosts:
            found += _native.getaddrinfo(
                host,
                service or "0",  # type: ignore[arg-type]  # its stub knows no names of services
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
