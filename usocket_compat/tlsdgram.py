# SPDX-License-Identifier: MIT
# DTLS sockets, where MicroPython's tls has that: a Tls (tls.py) whose connection beneath is a
# datagram socket. A client is connected by tlshake.py as others are; a server has one session at a
# time, of which recv makes the handshake. Only who opens one loads this.
#
# mbedTLS sends a flight of its handshake again when it is asked after its time: so whoever waits
# for one asks, every 50 ms at least. What of a datagram finds no memory, or comes when Ctrl-C is
# pressed, is lost, as datagrams may be.

from ._config import USOCKET_LAZY
from .tls import Tls, leave, load
from .zbase import fail, p

_number = p.number
_EAGAIN = p.number("EAGAIN")
_EINTR = p.number("EINTR")
AGAIN = _EAGAIN, _EINTR
_ENOTCONN = p.number("ENOTCONN")
_DONTWAIT = p.number("MSG_DONTWAIT")
_PEEK = p.number("MSG_PEEK")
_KNOWN = _DONTWAIT | _PEEK | p.number("MSG_WAITALL")
FAILURES = OSError, ValueError
# The largest that mbedTLS's buffer takes, both on a board and in MicroPython's unix port.
_MOST = 4096
# mbedTLS's error of close_notify: the peer's, not one of ours
_CLOSED = -0x7880
# lwIP reassembles nothing: none of more than 1500 bytes comes from a network. Asked for one more,
# the port makes do with less room; a heap that keeps everything loaded has room for all.
WHOLE = (17000, 1501)[USOCKET_LAZY]
# How long a server's peer may be silent before another takes its place (ms): Zephyr's
# CONFIG_NET_SOCKETS_DTLS_TIMEOUT.
_SILENT = 5000
# Datagrams that one call looks at, should they be worth nothing.
BURST = 16


def hello(data):
    """Whether it looks like the first message of a handshake, in plain."""
    return len(data) > 25 and data[0] == 22 and not data[3] and not data[4] and data[13] == 1


