# SPDX-License-Identifier: MIT
# MicroPython with ffi: a handle is the kernel's descriptor, each operation the libc call of its
# name. Into a buffer that allocates nothing, and costs what MicroPython's own socket costs.
# A rare call binds its libc function when it is first used.

import os
import struct
import sys
from array import array
from select import poll as poller  # noqa: F401
from socket import inet_ntop, inet_pton  # noqa: F401
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms  # noqa: F401

import ffi
from uctypes import addressof

from .numbers import names, number  # noqa: F401
from .sockaddr import pack, unpack

TICK = 100
CLOSED = -1
LACKS = ""

_AF_INET = 2
_SOL_SOCKET = 1
_SO_RCVTIMEO = 20
_SO_SNDTIMEO = 21
_CLOEXEC = 0x80000
_EFD = 0x80800  # EFD_CLOEXEC, EFD_NONBLOCK
_EINVAL = 22

_lib = ffi.open(None)
_bound = {}
_socket = _lib.func("i", "socket", "iii")
_close = _lib.func("i", "close", "i")
_accept = _lib.func("i", "accept4", "iPPi")
_connect = _lib.func("i", "connect", "iPI")
_setsockopt = _lib.func("i", "setsockopt", "iiiPI")
# SIGPIPE is ignored by the interpreter, so send needs no MSG_NOSIGNAL.
send = _lib.func("l", "send", "iPLi")
recv_into = _lib.func("l", "recv", "iPLi")


def last_error(r):
    return os.errno()


def error(code):
    return OSError(code)


class gaierror(OSError):
    """getaddrinfo or getnameinfo failed; errno is the EAI code."""


def libc(name, returns, args):
    """The libc function of that name, bound when it is first used."""
    f = _bound.get(name)
    if f is None:
        f = _bind(name, returns, args)
    return f


def _bind(name, returns, args):
    # Another thread may be looking into the dict, and has none to stop it: it gets a new one.
    global _bound
    f = _lib.func(returns, name, args)
    bound = dict(_bound)
    bound[name] = f
    _bound = bound
    return f


def _check(r):
    if r < 0:
        raise OSError(os.errno())
    return r


# The last address packed: a program sends to the same peer again and again.
_last = (None, None, None)


def _shows(addr):
    if addr.__class__ is not tuple or len(addr) != 2:
        return False
    return addr[0].__class__ is str and addr[1].__class__ is int


def address(family, addr):
    global _last
    last = _last
    if last[0] is addr and last[1] == family:
        return last[2]
    if _shows(addr) and last[0] == addr and last[1] == family:
        return last[2]
    raw = pack(family, addr, getaddrinfo)
    if raw is None:
        raise OSError(_EINVAL)
    if family == _AF_INET and _shows(addr) and inet_ntop(family, raw[4:8]) == addr[0]:
        _last = addr, family, raw
    return raw


def socket(family, type, proto):
    h = _socket(family, type | _CLOEXEC, proto)
    if h < 0:
        _no_socket(family)
    return h


def _no_socket(family):
    e = OSError(os.errno())
    # ffi takes a str for a pointer, and that for a number
    if not isinstance(family, int):
        raise TypeError("family is an int")
    raise e


def close(h):
    if _close(h) < 0 and os.errno() != 4:
        raise OSError(os.errno())


def bind(h, addr):
    _check(libc("bind", "i", "iPI")(h, addr, len(addr)))


def connect(h, addr):
    return _connect(h, addr, len(addr))


def listen(h, backlog):
    _check(libc("listen", "i", "ii")(h, backlog))


# accept's buffer: a socklen_t, then the address.
_SIZE_AT = 3 * (sys.byteorder == "big")
_FAMILY_AT = 4 + (sys.byteorder == "big")


def accept(h):
    raw = bytearray(32)
    at = addressof(raw)
    raw[_SIZE_AT] = 28
    h = _accept(h, at + 4, at, _CLOEXEC)
    if h < 0:
        return h
    if raw[_FAMILY_AT] == _AF_INET:
        return h, (_host(raw[8:12]), raw[6] << 8 | raw[7])
    return h, _long_address(h, raw)


# The last IPv4 host shown: most connections come from where others came from.
_shown = (b"", "")


def _host(packed):
    global _shown
    shown = _shown
    if shown[0] != packed:
        _shown = shown = packed, inet_ntop(_AF_INET, packed)
    return shown[1]


def _long_address(h, raw):
    if raw[_SIZE_AT] <= 28:
        return unpack(memoryview(raw)[4 : 4 + raw[_SIZE_AT]])
    try:
        return getpeername(h)
    except OSError:
        return unpack(memoryview(raw)[4:])


def _size(size):
    return min(struct.unpack("I", size)[0], 112)


