# SPDX-License-Identifier: MIT
# Who has the engine of a TLS socket on CPython, how it is connected and closed, and the calls of
# one that is open in one step: in the place of what tls.py has for all platforms.
#
# Signals' handlers raise between any two calls here, also between taking a lock and the `try`
# behind it, and nobody would ever release that one. So who wants the engine puts something of its
# own into a list, and whoever is first in it has the engine. That is known by the frame in which
# it was put there: should this one have ended without taking it out, the next who waits does.

import gc
import select
import socket
import ssl
import struct
import sys
from sys import modules

from .zbase import p

# The file that is loaded with the first TLS socket.
tls = modules[__name__[: -len("hostown")]]
_number = p.number
_EAGAIN = _number("EAGAIN")
_EALREADY = _number("EALREADY")
_EBADF = _number("EBADF")
_FAILURES = OSError, ValueError
_OUT = 4
# How long one wait lasts, and how long close waits for room for close_notify (ms).
SLICE = 50
LINGER = 5000
# After so many tries, of 1 ms, it looks whether who is first is still there.
_PATIENCE = 5
# The most that one recv makes room for; the most of one send.
MOST = 1 << 16
_IN = 1
# The last where a signal's handler has raised at the end of a connect that waited in OpenSSL.
WAITS = ssl.SSLWantReadError, ssl.SSLWantWriteError, socket.timeout
# A module's global is found faster than a builtin.
_object = object
# who looks for a frame
_looking = []


class _Mine:
    __slots__ = ("frame",)

    def __init__(self, frame):
        self.frame = frame


def enter(t):
    """Takes the engine for the calling function; False in what has interrupted who has it."""
    owners = t._owners
    mine = _Mine(sys._getframe(1))
    owners.append(mine)
    last, tries = mine, 0
    try:
        while True:
            first = owners[0]
            if first is mine:
                return True
            if first is not last:
                last, tries = first, 0
                if _has(mine.frame.f_back, first):
                    break
            tries += 1
            if tries % _PATIENCE == 0 and _left_behind(first):
                _out(owners, first)
                continue
            p.sleep_ms(1)
    except BaseException:
        _out(owners, mine)
        raise
    _out(owners, mine)
    return False


def _left_behind(whose):
    """Whether no thread is in the function that has put it there.

    With the collector off, and one at a time: its finalizers let other threads run, and two of
    them in sys._current_frames wait for each other for good (CPython's gh-106883); the frames of
    another thread could end while they are looked at.
    """
    if _looking:
        return False
    collects = gc.isenabled()
    try:
        _looking.append(whose)
        gc.disable()
        return not any([_has(frame, whose) for frame in sys._current_frames().values()])
    finally:
        if collects:
            gc.enable()
        _looking.clear()


def _has(frame, whose):
    """Whether one of these frames, outwards, has put it there."""
    own = getattr(whose, "frame", None)
    while frame is not None:
        if frame is own or frame.f_code in _HOLDERS and frame.f_locals.get("mine") is whose:
            return True
        frame = frame.f_back
    return False


def _out(owners, whose):
    try:
        owners.remove(whose)
    except ValueError:
        pass  # it has been taken out


def leave(t, mine=True):
    """mine: what enter() gave."""
    if not mine:
        return
    owners = t._owners
    if t.st == 5:
        free(t)
    _out(owners, owners[0])


def connect(t, h, addr, wait):
    """As that of tlshake.py; a socket that blocks waits here as long as its peer is quick.

    In OpenSSL's handshake, for a slice at a time, in which nobody else gets the engine.
    """
    wait = t.patient = not (t.sock.nonblock or t.sock.sndtimeo)
    try:
        r = tls.load("tlshake").begin(t, addr, wait)
        while wait and t.st == 2 and p.wait(t.raw, t.want, SLICE):
            r = t.shake()
            if r != -_EAGAIN:
                return r
            r = -_EALREADY
        return r
    finally:
        t.patient = False
        eng = t.eng
        if wait and eng and eng.own.fileno() >= 0:  # nobody has closed it
            eng.own.setblocking(False)


def nonblocking(eng, e):
    """A connection is open, and waits in OpenSSL: connect had no time to end that."""
    if isinstance(e, socket.timeout):
        eng.own.settimeout(0)


class Leaving:
    """In the place of tls.py's leave: by what enter() gave."""

    def __getitem__(self, mine):
        return lambda t: leave(t, mine)


def ask(call, data):
    """As that of tls.py; but what OpenSSL has raised it need not raise again."""
    try:
        return call(data)
    except _FAILURES as e:
        call.__self__.raised = e
        return False


def lost(t, call, data=None):
    return t.failed(call.__self__.raised)


def free(t):
    """Of one that was closed; who does it has the engine."""
    eng, t.eng = t.eng, None
    if eng:
        eng.free()


