# SPDX-License-Identifier: MIT
# MicroPython with ffi: a handle is the kernel's descriptor, each operation the libc call of its
# name. Into a buffer that allocates nothing, and costs what MicroPython's own socket costs.
# A rare call binds its libc function when it is first used.

import sys

from uctypes import addressof, bytes_at

from .clib import check, gaierror, lib, libc  # noqa: F401
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
from .links import (  # noqa: F401
    if_indextoname,
    if_nameindex,
    if_nametoindex,
    inheritable,
    sethostname,
)
from .msg import recvmsg, sendmsg  # noqa: F401
from .numbers import names, number  # noqa: F401
from .resolver import getaddrinfo, getnameinfo  # noqa: F401
from .sockaddr import pack, unpack

try:
    table = __import__(__name__.rpartition(".")[0] + ".nogil", None, None, ("put",))
except ImportError:
    pass  # no threads here

TICK = 100
urandom = os.urandom
CLOSED = -1
LACKS = ""
TLS = "tlsmake"

_AF_INET = 2
_SOL_SOCKET = 1
_SO_TYPE = 3
_SO_RCVTIMEO = 20
_SO_SNDTIMEO = 21
_CLOEXEC = 0x80000
_NONBLOCK = 0x800
_EINTR = 4
_EINPROGRESS = 115
_F_GETFL = 3
_F_SETFL = 4
_EFD = 0x80800  # EFD_CLOEXEC, EFD_NONBLOCK
# What a call makes of a short answer of the kernel, and the layer of that, takes so much (bytes).
_LITTLE = 1024
_EINVAL = 22

_socket = lib.func("i", "socket", "iii")
_close = lib.func("i", "close", "i")
_accept = lib.func("i", "accept4", "iPPi")
_connect = lib.func("i", "connect", "iPI")
_setsockopt = lib.func("i", "setsockopt", "iiiPI")
# SIGPIPE is ignored by the interpreter, so send needs no MSG_NOSIGNAL.
send = lib.func("l", "send", "iPLi")
recv_into = lib.func("l", "recv", "iPLi")


def last_error(r):
    return os.errno()


def error(code):
    return OSError(code)


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
    return check(_socket(family, type | _CLOEXEC | _NONBLOCK, proto))


def close(h):
    if _close(h) < 0 and os.errno() != _EINTR:
        raise OSError(os.errno())


def bind(h, addr):
    check(libc("bind", "i", "iPI")(h, addr, len(addr)))


def connect(h, addr, wait):
    r = _connect(h, addr, len(addr))
    if r < 0 and wait and os.errno() == _EINPROGRESS:
        # A connection within this machine is there by now.
        r = _connect(h, addr, len(addr))
    return r


def listen(h, backlog):
    check(libc("listen", "i", "ii")(h, backlog))


# accept's buffer: a socklen_t, then the address.
_SIZE_AT = 3 * (sys.byteorder == "big")
_FAMILY_AT = 4 + (sys.byteorder == "big")


def accept(h, entry):
    raw = bytearray(32)
    at = addressof(raw)
    room(_LITTLE)
    raw[_SIZE_AT] = 28
    h = _accept(h, at + 4, at, _CLOEXEC | _NONBLOCK)
    if h < 0:
        return h
    entry.h = h
    if raw[_FAMILY_AT] == _AF_INET:
        return _host(raw[8:12]), raw[6] << 8 | raw[7]
    return _long_address(h, raw)


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
    room(n + 64)
    r = recv_into(h, buf, n, flags)
    if r < 0:
        return r
    return bytes_at(addressof(buf), min(r, n))


def recvfrom_into(h, buf, n, flags, more=0):
    raw = bytearray(112)
    size = bytearray(b"\x70\0\0\0")
    room(_LITTLE + more)
    r = libc("recvfrom", "l", "iPLiPP")(h, buf, n, flags, raw, size)
    return r if r < 0 else (r, unpack(memoryview(raw)[: _size(size)]))


def recvfrom(h, n, flags):
    buf = bytearray(n)
    got = recvfrom_into(h, buf, n, flags, n)
    if got.__class__ is not tuple:
        return got
    return bytes_at(addressof(buf), min(got[0], n)), got[1]


def shutdown(h, how):
    check(libc("shutdown", "i", "ii")(h, how))


