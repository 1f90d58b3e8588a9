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
_dontwait = _peek = _waitall = 0
tick = 0
# The bounds of a new socket's calls.
_first = 0, 0
# The table's length, 0 until there is one.
_max = 0

# A module's global is found faster than a builtin (MicroPython: 40 ns each).
_len, _int, _bytes, _bytearray, _memoryview = len, int, bytes, bytearray, memoryview


def start():
    """The port, loaded; whoever makes an fd calls this first."""
    global p, _send, _recv, _recv_into, _timeouts, _dontwait, _peek, _waitall, tick, _max, _first
    if p is None:
        port = fdtable.start()
        _send, _recv, _recv_into = port.send, port.recv, port.recv_into
        _timeouts = getattr(port, "timeouts", None)
        _dontwait = port.number("MSG_DONTWAIT")
        _peek = port.number("MSG_PEEK")
        _waitall = port.number("MSG_WAITALL")
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


def ready(fd, sock, want, left):
    """Waits until fd is ready for `want`, or left ms have passed (-1: for ever)."""
    if want == _POLLIN:
        w = sock.rwait
    else:
        w = sock.wwait
    if w is None:
        w = p.poller()
        w.register(sock.h, want)
        if want == _POLLIN:
            sock.rwait = w
        else:
            sock.wwait = w
    begin = p.ticks_ms()
    while True:
        for _ in w.ipoll(_SLICE if left < 0 or left > _SLICE else left):
            if tab[fd] is sock:
                return True
        if tab[fd] is not sock:
            raise p.error(E.EBADF)
        if left >= 0:
            now = p.ticks_ms()
            left -= p.ticks_diff(now, begin)
            begin = now
            if left <= 0:
                return False


def again(fd, sock, err, wait, want, left, limit):
    """After a call failed with err: waits until it is worth another try, or raises.

    left: ms that remain of limit (0: no limit). Gives what remains after the wait.
    """
    if err == E.EINTR:
        return left
    if tab[fd] is not sock:
        raise p.error(E.EBADF)
    if err != E.EAGAIN or not wait:
        raise p.error(err)
    if not limit:
        ready(fd, sock, want, -1)
        return 0
    if left == limit:
        left -= spent(limit)
    begin = p.ticks_ms()
    if left <= 0 or not ready(fd, sock, want, left):
        raise p.error(E.EAGAIN)
    return max(left - p.ticks_diff(p.ticks_ms(), begin), 1)


# -- Sending


def zsock_send(fd, data, flags=0):
    """Sends bytes; returns how many were taken.

    A blocking stream takes them all unless SO_SNDTIMEO expires. flags: MSG_DONTWAIT and others.
    Raises OSError: EBADF, EAGAIN, EPIPE, ECONNRESET, ENOTCONN, EDESTADDRREQ, EMSGSIZE; TypeError
    for data that has no bytes. Source: POSIX send().
    """
    # No try, and few locals: beyond 11 words of frame MicroPython takes it from the heap.
    if 0 <= fd < _max and (
        data.__class__ is _bytes or data.__class__ is _bytearray or data.__class__ is _memoryview
    ):
        n = _len(data)
        r = _send(tab[fd].h, data, n, flags)
        if r == n:
            return r
        return _send_rest(fd, data, flags, r)
    return _send_rest(fd, data, flags, None)


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