class Dtls(Tls):
    """st is 2 too while a server has no session, when eng is None until somebody calls."""

    # a datagram that was decrypted; an error that poll has found
    got = None
    sick = 0
    peer = hello = made = None

    def __getattr__(self, name):
        if " serve sendmsg recvmsg ioctl source ".find(" " + name + " ") < 0:
            return Tls.__getattr__(self, name)
        call = getattr(load("tlsdmore"), name)
        return lambda *args: call(self, *args)

    def address(self, family, addr):
        return p.address(family, addr)

    def connect(self, h, addr, wait):
        if self.server:
            return -_number("EOPNOTSUPP")
        return load("tlshake").connect(self, h, addr, wait)

    # -- data -----------------------------------------------------------------------------

    def send(self, h, data, n, flags):
        if flags & ~(_DONTWAIT | _number("MSG_NOSIGNAL") | _number("MSG_MORE")):
            return -_number("EOPNOTSUPP")
        if n > _MOST:
            return -_number("EMSGSIZE")
        if self.st != 3:
            # A server is connected by its peer alone.
            r = -_ENOTCONN if self.server else self.state(_number("EDESTADDRREQ"))
            if r:
                return r
        if not n:
            return -_number("EOPNOTSUPP")  # tls sends none
        mine = self.enter()
        try:
            if not mine:
                return -_EAGAIN
            eng = self.eng
            if self.st != 3:
                return -_EINTR
            self.fresh = False
            eng.err = 0
            n = eng.put(data)
            return -eng.err or (-_EAGAIN if n is None else n)
        except FAILURES as e:
            return self.lost(e)
        finally:
            leave[mine](self)

    def sendto(self, h, data, flags, addr):
        if not self.st and not self.server:
            # As in Zephyr, the first one connects.
            r = self.connect(h, addr, False)
            if r:
                return -_EAGAIN if r == -_number("EINPROGRESS") else r
        if self.st == 3 and addr != self.addr:
            return -_number("ENOTCONN" if self.server else "EISCONN")
        return self.send(h, data, len(data), flags)

    def take(self, buf):
        """The next datagram, into buf: how many bytes; or, without one, as `got`: 0."""
        if self.sick:
            r, self.sick = self.sick, 0
            return r
        if self.st != 3:
            r = self.serve() if self.server else self.state(_ENOTCONN)
            if r or self.got is not None:
                # With the end of the handshake the first may have come.
                return r or -_EINTR * (buf is not None)
        mine = self.enter()
        try:
            if not mine:
                return -_EAGAIN
            if self.st != 3 or self.got is not None:
                return -_EINTR
            eng = self.eng
            eng.err = 0
            r = eng.whole(512) if buf is None else eng.get(buf)
            if r is None:
                if eng.next:
                    self.renew()
                    return -_EINTR
                return -(eng.err or _EAGAIN)
            if r == -1:
                if self.server:
                    self.renew()
                    return -_EAGAIN
                self.code, self.why = _ENOTCONN, "the peer has closed the session"
                self.st = 4
                return -_ENOTCONN
            if buf is None:
                self.got = r
                return 0
            return r
        except FAILURES as e:
            return self.lost(e)
        finally:
            leave[mine](self)

    def recv(self, h, n, flags):
        if flags & ~_KNOWN and flags & ~_KNOWN != _number("MSG_TRUNC"):
            return -_number("EOPNOTSUPP")
        r = 0 if self.got is not None else self.take(None)
        if r:
            return r
        data = self.got
        if not flags & _PEEK:
            self.got = None
        if data is None:
            return -_EINTR  # another thread was faster
        return data[:n] if len(data) > n else data

    def recv_into(self, h, buf, n, flags):
        if self.got is None and n and not flags & ~_DONTWAIT:
            return self.take(buf)
        data = self.recv(h, 1 << 16, flags)
        if data.__class__ is int:
            return data
        n = min(n, len(data))
        memoryview(buf)[:n] = data[:n]
        return len(data) if flags & _number("MSG_TRUNC") else n

    def recvfrom(self, h, n, flags):
        data = self.recv(h, n, flags)
        return data if data.__class__ is int else (data, self.peer)

    def recvfrom_into(self, h, buf, n, flags):
        r = self.recv_into(h, buf, n, flags)
        return r if r < 0 else (r, self.peer)

    # -- the end of a session -----------------------------------------------------------------

    def renew(self):
        """The session is over: a server is ready for another."""
        # Before the engine is gone, for Ctrl-C may come in between.
        if self.st == 3:
            self.st = 2
        eng = self.eng
        if eng:
            self.hello = eng.next
            self.eng = self.got = None
            eng.free()

    def lost(self, e):
        if not self.server:
            return self.failed(e)
        self.renew()
        return -_EINTR

    # -- readiness ------------------------------------------------------------------------

    def ready(self, want):
        """As tlsmore.ready."""
        if self.st == 2 or self.server and not self.st:
            r = self.serve() if self.server else self.proceed()
            if self.server and r and -r not in AGAIN:
                self.sick = r
        if not self.st:
            return p.wait(self.raw, want, 0)
        if self.st > 3:
            return want | 24  # POLLHUP, POLLERR
        if want & 1 and self.st == 3 and self.got is None and not self.sick:
            r = self.take(None)
            if r and -r not in AGAIN and self.st < 4:
                self.sick = r
        got = 0
        if self.sick:
            got = want & 1 | 8
        elif self.got is not None or self.st == 4:
            got = want & 1
        if want & 4 and self.st == 3:
            got |= p.wait(self.raw, 4, 0)
        return got | 24 if self.st > 3 else got

    def wait(self, h, want, ms):
        return self.ready(want) or p.wait(self.raw, self.events(want), ms)

    def events(self, want):
        return 1 if self.st == 2 else want

    def way(self, out):
        return int(self.events(4 if out else 1) == 4)

    def look(self, h, out):
        return self.ready(4 if out else 1)

    def hidden(self, h, out):
        return self.st > 3 or not out and (self.got is not None or self.sick != 0)

    def shutdown(self, h, how):
        fail("EOPNOTSUPP")