def getsockopt(h, level, option, buflen):
    value = bytearray(buflen or 4)
    size = bytearray(struct.pack("I", len(value)))
    room(_LITTLE + buflen)  # SO_ERROR is told once
    check(libc("getsockopt", "i", "iiiPP")(h, level, option, value, size))
    n = struct.unpack("I", size)[0]
    if buflen:
        return bytes(memoryview(value)[:n])
    return struct.unpack("i", value)[0]


def setsockopt(h, level, option, value):
    if isinstance(value, int):
        value = struct.pack("i", value)
    check(_setsockopt(h, level, option, value, len(value)))


def _name(name, h):
    raw = bytearray(112)
    size = bytearray(b"\x70\0\0\0")
    check(libc(name, "i", "iPP")(h, raw, size))
    return unpack(memoryview(raw)[: _size(size)])


def getsockname(h):
    return _name("getsockname", h)


def getpeername(h):
    return _name("getpeername", h)


def block(h, receive_ms=None, send_ms=0):
    fcntl = libc("fcntl", "i", "iil")
    mode = check(fcntl(h, _F_GETFL, 0))
    if receive_ms is None:
        mode |= _NONBLOCK
    else:
        mode &= ~_NONBLOCK
        for option, ms in ((_SO_RCVTIMEO, receive_ms), (_SO_SNDTIMEO, send_ms)):
            tv = struct.pack("ll", ms // 1000, ms % 1000 * 1000)
            _setsockopt(h, _SOL_SOCKET, option, tv, len(tv))  # ENOTSOCK: it needs none
    check(fcntl(h, _F_SETFL, mode))


def ioctl(h, request):
    value = bytearray(4)
    check(libc("ioctl", "i", "iLP")(h, request, value))
    return struct.unpack("i", value)[0]


def socketpair(family, type, proto, size):
    pair = bytearray(8)
    room(_LITTLE)
    type |= _CLOEXEC | _NONBLOCK
    check(libc("socketpair", "i", "iiiP")(family, type, proto, pair))
    return struct.unpack("ii", pair)


def eventfd(value, semaphore):
    return check(libc("eventfd", "i", "Ii")(value, _EFD | int(semaphore)))


def eventfd_read(h):
    value = bytearray(8)
    room(_LITTLE)
    r = libc("read", "l", "iPL")(h, value, 8)
    return r if r < 0 else struct.unpack("Q", value)[0]


def eventfd_write(h, value):
    return min(libc("write", "l", "iPL")(h, struct.pack("Q", value), 8), 0)


def epoll():
    from .epoll import Epoll

    return Epoll()


def is_eventfd(h):
    name = bytearray(32)
    libc("readlink", "l", "sPL")("/proc/self/fd/%d" % h, name, len(name))
    return name.startswith(b"anon_inode:[eventfd]")


def adopt(fd):
    try:
        fcntl = libc("fcntl", "i", "iil")
        mode = check(fcntl(fd, _F_GETFL, 0))
        # What is no socket stays as it is: whoever else has it may read and write it.
        type, size = bytearray(4), bytearray(b"\4\0\0\0")
        if libc("getsockopt", "i", "iiiPP")(fd, _SOL_SOCKET, _SO_TYPE, type, size) == 0:
            check(fcntl(fd, _F_SETFL, mode | _NONBLOCK))
        return fd, bool(mode & _NONBLOCK)
    except MemoryError:
        _close(fd)
        raise


def wrap(s, told):
    return s.fileno()


def plain(h, told):
    return told._us


def fileno(h):
    return h


def key(h):
    return h


def source(h):
    from .source import Source

    return Source(h)


def wait(h, want, ms):
    # Unlike MicroPython's poll not anew after EINTR.
    pollfd = bytearray(struct.pack("ihh", h, want, 0))
    if libc("poll", "i", "PLi")(pollfd, 1, ms) < 1:
        return 0
    return pollfd[6] | pollfd[7] << 8


def writable(buf):
    if isinstance(buf, memoryview):
        if len(buf):
            buf[0] = buf[0]
    elif not isinstance(buf, (bytearray, array)):
        raise TypeError("a writable buffer is required")


def gethostname():
    buf = bytearray(256)
    check(libc("gethostname", "i", "PL")(buf, len(buf)))
    return bytes(buf[: buf.find(b"\0")]).decode()


def nameservers(name):
    from .nameservers import nameservers

    return nameservers(name)


def ipv6_first(host6, host4):
    from .nameservers import ipv6_first

    return ipv6_first(host6, host4)
