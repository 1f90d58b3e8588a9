# SPDX-License-Identifier: MIT
# Data in and out, and waiting.
#
# zsock_send and zsock_recv try the port at once and return. Whatever else there is to a call
# (waiting, flags, short counts, who is to blame) comes after the try failed.
# A port's blocking call gives up with EAGAIN after the port's TICK; waiting in slices after that
# is what lets another thread's close, or a timeout, end the call.

from . import _config, fdtable
from . import errno as E
from .fdtable import Sock, get, tab

# How long one wait lasts (ms) before it looks whether its fd was closed by another thread.
_SLICE = 50
_POLLIN = 1
_POLLOUT = 4
_POLLERR = 8
_CONNECT = _config.NET_SOCKETS_CONNECT_TIMEOUT

p = None
_send = _recv = _recv_into = _timeouts = None
_dontwait = _peek = _waitall = _oob = _errqueue = 0
tick = 0
# The bounds of a new socket's calls.
_first = 0, 0
# The table's length, 0 until there is one.
_max = 0

# A module's global is found faster than a builtin (MicroPython: 40 ns each).
_len, _int, _bytes, _bytearray, _memoryview = len, int, bytes, bytearray, memoryview


def start():
    """The port, loaded; whoever makes an fd calls this first."""
    global p, _send, _recv, _recv_into, _timeouts, tick, _first, _max
    global _dontwait, _peek, _waitall, _oob, _errqueue
    if p is None:
        port = fdtable.start()
        _send, _recv, _recv_into = port.send, port.recv, port.recv_into
        _timeouts = getattr(port, "timeouts", None)
        _dontwait = port.number("MSG_DONTWAIT")
        _peek = port.number("MSG_PEEK")
        _waitall = port.number("MSG_WAITALL")
        _oob = port.number("MSG_OOB")
        _errqueue = port.number("MSG_ERRQUEUE")
        tick = port.TICK if _config.USOCKET_THREADS else 0
        _max = len(tab)
        _first = tick, _least(tick, _CONNECT) if _CONNECT else tick
        p = port
    return p


def fresh(h):
    """The table's entry for a handle that has just been made."""
    if _timeouts and _first[1]:
        _timeouts(h, _first[0], _first[1])
    return Sock(h)


def bound(sock):
    """Tells the port how long one call on sock may block in the platform (ms; 0: for ever)."""
    if _timeouts:
        send = _least(_first[1], sock.sndtimeo) if sock.sndtimeo else _first[1]
        _timeouts(sock.h, _least(tick, sock.rcvtimeo) if sock.rcvtimeo else tick, send)


def _least(one, two):
    # 0 is no limit.
    return min(one or two, two or one)


def spent(limit):
    """How long a blocking call was in the platform before it failed with EAGAIN, in ms."""
    return _least(tick, limit) if _timeouts else 0


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


def _waiter(sock, want):
    w = sock.rwait if want == _POLLIN else sock.wwait
    if w is None:
        w = getattr(p, "waiter", Waiter)(sock.h, want)
        if want == _POLLIN:
            sock.rwait = w
        else:
            sock.wwait = w
    return w


def ready(fd, sock, want, left):
    """Waits until fd is ready for `want`, and gives its revents; 0 after left ms (-1: never)."""
    try:
        w = _waiter(sock, want)
    except ValueError:  # CPython's poller, of a handle that was closed just now
        raise p.error(E.EBADF)
    begin = p.ticks_ms()
    spent = 0
    while True:
        revents = w.wait(_SLICE if left < 0 else min(left - spent, _SLICE))
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


# -- Sending


def zsock_send(fd, data, flags=0):
    """Sends bytes; returns how many were taken.

    A blocking stream takes them all unless SO_SNDTIMEO expires. flags: MSG_DONTWAIT and others.
    Raises OSError: EBADF, EAGAIN, EPIPE, ECONNRESET, ENOTCONN, EDESTADDRREQ, EMSGSIZE; TypeError
    for data that has no bytes. Source: POSIX send().
    """
    # No try, and few locals: beyond 11 words of frame MicroPython takes it from the heap.
    if flags == 0 and 0 <= fd < _max:
        if (
            data.__class__ is _bytes
            or data.__class__ is _bytearray
            or data.__class__ is _memoryview
        ):
            sock = tab[fd]
            r = _send(sock.h, data, _len(data), 0)
            if r == _len(data):
                return r
            return _send_rest(fd, data, flags, r, sock)
    return _send_rest(fd, data, flags, None, None)


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


def _send_rest(fd, data, flags, r, sock):
    """r: what the first try gave on sock; None before it."""
    err = p.last_error(r) if sock and r < 0 else 0
    sock = sock or get(fd)
    if flags != 0:
        an_int(flags)
    data = as_bytes(data)
    wait = not sock.nonblock and not flags & _dontwait
    begin = None
    sent = 0
    while True:
        if err:
            try:
                begin = again(fd, sock, err, wait, _POLLOUT, begin, sock.sndtimeo)
            except OSError:
                if sent:
                    return sent
                raise
        elif r is not None:
            sent += r
            if sent >= len(data) or not wait or not sock.stream:
                return sent
        part = data[sent:] if sent else data
        r = _send(sock.h, part, len(part), flags)
        err = p.last_error(r) if r < 0 else 0


def zsock_sendto(fd, data, flags, addr):
    """Sends one datagram to addr; returns its length.

    Raises OSError: EBADF, EMSGSIZE, EAGAIN, EISCONN, EAFNOSUPPORT, ENETUNREACH.
    Source: POSIX sendto().
    """
    sock = get(fd)
    an_int(flags)
    if data.__class__ is not _bytes:
        data = as_bytes(data)
    addr = p.address(sock.family, addr)
    r = p.sendto(sock.h, data, flags, addr)
    return r if r >= 0 else _sendto_rest(fd, sock, data, flags, addr, r)


