# SPDX-License-Identifier: MIT
# What asyncio waits for: the native socket, which its poll knows; and what that does not tell.

from micropython import const

from . import NOTHING, has_room, pollable, settle

# Handle.st
_NEW = const(1)
_PENDING = const(2)
_DEAD = const(8)
_EOF = const(16)
_HELD = const(32)
_GONE = const(128)

# As long as `wait` looks without pause (us): the firmware's poll would look only every 10 ms.
SPIN = 1500


def source(h):
    return h.s


def hidden(h, out):
    if out or not h.domain:
        return h.domain and h.st & (_NEW | _DEAD | _GONE)
    return h.st & (_NEW | _DEAD | _GONE | _EOF | _HELD)


def look(h, out):
    if h.st & _PENDING:
        settle(h)
        return not h.st & _PENDING
    if out:
        return has_room(h)
    pollable(h)
    return next(h.ipoll(0), NOTHING)[1] or hidden(h, out)
