# SPDX-License-Identifier: MIT
# A native socket that a program has used by itself, made a handle; and back.

from micropython import const

from . import Handle, address, listeners, load, odd_handles, set_state

# Handle.st
_NEW = const(1)
_PENDING = const(2)
_LISTEN = const(4)
_DGRAM = const(64)
_GONE = const(128)
_BLOCKS = const(256)


def wrap(s, told):
    """A handle for a native socket that does not block.

    told: an object that has of it _k (0 new, 1 listens, 2 connected, 3 connects), type, _name and
    _peer, its addresses, and _o, the options (Handle.opts).
    """
    h = Handle(s)
    h.name, h.peer = _shown(told._name), _shown(told._peer)
    h.opts = told._o
    odd_handles[0] += 1
    if told.type != 1:
        set_state(h, _DGRAM)
    elif told._k == 1:
        set_state(h, _LISTEN)
        listeners.append(h)
    elif told._k == 3:
        set_state(h, _PENDING)
    else:
        set_state(h, 0 if told._k else _NEW)
    return h


def _shown(addr):
    """An address in numbers, as the firmware took it: with a name perhaps."""
    return addr and address(2, addr)


def plain(h, told):
    """The native socket of a handle, if that tells all there is, and then h is void; else None."""
    st = h.st & ~_BLOCKS
    if st not in (0, _NEW, _LISTEN, _DGRAM) or h.err or h.back or h.rare or h.stale or h.fresh:
        return None
    if st != _DGRAM:
        told._k = 0 if st == _NEW else 1 if st else 2
    told._name, told._peer, told._o = h.name, h.peer, h.opts
    if h in listeners:
        listeners.remove(h)
    set_state(h, _GONE)
    return h.s


def failed(h, addr, code):
    """The errno of a native connect that failed with code; h has another native socket then."""
    return -load("conn").fail_connect(h, addr, code)
