# SPDX-License-Identifier: MIT
# Data in and out of a stream, as long as nothing has to wait.
#
# zsock_send and zsock_recv try the port at once and return. Whatever else there is to a call
# (waiting, flags, short counts, who is to blame) is in zwait.py, loaded with the first socket.

from . import _config, fdtable
from .fdtable import Sock, lock, tab

_CONNECT = _config.NET_SOCKETS_CONNECT_TIMEOUT

p = None
_send = _recv = _recv_into = timeouts = None
# How long one blocking call stays in the platform at most (ms; 0: for ever), receiving; sending.
tick = first = 0
# The table's length, 0 until there is one.
_max = 0

# A module's global is found faster than a builtin (MicroPython: 40 ns each).
_len, _int, _bytes, _bytearray, _memoryview = len, int, bytes, bytearray, memoryview


def start():
    """The port, loaded; whoever makes an fd calls this first."""
    if p is None:
        lock.acquire()
        try:
            _start()
        finally:
            lock.release()
    return p


def _start():
    global p, _send, _recv, _recv_into, timeouts, tick, first, _max, _send_rest, _recv_rest
    if p is None:
        port = fdtable.start()
        _send, _recv, _recv_into = port.send, port.recv, port.recv_into
        timeouts = getattr(port, "timeouts", None)
        tick = port.TICK if _config.USOCKET_THREADS else 0
        first = min(tick or _CONNECT, _CONNECT or tick)
        _max = len(tab)
        # Now, and not when a call has failed: loading a file would change errno.
        from .zwait import recv_rest as _recv_rest
        from .zwait import send_rest as _send_rest

        p = port


def fresh(h):
    """The table's entry for a handle that has just been made."""
    if first and timeouts:
        timeouts(h, tick, first)
    return Sock(h)


# Until the port is loaded every fd is closed, as zwait will say.
def _send_rest(*args):
    start()
    return _send_rest(*args)


def _recv_rest(*args):
    start()
    return _recv_rest(*args)


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
            flags = _len(data)  # not one local more
            r = _send(sock.h, data, flags, 0)
            if r == flags:
                return r
            return _send_rest(fd, data, 0, r, sock)
    return _send_rest(fd, data, flags, None, None)


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
