# SPDX-License-Identifier: MIT
# Stock MicroPython on an ESP32: the firmware's socket over lwIP, and what it takes to make that
# tell the truth. This file has what every TCP program needs; the rest loads when first asked for.
# The native socket is non-blocking, since a blocking one cannot read what is there into a buffer,
# and the waiting is done here. What Linux remembers of a socket and lwIP does not is remembered in
# its Handle.

import socket as _native  # noqa: F401
from _thread import allocate_lock
from select import poll as _poll
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms, ticks_us  # noqa: F401

from micropython import const

TICK = 100
LACKS = (
    "ancillary pktinfo scm_rights connect_unspec MSG_OOB udp_unreachable recv_into_no_alloc_dgram"
)

# Handle.st; 0 is a stream that is connected and has nothing held back. Each file that needs these
# says them again: a constant with a _ costs no heap, an imported name does.
_NEW = const(1)
_PENDING = const(2)  # it connects
_LISTEN = const(4)
_DEAD = const(8)  # reset, or its connect failed
_EOF = const(16)
_HELD = const(32)  # something was read ahead
_DGRAM = const(64)
_GONE = const(128)
_BLOCKS = const(256)  # accepted, and no data asked for yet: see arm
# What the firmware's poll does not know of.
_ODD = const(_NEW | _DEAD | _EOF | _HELD)
# lwIP's and the firmware's numbers
_EAGAIN = const(11)
_DONTWAIT = const(8)
_TRUNC = const(64)
_WINDOW = const(5760)
_IN = const(1)
_HUP = const(16)

# What is looked up again and again, or with no memory left to load numbers.py, which has them all.
_NAMES = (
    " AF_UNIX=1 MSG_PEEK=1 MSG_WAITALL=2 MSG_OOB=4 MSG_DONTWAIT=8 MSG_ERRQUEUE=8192"
    " SOL_SOCKET=4095 SO_RCVTIMEO=4102 SO_SNDTIMEO=4101 SO_LINGER=128 SOCK_NONBLOCK=2048"
    " SOCK_CLOEXEC=524288 EBADF=9 EINVAL=22 ENFILE=23 EPIPE=32 ECONNRESET=104 ECONNREFUSED=111"
    " O_NONBLOCK=16384 F_GETFL=3 F_SETFL=4 FIONBIO=21537 FIONREAD=21531 ENOTCONN=128 "
)
# A file and the operations it is loaded for.
LATER = (
    "endpoints socket bind listen connect accept |stream writable |polls poller waiter "
    "|dgram sendto recvfrom recvfrom_into |msg sendmsg recvmsg |memory socketpair "
    "|events eventfd eventfd_read eventfd_write "
    "|options getsockopt setsockopt getsockname getpeername ioctl "
    "|numeric unpack |inet inet_pton inet_ntop |resolver getaddrinfo getnameinfo gethostname "
    "|numbers names "
)
_loaded = {}
_lock = allocate_lock()


def more(name):
    """The file of that name, loaded when first asked for; by one thread at a time."""
    module = _loaded.get(name)
    if module is None:
        _lock.acquire()
        try:
            module = __import__(__name__ + "." + name, None, None, (name,))
            _loaded[name] = module
        finally:
            _lock.release()
    return module


def __getattr__(name):
    at = LATER.find(" " + name + " ")
    if at < 0:
        raise AttributeError(name)
    line = LATER.rfind("|", 0, at) + 1
    value = getattr(more(LATER[line : LATER.find(" ", line)]), name)
    globals()[name] = value
    return value


def number(name):
    name = " " + name + "="
    if name in _NAMES:
        return _in(_NAMES, name)
    for line in _lines():
        if name in line:
            return _in(line, name)
    raise KeyError(name[1:-1])


def _in(text, name):
    i = text.find(name) + len(name)
    return int(text[i : text.find(" ", i)])


