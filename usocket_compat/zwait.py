# SPDX-License-Identifier: MIT
# The second half of each call that may have to wait, and the waiting.
#
# A port's blocking call gives up with EAGAIN after its TICK. Waiting in slices after that is what
# lets another thread's close, or a timeout, end the call.

from . import _config, zio
from . import errno as E
from ._port import load
from .fdtable import get, tab

# How long one wait lasts (ms) before it looks whether its fd was closed by another thread.
SLICE = 50
POLLIN = 1
POLLOUT = 4

p = load()
MSG_DONTWAIT = p.number("MSG_DONTWAIT")
_waitall = p.number("MSG_WAITALL")
_oob = p.number("MSG_OOB")
_errqueue = p.number("MSG_ERRQUEUE")


def bound(sock):
    """Tells the port how long one call on sock may block in the platform (ms; 0: for ever)."""
    if zio.timeouts:
        send = _least(zio.first, sock.sndtimeo) if sock.sndtimeo else zio.first
        zio.timeouts(sock.h, _least(zio.tick, sock.rcvtimeo) if sock.rcvtimeo else zio.tick, send)


def _least(one, two):
    # 0 is no limit.
    return min(one or two, two or one)


def spent(limit):
    """How long a blocking call was in the platform before it failed with EAGAIN, in ms."""
    return _least(zio.tick, limit) if zio.timeouts else 0


class Waiter:
    """Waits for one event on one handle, by the port's poller."""

    def __init__(self, h, want):
        poller = p.poller()
        poller.register(h, want)
        self.ipoll = poller.ipoll

    def wait(self, ms):
        for _, revents in self.ipoll(ms):
            return revents
        return 0


def ready(fd, sock, want, left):
    """Waits until fd is ready for `want`, and gives its revents; 0 after left ms (-1: never)."""
    # The waiter is kept, and nobody else's while it waits: a second thread makes its own.
    name = "rwait" if want == POLLIN else "wwait"
    w = getattr(sock, name)
    setattr(sock, name, None)
    try:
        if w is None:
            w = getattr(p, "waiter", Waiter)(sock.h, want)
        return _ready(fd, sock, w, left)
    except ValueError:  # CPython's poller, of a handle that was closed just now
        raise p.error(E.EBADF)
    finally:
        setattr(sock, name, w)


def _ready(fd, sock, w, left):
    begin = p.ticks_ms()
    spent = 0
    while True:
        revents = w.wait(SLICE if left < 0 else min(left - spent, SLICE))
        if tab[fd] is not sock:
            raise p.error(E.EBADF)
        if left >= 0 and not revents:
            spent = p.ticks_diff(p.ticks_ms(), begin)
        if revents or 0 <= left <= spent:
            return revents


def again(fd, sock, err, wait, want, begin, limit):
    """After a call failed with err: waits until it is worth another try, or raises.

    begin: when the call began, None after the first try; limit: ms that it may take, 0 for ever.
    Gives `begin` for the next time.
    """
    if tab[fd] is not sock:
        raise p.error(E.EBADF)
    if err != E.EINTR and (err != E.EAGAIN or not wait):
        raise p.error(err)
    if begin is None:
        begin = p.ticks_ms()
        if err == E.EAGAIN:
            begin = p.ticks_add(begin, -spent(limit))
    left = -1
    if limit:
        left = limit - p.ticks_diff(p.ticks_ms(), begin)
        if left <= 0:
            raise p.error(E.EAGAIN)
    if err == E.EAGAIN and not ready(fd, sock, want, left):
        raise p.error(E.EAGAIN)
    return begin


def op(name):
    """The port's operation of that name; EOPNOTSUPP where it has none."""
    f = getattr(p, name, None)
    if f is None:
        raise p.error(E.EOPNOTSUPP)
    return f


def an_int(*args):
    # A port may take None, or the address of a str, for a number.
    for arg in args:
        if not isinstance(arg, int):
            raise TypeError("an int is required, not " + type(arg).__name__)
        if not -0x80000000 <= arg <= 0x7FFFFFFF:
            raise OverflowError("the int does not fit 32 bits")


def as_bytes(data):
    """A memoryview of single bytes over data."""
    if isinstance(data, str):
        raise TypeError("a bytes-like object is required, not 'str'")
    view = memoryview(data)
    if hasattr(view, "cast"):
        return view.cast("B")
    if isinstance(data, (bytes, bytearray, memoryview)):
        return view
    return memoryview(bytes(data))


