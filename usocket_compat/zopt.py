# SPDX-License-Identifier: MIT
# A socket's state, names and options. SO_RCVTIMEO and SO_SNDTIMEO are the layer's own: it does the
# waiting on every port.

import struct

from . import _config
from . import errno as E
from .fdtable import Sock, free, get, reserve, tab, take
from .zio import start
from .zsock import describe, described, install
from .zwait import an_int, bound, op

_MOST = 1024


def split(type):
    """A socket's type without SOCK_NONBLOCK and SOCK_CLOEXEC, and whether the first was there."""
    number = start().number
    nonblock = number("SOCK_NONBLOCK")
    return type & ~(nonblock | number("SOCK_CLOEXEC")), type & nonblock


def set_nonblock(sock, flag):
    if flag != sock.nonblock:
        if sock.__class__ is Sock:  # an eventfd never blocks in the platform
            start().setblocking(sock.h, not flag)
        sock.nonblock = flag


def flagged(family, type, proto):
    an_int(family, type, proto)
    type, nonblock = split(type)
    fd = described(family, type, proto)
    if nonblock:
        set_nonblock(tab[fd], True)
    return fd


def zsock_shutdown(fd, how):
    """Ends reading (SHUT_RD), writing (SHUT_WR) or both (SHUT_RDWR).

    Raises OSError: EBADF, ENOTCONN, EINVAL for another `how`, EOPNOTSUPP where the port cannot.
    Source: POSIX shutdown().
    """
    sock = get(fd)
    an_int(how)
    op("shutdown")(sock.h, how)


def zsock_fcntl(fd, cmd, arg=0):
    """F_GETFL gives O_RDWR, with O_NONBLOCK or-ed in; F_SETFL sets or clears O_NONBLOCK.

    Raises OSError: EBADF; EINVAL for another cmd or flag. Source: POSIX fcntl().
    """
    sock = get(fd)
    p = start()
    an_int(cmd, arg)
    nonblock = p.number("O_NONBLOCK")
    if cmd == p.number("F_GETFL"):
        return 2 | (nonblock if sock.nonblock else 0)
    # The access mode is ignored, as POSIX says; no other flag can be set.
    if cmd != p.number("F_SETFL") or arg & ~(nonblock | 3):
        raise p.error(E.EINVAL)
    set_nonblock(sock, bool(arg & nonblock))
    return 0


def zsock_ioctl(fd, request, arg=None):
    """FIONREAD gives how many bytes can be read now; FIONBIO makes fd non-blocking if arg is true.

    Raises OSError: EBADF; EINVAL for FIONREAD on a listener; EOPNOTSUPP for another request.
    Source: POSIX ioctl(), zsock_ioctl.
    """
    sock = get(fd)
    p = start()
    an_int(request)
    if request == p.number("FIONBIO"):
        if not isinstance(arg, (int, bool)):
            raise TypeError("FIONBIO takes an int")
        set_nonblock(sock, bool(arg))
        return 0
    if request == p.number("FIONREAD"):
        return op("ioctl")(sock.h, request)
    raise p.error(E.EOPNOTSUPP)


def zsock_getsockname(fd):
    """The socket's own address. Raises OSError: EBADF, EOPNOTSUPP. Source: POSIX getsockname()."""
    sock = get(fd)
    return op("getsockname")(sock.h)


def zsock_getpeername(fd):
    """The peer's address.

    Raises OSError: EBADF, ENOTCONN, EOPNOTSUPP. Source: POSIX getpeername().
    """
    sock = get(fd)
    return op("getpeername")(sock.h)


