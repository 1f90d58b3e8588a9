# SPDX-License-Identifier: MIT
# CPython: a handle is a socket.SocketType.

import errno
import fcntl
import os
import select
import socket as _native
import struct
import termios
import time

from . import numbers, sockaddr

TICK = 100
# The C type beneath socket.socket: cheaper to make, and no method of it is Python.
_type = _native.SocketType
CLOSED = _type()
CLOSED.close()
_MODULES = (_native, errno, select, os, fcntl, termios)
_LINUX = hasattr(select, "epoll")
LACKS = "" if _LINUX else "eventfd"
_MSG_TRUNC = int(_native.MSG_TRUNC)
_SOL_SOCKET = int(_native.SOL_SOCKET)
_SO_RCVTIMEO = int(_native.SO_RCVTIMEO)
_SO_SNDTIMEO = int(_native.SO_SNDTIMEO)
_TICK = struct.pack("ll", TICK // 1000, TICK % 1000 * 1000)

listen = _type.listen
shutdown = _type.shutdown
getsockname = _type.getsockname
setblocking = _type.setblocking
fileno = _type.fileno

unpack = sockaddr.unpack
gaierror = _native.gaierror
names = numbers.names
gethostname = _native.gethostname
inet_ntop = _native.inet_ntop


def number(name):
    for module in _MODULES:
        value = getattr(module, name, None)
        if isinstance(value, int):
            return int(value)
    value = numbers.number(name)
    # Elsewhere Linux's number would mean something else: one that no system knows is refused.
    return value if _LINUX or name[:4] not in ("TCP_", "IPV6") and name[:3] != "IP_" else -1


def error(number):
    return OSError(number, os.strerror(number))


def _failed(e):
    # A name that was not found (gaierror, errno below 0) is no errno of the call.
    if not e.errno or e.errno < 0:
        raise e
    return -e.errno


def last_error(r):
    return -r


def address(family, addr):
    if sockaddr.is_packed(family, addr):
        raw = bytes(addr)
        given = struct.unpack_from("H", raw)[0] if len(raw) > 1 else -1
        if given == _native.AF_UNSPEC:
            return raw
        # What connect(2) says of a short one, and then of another family.
        if len(raw) < {_native.AF_INET: 16, _native.AF_INET6: 24}.get(family, 2):
            raise error(errno.EINVAL)
        if given != family:
            raise error(errno.EAFNOSUPPORT)
        addr = sockaddr.unpack(raw)
    if family == _native.AF_INET6 and isinstance(addr, tuple):
        for part in addr[2:]:
            # CPython would cut it to 32 bits.
            if isinstance(part, int) and not 0 <= part <= 0xFFFFFFFF:
                raise OverflowError("flowinfo and scope_id must fit 32 bits")
    if family == _native.AF_INET6 and isinstance(addr, tuple) and "%" in str(addr[:1]):
        # CPython drops the zone of a numeric host.
        found = _native.getaddrinfo(addr[0], None, family, 0, 0, _native.AI_NUMERICHOST)[0][4]
        return (
            (found[0],) + (addr[1:] + (0, 0))[:2] + (addr[3:4] if any(addr[3:4]) else found[3:4])
        )
    if family == _native.AF_UNIX and isinstance(addr, (str, bytes)):
        raw = os.fsencode(addr)
        if len(raw) + (raw[:1] not in (b"", b"\0")) > 108:
            raise error(errno.EINVAL)
    return addr


def _blocking(h):
    # A program may have called setdefaulttimeout for its other sockets.
    if h.gettimeout() is not None:
        h.setblocking(True)
    return h


def socket(family, type, proto):
    # To CPython -1 is "not given"; socket(2) is asked with it.
    if family == -1:
        raise error(errno.EAFNOSUPPORT)
    if -1 in (type, proto):
        raise error(errno.EINVAL)
    return _blocking(_type(family, type, proto))


def close(h):
    h.close()


def connect(h, addr):
    try:
        if isinstance(addr, bytes) and h.family != _native.AF_UNIX:
            _packed("connect", h, addr, len(addr))
        else:
            h.connect(addr)
    except OSError as e:
        return _failed(e)


def bind(h, addr):
    if isinstance(addr, bytes) and h.family != _native.AF_UNIX:
        _packed("bind", h, addr, len(addr))
    else:
        h.bind(addr)


def _packed(call, h, *args):
    """A call of libc with a sockaddr that CPython has no form for (AF_UNSPEC)."""
    import ctypes

    r = getattr(ctypes.CDLL(None, use_errno=True), call)(h.fileno(), *args)
    if r < 0:
        raise error(ctypes.get_errno())
    return r


def accept(h):
    try:
        fd, addr = h._accept()
    except OSError as e:
        return _failed(e)
    return _blocking(_type(h.family, h.type, h.proto, fd)), addr


def send(h, data, n, flags):
    try:
        return h.send(data, flags)
    except OSError as e:
        return _failed(e)


def recv(h, n, flags):
    try:
        if n and not flags & _MSG_TRUNC:
            return h.recv(n, flags)
        # Of nothing CPython's recv does not ask the kernel.
        got = recvfrom(h, n, flags)
        return got[0] if got.__class__ is tuple else got
    except OSError as e:
        return _failed(e)


def recv_into(h, buf, n, flags):
    try:
        return h.recv_into(buf, n, flags) if n else h.recvfrom_into(buf, 0, flags)[0]
    except OSError as e:
        return _failed(e)


def sendto(h, data, flags, addr):
    try:
        if isinstance(addr, bytes) and h.family != _native.AF_UNIX:
            return _packed("sendto", h, bytes(data), len(data), flags, addr, len(addr))
        return h.sendto(data, flags, addr)
    except OSError as e:
        return _failed(e)


def recvfrom(h, n, flags):
    try:
        if flags & _MSG_TRUNC:
            # CPython would give as many bytes as there were, the missing ones made up.
            buf = bytearray(n)
            r, addr = h.recvfrom_into(buf, n, flags)
            return bytes(buf[: min(r, n)]), addr
        return h.recvfrom(n, flags)
    except OSError as e:
        return _failed(e)


def recvfrom_into(h, buf, n, flags):
    try:
        return h.recvfrom_into(buf, n, flags)
    except OSError as e:
        return _failed(e)


def sendmsg(h, buffers, ancdata, flags, addr):
    try:
        if isinstance(addr, bytes) and h.family != _native.AF_UNIX:
            raise error(errno.EAFNOSUPPORT)
        return h.sendmsg(buffers, ancdata, flags, addr)
    except OSError as e:
        return _failed(e)


def recvmsg(h, buffers, ancbufsize, flags):
    try:
        return h.recvmsg_into(buffers, ancbufsize, flags)
    except OSError as e:
        return _failed(e)


def getpeername(h):
    return h.getpeername()


def getsockopt(h, level, option, buflen):
    return h.getsockopt(level, option, buflen) if buflen else h.getsockopt(level, option)


def setsockopt(h, level, option, value):
    h.setsockopt(level, option, value)


def timeouts(h, receive_ms, send_ms):
    h.setsockopt(_SOL_SOCKET, _SO_RCVTIMEO, _timeval(receive_ms))
    h.setsockopt(_SOL_SOCKET, _SO_SNDTIMEO, _timeval(send_ms))


def _timeval(ms):
    return _TICK if ms == TICK else struct.pack("ll", ms // 1000, ms % 1000 * 1000)


def ioctl(h, request):
    value = bytearray(4)
    fcntl.ioctl(h.fileno(), request, value)
    return struct.unpack("i", value)[0]


def socketpair(family, type, proto):
    return [
        _blocking(_type(s.family, s.type, s.proto, s.detach()))
        for s in _native.socketpair(family, type, proto)
    ]


def eventfd(value, semaphore):
    if not _LINUX:
        raise error(errno.EOPNOTSUPP)
    import ctypes  # os.eventfd is there from 3.10 on

    flags = os.O_NONBLOCK | os.O_CLOEXEC | int(semaphore)
    number = ctypes.CDLL(None, use_errno=True).eventfd(ctypes.c_uint(value), flags)
    if number < 0:
        raise error(ctypes.get_errno())
    return _no_socket(number)


def eventfd_read(h):
    try:
        return struct.unpack("Q", os.read(h.fileno(), 8))[0]
    except OSError as e:
        return _failed(e)


def eventfd_write(h, value):
    try:
        os.write(h.fileno(), struct.pack("Q", value))
        return 0
    except OSError as e:
        return _failed(e)


def _no_socket(number):
    # CPython makes a socket object of nothing else, but does not look again.
    h = _blocking(_type())
    os.dup2(number, h.fileno(), False)
    os.close(number)
    return h


def adopt(number):
    try:
        h = _blocking(_type(fileno=number))
    except OSError:  # no socket: it can be passed on and closed
        h = _no_socket(number)
    nonblock = not os.get_blocking(h.fileno())
    if nonblock:
        h.setblocking(False)
    return h, nonblock


class poller:
    def __init__(self):
        native = select.poll()
        self.register = native.register
        self.modify = native.modify
        self.ipoll = native.poll


def key(h):
    return h.fileno()


def writable(buf):
    if memoryview(buf).readonly:
        raise TypeError("a writable buffer is required")


def getaddrinfo(host, service, family, type, proto, flags):
    return [
        (int(f), int(t), p, name, addr)
        for f, t, p, name, addr in _native.getaddrinfo(host, service, family, type, proto, flags)
    ]


def getnameinfo(addr, flags):
    if "%" in addr[0]:
        addr = address(_native.AF_INET6, addr)
    return _native.getnameinfo(addr, flags)


def inet_pton(family, text):
    return _native.inet_pton(family, text)


def sleep_ms(ms):
    time.sleep(ms / 1000)


def ticks_ms():
    return time.monotonic_ns() // 1000000


def ticks_add(ticks, ms):
    return ticks + ms


def ticks_diff(later, earlier):
    return later - earlier
