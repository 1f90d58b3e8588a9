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
from array import array  # noqa: F401
from functools import lru_cache

from . import hosts, numbers, sockaddr
from . import steps as table  # noqa: F401
from .nameservers import ipv6_first, nameservers, urandom  # noqa: F401

TICK = 100
# The C type beneath socket.socket: cheaper to make, and no method of it is Python.
_type = _native.SocketType
CLOSED = _type()
CLOSED.close()
_MODULES = (_native, errno, select, os, fcntl, termios)
_LINUX = hasattr(select, "epoll")
# Names whose numbers differ from system to system.
_SYSTEMS_OWN = ("AF_", "PF_", "SOL_", "SO_", "TCP_", "IP_", "IPV6_")
LACKS, TLS = "" if _LINUX else "eventfd", "tlshost"
if _LINUX:
    from .epollhost import Epoll as epoll  # noqa: F401
_MSG_TRUNC, _MSG_DONTWAIT = int(_native.MSG_TRUNC), int(_native.MSG_DONTWAIT)
_SOL_SOCKET = int(_native.SOL_SOCKET)
_SO_RCVTIMEO, _SO_SNDTIMEO = int(_native.SO_RCVTIMEO), int(_native.SO_SNDTIMEO)
_EINPROGRESS, _AGAIN = errno.EINPROGRESS, -errno.EAGAIN
_NO_FLAGS = 0  # not given is cheaper than 0
_NONBLOCK = int(getattr(_native, "SOCK_NONBLOCK", 0))

listen, shutdown = _type.listen, _type.shutdown
getsockname, fileno = _type.getsockname, _type.fileno

unpack = sockaddr.unpack
gethostname, sethostname = _native.gethostname, _native.sethostname
if_nameindex, if_nametoindex = _native.if_nameindex, _native.if_nametoindex
if_indextoname, inheritable = _native.if_indextoname, hosts.inheritable
gaierror, getaddrinfo = _native.gaierror, hosts.getaddrinfo
names, inet_ntop = numbers.names, _native.inet_ntop


@lru_cache(None)
def number(name):
    value = numbers.number(name)  # what else CPython's modules have is no name of ours
    for module in _MODULES:
        own = getattr(module, name, None)
        if isinstance(own, int):
            return int(own)
    # Elsewhere Linux's number would mean something else: one that no system knows is refused.
    return value if _LINUX or not name.startswith(_SYSTEMS_OWN) else -1


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
        if given == _native.AF_UNSPEC or (family, given) == (_native.AF_INET6, _native.AF_INET):
            return raw  # the kernel's business: it lets datagrams to IPv4 through
        # What connect(2) says of a short one, and then of another family.
        if len(raw) < {_native.AF_INET: 16, _native.AF_INET6: 24}.get(family, 2):
            raise error(errno.EINVAL)
        if given != family:
            raise error(errno.EAFNOSUPPORT)
        addr = sockaddr.unpack(raw)
    if addr.__class__ is tuple and addr and family in (_native.AF_INET, _native.AF_INET6):
        host = hosts.plain(addr[0])
        if host is not addr[0]:
            addr = (host,) + addr[1:]
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
    if family == _native.AF_INET and addr.__class__ is tuple and addr:
        if addr[0].__class__ is int and sockaddr.shown(addr[0]):
            return (sockaddr.shown(addr[0]),) + addr[1:]
    if family == _native.AF_UNIX and isinstance(addr, (str, bytes)):
        raw = os.fsencode(addr)
        if len(raw) + (raw[:1] not in (b"", b"\0")) > 108:
            raise error(errno.EINVAL)
    return addr


# The layer gives these (zsock.py): its table, and what goes on where these calls end.
layer = tab = send_rest = recv_rest = None


def zsock_send(fd, data, flags=0):
    sock = r = None
    try:
        if fd >= 0:
            sock = tab[fd]
            r = sock.h.send(data) if flags is _NO_FLAGS else sock.h.send(data, flags)
            if r == len(data):
                return r
    except (IndexError, TypeError):
        sock = None  # the layer's own send says what is wrong
    except OSError as e:
        r = _failed(e)
        if r == _AGAIN and (sock.nonblock or flags == _MSG_DONTWAIT):
            raise
    return send_rest(fd, data, flags, r, sock)


def zsock_recv(fd, n_or_buffer, flags=0):
    sock = r = None
    try:
        if fd >= 0 and flags is _NO_FLAGS:
            sock = tab[fd]
            if n_or_buffer.__class__ is int:
                r = sock.h.recv(n_or_buffer)
                if r or n_or_buffer:
                    return r
            else:
                r = sock.h.recv_into(n_or_buffer)
                if r or len(n_or_buffer):
                    return r
        elif fd >= 0 and flags == _MSG_DONTWAIT:
            sock, n = tab[fd], n_or_buffer
            r = sock.h.recv(n, flags) if n.__class__ is int else sock.h.recv_into(n, 0, flags)
            if r or (n if n.__class__ is int else len(n)):
                return r
        # Nothing was asked for, and of that CPython does not ask the kernel.
        sock = r = None
    except (IndexError, TypeError):
        sock = None
    except OSError as e:
        r = _failed(e)
        if r == _AGAIN and (flags or sock.nonblock):
            raise
    return recv_rest(fd, n_or_buffer, flags, r, sock)


