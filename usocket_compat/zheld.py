# SPDX-License-Identifier: MIT
# What a Stream (zstream.py) has read ahead and given to nobody. While there is some, the entry's
# operations serve it before what the platform has: plain recv, MSG_PEEK, FIONREAD and poll.
#
# As of a TLS socket the entry's `h` is then the port's closed handle, so that the fast calls of a
# port get EBADF, and the slow ones ask the entry (zwait.again). When plain calls find nothing held
# it is the true handle again, and they are as fast as ever. The operations stay a Held's until the
# close, which so finds the handle once, whatever another thread is about.
#
# There is no lock: what is taken is made first, and then taken in one step if it still is there.

from .zbase import closed, p, table

_number = p.number
_DONTWAIT = p.number("MSG_DONTWAIT")
_PEEK = p.number("MSG_PEEK")
_RARE = ~(_DONTWAIT | _PEEK | p.number("MSG_WAITALL"))
_FIONREAD = p.number("FIONREAD")


def _nothing():
    pass


def held(fd, sock):
    """The Held of an open fd, whose entry is sock: made when there is none yet."""
    return sock.p if isinstance(sock.p, Held) else Held(fd, sock)


class Held:
    """An entry's operations, on those it had before (`inner`) and its handle (`own`)."""

    # What is held is buf[at:end]; `view` is of buf.
    at = end = 0
    # on CPython the whole lines of it, the last one first, while none but a Stream takes of it
    lines = None
    # plain calls that found nothing since the last of a Stream
    idle = 0
    # whether a poll knows the handle alone
    polled = False

    def __init__(self, fd, sock):
        self._begin(fd, sock)

    def _begin(self, fd, sock):
        self.sock, self.inner, self.own = sock, sock.p, sock.h
        plain = sock.p is p
        # What is waited for beneath, and whether poll shows what the platform's says of that.
        self.raw = sock.h if plain else sock.p.raw
        self.shows = plain or getattr(sock.p, "shows", False)
        self.last_error, self.error = sock.p.last_error, sock.p.error
        # Their places: what has been received must not fail behind it.
        self.buf = self.view = b""
        self.lines = None
        self.at, self.end, self.idle, self.polled = 0, 0, 0, False
        # The last fd closes it by the layer's close, which asks its operations.
        sock.shared = sock.shared or 1
        sock.p = self
        # A list that was polled before knows the handle alone.
        table.changes += 1
        self._divert(sock.h, fd)

    def __getattr__(self, name):
        value = getattr(self.inner, name)
        if not callable(value):
            return value
        return lambda _, *args: value(self.own, *args)

    def _divert(self, h, fd=-1):
        if not hasattr(table, "divert"):
            self.sock.h = h
            return
        if fd >= 0:
            table.divert(self.sock, h, fd)
            return
        # Those that are one of several, as this one is since it was made.
        fd = table.used.find(b"\2")
        while fd >= 0:
            table.divert(self.sock, h, fd)
            fd = table.used.find(b"\2", fd + 1)

    # -- for a Stream -----------------------------------------------------------------------

    def away(self):
        """From now on plain calls ask here, and poll if something is held."""
        if self.sock.h is self.own:
            self._divert(closed.h)
        if self.polled and self.at < self.end:
            self.polled = False
            table.changes += 1

    def gave(self, at, to):
        """Whether what is held still begins at `at`; then it begins at `to`. One step."""
        mine = self.at == at
        self.lines = None
        self.at = (self.at, to)[mine]
        return mine

    def grow(self, size):
        """Room for so many more behind what is held."""
        at, end = self.at, self.end
        buf = bytearray(max(size + end - at, (end - at) * 2))
        view = memoryview(buf)
        view[: end - at] = self.view[at:end]
        self.set(buf, view, end - at)

    def set(self, buf, view, n):
        """The first n bytes of a buffer are what is held. No branch: nobody sees a part of it."""
        self.end = 0
        self.lines = None
        self.buf = buf
        self.view = view
        self.at = 0
        self.end = n

    # A plain call.

    def _none(self):
        """Whether nothing is held; then, the third time, the fast calls are as they were."""
        if self.at < self.end:
            return False
        self.idle += 1
        if self.idle > 2 and self.sock.h is not self.own:
            self._divert(self.own)
        return True

    # -- operations -------------------------------------------------------------------------

    def recv_into(self, h, buf, n, flags):
        while not (self._none() or flags & _RARE and not _ours(flags)):
            at = self.at
            n = min(n, max(self.end - at, 0))
            if n and (not flags & _RARE or not flags & _number("MSG_TRUNC")):
                memoryview(buf)[:n] = self.view[at : at + n]
            if flags & _PEEK or self.gave(at, at + n):
                return n
        return self.inner.recv_into(self.own, buf, n, flags)

    def recv(self, h, n, flags):
        while not (self._none() or flags & _RARE and not _ours(flags)):
            at = self.at
            data = bytes(self.view[at : min(self.end, at + n)])
            if flags & _PEEK or self.gave(at, at + len(data)):
                return data
        return self.inner.recv(self.own, n, flags)

    def recvfrom(self, h, n, flags):
        if self.at < self.end and (not flags & _RARE or _ours(flags)):
            data = self.recv(h, n, flags | _DONTWAIT)
            return data if data.__class__ is int else (data, None)
        return self.inner.recvfrom(self.own, n, flags)

    def recvfrom_into(self, h, buf, n, flags):
        if self.at < self.end and (not flags & _RARE or _ours(flags)):
            r = self.recv_into(h, buf, n, flags | _DONTWAIT)
            return r if r < 0 else (r, None)
        return self.inner.recvfrom_into(self.own, buf, n, flags)

    def recvmsg(self, h, buffers, ancbufsize, flags):
        if self.at >= self.end or flags & _RARE and not _ours(flags):
            return self.inner.recvmsg(self.own, buffers, ancbufsize, flags)
        data = self.recv(h, sum([len(b) for b in buffers]), flags | _DONTWAIT)
        if data.__class__ is int:
            return data
        at = 0
        for b in buffers:
            part = data[at : at + len(b)]
            b[: len(part)] = part
            at += len(part)
        return len(data), [], 0, None

    def send(self, h, data, n, flags):
        self._none()
        return self.inner.send(self.own, data, n, flags)

    def ioctl(self, h, request):
        n = self.inner.ioctl(self.own, request)
        return n + max(self.end - self.at, 0) if request == _FIONREAD else n

    def address(self, family, addr):
        return p.address(family, addr)

    def set_option(self, level, option, value):
        return self.inner is not p and self.inner.set_option(level, option, value)

    def wait(self, h, want, ms):
        if want & 1 and self.at < self.end:
            return 1 if want == 1 else 1 | self.inner.wait(self.own, want & ~1, 0)
        return self.inner.wait(self.own, want, ms)

    def events(self, want):
        """What has to be waited for beneath."""
        return want if self.inner is p else self.inner.events(want)

    def ready(self, want):
        got = 0 if self.inner is p else self.inner.ready(want)
        return got | want & 1 if self.at < self.end else got

    def way(self, out):
        return out if self.inner is p else self.inner.way(out)

    def look(self, h, out):
        return not out and self.at < self.end or self.inner.look(self.own, out)

    def hidden(self, h, out):
        inner = getattr(self.inner, "hidden", None)
        return not out and self.at < self.end or inner and inner(self.own, out)

    @property
    def pollset(self):
        """What polls a list with it; None where the platform's poll knows all there is."""
        if self.inner is not p or not self._none():
            return __import__(__name__[:-5] + "tlspoll", None, None, ("p",)).pollset
        self.polled = True

    def close(self, h):
        own, self.own = self.own, closed.h
        self.end = 0
        self.lines = None
        self.inner.close(own)


def _ours(flags):
    """Whether what is held answers to them, and not the platform."""
    return not flags & (_number("MSG_OOB") | _number("MSG_ERRQUEUE"))