def _lines():
    # Loaded for this one question: 4 KB are much on a board.
    import sys

    lines = __import__(__name__ + ".numbers", None, None, ("TEXT",)).TEXT
    sys.modules.pop(__name__ + ".numbers", None)
    globals().pop("numbers", None)
    return lines


class _Codes:
    """The errnos by name, each looked up once."""

    def __getattr__(self, name):
        code = number(name)
        setattr(self, name, code)
        return code


E = _Codes()


def gone(h):
    """The errno of a call on a closed handle, or on what is no socket."""
    return E.EBADF if h.domain else E.ENOTSOCK


def error(code):
    return OSError(code)


def fail(name):
    raise OSError(getattr(E, name))


def last_error(r):
    return -r


class gaierror(OSError):
    """getaddrinfo or getnameinfo failed; errno is the EAI code."""


class Handle:
    """The native socket and what lwIP does not tell of it."""

    st = _NEW
    # the error that SO_ERROR, or else the next call, reports
    err = 0
    # what was read ahead: bytes, or (bytes, addr) of a datagram
    back = None
    name = peer = opts = ipoll = poller = one = None
    proto = 0
    domain = 2  # 1 for a pair in memory, 0 for what is no socket
    # a connect that ended well, which the next connect is still to tell
    fresh = False
    # whether `name` is of a native socket before this one
    stale = False
    # whether a call may wait, and how long it waits here (ms)
    block = True
    rwait = swait = TICK

    def __init__(self, s):
        self.s = s


# How many handles there are that the firmware's poll does not tell the truth about.
odd_handles = [0]


def be(h, st):
    """h goes to another state; what is closed stays so."""
    if h.st & _GONE:
        return
    # No branch in between, where Ctrl-C might come.
    odd_handles[0] += (st & _ODD != 0) - (h.st & _ODD != 0)
    h.st = st


CLOSED = Handle(None)
CLOSED.st = _GONE


def close(h):
    be(h, _GONE)
    if h.back and h.domain == 1:
        h.s.count = 1  # it is unread, and so a reset for the other end
    h.s.close()


def setblocking(h, flag):
    h.block = flag  # the native socket never blocks


def timeouts(h, receive_ms, send_ms):
    # Most sockets have the default, which costs them nothing.
    if receive_ms != h.rwait:
        h.rwait = receive_ms
    if send_ms != h.swait:
        h.swait = send_ms


# The last address given in numbers: a program names the same one again and again.
_last = None


def address(family, addr):
    global _last
    if family != 2:
        if isinstance(addr, tuple):
            raise TypeError("AF_UNIX address must be str or bytes-like")
        fail("EOPNOTSUPP")  # there are pairs alone, without names
    if addr != _last or addr.__class__ is not tuple or addr[1].__class__ is not int:
        _last = more("numeric").resolve(family, addr)
    return _last


# MicroPython takes a frame of more than 11 words from the heap, which costs more than the rest of
# these calls. `except ... as e` is 6 of them: so the hot ones leave it to stream.py to find out.


def send(h, data, n, flags):
    if flags == 0 and h.st == 0 and n:
        n = _write(h, data)
        if n:
            return n
    return more("stream").send(h, data, len(data), flags)


def _write(h, data):
    try:
        # Not send: this says None instead of raising _EAGAIN, and so allocates nothing.
        return h.s.write(data)
    except OSError:
        return _not_written(h, data)


def _not_written(h, data):
    return more("stream").not_written(h, data)


# A reply on the same network comes within this time (us). The firmware's poll would look only once
# in 10 ms.
_SPIN = const(1500)


def pollable(h):
    """Gives h the poller that its reads ask first."""
    if not h.ipoll:
        poller = _poll()
        poller.register(h.s, _IN | _HUP)
        h.ipoll = poller.ipoll


def told(ipoll, ms):
    """Waits until the poller of one socket tells something, and gives that; 0 after ms."""
    if ms < 0:
        return 0
    begin = ticks_us()
    while ticks_diff(ticks_us(), begin) < _SPIN:
        sleep_ms(0)
        for _, events in ipoll(0):
            return events
    for _, events in ipoll(ms):
        return events
    return 0


