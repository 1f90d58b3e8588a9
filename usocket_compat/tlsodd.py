# SPDX-License-Identifier: MIT
# What an open TLS socket does with a record that does not go out or come as it should. Each is
# called by its name on a Tls (tls.py), whose engine the caller has.

from sys import modules

from .zbase import p

# The file that is loaded with the first TLS socket.
tls = modules[__name__[:-3]]
_EAGAIN = p.number("EAGAIN")
_EINTR = p.number("EINTR")


def unsent(t, r):
    """Behind a put that gave r: it has failed, or a part of the record is still to go out."""
    if r is False:
        return t.lost(t.eng.put, t.owed)
    t.owed = bytes(t.owed)
    return -_EAGAIN


def owes(t, mine, data):
    """In the place of a put: a record that was begun has to go out before others."""
    owed = t.owed
    if not mine:
        return -_EAGAIN
    if t.st == 5:
        return -_EINTR  # which is EBADF, as the layer sees
    same = len(owed) <= len(data) and memoryview(data)[: len(owed)] == owed
    if not t.out:
        t.out = False  # its place
        # Without a branch, so that it never goes twice.
        t.out = tls.ask(t.eng.put, owed)
        if t.out is False:
            return t.lost(t.eng.put, owed)
        if not t.out:
            return -_EAGAIN
    t.owed = None
    t.out = False
    return len(owed) if same else -_EINTR  # again


def over(t, r):
    """Behind a get that gave r: it has failed, or this is the end."""
    if r is False:
        return t.lost(t.eng.get)
    t.eof = True
    return 0


def lost(t, call, data=None):
    """As failed, of an engine's call that has raised: MicroPython's raises the same again."""
    try:
        call(data or bytearray(1))
    except (OSError, ValueError) as e:
        return t.failed(e)
    t.st = max(t.st, 4)
    return -t.ended()


# To be asked for by name takes longer than what these two do, and a stream that is full needs
# them for every other record.
tls.Tls.unsent, tls.Tls.owes = unsent, owes