def close(t, h):
    """As that of tls.py; but a socket that blocks waits for room for close_notify.

    As long as a send may, at most 5 s, or as SO_LINGER says; what does not block never waits.
    """
    until = None
    try:
        while t.st == 3 and not t.told and t.enter():
            try:
                # No thread begins another record.
                t.shut_out = True
                if t.st != 3 or t.eng.end(t) or t.sock.nonblock or _over(t, until):
                    t.st = 5
            except _FAILURES:
                t.st = 5
            finally:
                leave(t)
            if t.st == 3:
                until = until or p.ticks_add(p.ticks_ms(), _patience(t))
                p.wait(t.raw, _OUT, SLICE)
    finally:
        t.st, t.code, t.why = 5, _EBADF, None
        try:
            if t.eng and t.enter():
                leave(t)
        finally:
            p.close(t.raw)


def _over(t, until):
    return until and p.ticks_diff(until, p.ticks_ms()) <= 0


def _patience(t):
    try:
        level, option = _number("SOL_SOCKET"), _number("SO_LINGER")
        on, seconds = struct.unpack("ii", p.getsockopt(t.raw, level, option, 8))
        if on:
            return seconds * 1000
    except (AttributeError, OSError, struct.error):
        pass
    return min(t.sock.sndtimeo or LINGER, LINGER)


# -- the open connection ------------------------------------------------------------------


class Handle:
    """What CPython's port calls when all goes well (port/unix/cpython.py): a socket's methods.

    Of an open connection without flags they are Tls.send and the like in one function; whatever
    else there is, those look at. Of a socket that blocks, without a timeout, they wait for a slice
    themselves, without the engine: the layer's way there costs as much as a record.
    """

    # whether the last receive had to wait: then the next asks for readiness first
    _late = False

    def __init__(self, t):
        t._owners = self._owners = []
        self._t = t
        # what its class has is found slower
        t.shut_in = t.shut_out = False
        t.sock.shared = 0  # CPython's port has no close of its own
        # want: a poll object; who uses one takes it out
        self._polls = {}

    def _wait(self, want):
        native = self._polls.pop(want, None)
        if native is None:
            native = select.poll()
            native.register(p.fileno(self._t.raw), want)
        native.poll(SLICE)
        self._polls[want] = native

    def send(self, data, flags=0):
        t, owners = self._t, self._owners
        r = None
        if flags == 0:
            mine = _object()
            owners.append(mine)
            try:
                if (
                    owners[0] is mine
                    and t.st == 3
                    and t.owed is None
                    and not t.shut_out
                    and 0 < len(data) <= MOST
                ):
                    return t.eng.write(data)
            except WAITS:
                t.owed = bytes(data)
                r = t.unsent(None)
            except _FAILURES as e:
                r = t.failed(e)
            except BaseException:
                t.eng.doubted(t, data)
                raise
            finally:
                if t.st == 5 and owners[0] is mine:
                    free(t)
                owners.remove(mine)
            if r == -_EAGAIN and not (t.sock.nonblock or t.sock.sndtimeo):
                self._wait(_OUT)
                r = None
        if r is None:
            r = t.send(None, data, len(data), flags)
        if r < 0:
            raise t.error(-r)
        return r

    def recv(self, n, flags=0):
        r = self._get(n) if flags == 0 and 0 < n <= MOST else None
        if r is None:
            r = self._t.recv(None, n, flags)
            if r.__class__ is int:
                raise self._t.error(-r)
        return r

    def recv_into(self, buf, n=0, flags=0):
        r = self._get(min(len(buf), MOST), buf) if flags == 0 and buf else None
        if r is None:
            r = self._t.recv_into(None, buf, len(buf), flags)
            if r < 0:
                raise self._t.error(-r)
        return r

    def _waits(self):
        sock = self._t.sock
        return not (sock.nonblock or sock.rcvtimeo)

    def _get(self, *args):
        """What the engine reads; None where it is not that simple."""
        t, owners = self._t, self._owners
        if self._late:
            # the next asks at once again
            self._late = False
            eng = t.eng
            if eng and self._waits() and not (t.st != 3 or t.back or t.eof or eng.held()):
                self._wait(_IN)
        again = False
        while True:
            mine = _object()
            owners.append(mine)
            try:
                if owners[0] is not mine or t.st != 3 or t.back or t.eof or t.shut_in:
                    return None
                eng = t.eng
                r = eng.read(*args)
                if r:
                    if eng.cache:
                        eng.keep()
                    return r
                # close_notify
                t.eof = True
                return r
            except WAITS as e:
                nonblocking(eng, e)
                r = -_EAGAIN
            except ssl.SSLZeroReturnError:
                return None
            except _FAILURES as e:
                r = t.failed(e)
            finally:
                if t.st == 5 and owners[0] is mine:
                    free(t)
                owners.remove(mine)
            if r != -_EAGAIN or again or not self._waits():
                raise t.error(-r)
            again = self._late = True
            self._wait(_IN)


# They put something into the list themselves, which they name `mine`.
_HOLDERS = Handle.send.__code__, Handle._get.__code__

if not hasattr(p.CLOSED, "recv_into"):  # another port, whose handles are no sockets

    def Handle(t):  # type: ignore[no-redef]
        t._owners = []
        return p.CLOSED
