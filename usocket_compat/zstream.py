# SPDX-License-Identifier: MIT
# A stream read by lines and counts. What comes beyond what was asked for is held at the fd
# (zheld.py), where plain recv finds it too.

from sys import modules

from . import _config
from .zbase import fail, get, p, tab
from .zfail import IncompleteReadError, over, told
from .zheld import held
from .zsendall import in_ms, send_limited, wait_limited

_net = modules[__name__.rpartition(".")[0]]
_DONTWAIT = p.number("MSG_DONTWAIT")
_PEEK = p.number("MSG_PEEK")
_EAGAIN = p.number("EAGAIN")
_EBADF = p.number("EBADF")
_EINTR = p.number("EINTR")
# How much is asked for at once; of what is larger none is read ahead.
_AHEAD = (1024, 512)[_config.USOCKET_LAZY]
_MOST = 4096


class Stream:
    """A connected stream socket, read by lines and counts and written as a whole.

    fd: of a stream socket; the fd stays the program's, to poll and to close, and plain calls on
    it find what was read ahead. Any number of streams on one fd share that.
    An OSError of its calls has `partial`, the bytes that a receive had taken, or `sent`, the count
    that went: a retry with these loses and repeats nothing. Other exceptions lose nothing either,
    what had been taken is read again; but one that a signal's handler or Ctrl-C raises while the
    system hands data over may lose these, as in zsock_recv. One thread at a time reads.
    Raises OSError: EBADF; EOPNOTSUPP for what is no stream. Source: LuaSocket's TCP client.
    """

    def __init__(self, fd):
        sock = get(fd)
        if not sock.stream:
            fail("EOPNOTSUPP")
        self.fd = fd
        self._sock = sock
        self._held = held(fd, sock)
        self._held.away()
        self._get, self._into = self._held.inner.recv, self._held.inner.recv_into
        # ms; whether there is any
        self._block = self._total = None
        self._limited = False
        self._begin = p.ticks_ms()
        self._received = self._sent = 0
        self._age = self._begin

    # -- timeouts and counts ------------------------------------------------------------------

    def settimeout(self, seconds, mode="b"):
        """How long calls of this object wait; None, the default: as long as the fd's own do.

        mode "b": each wait for the network alone; "t": the whole call. Both may be set: what ends
        first ends the wait. With any of them the calls wait also where fd is non-blocking, and
        then raise ETIMEDOUT; without, they are EAGAIN where zsock_recv is.
        seconds: int or float, 0 or more; to 1 ms. Raises ValueError. Source: LuaSocket settimeout.
        """
        ms = in_ms(seconds)
        if mode == "b":
            self._block = ms
        elif mode == "t":
            self._total = ms
        else:
            raise ValueError("mode is 'b' or 't'")
        self._limited = self._block is not None or self._total is not None

    def gettimeouts(self):
        """(block, total) in seconds; None where there is none. Source: LuaSocket gettimeout."""
        block, total = self._block, self._total
        return block if block is None else block / 1000, total if total is None else total / 1000

    def getstats(self):
        """(bytes received, bytes sent, seconds of age) of this object. Source: LuaSocket."""
        return self._received, self._sent, p.ticks_diff(p.ticks_ms(), self._age) / 1000

    def setstats(self, received=None, sent=None, age=None):
        """Sets what getstats tells; None leaves it. Source: LuaSocket setstats."""
        self._received = self._received if received is None else received
        self._sent = self._sent if sent is None else sent
        if age is not None:
            self._age = p.ticks_add(p.ticks_ms(), -int(age * 1000))

    def dirty(self):
        """Whether something was read ahead: bool. Poll tells of it too. Source: LuaSocket."""
        return self._held.at < self._held.end

    # -- receiving ----------------------------------------------------------------------------

    def recv_line(self):
        """The next line, to LF, which is not in it, nor is any CR: bytes.

        Raises OSError as zsock_recv, and IncompleteReadError at the end of the stream: `partial`
        is the line as far as it had come, CRs and all. Source: LuaSocket ``receive("*l")``.
        """
        # Few locals, here and below: a frame of more than eleven words is taken from the heap.
        h = self._held
        while True:
            at = h.at
            if at >= h.end and h.buf.__class__ is bytearray:
                if not self._limited and tab[self.fd] is self._sock:
                    # Nothing is held, and there may be something: no more than a call of the port.
                    if h.sock.h is h.own:
                        h.away()
                    h.end = h.at = h.idle = at = 0
                    i = self._into  # by itself: a method takes one word more
                    i = i(h.own, h.buf, _AHEAD, 0)
                    # Before a branch, at which Ctrl-C may come in.
                    h.end = i * (i > 0)
                    if i < 0:
                        self._failed(i)
            i = h.buf.find(b"\n", at, h.end)
            if i < 0:
                self._wait(0, b"")
                continue
            line = bytes(h.view[at:i]).replace(b"\r", b"")
            i += 1
            # One step, as Held.gave; before it nothing is taken, after it nothing fails.
            mine = h.at == at
            h.at = (h.at, i)[mine]
            if mine:
                self._received += i - at
                if h.polled:
                    h.away()
                return line

    def recv_exact(self, n, prefix=b""):
        """Exactly n bytes, of which `prefix`, what a call before had, are the first: bytes.

        n: 0 or more; of a prefix as long as n it is the prefix. With n = 0 it waits until there is
        something, or the end.
        Raises OSError as zsock_recv, and IncompleteReadError at the end of the stream; `partial`
        is what had come, the prefix with it. Source: LuaSocket receive(n, prefix).
        """
        if n < 0:
            raise ValueError("n is 0 or more")
        if len(prefix) >= n:
            return bytes(prefix) if n else self._readable(prefix)
        n -= len(prefix)
        h = self._held
        if h.end <= h.at and n <= _MOST and not (prefix or self._limited):
            if tab[self.fd] is self._sock:
                # Nothing is held, and it may be there: no more than a call of the port.
                data = self._get(h.own, n, 0)
                if data.__class__ is bytes:
                    at = len(data)
                    if at == n:
                        self._received += n
                        return data
                    h.set(data, data, at)
                    h.away()
                else:
                    self._failed(data)
        while True:
            at = h.at
            if h.end - at < n:
                self._wait(n, prefix)
                continue
            data = bytes(h.view[at : at + n])
            if prefix:
                data = bytes(prefix) + data
            if h.gave(at, at + n):
                self._received += n
                if h.polled:
                    h.away()
                return data

    def recv_all(self, prefix=b""):
        """All that comes until the end of the stream, after `prefix`: bytes; then b"".

        Raises OSError as zsock_recv; `partial` is what had come. Source: LuaSocket
        ``receive("*a")``.
        """
        try:
            while True:
                self._wait(0, prefix)
        except IncompleteReadError as e:
            return e.partial

    def peek(self, n):
        """What the next receive would get, at most n bytes: it stays there."""
        self._open()
        if self._held.at < self._held.end:
            return self._held.recv(None, n, _PEEK)
        return self._recv(n, _PEEK)

    # -- sending ------------------------------------------------------------------------------

    def send_all(self, data, flags=0):
        """Sends all of data, within the timeouts; returns the count. An error has `sent`.

        Without timeouts it waits as long as it takes. Raises OSError as zsock_send; ETIMEDOUT.
        Source: zsock_send_all.
        """
        try:
            self._open()
            n = send_limited(self._sock, self.fd, data, flags, self._block, self._total)
        except OSError as e:
            if not hasattr(e, "sent"):
                raise told(e, "sent", 0)
            self._sent += e.sent
            raise e
        self._sent += n
        return n

    def flush(self):
        """Does nothing: what was sent is the system's. Source: Rust's Write::flush."""

    def close(self):
        """Closes the fd; a second time nothing happens. Source: LuaSocket close."""
        if self.fd >= 0 and tab[self.fd] is self._sock:
            try:
                _net.zsock_close(self.fd)
            except OSError as e:
                if e.errno != _EBADF:  # another thread was faster
                    raise e
        # Not at once, by -1: there another fd of the same socket may be, as the table's last.
        self._limited = True
        self.fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __repr__(self):
        names = []
        for call in (_net.zsock_getsockname, _net.zsock_getpeername):
            try:
                names.append(repr(call(self.fd)))
            except OSError:
                names.append("none")
        return "<Stream fd=%d, laddr=%s, raddr=%s>" % (self.fd, names[0], names[1])

    # -- within -------------------------------------------------------------------------------

    def _open(self):
        if self.fd < 0 or tab[self.fd] is not self._sock:
            fail("EBADF")
        if self._total is not None:
            self._begin = p.ticks_ms()

    def _failed(self, r):
        """A first try gave r. What no wait helps is told now: the system tells it once."""
        e = self._held.last_error(r)
        if e != _EAGAIN and e != _EINTR and e != _EBADF:
            raise told(self._held.error(e), "partial", b"")

    def _wait(self, want, prefix):
        h = self._held
        try:
            self._open()
            h.idle = 0
            h.away()
            while True:
                if h.end == len(h.buf) or want > len(h.buf) - h.at or h.buf.__class__ is bytes:
                    h.grow(max(want - max(h.end - h.at, 0), _AHEAD))
                at, end = h.at, h.end
                # While this waits it is of this call alone, and poll does not tell of it.
                h.end = 0
                try:
                    n = self._recv(h.view[end:])
                    if n > 0:
                        end += n
                finally:
                    h.end = end
                if not n:
                    raise over(self._rest(prefix))
                if end - at >= want:
                    return
        except OSError as e:
            raise told(e, "partial", self._rest(prefix))

    def _rest(self, prefix):
        """Takes all that is held, for an error to carry."""
        h = self._held
        at, end = h.at, h.end
        data = bytes(prefix) + bytes(h.view[at:end])
        if h.gave(at, max(at, end)):
            self._received += max(end - at, 0)
        return data

    def _recv(self, what, flags=0):
        if not self._limited:
            return p.recv_rest(self.fd, what, flags, None, None)
        first = p.ticks_ms()
        while True:
            try:
                return p.recv_rest(self.fd, what, flags | _DONTWAIT, None, None)
            except OSError as e:
                if e.errno != _EAGAIN:
                    raise e
            wait_limited(self.fd, self._sock, 1, first, self._begin, self._block, self._total)

    def _readable(self, prefix):
        """Waits for the first byte, and takes none: b""."""
        try:
            if not self.peek(1):
                raise over(b"")
        except OSError as e:
            raise told(e, "partial", b"")
        return b""


def recv_line(fd):
    """Stream(fd).recv_line()."""
    return Stream(fd).recv_line()


def recv_exact(fd, n, prefix=b""):
    """Stream(fd).recv_exact(n, prefix)."""
    return Stream(fd).recv_exact(n, prefix)


def recv_all(fd, prefix=b""):
    """Stream(fd).recv_all(prefix)."""
    return Stream(fd).recv_all(prefix)
