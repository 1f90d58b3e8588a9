# SPDX-License-Identifier: MIT
# Data in and out of a stream, as long as nothing has to wait: one Python function above the port's
# operation. Where a port does better (CPython, the ESP32), it has zsock_send and zsock_recv of its
# own, and this file is not loaded.

from .zbase import p, tab
from .zwait import MSG_DONTWAIT, recv_rest, send_rest

# A module's global is found faster than a builtin (MicroPython: 40 ns each).
_send, _recv, _recv_into = p.send, p.recv, p.recv_into
_len, _int, _bytes, _bytearray, _memoryview = len, int, bytes, bytearray, memoryview
_max = len(tab)
_dontwait = MSG_DONTWAIT


def zsock_send(fd, data, flags=0):
    """Sends bytes; returns how many were taken.

    A blocking stream takes them all unless SO_SNDTIMEO expires. flags: MSG_DONTWAIT and others.
    Raises OSError: EBADF, EAGAIN, EPIPE, ECONNRESET, ENOTCONN, EDESTADDRREQ, EMSGSIZE; TypeError
    for data that has no bytes. Source: POSIX send().
    """
    # No try, and few locals: beyond 11 words of frame MicroPython takes it from the heap.
    if 0 <= fd < _max and (flags == 0 or flags == _dontwait) and flags.__class__ is _int:
        if (
            data.__class__ is _bytes
            or data.__class__ is _bytearray
            or data.__class__ is _memoryview
        ):
            sock = tab[fd]
            r = _send(sock.h, data, _len(data), flags)
            if r == _len(data):
                return r
            return send_rest(fd, data, flags, r, sock)
    return send_rest(fd, data, flags, None, None)


def zsock_recv(fd, n_or_buffer, flags=0):
    """Receives at most n bytes, or into a buffer.

    Returns bytes, or the count read into the buffer (nothing is allocated then); b'' or 0 at the
    end of the stream, again and again. flags: MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT, MSG_TRUNC.
    Raises OSError: EBADF, EAGAIN when nothing came in time, ECONNRESET, ENOTCONN; ValueError for
    a negative n. Source: POSIX recv().
    """
    if 0 <= fd < _max and (flags == 0 or flags == _dontwait) and flags.__class__ is _int:
        sock = tab[fd]
        if n_or_buffer.__class__ is _bytearray:
            r = _recv_into(sock.h, n_or_buffer, _len(n_or_buffer), flags)
            if r > 0:
                return r
            if r < 0:
                return recv_rest(fd, n_or_buffer, flags, r, sock)
            if n_or_buffer:
                return r
            # Nothing was asked for: that may have to wait all the same.
        elif n_or_buffer.__class__ is _int and n_or_buffer > 0:
            r = _recv(sock.h, n_or_buffer, flags)
            if r.__class__ is _bytes:
                return r
            return recv_rest(fd, n_or_buffer, flags, r, sock)
    return recv_rest(fd, n_or_buffer, flags, None, None)
