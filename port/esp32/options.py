# SPDX-License-Identifier: MIT
# Options, names and what is waiting. The firmware's setsockopt looks at the option's number alone
# and takes what it does not know without a word, so it gets to see only what it understands.

import struct

from micropython import const

from . import arm, fail, gone, more, number
from .endpoints import settle

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
# (level, option) -> name; lwIP's numbers, as in numbers.py
_OPTIONS = {
    (_SOL_SOCKET, 4): "SO_REUSEADDR",
    (_SOL_SOCKET, 32): "SO_BROADCAST",
    (_TCP, 1): "TCP_NODELAY",
    (_SOL_SOCKET, 4103): "SO_ERROR",
    (_SOL_SOCKET, 4104): "SO_TYPE",
    (_SOL_SOCKET, 4144): "SO_DOMAIN",
    (_SOL_SOCKET, 4145): "SO_PROTOCOL",
    (_SOL_SOCKET, 2): "SO_ACCEPTCONN",
    (_SOL_SOCKET, 4107): "SO_BINDTODEVICE",
    (_IP, 3): "IP_ADD_MEMBERSHIP",
}
_GROUPS = (_IP, 3)
_FIONREAD = const(21531)
_WINDOW = const(5760)
# lwIP's NETIF_NAMESIZE without the 0 at its end. The firmware copies longer ones over its stack.
_IFNAME = const(5)
# Those that lwIP keeps as the layer last set them.
_KEPT = ("SO_REUSEADDR", "SO_BROADCAST", "TCP_NODELAY")


def _name(h, level, option):
    if h.st & _GONE:
        raise OSError(gone(h))
    name = _OPTIONS.get((level, option))
    if name is None or name[0] == "T" and (h.st & _DGRAM or h.domain != 2):
        fail("ENOPROTOOPT")
    return name


def setsockopt(h, level, option, value):
    name = _name(h, level, option)
    if name in _KEPT:
        if h.opts is None:
            h.opts = {}
        value = int(_int(value) != 0)
        _native(h, level, option, value)
        h.opts[level, option] = value
    elif name == "IP_ADD_MEMBERSHIP":
        _join(h, value)
    elif name == "SO_BINDTODEVICE":
        _to_device(h, level, option, value)
    else:
        fail("ENOPROTOOPT")


def _to_device(h, level, option, value):
    if h.domain != 2:
        fail("ENOPROTOOPT")
    if isinstance(value, int):
        fail("EINVAL")
    name = bytes(value).split(b"\0")[0].decode()
    if len(name) > _IFNAME:
        fail("ENODEV")
    _native(h, level, option, name)
    if h.opts is None:
        h.opts = {}
    h.opts[level, option] = name


def _int(value):
    if isinstance(value, int):
        return value
    if len(value) < 4:
        fail("EINVAL")
    return struct.unpack("i", value[:4])[0]


def _native(h, level, option, value):
    if h.st & _DEAD or h.domain != 2 or h.st & _LISTEN and level == _TCP:
        return  # nobody beneath keeps it; what a listener accepts gets it
    try:
        h.s.setsockopt(level, option, value)
    except OSError as e:
        # lwIP has nothing to set it on after a reset, of which no call knows yet.
        more("stream").notice(h)
        if h.st & _PENDING:
            settle(h)
        if not h.st & _DEAD:
            raise OSError(e.errno)


def apply(h):
    for (level, option), value in h.opts.items():
        _native(h, level, option, value)


def inherit(child, h):
    """Linux: what was accepted has the listener's options. lwIP hands on SO_REUSEADDR alone."""
    child.opts = dict(h.opts)
    apply(child)