def _send_rest(fd, data, flags, r):
    """r: what the first try gave, None before it."""
    err = p.last_error(r) if r is not None and r < 0 else 0
    sock = get(fd)
    data = as_bytes(data)
    wait = not sock.nonblock and not flags & _dontwait
    left = sock.sndtimeo
    sent = 0
    while True:
        if err:
            try:
                left = again(fd, sock, err, wait, _POLLOUT, left, sock.sndtimeo)
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

    Raises OSError: EBADF, EMSGSIZE, EAGAIN, EISCONN, EAFNOSUPPORT, ENETUNREACH. Source: POSIX sendto().
    """
    sock = get(fd)
    if data.__class__ is not _bytes:
        data = as_bytes(data)
    addr = p.address(sock.family, addr)
    r = p.sendto(sock.h, data, flags, addr)
    return r if r >= 0 else _sendto_rest(fd, data, flags, addr, r)


def _sendto_rest(fd, data, flags, addr, r):
    sock = get(fd)
    wait = not sock.nonblock and not flags & _dontwait
    left = sock.sndtimeo
    while r < 0:
        left = again(fd, sock, p.last_error(r), wait, _POLLOUT, left, sock.sndtimeo)
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
    if not flags and 0 <= fd < _max:
        if n_or_buffer.__class__ is _bytearray:
            r = _recv_into(tab[fd].h, n_or_buffer, _len(n_or_buffer), 0)
            if r > 0:
                return r
            return _recv_rest(fd, n_or_buffer, 0, r)
        if n_or_buffer.__class__ is _int and n_or_buffer > 0:
            r = _recv(tab[fd].h, n_or_buffer, 0)
            if r.__class__ is _bytes:
                return r
            return _recv_rest(fd, n_or_buffer, 0, r)
    return _recv_rest(fd, n_or_buffer, flags, None)


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


def _recv_rest(fd, n, flags, r):
    """r: what the first try gave, None before it."""
    err = p.last_error(r) if r is not None and r < 0 else 0
    sock = get(fd)
    into = not isinstance(n, int)
    size = count(n) if into else _size(n)
    if not size:
        # Of nothing the kernel is asked too: it may wait, or take a datagram.
        data = zsock_recvfrom(fd, 0, flags)[0]
        return 0 if into else data
    if r == 0:
        return r
    wait = not sock.nonblock and not flags & _dontwait
    if wait and flags & _waitall and sock.stream:
        buf = n if into else bytearray(size)
        r = _recv_all(fd, sock, buf, size, flags)
        return r if into else bytes(memoryview(buf)[:r])
    left = sock.rcvtimeo
    while True:
        if err:
            left = again(fd, sock, err, wait, _POLLIN, left, sock.rcvtimeo)
        if into:
            r = _recv_into(sock.h, n, size, flags)
            if r >= 0:
                return r
        else:
            r = _recv(sock.h, size, flags)
            if r.__class__ is bytes:
                return r
        err = p.last_error(r)


def _recv_all(fd, sock, buf, size, flags):
    """MSG_WAITALL: the whole of buf; less only at the end of the stream, an error or a timeout."""
    peek = flags & _peek
    if peek and _timeouts is None:
        raise p.error(E.EOPNOTSUPP)
    view = as_bytes(buf)
    got = 0
    left = sock.rcvtimeo
    while True:
        begin = p.ticks_ms()
        r = _recv_into(sock.h, view[got:], size - got, flags)
        if r < 0:
            try:
                left = again(fd, sock, p.last_error(r), True, _POLLIN, left, sock.rcvtimeo)
            except OSError:
                if got:
                    return got
                raise
            continue
        spent = p.ticks_diff(p.ticks_ms(), begin)
        if peek:
            # What it peeked at is all when the platform did not wait for more.
            if r >= size or spent < tick // 2 or not tick:
                return r
        else:
            got += r
            if not r or got >= size:
                return got
            # From here on nothing may wait, and so take an error, inside the port.
            flags |= _dontwait
        if sock.rcvtimeo:
            left -= spent
            if left <= 0:
                return r if peek else got
        if not peek and not _more(fd, sock, left or -1):
            return got


def _more(fd, sock, left):
    """Waits for more to read. False when time runs out, or an error is next: it is left for the
    next call to report."""
    if not ready(fd, sock, _POLLIN, left):
        return False
    for _, revents in sock.rwait.ipoll(0):
        if revents & _POLLERR:
            return False
    return True


def zsock_recvfrom(fd, n_or_buffer, flags=0):
    """Receives one datagram of at most n bytes, or into a buffer, and where it came from.

    Returns (bytes or count, addr); what does not fit is lost. addr is None on a connected stream.
    Raises as zsock_recv. Source: POSIX recvfrom().
    """
    sock = get(fd)
    into = not isinstance(n_or_buffer, int)
    got = _from(sock.h, n_or_buffer, count(n_or_buffer) if into else _size(n_or_buffer), flags)
    if got.__class__ is not tuple:
        got = _recvfrom_rest(fd, n_or_buffer, flags, got)
    if into and got[0].__class__ is bytes:
        return 0, got[1]  # nothing had to go into an empty buffer
    return got


def _from(h, n_or_buffer, size, flags):
    if size and n_or_buffer.__class__ is not _int:
        return p.recvfrom_into(h, n_or_buffer, size, flags)
    return p.recvfrom(h, size, flags)


def _recvfrom_rest(fd, n_or_buffer, flags, got):
    sock = get(fd)
    size = n_or_buffer if isinstance(n_or_buffer, int) else count(n_or_buffer)
    wait = not sock.nonblock and not flags & _dontwait
    left = sock.rcvtimeo
    while got.__class__ is not tuple:
        left = again(fd, sock, p.last_error(got), wait, _POLLIN, left, sock.rcvtimeo)
        got = _from(sock.h, n_or_buffer, size, flags)
    return got
