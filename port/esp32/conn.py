# SPDX-License-Identifier: MIT
# Opening, binding, listening, connecting and accepting where it goes otherwise than well.

import gc

from micropython import const

from . import accept as accept_next
from . import (
    bind_native,
    choose_port,
    gone,
    listeners,
    load,
    native,
    open_native,
    room,
    set_state,
    start_connect,
)

# Handle.st, in bits. What each says, which others may be beside it, who sets it, who clears it (in
# the file named, else in __init__.py); `close` clears all. Tests read this table.
#
# NEW      not connected, does not listen; beside: BLOCKS
#          set: Handle conn.fail_connect conn._renew wrapping.wrap; cleared: listen start_connect
# PENDING  it connects; beside: BLOCKS
#          set: start_connect wrapping.wrap; cleared: start_connect settle conn.fail_connect
# LISTEN   it listens; beside: none
#          set: listen wrapping.wrap; cleared: close
# DEAD     reset, shut or its connect failed; beside: EOF HELD BLOCKS FAILED WAITS TAKES
#          set: stream.bury conn.fail_connect conn.outcome shut.end; cleared: conn._renew
# EOF      the peer has ended, or SHUT_RD; beside: HELD DEAD BLOCKS AWAY WAITS TAKES
# set: _count conn.outcome shut.end stream.bury stream._receive_more stream.read_ahead;
#          cleared: close
# HELD     something was read ahead; beside: EOF DEAD BLOCKS DGRAM AWAY WAITS TAKES
# set: conn.outcome stream.hold dgram._peek waits._ahead; cleared: stream.consume dgram.recvfrom
# DGRAM    datagrams, no stream; beside: HELD
#          set: socket memory._handle dgram.recvfrom dgram._peek wrapping.wrap; cleared: close
# GONE     closed; beside: WAITS TAKES
#          set: close CLOSED events.eventfd wrapping.plain; cleared: never
# BLOCKS   its native socket blocks, see arm; beside: NEW PENDING DEAD EOF HELD FAILED
#          set: Handle accept conn._renew; cleared: arm listen
# FAILED   DEAD for want of a connection; beside: DEAD BLOCKS TAKES
#          set: conn.fail_connect conn.outcome; cleared: conn._renew
# AWAY     no way to the peer for the last write, see outage.py; beside: EOF HELD WAITS TAKES
#          set: outage.failed; cleared: outage.write stream.bury
# WAITS    a thread waits within lwIP, see waits.py; beside: DEAD EOF HELD AWAY TAKES GONE
#          set: waits._into waits._ahead; cleared: waits._into waits._ahead
# TAKES    a thread takes data, see stream.enter; beside: DEAD EOF HELD AWAY WAITS GONE FAILED
#          set: stream.enter;
# cleared: stream.alone stream.next_alone stream.recv stream.recv_into stream.read waits.receive
# and msg.recvmsg

# newlib's errnos
_EACCES = const(13)
_EADDRINUSE = const(112)
_EAFNOSUPPORT = const(106)
_ECONNABORTED = const(113)
_ECONNREFUSED = const(111)
_ECONNRESET = const(104)
_EINVAL = const(22)
_EISCONN = const(127)
_ENFILE = const(23)
_ENOBUFS = const(105)
_ENOMEM = const(12)
_ENOTCONN = const(128)
_EOPNOTSUPP = const(95)
_EPROTONOSUPPORT = const(123)
_ESOCKTNOSUPPORT = const(124)
_ETIMEDOUT = const(116)

# Handle.st
_NEW = const(1)
_LISTEN = const(4)
_DEAD = const(8)
_EOF = const(16)
_HELD = const(32)
_DGRAM = const(64)
_GONE = const(128)
_BLOCKS = const(256)
_FAILED = const(512)
# As much as one native recv makes room for when nobody says how much there is.
_CHUNK = const(1460)


def no_way(path, binds):
    """The errno of a pair's end that goes to a path: there are pairs alone, without names."""
    return load("sockaddr").no_way(path, binds)


def check_socket(family, type, proto):
    """An error for what lwIP has not."""
    if family != 2:
        raise OSError(_EAFNOSUPPORT)
    if not (0 <= type < 11 and 0 <= proto <= 255):
        raise OSError(_EINVAL)
    if not 0 < type < 4:
        raise OSError(_ESOCKTNOSUPPORT)
    # Of IPPROTO_RAW (255) the program gives the IP header, and lwIP would put another before it.
    if proto in (0, 255) if type == 3 else proto and proto != (0, 6, 17)[type]:
        raise OSError(_EPROTONOSUPPORT)


