# SPDX-License-Identifier: MIT
# How a handle gets its names and its connection.

from random import getrandbits
from select import poll

from micropython import const

from . import E, Handle, _native, awaited, be, fail, gone, more, odd_handles, told

# Handle.st
_NEW = const(1)
_PENDING = const(2)
_LISTEN = const(4)
_DEAD = const(8)
_DGRAM = const(64)
_GONE = const(128)
_BLOCKS = const(256)
_EOF = const(16)
_HELD = const(32)
_FAILED = const(512)  # with DEAD: it was never connected
# lwIP's and the firmware's numbers
_EAGAIN = const(11)
_IN = const(1)
_OUT = const(4)
_HUP = const(16)

_FIRST = const(49152)
_PORTS = const(16384)
_port = getrandbits(14)
# ESP-IDF's DEFAULT_ACCEPTMBOX_SIZE. lwIP resets a connection that finds this queue full, but lets
# its client try again while the backlog is.
_BACKLOG = const(6)
# As much as one native recv makes room for when nobody says how much there is.
_CHUNK = const(1460)


def open_native(type, proto):
    try:
        s = _native.socket(2, type, proto)
    except OSError as e:
        if e.errno != E.ENOBUFS:
            raise
        # No TCP PCB is left; for want of a socket number the firmware does this itself.
        import gc

        gc.collect()
        s = _native.socket(2, type, proto)
    s.setblocking(False)
    return s


def socket(family, type, proto):
    if not isinstance(family, int) or not isinstance(type, int):
        raise TypeError("family and type are ints")
    if family != 2:
        fail("EAFNOSUPPORT")
    if not 0 < type < 4:
        fail("ESOCKTNOSUPPORT" if 0 < type < 11 else "EINVAL")
    if proto and proto != (0, 6, 17, proto)[type]:
        fail("EPROTONOSUPPORT")
    h = Handle(open_native(type, proto))
    if type == 1:
        odd_handles[0] += 1
    else:
        h.st = _DGRAM
        if type == 3:
            h.proto = proto
    return h


def bind(h, addr):
    if h.st & _GONE:
        raise OSError(gone(h))
    if h.st & _FAILED:
        renew(h)
    if h.name and not h.stale or not h.st & (_NEW | _DGRAM):
        fail("EINVAL")
    host, port = addr
    if not h.st & _DGRAM:
        _free(host, port)
    if host != "0.0.0.0" and host != "127.0.0.1":
        if not more("options").is_local(host, h.st & _DGRAM):
            fail("EADDRNOTAVAIL")
    if port:
        _bind(h, host, port)
    else:
        choose_port(h, host)


# Those that listen, and some that did.
_listeners = []


def _free(host, port):
    """EADDRINUSE when one listens there: with SO_REUSEADDR lwIP would let two."""
    for h in _listeners[:]:
        if h.st & _GONE:
            _listeners.remove(h)
        elif h.name[1] == port and (h.name[0] == host or "0.0.0.0" in (host, h.name[0])):
            fail("EADDRINUSE")


def _bind(h, host, port):
    try:
        h.s.bind((host, port))
    except OSError as e:
        raise OSError(e.errno)
    h.name = (host, port)
    h.stale = False


def _named(h):
    """Gives h a port if it has none, or its old one if that can be had."""
    if not h.name:
        choose_port(h)
    elif h.stale:
        try:
            _bind(h, *h.name)
        except OSError:
            choose_port(h, h.name[0])


def choose_port(h, host="0.0.0.0"):
    """Binds to a free port of our own choice: lwIP would not say which one it took."""
    global _port
    for _ in range(64):
        _port = (_port + 1) % _PORTS
        try:
            h.s.bind((host, _FIRST + _port))
            h.name = (host, _FIRST + _port)
            h.stale = False
            return
        except OSError as e:
            if e.errno != E.EADDRINUSE:
                raise
    fail("EADDRINUSE")


def listen(h, backlog):
    if h.st & _GONE:
        raise OSError(gone(h))
    if h.st & _DGRAM:
        fail("EOPNOTSUPP")
    if not h.st & (_NEW | _LISTEN):
        fail("EINVAL")
    _named(h)
    h.s.listen(min(backlog, _BACKLOG))
    if h not in _listeners:
        _listeners.append(h)
    be(h, _LISTEN)