def count(buf):
    """How many bytes fit into a buffer; TypeError unless it is one that can be written."""
    c = buf.__class__
    if c is bytearray:
        return len(buf)
    p.writable(buf)
    if c is not memoryview:
        view = memoryview(buf)
        return getattr(view, "nbytes", None) or len(bytes(buf))
    return getattr(buf, "nbytes", None) or len(buf)


def size_of(n):
    if n < 0:
        raise ValueError("negative buffersize in recv")
    return n


def send_rest(fd, data, flags, r, sock):
    """r: what the first try gave on sock; None before it."""
    err = p.last_error(r) if sock and r < 0 else 0
    sock = sock or get(fd)
    if flags != 0:
        an_int(flags)
    data = as_bytes(data)
    wait = not sock.nonblock and not flags & MSG_DONTWAIT
    begin = None
    sent = 0
    while True:
        if err:
            try:
                begin = again(fd, sock, err, wait, POLLOUT, begin, sock.sndtimeo)
            except OSError:
                if sent:
                    return sent
                raise
        elif r is not None:
            sent += r
            if sent >= len(data) or not wait or not sock.stream:
                return sent
        part = data[sent:] if sent else data
        r = p.send(sock.h, part, len(part), flags)
        err = p.last_error(r) if r < 0 else 0


def recv_rest(fd, n, flags, r, sock):
    """r: what the first try gave on sock; None before it."""
    err = p.last_error(r) if sock else 0
    sock = sock or get(fd)
    if flags != 0:
        an_int(flags)
    into = not isinstance(n, int)
    size = count(n) if into else size_of(n)
    wait = waits(sock, flags)
    if wait and flags & _waitall and sock.stream:
        buf = n if into else bytearray(size)
        from .zall import recv_all

        r = recv_all(fd, sock, buf, size, flags)
        return r if into else bytes(memoryview(buf)[:r])
    begin = None
    while True:
        if err:
            begin = again(fd, sock, err, wait, POLLIN, begin, sock.rcvtimeo)
        if into:
            r = p.recv_into(sock.h, n, size, flags)
            if r >= 0:
                return r
        else:
            r = p.recv(sock.h, size, flags)
            if r.__class__ is bytes:
                return r
        err = p.last_error(r)


def waits(sock, flags):
    # A receive of urgent data, or from the error queue, never waits.
    never = MSG_DONTWAIT | _errqueue | (_oob if sock.stream else 0)
    return not sock.nonblock and not flags & never


def accept_rest(fd, sock, got):
    begin = None
    while got.__class__ is not tuple:
        err = p.last_error(got)
        begin = again(fd, sock, err, not sock.nonblock, POLLIN, begin, sock.rcvtimeo)
        got = p.accept(sock.h)
    return got


def inherit(entry, sock):
    entry.family = sock.family
    entry.stream = sock.stream
    if sock.family == p.number("AF_UNIX"):
        # There the kernel lets nothing be inherited.
        try:
            bound(entry)
        except BaseException:
            p.close(entry.h)
            raise
    else:
        entry.rcvtimeo, entry.sndtimeo = sock.rcvtimeo, sock.sndtimeo


def connect_rest(fd, sock, addr, err):
    if sock.nonblock:
        raise p.error(err)
    limit, late = _config.NET_SOCKETS_CONNECT_TIMEOUT, E.ETIMEDOUT
    if sock.sndtimeo and not 0 < limit < sock.sndtimeo:
        limit, late = sock.sndtimeo, E.EINPROGRESS
    # The first try has spent its time in the platform, unless it was interrupted.
    left = limit - spent(limit) if limit and err != E.EINTR else limit
    pending = False
    while err and not (pending and err == E.EISCONN):
        if tab[fd] is not sock:
            raise p.error(E.EBADF)
        begin = p.ticks_ms()
        if err == E.EAGAIN and (left > 0 or not limit):
            # The queue of an AF_UNIX listener is full; nothing tells when it is not.
            p.sleep_ms(10)
        elif err == E.EINPROGRESS or err == E.EALREADY or err == E.EINTR:
            pending = True
            if not ready(fd, sock, POLLOUT, max(left, 0) if limit else -1):
                raise p.error(late)
        else:
            raise p.error(err)
        err = p.connect(sock.h, addr)
        if err:
            err = p.last_error(err)
        left -= p.ticks_diff(p.ticks_ms(), begin)
