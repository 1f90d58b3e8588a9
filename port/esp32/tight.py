# SPDX-License-Identifier: MIT
# A datagram for which the heap may have no room.

from micropython import const

# newlib's errnos
_ENOMEM = const(12)
_PEEK = const(1)
# As in dgram.py: no longer one comes from a network.
_WHOLE = const(1500)


def in_less(ask, h, n, peek):
    """A datagram where there is no room for n bytes; ENOMEM for one that needs more than there is.

    That one stays, but for MicroPython 1.25, which cannot look at it before.
    """
    flags = (_PEEK,)
    got = None
    while got is None:
        n = max(n - (n >> 2), _WHOLE)
        try:
            got = ask(h, n, *flags)
        except TypeError:
            flags = ()
        except MemoryError:
            if n == _WHOLE:
                raise
    if got.__class__ is int:
        return got
    if len(got[0]) == n:
        return -_ENOMEM
    if not peek and flags:
        ask(h, 1)  # that is how long it was looked at
    return got
