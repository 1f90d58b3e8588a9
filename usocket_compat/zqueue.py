# SPDX-License-Identifier: MIT
# Sends that are queued: in order, as libuv's.

from sys import modules

from .zargs import as_bytes
from .zbase import fail as _fail
from .zbase import get, p, tab
from .zsendall import in_ms, wait_limited

_net = modules[__name__.rpartition(".")[0]]
_DONTWAIT = p.number("MSG_DONTWAIT")
_EAGAIN = p.number("EAGAIN")
_POLLOUT = 4


class SendQueue:
    """What is still to be sent on a stream, in order; nothing of it waits.

    fd: of a stream, blocking or not; every send on it should be this object's. `pending`: bytes
    that are not sent yet; `sent`: those that are. To know when to go on: poll for POLLOUT while
    pending is not 0, then flush(). Source: libuv's uv_write, uv_try_write, uv_shutdown,
    uv_stream_get_write_queue_size.
    """

    def __init__(self, fd):
        self.fd = fd
        self._sock = get(fd)
        if not self._sock.stream:
            _fail("EOPNOTSUPP")
        self.pending = self.sent = 0
        self._parts = []
        self._at = 0  # of the first of these
        self._ends = self._ended = False

    def write(self, data):
        """Sends what it can at once, if nothing is before it, and queues the rest.

        data: bytes-like, which must not change while it is pending. Returns `pending`.
        Raises OSError as zsock_send, and then all of data is queued but what `sent` counts; EPIPE
        after shutdown().
        """
        if self._ends:
            _fail("EPIPE")
        view = as_bytes(data)
        if len(view):
            self._parts.append(view)
            self.pending += len(view)
            if len(self._parts) == 1:
                self.flush()
        return self.pending

    def try_write(self, data):
        """Sends what it can at once and queues nothing: the count.

        Raises OSError: EAGAIN when that is none, or something is before it. Source: uv_try_write.
        """
        if self._parts:
            _fail("EAGAIN")
        if self._ends:
            _fail("EPIPE")
        n = _net.zsock_send(self.fd, data, _DONTWAIT)
        self.sent += n
        return n

    def flush(self):
        """Sends what it can at once; returns `pending`. After shutdown() the last is the end.

        Raises OSError as zsock_send; what is not sent stays queued.
        """
        if tab[self.fd] is not self._sock:
            _fail("EBADF")
        while self._parts:
            view = self._parts[0]
            if self._at:
                view = view[self._at :]
            try:
                n = _net.zsock_send(self.fd, view, _DONTWAIT)
            except OSError as e:
                if e.errno != _EAGAIN:
                    raise e
                return self.pending
            # Counted before anything can fail: none of it goes twice.
            self.pending -= n
            self.sent += n
            self._at += n
            if n == len(view):
                self._at = 0
                self._parts.pop(0)
        if self._ends and not self._ended:
            self._ended = True
            _net.zsock_shutdown(self.fd, p.number("SHUT_WR"))
        return self.pending

    def shutdown(self):
        """The end of the stream follows what is pending; at once if that is nothing.

        Raises OSError: EOPNOTSUPP where the port has no shutdown, ENOTCONN.
        """
        # At once, and not when all has gone.
        if not hasattr(p, "shutdown") or self._sock.family != 1 and "shutdown" in p.LACKS:
            _fail("EOPNOTSUPP")
        self._ends = True
        return self.flush()

    def drain(self, timeout=None):
        """Waits until all is sent; timeout: seconds, None for ever. Raises OSError: ETIMEDOUT."""
        limit = in_ms(timeout)
        begin = p.ticks_ms()
        while self.flush():
            wait_limited(self.fd, self._sock, _POLLOUT, begin, begin, None, limit)
