# SPDX-License-Identifier: MIT
# TLS sockets: an entry of the table whose operations are a Tls instead of the port. Its `h` is
# the port's closed handle, so that whatever does not ask the entry for its operations gets EBADF,
# and nothing ever goes out in plain text. The platform's own TLS does all of cryptography; the
# port's TLS names the file that drives it.
#
# No operation waits, as a port's. The lock is held while the engine works, and never while
# anybody waits. Who closes meanwhile leaves the end to whoever has it.
#
# This file has what a connection needs while all goes well; on a board the rest is not for long.

from _thread import get_ident
from sys import modules

from ._config import USOCKET_LAZY
from .zbase import p

# Where the rest of a Tls is (tlsmore.py and so on); what is not named is in the first.
_LATER = (
    "more .hake address connect start shake proceed state failed ended .check set_option "
    ".odd unsent owes over lost "
)
_DONTWAIT = p.number("MSG_DONTWAIT")
_AGAIN = p.number("EAGAIN"), p.number("EINTR")
_FAILURES = OSError, ValueError
# How much one send takes at most: no more than MicroPython puts into a record. What goes on over
# several is begun anew by tls when it is asked again, who knows with how much of it.
MOST = 4096
# How much one recv makes room for.
READ = (16384, 4096)[USOCKET_LAZY]
del USOCKET_LAZY  # with more than 17 names a board's table of them takes 50 bytes more
# What is None once a send has been made, by whether its record is out: nobody asks for the first.
# A list: of a tuple in a .mpy the strings are no names yet, and setattr looks for them each time.
_PAST = ["until", "owed"]

# POLLIN is 1, POLLOUT 4, on every system.

# Credentials: (tag, type): bytes. tlscheck.py adds to them, and counts how often they change; what
# they were made into last is kept by the driver.
credentials = {}
changes = [0, None]
# A file of the layer, loaded when first asked for.
load = modules[__name__[:-4]]._module
del modules


class Tls:
    """What a TLS socket is, with the operations of a port (port/interface.py).

    sock: its entry; raw: the port's handle of the connection beneath; back: what has been
    decrypted and not yet been taken; part: where more of that is being decrypted to; owed: what is
    under way and not yet said to be sent; eof: the end of the peer's data, told by itself; want:
    what is waited for before it is open; addr: the peer's. tlscheck.py makes one.
    """

    # 0: new, or it listens; 1: the connection beneath is being made; 2: the handshake; 3: open;
    # 4: it has failed for good, of which `code` and `why` tell; 5: closed
    st = 0
    proto = 242  # IPPROTO_TLS_1_2
    server = False
    # SOL_TLS's options. `verify` is None while nobody said (not False, which equals
    # TLS_PEER_VERIFY_NONE); `name` is None where the peer's is not looked at, False while nobody
    # said.
    tags = ()
    verify = None
    name = False
    # those that few set: a dict, in tlsmore.py
    rare = None
    eng = None
    # whether poll has seen what is owed out
    out = False
    # the directions that were shut
    shut_in = shut_out = False
    # what it has failed with, where there was no room to find out more
    code = p.number("ECONNABORTED")
    why = None
    # whether a connect has ended well that the next is still to tell
    fresh = False

    def __getattr__(self, name):
        # One that is not there is an AttributeError, as of a port.
        at = _LATER.rfind(".", 0, _LATER.find(" " + name + " ") + 1) + 1
        call = getattr(load("tls" + _LATER[at : _LATER.find(" ", at)]), name)
        return lambda *args: call(self, *args)

    # -- the lock -------------------------------------------------------------------------

    def enter(self):
        """Takes the engine for this thread; False in what has interrupted this thread there.

        Also while another has that of one that was closed. A `try` follows at once, whose
        `finally` does leave[what this gave](self).
        """
        me = get_ident()
        while self._lock.locked():
            if self._own[1] == me or self.st == 5:
                return False
            p.sleep_ms(1)
        # Ctrl-C comes in at branches: there is none from here to the caller's `try`. If another
        # was quicker it waits for that: a reader to whom it said EAGAIN would wait for data, and
        # TLS may have the last of it already.
        mine = self._lock.acquire()
        self._own[mine] = me
        return mine

    def free(self):
        if self.eng:
            self.eng.free()
            self.eng = None

    def release(self):
        # Without a branch, as above.
        leave[-(self.st == 5)](self)
        self._own[1] = None
        self._lock.release()

    # -- data -----------------------------------------------------------------------------

    # A frame of more than eleven words MicroPython takes from the heap, which costs more than all
    # that is done here. A `try` with what follows it is eight or nine of them, and `as` three: so
    # the calls are in parts. give and take have more than eleven still, 14 and 12.

    def send(self, h, data, n, flags):
        if self.st != 3 or not n or self.shut_out or flags & ~_DONTWAIT:
            h = self.may_send(n, flags)
            if h or not n:
                return h
        if n > MOST:
            data = memoryview(data)[:MOST]
        return self.give(data)

    def give(self, data):
        h = self.enter()
        try:
            if not h or self.st == 5 or self.owed is not None:
                return self.owes(h, data)
            # Whatever comes in between, a record has been begun perhaps.
            self.owed = data
            data = ask(self.eng.put, data)
            setattr(self, _PAST[bool(data)], None)
            return data or self.unsent(data)
        finally:
            leave[h](self)

    def recv_into(self, h, buf, n, flags):
        if self.st != 3 or self.back or self.part or self.eof or flags & ~_DONTWAIT or not n:
            return self.recv_held(buf, n, flags)
        if self.shut_in:
            return 0
        return self.take(buf)

    def take(self, buf):
        h = self.enter()
        try:
            if not h or self.back or self.part or self.st == 5:
                return -_AGAIN[bool(h)]  # another thread has looked, or closed it: again
            buf = ask(self.eng.get, buf)
            return -_AGAIN[0] if buf is None else buf or self.over(buf)
        finally:
            leave[h](self)

    def recv(self, h, n, flags):
        buf = bytearray(min(n, READ))
        if hasattr(p, "BytesIO"):
            p.BytesIO(len(buf) + 64).close()  # room for what is made of it
        r = self.recv_into(h, buf, len(buf), flags)
        return r if r < 0 else bytes(memoryview(buf)[:r])

    last_error = staticmethod(abs)

    def error(self, code):
        return OSError(code, self.why) if self.why and code == self.code else p.error(code)

    def wait(self, h, want, ms):
        """As a port's; what the platform reports may turn out to be no data yet."""
        if want & 1 and (self.back or self.eof or self.shut_in) or self.st > 3:
            return want & (1 | 4)
        return p.wait(self.raw, self.want if self.st % 3 else want, ms)

    # -- the end --------------------------------------------------------------------------

    def close(self, h):
        self.st = 5
        h = self.enter()
        try:
            p.close(self.raw)
        finally:
            leave[h](self)