def zsock_getsockopt(fd, level, option, buflen=0):
    """The value of an option: an int, or with buflen (1 to 1024) the raw bytes of it.

    SO_RCVTIMEO and SO_SNDTIMEO are whole seconds as int, or a struct timeval ("ll").
    Raises OSError: EBADF, ENOPROTOOPT, EINVAL. Source: POSIX getsockopt(), socket(7).
    """
    sock = get(fd)
    p = start()
    an_int(level, option, buflen)
    if not 0 <= buflen <= _MOST:
        raise p.error(E.EINVAL)
    which = _timeout(p, level, option)
    if which:
        ms = max(sock.rcvtimeo if which < 0 else sock.sndtimeo, 0)
        raw = struct.pack("ll", ms // 1000, ms % 1000 * 1000)
        return raw[:buflen] if buflen else ms // 1000
    f = getattr(p, "getsockopt", None)
    if f is None:
        raise p.error(E.ENOPROTOOPT)
    return f(sock.h, level, option, buflen)


def zsock_setsockopt(fd, level, option, value):
    """Sets an option, looked up by level and name, to an int or the bytes of a buffer.

    SO_RCVTIMEO and SO_SNDTIMEO also take seconds as int or float (0: for ever), to 1 ms; SO_LINGER
    also takes (onoff, seconds).
    Raises OSError: EBADF; ENOPROTOOPT where the port has no such option; EINVAL and EDOM for bad
    values. Source: POSIX setsockopt(), socket(7).
    """
    sock = get(fd)
    p = start()
    an_int(level, option)
    which = _timeout(p, level, option)
    if which:
        ms = _milliseconds(p, value)
        if which < 0:
            sock.rcvtimeo = ms
        else:
            sock.sndtimeo = ms
        bound(sock)
        return
    if isinstance(value, str):
        raise TypeError("an option is an int or a bytes-like object, not str")
    if isinstance(value, tuple) and (level, option) == _at(p, "SO_LINGER"):
        if len(value) != 2 or not all([isinstance(v, (int, bool)) for v in value]):
            raise TypeError("SO_LINGER takes (onoff, seconds)")
        value = struct.pack("ii", value[0], value[1])
    if isinstance(value, (int, bool)):
        value = int(value)
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("an option is an int of 32 bits")
    else:
        value = bytes(memoryview(value))
    p.setsockopt(sock.h, level, option, value)


def _at(p, name):
    return p.number("SOL_SOCKET"), p.number(name)


def _timeout(p, level, option):
    """-1 for SO_RCVTIMEO, 1 for SO_SNDTIMEO, 0 for another option."""
    if (level, option) == _at(p, "SO_RCVTIMEO"):
        return -1
    return int((level, option) == _at(p, "SO_SNDTIMEO"))


def _milliseconds(p, value):
    if isinstance(value, str):
        raise TypeError("a timeout is seconds or a struct timeval, not str")
    if isinstance(value, (int, float)):
        us = value * 1000000
    else:
        raw = bytes(memoryview(value))
        if len(raw) < struct.calcsize("ll"):
            raise p.error(E.EINVAL)
        seconds, us = struct.unpack("ll", raw[: struct.calcsize("ll")])
        if not 0 <= us < 1000000:
            raise p.error(E.EDOM)
        us += seconds * 1000000
    if us != us:  # not a number
        raise p.error(E.EDOM)
    if us >= 1 << 50:
        return 0  # 35 years are for ever
    # As on Linux a negative time is over at once.
    return -1 if us < 0 else int((us + 999) // 1000)


def zsock_socketpair(family=1, type=1, proto=0):
    """Two sockets that are connected to each other: (fd, fd).

    family: AF_UNIX (default); type: SOCK_STREAM (default) or SOCK_DGRAM.
    Raises OSError: EAFNOSUPPORT, EPROTONOSUPPORT, ENFILE; EOPNOTSUPP for another family, or where
    the port has none. Source: POSIX socketpair(), zsock_socketpair.
    """
    p = start()
    if not _config.NET_SOCKETPAIR:
        raise p.error(E.EOPNOTSUPP)
    make = op("socketpair")
    an_int(family, type, proto)
    type, nonblock = split(type)
    fds = []
    try:
        fds.append(reserve())
        fds.append(reserve())
        a, b = make(family, type, proto)
    except BaseException:
        for fd in fds:
            free(fd)
        raise
    try:
        install(fds[0], a)
    except BaseException:
        p.close(b)
        free(fds[1])
        raise
    try:
        install(fds[1], b)
    except BaseException:
        p.close(take(fds[0]).h)
        raise
    for fd in fds:
        describe(fd, family, type)
        set_nonblock(get(fd), bool(nonblock))
    return tuple(fds)


def adopt(number):
    """An fd for a descriptor that the platform handed over."""
    p = start()
    fd = reserve()
    try:
        h, nonblock = p.adopt(number)
        try:
            family = p.getsockopt(h, *_at(p, "SO_DOMAIN"), 0)
            type = p.getsockopt(h, *_at(p, "SO_TYPE"), 0)
        except OSError:
            tab[fd] = Sock(h)  # no socket: it can be passed on and closed
            return fd
    except BaseException:
        free(fd)
        raise
    install(fd, h)
    describe(fd, family, type)
    tab[fd].nonblock = nonblock
    return fd
