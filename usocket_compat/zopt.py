# SPDX-License-Identifier: MIT
# Options. SO_RCVTIMEO and SO_SNDTIMEO are the layer's own: it does the waiting on every port.

from .zargs import an_int
from .zbase import fail, get, p

_MOST = 1024
_number = p.number
_pack, _unpack = p.struct.pack, p.struct.unpack
# A struct timeval.
_TIMEVAL = p.struct.calcsize("ll")


def zsock_getsockopt(fd, level, option, buflen=0):
    """The value of an option: an int, or with buflen (1 to 1024) the raw bytes of it.

    SO_RCVTIMEO and SO_SNDTIMEO are whole seconds as int, or a struct timeval ("ll").
    Raises OSError: EBADF, ENOPROTOOPT, EINVAL. Source: POSIX getsockopt(), socket(7).
    """
    sock = get(fd)
    an_int(level)
    an_int(option)
    an_int(buflen)
    if not 0 <= buflen <= _MOST:
        fail("EINVAL")
    which = _timeout(level, option)
    if which:
        ms = max(sock.rcvtimeo if which < 0 else sock.sndtimeo, 0)
        raw = _pack("ll", ms // 1000, ms % 1000 * 1000)
        return raw[:buflen] if buflen else ms // 1000
    f = getattr(sock.p, "getsockopt", None)
    if f is None:
        fail("ENOPROTOOPT")
    return f(sock.h, level, option, buflen)


def zsock_setsockopt(fd, level, option, value):
    """Sets an option, looked up by level and name, to an int or the bytes of a buffer.

    SO_RCVTIMEO and SO_SNDTIMEO also take seconds as int or float, to 1 ms (0: no limit; negative:
    at once, as Linux); SO_LINGER also takes (onoff, seconds).
    Raises OSError: EBADF; ENOPROTOOPT where the port has no such option; EINVAL and EDOM for bad
    values. OverflowError for an int that 32 bits do not hold, but of these two.
    Source: POSIX setsockopt(), socket(7).
    """
    sock = get(fd)
    an_int(level)
    an_int(option)
    which = _timeout(level, option)
    if which:
        ms = _milliseconds(value)
        if which < 0:
            sock.rcvtimeo = ms
        else:
            sock.sndtimeo = ms
        # From now on the clock decides, not a tick of the platform's.
        if sock.armed:
            from .zarm import disarm

            disarm(sock)
        return
    if sock.p is not p and sock.p.set_option(level, option, value):
        return
    if isinstance(value, str):
        raise TypeError("an option is an int or a bytes-like object, not str")
    if isinstance(value, tuple) and (level, option) == _at("SO_LINGER"):
        if len(value) != 2 or not all([isinstance(v, (int, bool)) for v in value]):
            raise TypeError("SO_LINGER takes (onoff, seconds)")
        value = _pack("ii", _fitting(value[0]), _fitting(value[1]))
    value = _fitting(value) if isinstance(value, (int, bool)) else bytes(memoryview(value))
    sock.p.setsockopt(sock.h, level, option, value)


def _fitting(value):
    value = int(value)
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise OverflowError("an option is an int of 32 bits")
    return value


def _at(name):
    return _number("SOL_SOCKET"), _number(name)


def _timeout(level, option):
    """-1 for SO_RCVTIMEO, 1 for SO_SNDTIMEO, 0 for another option."""
    if level != _number("SOL_SOCKET"):
        return 0
    if option == _number("SO_RCVTIMEO"):
        return -1
    return int(option == _number("SO_SNDTIMEO"))


def _milliseconds(value):
    if isinstance(value, str):
        raise TypeError("a timeout is seconds or a struct timeval, not str")
    if isinstance(value, (int, float)):
        us = value * 1000000
    else:
        raw = bytes(memoryview(value))
        if len(raw) < _TIMEVAL:
            fail("EINVAL")
        seconds, us = _unpack("ll", raw[:_TIMEVAL])
        if not 0 <= us < 1000000:
            fail("EDOM")
        us += seconds * 1000000
    if us != us:  # not a number
        fail("EDOM")
    if us >= 1 << 50:
        return 0  # 35 years are for ever
    # As on Linux a negative time is over at once.
    return -1 if us < 0 else int((us + 999) // 1000)
