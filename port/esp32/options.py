# SPDX-License-Identifier: MIT
# Options, and what is waiting. The firmware's setsockopt looks at the option's number alone and
# takes what it does not know without a word, so it gets to see only what it understands.

from micropython import const

from . import arm, gone, kept_option, load, settle, struct

# newlib's errnos
_EADDRINUSE = const(112)
_ECONNRESET = const(104)
_EINVAL = const(22)
_ENOBUFS = const(105)
_ENODEV = const(19)
_ENOMEM = const(12)
_ENOPROTOOPT = const(109)
_EOPNOTSUPP = const(95)
_EPROTO = const(71)

# Handle.st
_NEW = const(1)
_PENDING = const(2)
_LISTEN = const(4)
_DEAD = const(8)
_DGRAM = const(64)
_GONE = const(128)
_BLOCKS = const(256)

_SOL_SOCKET = const(4095)
_IP = const(0)
_TCP = const(6)
# lwIP's numbers, as in numbers.py
_REUSEADDR = const(4)
_BROADCAST = const(32)
_NODELAY = const(1)
_ADD_MEMBERSHIP = const(3)
_ACCEPTCONN = const(2)
_ERROR = const(4103)
_TYPE = const(4104)
_BINDTODEVICE = const(4107)
_DOMAIN = const(4144)
_PROTOCOL = const(4145)
_FIONREAD = const(21531)
_WINDOW = const(5760)
# lwIP's NETIF_NAMESIZE without the 0 at its end. The firmware copies longer ones over its stack.
_IFNAME = const(5)


def _check(h, level):
    if h.st & _GONE:
        raise OSError(gone(h))
    if level == _TCP and (h.st & _DGRAM or h.domain != 2):
        raise OSError(_ENOPROTOOPT)


def setsockopt(h, level, option, value):
    _check(h, level)
    bit = kept_option(h, level, option)
    if bit:
        flag = int(_int(value) != 0)
        _set_native(h, level, option, flag)
        h.opts = h.opts | bit if flag else h.opts & ~bit
    elif level == _IP and option == _ADD_MEMBERSHIP:
        _join(h, value)
    elif level == _SOL_SOCKET and option == _BINDTODEVICE and h.domain == 2:
        _bind_to_device(h, value)
    else:
        raise OSError(_ENOPROTOOPT)


def _bind_to_device(h, value):
    if isinstance(value, int):
        raise OSError(_EINVAL)
    name = bytes(value).split(b"\0")[0].decode()
    if len(name) > _IFNAME:
        raise OSError(_ENODEV)
    _set_native(h, _SOL_SOCKET, _BINDTODEVICE, name)
    keep(h, "device", name)


def keep(h, name, value):
    """Remembers what few handles have."""
    if h.rare is None:
        h.rare = {}
    h.rare[name] = value


def _int(value):
    if isinstance(value, int):
        return value
    if len(value) < 4:
        raise OSError(_EINVAL)
    return struct.unpack("i", value[:4])[0]


def _set_native(h, level, option, value):
    if h.st & _DEAD or h.domain != 2 or h.st & _LISTEN and level == _TCP:
        return  # nobody beneath keeps it; what a listener accepts gets it
    try:
        h.s.setsockopt(level, option, value)
    except OSError as e:
        # lwIP has nothing to set it on after a reset, of which no call knows yet.
        load("stream").notice(h)
        if h.st & _PENDING:
            settle(h)
        if not h.st & _DEAD:
            raise OSError(e.errno)


def apply(h):
    """Sets on a new native socket what was set on its handle."""
    for bit, level, option in (
        (1, _SOL_SOCKET, _REUSEADDR),
        (2, _SOL_SOCKET, _BROADCAST),
        (4, _TCP, _NODELAY),
    ):
        if h.opts & bit:
            _set_native(h, level, option, 1)
    if h.rare and "device" in h.rare:
        _set_native(h, _SOL_SOCKET, _BINDTODEVICE, h.rare["device"])


def inherit(child, h):
    """Linux: what was accepted has the listener's options. lwIP hands on SO_REUSEADDR alone."""
    if h.rare:
        child.rare = dict(h.rare)
    apply(child)


def _join(h, value):
    if not h.st & _DGRAM:
        raise OSError(_EPROTO)
    if h.proto:
        raise OSError(_ENOPROTOOPT)  # lwIP has memberships of UDP alone
    if isinstance(value, int) or len(value) < 8:
        raise OSError(_EINVAL)
    group, interface = bytes(value[:4]), bytes(value[4:8])
    if any(value[8:12]):
        # struct ip_mreqn with an interface's number, by which lwIP finds none.
        raise OSError(_ENODEV)
    if not 224 <= group[0] < 240:
        raise OSError(_EINVAL)
    # lwIP would only count it twice.
    joined = (h.rare or {}).get("groups", ())
    if (group, interface) in joined:
        raise OSError(_EADDRINUSE)
    try:
        h.s.setsockopt(_IP, _ADD_MEMBERSHIP, group + interface)
    except OSError as e:
        # lwIP's own number: ERR_MEM, else no such interface
        raise OSError(_ENOBUFS if e.errno == 1 else _ENODEV)
    keep(h, "groups", joined + ((group, interface),))


def getsockopt(h, level, option, buflen):
    _check(h, level)
    if level == _SOL_SOCKET and option == _BINDTODEVICE and h.domain == 2:
        name = (h.rare or {}).get("device", "").encode()
        # Linux: with the 0 at its end, and only into room for any name (IFNAMSIZ).
        if name and buflen < 16:
            raise OSError(_EINVAL)
        return name + b"\0" if name else b"" if buflen else 0
    value = _value(h, level, option)
    return struct.pack("i", value)[:buflen] if buflen else value


def _value(h, level, option):
    bit = kept_option(h, level, option)
    if bit:
        return int(h.opts & bit != 0)
    if level == _SOL_SOCKET:
        if option == _ERROR:
            return _take_error(h)
        if option == _TYPE:
            return 1 if not h.st & _DGRAM else 3 if h.proto else 2
        if option == _DOMAIN:
            return h.domain
        if option == _PROTOCOL:
            return h.proto or (17 if h.st & _DGRAM else 6 if h.domain == 2 else 0)
        if option == _ACCEPTCONN:
            return int(h.st & _LISTEN != 0)
    raise OSError(_ENOPROTOOPT)


def _take_error(h):
    if h.st & _PENDING:
        settle(h)
    load("stream").notice(h)
    if h.domain == 1 and h.s.reset:
        h.s.reset = False
        h.err = _ECONNRESET
    code, h.err = h.err, 0
    return code


def ioctl(h, request):
    if h.st & _GONE:
        raise OSError(gone(h))
    if request != _FIONREAD:
        raise OSError(_EOPNOTSUPP)
    if h.st & _LISTEN:
        raise OSError(_EINVAL)
    if h.st & _DGRAM:
        size = load("dgram").length(h)
        if size == -_ENOMEM:
            raise OSError(_ENOMEM)
        return max(size, 0)
    if h.st & _PENDING:
        settle(h)
    if h.st & (_NEW | _PENDING):
        return 0
    if h.st & _BLOCKS:
        arm(h)
    if h.domain == 1:
        return h.s.count + len(h.back or b"")
    # lwIP does not say; what it has is read ahead, but no more than a window.
    stream = load("stream")
    if stream.alone(h, stream.read_ahead, _WINDOW) is None:
        return 0  # what is there is another thread's
    return len(h.back or b"")