class Flow(getattr(p, "IOBase", object)):  # type: ignore[misc]
    """The engine of a session: tls, and what is beneath it, which gives it record by record.

    So it knows where a datagram ends, which tls does not tell, and of what kind the last record
    was: of an empty datagram and of the end tls makes the same. No error of the socket goes
    through tls, which would not work again: `err` has it. A datagram for which there is no room is
    lost there, and the call fails: what is sent then is another one.
    """

    # rest: records that came with the last; stop: no other in this call; gave: whether there was
    # one; more: what the buffer had no room for is still to be dropped; next: a server's other
    # peer; fin: 1, 2 ChangeCipherSpec has come, has gone; 4, 8 Finished, known by its epoch.
    rest = next = None
    stop = gave = more = False
    err = fin = kind = 0

    def __init__(self, t):
        self.t = t
        self.seen = p.ticks_ms()

    def readinto(self, buf):
        if self.stop:
            return None
        data = self.rest
        if data:
            n = min(len(data), len(buf))
            memoryview(buf)[:n] = data[:n]
            self.rest = None
        else:
            n = self.receive(buf)
            if not n:
                return None
        self.gave = True
        if n < 13:
            return None
        self.kind = buf[0]
        # Whatever has data, or is the end, comes alone.
        self.stop = self.kind == 21 or self.kind == 23
        end = 13 + (buf[11] << 8 | buf[12])
        if n > end:
            self.rest = bytes(memoryview(buf)[end:n])
            n = end
        if self.fin < 15:
            self.note(buf, n, 1)
        return n

    def receive(self, buf):
        """A datagram of the peer's: how many bytes; 0 if there is none."""
        t = self.t
        now = p.ticks_ms()
        if p.ticks_diff(now, self.seen) > _SILENT:
            self.seen = p.ticks_add(now, -1 - _SILENT)  # no longer ago than a board's clock tells
        got = p.recvfrom_into(t.raw, buf, min(len(buf), WHOLE), 0)
        if got.__class__ is int:
            n = p.last_error(got)
            if n not in AGAIN:
                self.err = n
            return 0
        n, addr = got
        self.gave = True
        if not t.server:
            t.peer = addr
        elif addr != t.peer or self.fin == 15 and hello(buf):
            # Nobody else, nor the same peer anew, while it may still be there.
            if n > 25 and hello(buf) and p.ticks_diff(now, self.seen) > _SILENT:
                self.next = bytes(memoryview(buf)[:n]), addr
                self.stop = True
            return 0
        self.seen = now
        return n

    def note(self, buf, n, way):
        at = 0
        while at + 13 <= n:
            if buf[at] == 20:
                self.fin |= way
            elif buf[at] == 22 and buf[at + 4]:
                self.fin |= way << 2
            at += 13 + (buf[at + 11] << 8 | buf[at + 12])

    def write(self, buf):
        try:
            n = p.sendto(self.t.raw, buf, 0, self.t.addr)
            if n < 0:
                self.err = p.last_error(n)
        except MemoryError:
            self.err = _number("ENOMEM")
        if self.fin < 15:
            self.note(buf, len(buf), 2)
        return len(buf)

    def ioctl(self, request, arg):
        return 0

    def get(self, buf):
        """Into buf: how many bytes, what it has no room for is lost; -1 at the end; else None."""
        if self.more:
            scrap = bytearray(64)
            self.stop = True
            while self.s.readinto(scrap):
                pass
            self.more = False
        for _ in range(BURST):
            self.stop = self.gave = False
            n = self.s.readinto(buf)
            if n:
                self.more = n == len(buf)
                return n
            if n == 0:
                return -(self.kind == 21)
            if not self.gave or self.next or self.err:
                break
        return None

    def whole(self, size):
        """A datagram, as bytes; -1, None as get."""
        buf = bytearray(size)
        n = self.get(buf)
        if n is None or n < 0:
            return n
        data = bytes(memoryview(buf)[:n])
        while self.more:
            self.stop = True
            n = self.s.readinto(buf)
            if n:
                data += bytes(memoryview(buf)[:n])
            self.more = n == size
        return data

    def step(self):
        """Goes on with the handshake: 0 when it is over, or what it waits for."""
        t = self.t
        self.err = 0
        got = self.whole(16)
        if got == -1:
            raise OSError(_CLOSED, "the peer has closed the session")
        if got is None:
            if self.err and not t.server and self.err not in AGAIN:
                raise OSError(self.err)
            if self.fin < 15:
                return 1
        # A Finished that somebody else has made up changes nothing but this answer: mbedTLS, which
        # has verified the peer before its own went out, sends no data before it has seen the true.
        self.fin = 15
        t.got = got
        load("tlsmake").discard("tlsmake", "tlshake")
        return 0