def awaited(h):
    """Waits until h can be read, for its time; what the firmware's poll says, or 0."""
    pollable(h)
    return told(h.ipoll, h.rwait)


def _ready(h, flags):
    """What the firmware's poll says; a handle that blocks waits until it says something."""
    for _, ready in h.ipoll(0):
        return ready
    return awaited(h) if h.block and not flags else 0


def recv(h, n, flags):
    if flags == 0 and h.st == 0 and n:
        if not h.ipoll:
            pollable(h)
        flags = _ready(h, 0)
        if flags == _IN:
            flags = _receive(h, n)
            if not flags:
                be(h, h.st | _EOF)
            return flags or b""
        if not flags:
            return -_EAGAIN
        flags = _DONTWAIT
    return more("stream").reads(h, n, flags)


def _receive(h, n):
    try:
        # Never more than lwIP holds: it makes room for as many before it looks.
        return h.s.recv(n if n < _WINDOW else _WINDOW)
    except OSError:
        return _not_read(h)


def recv_into(h, buf, n, flags):
    if flags & ~_DONTWAIT == 0 and h.st == 0 and h.ipoll and n:
        # readinto asks again until the buffer is full, and forgets what it read when an error
        # comes then: so it is asked only as long as there is none.
        flags = _ready(h, flags)
        if flags == _IN:
            flags = _read(h, buf, n)
            return n if flags == n else _short(h, buf, n, flags)
        if not flags:
            return -_EAGAIN
        flags = _DONTWAIT
    return _into(h, buf, n, flags)


def _read(h, buf, n):
    try:
        return h.s.readinto(buf, n)
    except OSError:
        return _not_read(h)


def _not_read(h):
    return more("stream").not_read(h)


def _short(h, buf, n, r):
    if r is None:
        return -_EAGAIN
    if r <= 0:
        if r == 0:
            be(h, h.st | _EOF)
        return r
    # Was that all for now, or the end? The answer to one byte more tells. (An array's items are no
    # bytes.)
    if buf.__class__ is not bytearray and buf.__class__ is not memoryview:
        return r
    one = h.one
    if one is None:
        one = h.one = bytearray(1)
    more = _read(h, one, 1)
    if more == 1:
        buf[r] = one[0]
        return r + 1
    if more == 0:
        be(h, h.st | _EOF)
    elif more and more != -_EAGAIN:
        # for the next call to report
        h.err = -more
    return r


def arm(h):
    """Makes the native socket of what was accepted non-blocking.

    That takes the firmware two messages to lwIP, which wait until data is asked for.
    """
    h.s.setblocking(False)
    be(h, h.st & ~_BLOCKS)


def _into(h, buf, n, flags):
    if h.st & _BLOCKS:
        arm(h)
    if flags & ~_DONTWAIT == 0 and h.st == 0 and not h.ipoll and n and buf.__class__ is bytearray:
        pollable(h)
        return recv_into(h, buf, n, flags)
    if h.st & _DGRAM:
        r = more("dgram").recvfrom_into(h, buf, n, flags)
        return r[0] if r.__class__ is tuple else r
    r = more("stream").reads(h, n, flags)
    if r.__class__ is int:
        return r
    if not flags & _TRUNC:  # the bytes are dropped (tcp(7))
        fill(buf, r)
    return len(r)


def fill(buf, data):
    view = memoryview(buf)
    if len(view) and not isinstance(buf, (bytearray, memoryview)):
        from uctypes import addressof, bytearray_at

        view = memoryview(bytearray_at(addressof(buf), len(bytes(buf))))
    view[: len(data)] = data


def lost(h, e, writing=False):
    """A native call on a connected stream failed with e: minus its errno, as Linux has it."""
    code = e.errno
    if code == _EAGAIN:
        return -code
    return more("stream").reset(h, code, writing)


def key(h):
    return h