# By whether this call has the engine; the last by whether it frees it. callable does nothing.
leave = callable, Tls.release, Tls.free


def ask(call, data):
    """What a call of the engine gives; False if it has failed, as it does again (Tls.lost)."""
    try:
        return call(data)
    except _FAILURES:
        return False


class Stream(getattr(p, "IOBase", object)):  # type: ignore[misc]
    """MicroPython's engine of one connection: its TLS, and the stream beneath that never waits.

    It follows the records that go through it, since tls tells neither when the handshake is over
    nor where a record ends: and its readinto asks again until the buffer is full, and forgets what
    it has when an error comes then. So behind a record there is nothing more to read for it,
    within one call. What comes in between, as for want of memory, finds nothing taken that is not
    accounted for. Who calls it has the lock of its Tls. tlsmake.py makes one.

    s: the SSLSocket, whose `write` is put(data): how many bytes, or None while some of them are
    still to go out, and then it is asked again with the same; whose `close` is free().
    hand: what follows the handshake, while there is one. left, at: of what comes, bytes of the
    record that are left, and those of its header, `head`, that are there. stop: no other record in
    this call; more: whether one may have more than was asked for. cut: the connection has ended,
    of which tls makes the same as of the end that the peer tells. recv, send: what the connection
    has given or taken and tls does not know yet: Ctrl-C may come in between, then tls asks again
    with the same buffer. So what is noted here is noted once, without a branch. value: what get
    gave last. Names that the firmware has, since others take room on a board.
    """

    def readinto(self, buf):
        # Few locals: a frame of more than eleven words is taken from the heap each time.
        n = self.recv
        if not n:
            if self.stop and not self.left:
                return None
            n = self.recv = p.recv_into(self.raw, buf, len(buf), 0)
        if n <= 0:
            self.recv = 0
            if not n:
                self.cut = True
                return n
            n = p.last_error(n)
            return None if n in _AGAIN else -n
        left = self.left - n
        if left < 0:
            for left in range(n):
                self.head[self.at + left] = buf[left]
            if self.at + n < 5:
                self.at += n
                self.recv = 0
                return n
            left = self.head[3] << 8 | self.head[4]
        if not left and self.hand:
            self.stop = self.hand.ended(self.head[0])
            self.left = self.at = self.recv = 0
            return n
        if not left:
            self.stop = True
        self.left = left
        self.at = self.recv = 0
        return n

    def write(self, buf):
        n = self.send
        if not n:
            n = self.send = p.send(self.raw, buf, len(buf), 0)
        if n < 0:
            self.send = 0
            if self.hand:
                self.hand.out = True
            n = p.last_error(n)
            return None if n in _AGAIN else -n
        if self.hand:
            self.stop = self.hand.wrote(buf, n)
        self.send = 0
        return n

    def ioctl(self, request, arg):
        return 0

    def get(self, buf):
        """Into buf: how many bytes; 0 at the end that the peer told, None if it has to wait."""
        # What tls holds of a record comes alone.
        self.stop = self.more
        n = self.value = self.s.readinto(buf)
        if n is None and self.more:
            self.more = False
            return self.get(buf)
        if n == 0 and self.cut:
            raise OSError(-0x7280)  # mbedTLS's of that
        self.more = n == len(buf)
        return n