def sendto(h, data, flags, addr):
    f = libc("sendto", "l", "iPLiPI")
    return f(h, data, len(data), flags, addr, len(addr))


def recv(h, n, flags):
    buf = bytearray(n)
    r = recv_into(h, buf, n, flags)
    if r < 0:
        return r
    return bytes(memoryview(buf)[:r])


def recvfrom_into(h, buf, n, flags):
    raw = bytearray(112)
    size = bytearray(b"\x70\0\0\0")
    r = libc("recvfrom", "l", "iPLiPP")(h, buf, n, flags, raw, size)
    return r if r < 0 else (r, unpack(memoryview(raw)[: _size(size)]))


def recvfrom(h, n, flags):
    buf = bytearray(n)
    got = recvfrom_into(h, buf, n, flags)
    if got.__class__ is not tuple:
        return got
    return bytes(memoryview(buf)[: min(got[0], n)]), got[1]


def shutdown(h, how):
    _check(libc("shutdown", "i", "ii")(h, how))


def getsockopt(h, level, option, buflen):
    value = bytearray(buflen or 4)
    size = bytearray(struct.pack("I", len(value)))
    _check(libc("getsockopt", "i", "iiiPP")(h, level, option, value, size))
    n = struct.unpack("I", size)[0]
    if buflen:
        return bytes(memoryview(value)[:n])
    return struct.unpack("i", value)[0]


def setsockopt(h, level, option, value):
    if isinstance(value, int):
        value = struct.pack("i", value)
    _check(_setsockopt(h, level, option, value, len(value)))


def _name(name, h):
    raw = bytearray(112)
    size = bytearray(b"\x70\0\0\0")
    _check(libc(name, "i", "iPP")(h, raw, size))
    return unpack(memoryview(raw)[: _size(size)])


def getsockname(h):
    return _name("getsockname", h)


def getpeername(h):
    return _name("getpeername", h)


def setblocking(h, flag):
    fcntl = libc("fcntl", "i", "iil")
    mode = _check(fcntl(h, 3, 0))
    _check(fcntl(h, 4, mode & ~0x800 if flag else mode | 0x800))


def _timeval(ms):
    return struct.pack("ll", ms // 1000, ms % 1000 * 1000)


_TICK = _timeval(TICK)


def timeouts(h, receive_ms, send_ms):
    tv = _TICK if receive_ms == TICK else _timeval(receive_ms)
    _setsockopt(h, _SOL_SOCKET, _SO_RCVTIMEO, tv, len(tv))
    tv = _TICK if send_ms == TICK else _timeval(send_ms)
    _setsockopt(h, _SOL_SOCKET, _SO_SNDTIMEO, tv, len(tv))


def ioctl(h, request):
    value = bytearray(4)
    _check(libc("ioctl", "i", "iLP")(h, request, value))
    return struct.unpack("i", value)[0]


def socketpair(family, type, proto):
    pair = bytearray(8)
    _check(libc("socketpair", "i", "iiiP")(family, type | _CLOEXEC, proto, pair))
    return struct.unpack("ii", pair)


def eventfd(value, semaphore):
    return _check(libc("eventfd", "i", "Ii")(value, _EFD | int(semaphore)))


def eventfd_read(h):
    value = bytearray(8)
    r = libc("read", "l", "iPL")(h, value, 8)
    return r if r < 0 else struct.unpack("Q", value)[0]


def eventfd_write(h, value):
    return min(libc("write", "l", "iPL")(h, struct.pack("Q", value), 8), 0)


def adopt(fd):
    return fd, bool(_check(libc("fcntl", "i", "iil")(fd, 3, 0)) & 0x800)


def fileno(h):
    return h


def key(h):
    return h


class waiter:
    """Waits for one event on one descriptor; unlike MicroPython's poll not anew after EINTR."""

    def __init__(self, h, want):
        self.pollfd = bytearray(struct.pack("ihh", h, want, 0))
        self.poll = libc("poll", "i", "PLi")

    def wait(self, ms):
        if self.poll(self.pollfd, 1, ms) < 1:
            return 0
        return self.pollfd[6] | self.pollfd[7]


def writable(buf):
    if isinstance(buf, memoryview):
        if len(buf):
            buf[0] = buf[0]
    elif not isinstance(buf, (bytearray, array)):
        raise TypeError("a writable buffer is required")


def gethostname():
    buf = bytearray(256)
    _check(libc("gethostname", "i", "PL")(buf, len(buf)))
    return bytes(buf[: buf.find(b"\0")]).decode()


# At the end: they need the above. At once: a second thread would meet them half loaded.
from .msg import recvmsg, sendmsg  # noqa: E402, F401
from .resolver import getaddrinfo, getnameinfo  # noqa: E402, F401