def connect(h, addr):
    st = h.st
    if st & _GONE:
        return -gone(h)
    if st & _DGRAM:
        _named(h)
        h.s.connect(addr)
        h.peer = addr
        return 0
    if st & _LISTEN:
        return -E.EISCONN
    if st & _PENDING:
        return _connecting(h)
    if st & _FAILED:
        return _failed(h)
    if not st & _NEW:
        # The first call that sees the connection succeeds, later ones say EISCONN.
        if h.fresh:
            h.fresh = False
            return 0
        return -E.EISCONN
    if addr[0] == "0.0.0.0":
        addr = ("127.0.0.1", addr[1])  # Linux: this host
    _named(h)
    try:
        h.s.connect(addr)
    except OSError as e:
        if e.errno != E.EINPROGRESS:
            return -e.errno
        h.peer = addr
        be(h, _PENDING)
        h.poller = poll()
        h.poller.register(h.s, _OUT | _HUP)
        if h.block:
            return _awaited(h)
        return -e.errno
    h.peer = addr
    be(h, 0)
    return 0


def _awaited(h):
    """Waits for the end of a pending connect; what connect gives."""
    # Another thread's poll may see the end first, and take the poller away.
    poller = h.poller
    if poller and not told(poller.ipoll, h.swait):
        return -E.EINPROGRESS
    return _connecting(h)


def _connecting(h):
    settle(h)
    if h.st & _GONE:
        return -gone(h)
    if h.st & _PENDING:
        return -E.EALREADY
    if h.st & _DEAD:
        return _failed(h)
    h.fresh = False
    return 0


def _failed(h):
    """A connect says that the connection failed; from then on h is as new."""
    code, h.err = h.err or E.ECONNABORTED, 0
    renew(h)
    return -code


def settle(h):
    """Looks whether a pending connect has ended, and how."""
    poller = h.poller
    for _, ev in poller.ipoll(0) if poller else ():
        if not h.poller or h.st & _GONE:
            return
        h.fresh = True
        st = 0
        if ev & _HUP:
            try:
                # It may have come, and been reset since: then data or the end is in front.
                h.back = h.s.recv(_CHUNK) or None
                st = _HELD if h.back else _EOF
            except OSError as e:
                h.err = refused(e.errno)
                st = _DEAD | _FAILED
        # From here on the same poller tells what can be read.
        h.poller.modify(h.s, _IN | _HUP)
        h.ipoll, h.poller = h.poller.ipoll, None
        be(h, st)
        return


def refused(code):
    """The errno of a failed connect, of what lwIP says."""
    if code == E.ECONNRESET:
        return E.ECONNREFUSED
    if code == E.ECONNABORTED:
        return E.ETIMEDOUT  # its SYNs were used up
    return code


def renew(h):
    """Another native socket for a handle whose connect failed: lwIP's is spent."""
    h.s.close()
    h.s = open_native(1, 0)
    h.ipoll = h.peer = None
    h.stale = True
    be(h, _NEW)
    if h.opts:
        more("options").apply(h)


def accept(h):
    if h.st != _LISTEN:
        return _refused(h)
    try:
        return _accepted(h)
    except OSError as e:
        if e.errno != _EAGAIN:
            return _not_accepted(h, e)
    if not (h.block and awaited(h)):
        return -_EAGAIN
    try:
        return _accepted(h)
    except OSError as e:
        return _not_accepted(h, e)


def _accepted(h):
    new, addr = h.s.accept()
    h = _child(h, new)
    h.peer = addr
    return h, addr


def _child(h, new):
    child = Handle(new)
    child.st = _BLOCKS
    child.name = h.name
    if h.opts:
        more("options").inherit(child, h)
    return child


def _not_accepted(h, e):
    if e.errno == E.ENOTCONN or e.errno == E.ECONNABORTED:
        return accept(h)  # its client has reset it, and lwIP has forgotten it: the next
    if e.errno == E.ENFILE:  # lwIP has no socket left; lost ones may be found
        import gc

        gc.collect()
    return -e.errno


def _refused(h):
    """accept on what does not listen."""
    if h.st & _GONE:
        return -gone(h)
    return -(E.EOPNOTSUPP if h.st & _DGRAM else E.EINVAL)