def socket(family, type, proto):
    # To CPython -1 is "not given"; socket(2) is asked with it.
    if family == -1:
        raise error(errno.EAFNOSUPPORT)
    if -1 in (type, proto):
        raise error(errno.EINVAL)
    return _silent(_type(family, type | _NONBLOCK, proto))


def _silent(h):
    # Elsewhere than on Linux, and for a descriptor that is there already.
    if h.gettimeout() != 0 or not _NONBLOCK:
        h.setblocking(False)
    return h


def close(h):
    h.close()


def connect(h, addr, wait):
    if addr.__class__ is bytes and h.family != _native.AF_UNIX:
        try:
            return _packed("connect", h, addr, len(addr))
        except OSError as e:
            return _failed(e)
    err = h.connect_ex(addr)
    if err == _EINPROGRESS and wait:
        # A connection within this machine is there by now.
        err = h.connect_ex(addr)
    return -err


def bind(h, addr):
    if isinstance(addr, bytes) and h.family != _native.AF_UNIX:
        _packed("bind", h, addr, len(addr))
    else:
        h.bind(addr)


def _packed(call, h, *args):
    """A call of libc with a sockaddr that CPython has no form for."""
    import ctypes

    r = getattr(ctypes.CDLL(None, use_errno=True), call)(h.fileno(), *args)
    if r < 0:
        raise error(ctypes.get_errno())
    return r


def accept(h, entry):
    try:
        fd, addr = h._accept()
    except OSError as e:
        return _failed(e)
    entry.h = new = _type(h.family, h.type, h.proto, fd)
    new.setblocking(False)
    return addr


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


def block(h, receive_ms=None, send_ms=0):
    if receive_ms is not None:
        try:
            h.setsockopt(_SOL_SOCKET, _SO_RCVTIMEO, _timeval(receive_ms))
            h.setsockopt(_SOL_SOCKET, _SO_SNDTIMEO, _timeval(send_ms))
        except OSError as e:
            if e.errno != errno.ENOTSOCK:  # it needs none
                raise
    h.setblocking(receive_ms is not None)


def _timeval(ms):
    return struct.pack("ll", ms // 1000, ms % 1000 * 1000)


def ioctl(h, request):
    value = bytearray(4)
    fcntl.ioctl(h.fileno(), request, value)
    return struct.unpack("i", value)[0]


def socketpair(family, type, proto, size):
    pair = _native.socketpair(family, type | _NONBLOCK, proto)
    return [_silent(_type(s.family, s.type | _NONBLOCK, s.proto, s.detach())) for s in pair]


def eventfd(value, semaphore):
    if not _LINUX:
        raise error(errno.EOPNOTSUPP)
    import ctypes  # os.eventfd is there from 3.10 on

    flags = os.O_NONBLOCK | os.O_CLOEXEC | int(semaphore)
    number = ctypes.CDLL(None, use_errno=True).eventfd(ctypes.c_uint(value), flags)
    if number < 0:
        raise error(ctypes.get_errno())
    h = _no_socket(number)
    h.setblocking(False)
    return h


def is_eventfd(h):
    try:
        return os.readlink("/proc/self/fd/%d" % h.fileno()) == "anon_inode:[eventfd]"
    except OSError:
        return False


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
    try:
        h = _type()
        os.dup2(number, h.fileno(), False)
    finally:
        os.close(number)
    return h


def adopt(number):
    nonblock = not os.get_blocking(number)
    try:
        h = _type(fileno=number)
        h.setblocking(False)
    except OSError:
        # No socket: it stays as it is, whoever else has it may read and write it.
        h = _no_socket(number)
    return h, nonblock


def wait(h, want, ms):
    native = select.poll()
    try:
        native.register(h, want)
        for _, revents in native.poll(ms):
            return revents
    except ValueError:  # it was closed just now
        pass
    return 0


class poller:
    def __init__(self):
        native = select.poll()
        self._native, self._events = native, {}

    def register(self, h, events):
        self._native.register(h, events)
        self._events[h] = events

    modify = register

    def ipoll(self, ms):
        try:
            return self._native.poll(ms)
        except RuntimeError:
            pass
        # Another thread, or what a signal's handler has interrupted, is within that one.
        other = select.poll()
        for h, events in self._events.items():
            other.register(h, events)
        return other.poll(ms)


def key(h):
    return h.fileno()


def writable(buf):
    if memoryview(buf).readonly:
        raise TypeError("a writable buffer is required")


def getnameinfo(addr, flags):
    return hosts.getnameinfo(addr, flags, address)


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