def socket(type, proto, e):
    """A native socket in spite of the error e, if forgotten ones are found."""
    # For want of a socket number the firmware looks for them itself.
    if e.errno != _ENOBUFS:
        raise e
    gc.collect()
    return native(2, type, proto)


def positive(code):
    """The firmware's bind and connect look the address up first: EAI_MEMORY is -203 there."""
    return code if code > 0 else _ENOMEM


def bind(h, host, port):
    """A bind that may be an error; after a failed connect it is not. The port for lwIP."""
    if h.st & _GONE:
        raise OSError(gone(h))
    if h.domain == 1:
        raise OSError(no_way(host, True))
    if h.st & _FAILED:
        _renew(h)
    if h.proto and not h.peer:
        return h.proto  # Linux: a raw socket may be bound again, until it is connected
    if h.name and not h.stale or not h.st & (_NEW | _DGRAM):
        raise OSError(_EINVAL)
    if h.st & _DGRAM:
        return port
    # With SO_REUSEADDR lwIP would let two listen there.
    for other in listeners[:]:
        if other.st & _GONE:
            listeners.remove(other)
        elif other.name[1] == port and (
            other.name[0] == host or "0.0.0.0" in (host, other.name[0])
        ):
            raise OSError(_EADDRINUSE)
    return port


def listen(h):
    """Whether a listen may go on that is not a new, bound socket's first."""
    if h.st & _GONE:
        raise OSError(gone(h))
    if h.st & _DGRAM:
        raise OSError(_EOPNOTSUPP)
    if h.st & _LISTEN:
        return False  # it listens already
    if not h.st & _NEW:
        raise OSError(_EINVAL)
    _name(h)
    return True


def _name(h):
    """Gives h a port if it has none, or its old one if that can be had."""
    if not h.name:
        choose_port(h)
    elif h.stale:
        try:
            bind_native(h, *h.name)
        except OSError:
            choose_port(h, h.name[0])


def connect(h, addr, wait):
    """A connect that is not a new stream's first."""
    st = h.st
    if st & _GONE:
        return -gone(h)
    if h.domain == 1:
        return -no_way(addr[0], False)
    if st & _DGRAM:
        if not load("dgram").may_send(h, addr[0]):
            return -_EACCES
        _name(h)
        try:
            h.s.connect(addr)
        except OSError as e:
            return -positive(e.errno)
        h.peer = addr
        return 0
    if st & _FAILED:
        # It says that the connection failed; from then on h is as new.
        code = h.err or _ECONNABORTED
        _renew(h)  # ENOBUFS if lwIP has no memory: the next connect says it then
        h.err = 0
        return -code
    if st & _NEW:
        _name(h)
        return start_connect(h, addr, wait)
    if not st & _LISTEN and h.fresh:
        h.fresh = False
        return 0
    return -_EISCONN


def fail_connect(h, addr, code):
    """A native connect that did not go on: minus the errno; h is as new."""
    if code == _ECONNRESET or code == _ECONNABORTED:
        h.err = _refusal(code)
        set_state(h, _DEAD | _FAILED)
        return connect(h, addr, False)
    h.peer = None
    set_state(h, h.st & _BLOCKS | _NEW)
    return -positive(code)


def outcome(h):
    """How a connect ended of which the firmware's poll says POLLHUP: the state that h is in."""
    h.back = None  # its place
    room(_CHUNK + 200)
    try:
        # It may have come, and been reset since: then data or the end is in front.
        h.back = h.s.recv(_CHUNK) or None
        return _HELD if h.back else _EOF
    except OSError as e:
        h.err = _refusal(e.errno)
        return _DEAD | _FAILED


def _refusal(code):
    """The errno of a failed connect, of what lwIP says."""
    if code == _ECONNRESET:
        return _ECONNREFUSED
    if code == _ECONNABORTED:
        return _ETIMEDOUT  # its SYNs were used up
    return code


def _renew(h):
    """Another native socket for a handle whose connect failed: lwIP's is spent."""
    h.s.close()
    h.s = open_native(1, 0)
    h.ipoll = h.poller = h.room = h.peer = None
    h.stale = True
    set_state(h, _NEW | _BLOCKS)
    if h.opts or h.rare:
        from .options import apply

        apply(h)


def accept(h, entry, e):
    """An accept that failed with e, and not for want of a connection; None: it does not listen."""
    if e is None:
        if h.st & _GONE:
            return -gone(h)
        return -(_EOPNOTSUPP if h.st & _DGRAM else _EINVAL)
    if e.errno == _ENOTCONN or e.errno == _ECONNABORTED:
        return accept_next(h, entry)  # its client reset it, and lwIP has forgotten it: the next
    if e.errno == _ENFILE:  # lwIP has no socket left; lost ones may be found
        gc.collect()
    return -e.errno