def _sendto_rest(fd, sock, data, flags, addr, r):
    wait = not sock.nonblock and not flags & _dontwait
    begin = None
    while r < 0:
        begin = again(fd, sock, p.last_error(r), wait, _POLLOUT, begin, sock.sndtimeo)
        r = p.sendto(sock.h, data, flags, addr)
    return r


# -- Receiving


def zsock_recv(fd, n_or_buffer, flags=0):
    """Receives at most n bytes, or into a buffer.

    Returns bytes, or the count read into the buffer (nothing is allocated then); b'' or 0 at the
    end of the stream, again and again. flags: MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_TRUNC.
    Raises OSError: EBADF, EAGAIN when nothing came in time, ECONNRESET, ENOTCONN; ValueError for
    a negative n. Source: POSIX recv().
    """
    if flags == 0 and 0 <= fd < _max:
        sock = tab[fd]
        if n_or_buffer.__class__ is _bytearray:
            r = _recv_into(sock.h, n_or_buffer, _len(n_or_buffer), 0)
            if r >= 0:
                return r
            return _recv_rest(fd, n_or_buffer, 0, r, sock)
        if n_or_buffer.__class__ is _int and n_or_buffer >= 0:
            r = _recv(sock.h, n_or_buffer, 0)
            if r.__class__ is _bytes:
                return r
            return _recv_rest(fd, n_or_buffer, 0, r, sock)
    return _recv_rest(fd, n_or_buffer, flags, None, None)


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


def _size(n):
    if n < 0:
        raise ValueError("negative buffersize in recv")
    return n


def _recv_rest(fd, n, flags, r, sock):
    """r: what the first try gave on sock; None before it."""
    err = p.last_error(r) if sock else 0
    sock = sock or get(fd)
    if flags != 0:
        an_int(flags)
    into = not isinstance(n, int)
    size = count(n) if into else _size(n)
    wait = waits(sock, flags)
    if wait and flags & _waitall and sock.stream:
        buf = n if into else bytearray(size)
        r = _recv_all(fd, sock, buf, size, flags)
        return r if into else bytes(memoryview(buf)[:r])
    begin = None
    while True:
        if err:
            begin = again(fd, sock, err, wait, _POLLIN, begin, sock.rcvtimeo)
        if into:
            r = _recv_into(sock.h, n, size, flags)
            if r >= 0:
                return r
        else:
            r = _recv(sock.h, size, flags)
            if r.__class__ is bytes:
                return r
        err = p.last_error(r)


def waits(sock, flags):
    # A receive of urgent data, or from the error queue, never waits.
    never = _dontwait | _errqueue | (_oob if sock.stream else 0)
    return not sock.nonblock and not flags & never


def _recv_all(fd, sock, buf, size, flags):
    """MSG_WAITALL: the whole of buf; less only at the end of the stream, an error or a timeout."""
    peek = flags & _peek
    if peek and not _timeouts:
        raise p.error(E.EOPNOTSUPP)
    view = as_bytes(buf)
    got = 0
    begin = None
    first = p.ticks_ms()
    while True:
        tried = p.ticks_ms()
        r = _recv_into(sock.h, view[got:], size - got, flags)
        if r < 0:
            try:
                begin = again(fd, sock, p.last_error(r), True, _POLLIN, begin, sock.rcvtimeo)
            except OSError:
                if got:
                    return got
                raise
            continue
        now = p.ticks_ms()
        left = sock.rcvtimeo - p.ticks_diff(now, first) if sock.rcvtimeo else -1
        if peek:
            # What it peeked at is all when the platform did not wait for more.
            if r >= size or not tick or p.ticks_diff(now, tried) < tick // 2:
                return r
        else:
            got += r
            if not r or got >= size:
                return got
            # From here on nothing may wait, and so take an error, inside the port.
            flags |= _dontwait
        if sock.rcvtimeo and left <= 0:
            return r if peek else got
        if not peek:
            # When time runs out, or an error is next, that is for the next call to report.
            revents = ready(fd, sock, _POLLIN, left)
            if not revents or revents & _POLLERR:
                return got


def zsock_recvfrom(fd, n_or_buffer, flags=0):
    """Receives one datagram of at most n bytes, or into a buffer, and where it came from.

    Returns (bytes or count, addr); what does not fit is lost. addr is None on a connected stream.
    Raises as zsock_recv. Source: POSIX recvfrom().
    """
    sock = get(fd)
    an_int(flags)
    size = _size(n_or_buffer) if isinstance(n_or_buffer, int) else count(n_or_buffer)
    got = _from(sock.h, n_or_buffer, size, flags)
    return got if got.__class__ is tuple else _recvfrom_rest(fd, sock, n_or_buffer, flags, got)


def _from(h, n_or_buffer, size, flags):
    if n_or_buffer.__class__ is _int:
        return p.recvfrom(h, size, flags)
    return p.recvfrom_into(h, n_or_buffer, size, flags)


def _recvfrom_rest(fd, sock, n_or_buffer, flags, got):
    size = n_or_buffer if isinstance(n_or_buffer, int) else count(n_or_buffer)
    wait = waits(sock, flags)
    begin = None
    while got.__class__ is not tuple:
        begin = again(fd, sock, p.last_error(got), wait, _POLLIN, begin, sock.rcvtimeo)
        got = _from(sock.h, n_or_buffer, size, flags)
    return got
