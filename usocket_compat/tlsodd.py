# SPDX-License-Identifier: MIT
# What an open TLS socket does with a record that does not go out or come as it should. Each is
# called by its name on a Tls (tls.py), whose engine the caller has.

from _thread import get_ident
from sys import modules

from .zbase import p

# The file that is loaded with the first TLS socket.
tls = modules[__name__[:-3]]
_EAGAIN = p.number("EAGAIN")
_EINTR = p.number("EINTR")
_EPIPE = p.number("EPIPE")


def unsent(t, r):
    """Behind a put that gave r: it has failed, or a part of the record is still to go out."""
    if r is False:
        return t.lost(t.eng.put, t.owed)
    t.owed = bytes(t.owed)
    t.owner = _who()
    t.out = False
    return -_EAGAIN


def owes(t, mine, data):
    """In the place of a put: a record that was begun has to go out before others."""
    owed = t.owed
    if not mine:
        return -_EAGAIN
    if t.st == 5:
        return -_EINTR  # which is EBADF, as the layer sees
    me = _who()
    same = _begins(data, owed)
    # What a send has begun may be asked for again in smaller pieces.
    piece = not same and _begins(owed, data) and _same(t.owner, me)
    if t.shut_out and not same and not piece and not t.gone:
        return -_EPIPE
    if not t.out:
        t.out = False  # its place
        # Without a branch, so that it never goes twice.
        t.out = tls.ask(t.eng.put, owed)
        if t.out is False:
            return t.lost(t.eng.put, owed)
        if not t.out:
            return -_EAGAIN
    if not owed:
        return _behind(t, me, data)
    if piece:
        t.owed = owed[len(data) :]
        return len(data)
    if not same and not _same(t.owner, me):
        # Of one who waits for room and asks again: then he is told.
        t.gone = (t.gone or []) + [(t.owner, owed)]
        t.owed = b""
        return -_EINTR
    _clear(t)
    return len(owed) if same else -_EINTR  # again


def _who():
    """Who sends: the thread, and the task where there is one."""
    task = None
    asyncio = modules.get("asyncio.core") or modules.get("asyncio")
    try:
        task = asyncio and getattr(asyncio, "cur_task", None) or asyncio.current_task()
    except (AttributeError, RuntimeError):
        pass  # no loop runs
    return get_ident(), task


def _same(one, other):
    # The task itself is kept, whose number another may get. None: Ctrl-C came before it was noted.
    return one is None or one[0] == other[0] and one[1] is other[1]


def _begins(data, owed):
    return len(owed) <= len(data) and memoryview(data)[: len(owed)] == owed


def _clear(t):
    """Nothing is owed: which is b"", and out, while somebody is still to be told of one."""
    if t.gone:
        t.owed = b""
    else:
        t.owed = None
        t.out = False


def _behind(t, me, data):
    """A send while another is still to be told that his record is out."""
    owed = ([owed for who, owed in t.gone if _same(who, me)] or [None])[0]
    told = owed is not None and _begins(data, owed)
    t.gone = [each for each in t.gone if not _same(each[0], me)]
    _clear(t)
    if told:
        return len(owed)
    if not t.gone:
        return -_EINTR
    if t.shut_out:
        return -_EPIPE
    t.owed = data
    t.owner = me
    t.out = False
    t.out = r = tls.ask(t.eng.put, data)  # without a branch, as above
    if not r:
        return t.unsent(r)
    t.owed = b""
    return r


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
# them for every other record. owner: whose record is owed; gone: owners and their records that
# others have brought out, of which they are still to be told.
tls.Tls.unsent, tls.Tls.owes = unsent, owes
tls.Tls.owner = tls.Tls.gone = None