def _join(h, value):
    if not h.st & _DGRAM:
        fail("EPROTO")
    if isinstance(value, int) or len(value) < 8:
        fail("EINVAL")
    group, interface = bytes(value[:4]), bytes(value[4:8])
    if any(value[8:12]):
        fail("ENODEV")  # struct ip_mreqn with an interface's number, by which lwIP finds none
    if not 224 <= group[0] < 240:
        fail("EINVAL")
    # lwIP would only count it twice.
    joined = (h.opts or {}).get(_GROUPS, ())
    if (group, interface) in joined:
        fail("EADDRINUSE")
    try:
        h.s.setsockopt(_IP, 3, group + interface)
    except OSError as e:
        # lwIP's own number: ERR_MEM, else no such interface
        fail("ENOBUFS" if e.errno == 1 else "ENODEV")
    if h.opts is None:
        h.opts = {}
    h.opts[_GROUPS] = joined + ((group, interface),)


def getsockopt(h, level, option, buflen):
    name = _name(h, level, option)
    if name in _KEPT:
        value = (h.opts or {}).get((level, option), 0)
    elif name == "SO_ERROR":
        if h.st & _PENDING:
            settle(h)
        more("stream").notice(h)
        if h.domain == 1 and h.s.reset:
            h.s.reset = False
            h.err = number("ECONNRESET")
        value, h.err = h.err, 0
    elif name == "SO_TYPE":
        value = 1 if not h.st & _DGRAM else 3 if h.proto else 2
    elif name == "SO_DOMAIN":
        value = h.domain
    elif name == "SO_PROTOCOL":
        value = h.proto or (17 if h.st & _DGRAM else 6 if h.domain == 2 else 0)
    elif name == "SO_ACCEPTCONN":
        value = int(h.st & _LISTEN != 0)
    else:
        fail("ENOPROTOOPT")
    if buflen:
        return struct.pack("i", value)[:buflen]
    return value


def addresses():
    """This board's IPv4 addresses: (address, netmask) of each interface that is up."""
    import network

    found = []
    for kind in (network.STA_IF, network.AP_IF):
        interface = network.WLAN(kind)
        if interface.active():
            found.append(interface.ifconfig()[:2])
    return [pair for pair in found if pair[0] != "0.0.0.0"]


def is_local(host, dgram):
    if dgram and (host == "255.255.255.255" or 224 <= int(host.split(".")[0]) < 240):
        return True
    return any([host == address for address, _ in addresses()])


def _number(host):
    value = 0
    for part in host.split("."):
        value = value << 8 | int(part)
    return value


def toward(peer):
    """The address that this board has on the way to peer."""
    if peer[:4] == "127.":
        return "127.0.0.1"
    first = ""
    for address, mask in addresses():
        if peer == address:
            return address
        if (_number(peer) ^ _number(address)) & _number(mask) == 0:
            return address
        first = first or address
    return first or "0.0.0.0"


def getsockname(h):
    if h.st & _GONE:
        raise OSError(gone(h))
    if h.domain != 2:
        return ""
    if h.st & _PENDING:
        settle(h)
    host, port = h.name or ("0.0.0.0", 0)
    if host == "0.0.0.0" and h.peer:
        host = toward(h.peer[0])
    return host, port


def getpeername(h):
    if h.st & _GONE:
        raise OSError(gone(h))
    if h.st & _PENDING:
        settle(h)
    more("stream").notice(h)
    if h.st & (_PENDING | _NEW | _LISTEN | _DEAD) or not h.peer:
        fail("ENOTCONN")
    if h.domain != 2 and h.s.left:
        fail("ENOTCONN")
    return h.peer if h.domain == 2 else ""


def ioctl(h, request):
    if h.st & _GONE:
        raise OSError(gone(h))
    if request != _FIONREAD:
        fail("EOPNOTSUPP")
    if h.st & _LISTEN:
        fail("EINVAL")
    if h.st & _DGRAM:
        return max(more("dgram").length(h), 0)
    if h.st & _PENDING:
        settle(h)
    if h.st & (_NEW | _PENDING):
        return 0
    if h.st & _BLOCKS:
        arm(h)
    if h.domain == 1:
        return h.s.count + len(h.back or b"")
    # lwIP does not say; what it has is read ahead, but no more than a window.
    more("stream").read_ahead(h, _WINDOW)
    return len(h.back or b"")
