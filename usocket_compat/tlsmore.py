# SPDX-License-Identifier: MIT
# What is rarer of a TLS socket: listening, looking at data, messages, shutdown, options. Each is
# called by its name on a Tls (tls.py), which it gets first.

from sys import modules

from .zbase import closed, fail, p, tab, table

# Operations of the port on the connection beneath.
PLAIN = " bind listen getsockname getpeername fileno "

# The file that is loaded with the first TLS socket.
tls = modules[__name__[:-4]]
# Tls.st
NEW, TCP, SHAKES, OPEN, FAILED, GONE = 0, 1, 2, 3, 4, 5
_number = p.number
_EAGAIN = p.number("EAGAIN")
_IN = 1
_OUT = 4
_PEEK = p.number("MSG_PEEK")
_KNOWN = _PEEK | p.number("MSG_DONTWAIT") | p.number("MSG_WAITALL")
_FAILURES = OSError, ValueError
# How long one wait lasts (ms) before it looks whether a socket was closed.
_SLICE = 50


def __getattr__(name):
    if " " + name + " " not in PLAIN:
        raise AttributeError(name)
    call = getattr(p, name)
    return lambda t, _, *args: call(t.raw, *args)


# -- servers ----------------------------------------------------------------------------


def accept(t, h, entry):
    """The connection alone: the handshake is made by `accepted`, or by its first send or recv."""
    raw = None
    try:
        r = p.accept(t.raw, entry)
        if r.__class__ is int:
            return -p.last_error(r)
        raw, entry.h = entry.h, closed.h
        child = tls.load("tlscheck").become(entry, raw, t.proto)
    except:
        if entry.p is p and raw is not None:
            entry.h = raw  # for who closes it
        raise
    child.tags, child.verify, child.name, child.rare = t.tags, t.verify, t.name, t.rare
    child.start(True)
    if entry in tab:
        mark(entry)
    return r


def mark(entry):
    """An entry that has its number already: the layer's close closes it too, no port's own."""
    if hasattr(table, "tokens"):
        table.used[table.tab.index(entry)] = 2


def accepted(t, fd, listener):
    """zsock_accept makes the handshake too, as in Zephyr, unless its listener does not block."""
    if listener.nonblock:
        return
    if 0 < listener.rcvtimeo < tls.load("tlshake").LIMIT:
        t.until = p.ticks_add(p.ticks_ms(), listener.rcvtimeo)
    while True:
        r = t.shake()
        if not r:
            return
        if r != -_EAGAIN:
            raise t.error(-r)
        if tab[fd] is not t.sock or listener.p.st == GONE:
            fail("EBADF")
        p.wait(t.raw, t.want, _SLICE)


# -- data -------------------------------------------------------------------------------


def may_send(t, n, flags):
    """0 if n bytes may be sent with these flags; else a negative errno."""
    if t.st != OPEN or not n:
        r = t.state(_number("EPIPE"))
        if r or not n:
            return r
    if t.shut_out and t.owed is None:  # whose record it is brings it out, or is told
        return -_number("EPIPE")
    # Of these two neither changes anything here.
    harmless = _number("MSG_NOSIGNAL") | _number("MSG_MORE")
    if flags & ~(harmless | _number("MSG_DONTWAIT")):
        return -_number("EOPNOTSUPP")
    return 0


def recv_held(t, buf, n, flags):
    """recv_into where something is held, with flags, at the end, or of no bytes."""
    if flags & ~_KNOWN:
        return -_number("EINVAL" if flags & _number("MSG_OOB") else "EOPNOTSUPP")
    if t.shut_in and not t.back:
        return 0
    if not t.back and not t.eof:
        r = t.state(_number("ENOTCONN"))
        if r:
            return r
    mine = t.enter()
    try:
        if not mine:
            return -_EAGAIN
        while not t.eof and t.st == OPEN:
            if not t.part and len(t.back) >= (n if flags & _PEEK else 1):
                break
            if not _more(t, max(n - len(t.back), 1)):
                break
        got = min(n, len(t.back))
        if not t.back:
            if t.eof:
                return 0
            return -t.ended() if t.st > OPEN else -_EAGAIN
        buf = memoryview(buf)
        if hasattr(buf, "cast"):
            buf = buf.cast("B")
        buf[:got] = t.back[:got]
        if not flags & _PEEK:
            t.back = t.back[got:]
            if got < n and not t.eof and t.st == OPEN:
                # The record of which a look took the first bytes has more, perhaps.
                got += _rest(t, buf[got:n])
        return got
    finally:
        tls.leave[mine](t)


def _more(t, n):
    """Decrypts more ahead: whether there was some. The engine is ours."""
    try:
        part = t.part
        # What Ctrl-C has kept from being added comes first.
        r = part and getattr(t.eng, "value", None)
        if not r:
            part = bytearray(min(n, tls.READ))
            if hasattr(p, "BytesIO"):
                p.BytesIO(len(t.back) + 2 * len(part) + 128).close()  # room for what is made of it
            t.eng.value = None
            t.part = part
            r = t.eng.get(part)
        if r:
            part = t.back + bytes(memoryview(part)[:r])
            t.back = part
            t.part = None
            return True
        t.part = None
        t.eof = r is not None
    except _FAILURES as e:
        t.failed(e)
    return False


def _rest(t, view):
    try:
        r = t.eng.get(view)
        t.eof = r == 0
        return r or 0
    except _FAILURES as e:
        t.failed(e)
        return 0


def sendto(t, h, data, flags, addr):
    # As TCP, which does not look at the address.
    return t.send(h, data, len(data), flags)


def recvfrom(t, h, n, flags):
    data = t.recv(h, n, flags)
    return data if data.__class__ is int else (data, None)


def recvfrom_into(t, h, buf, n, flags):
    r = t.recv_into(h, buf, n, flags)
    return r if r < 0 else (r, None)


def sendmsg(t, h, buffers, ancdata, flags, addr):
    if ancdata:
        return -_number("EOPNOTSUPP")
    data = b"".join([bytes(b) for b in buffers])
    return t.send(h, data, len(data), flags)


def recvmsg(t, h, buffers, ancbufsize, flags):
    data = t.recv(h, sum([len(b) for b in buffers]), flags)
    if data.__class__ is int:
        return data
    at = 0
    for b in buffers:
        part = data[at : at + len(b)]
        b[: len(part)] = part
        at += len(part)
    return len(data), [], 0, None


def is_over(t, h):
    """Whether no more data comes, of which no descriptor tells; ports have no such operation."""
    return t.eof or t.shut_in or t.st > OPEN


def ioctl(t, h, request):
    """FIONREAD: what has been decrypted and not been read yet."""
    ready(t, _IN)
    return len(t.back)


# -- readiness --------------------------------------------------------------------------


def ready(t, want):
    """What a call would do now: bits of want, POLLHUP, POLLERR. It decrypts what has come."""
    if t.st == NEW:
        return _look(t, want)
    if t.st == TCP and _look(t, _OUT):
        r = p.connect(t.raw, t.addr, False) if t.addr else 0
        r = r and p.last_error(r)
        if r and r != _number("EISCONN"):
            if r != _number("EALREADY") and r != _number("EINPROGRESS"):
                t.code, t.st = r, FAILED
        else:
            t.start(False)
    if t.st == SHAKES:
        t.proceed()
    if t.st == TCP or t.st == SHAKES:
        return 0
    if t.st > OPEN:
        return want | 24  # POLLHUP, POLLERR
    got = 0
    if want & _IN:
        if not t.back and not t.eof and not t.shut_in:
            mine = t.enter()
            try:
                mine and t.st == OPEN and _more(t, getattr(t.eng, "AHEAD", 1))
            finally:
                tls.leave[mine](t)
        if t.back or t.eof or t.shut_in or t.st > OPEN:
            got = _IN
    if want & _OUT and t.st == OPEN:
        if t.owed is not None and not t.out:
            mine = t.enter()
            try:
                if mine and t.st == OPEN and t.owed is not None and not t.out:
                    # Once it is out, whoever sends it again is told so.
                    t.out = False  # its place
                    t.out = t.eng.put(t.owed) is not None
            except _FAILURES as e:
                t.failed(e)
            finally:
                tls.leave[mine](t)
        if t.owed is None or t.out:
            got |= _look(t, _OUT)
    return got | 24 if t.st > OPEN else got


def _look(t, want):
    """What the platform says of the connection beneath, at once."""
    if not getattr(p, "SPIN", 0):
        return p.wait(t.raw, want, 0)
    got = 0
    if want & _IN and p.look(t.raw, 0):
        got = _IN
    if want & _OUT and p.look(t.raw, 1):
        got |= _OUT
    return got


def events(t, want):
    """What has to be waited for beneath."""
    return want if t.st % 3 == 0 else t.want


def way(t, out):
    """The direction in which asyncio waits."""
    return int(events(t, _OUT if out else _IN) == _OUT)


def look(t, h, out):
    return ready(t, _OUT if out else _IN)


def hidden(t, h, out):
    return t.st > OPEN or not out and (t.back or t.eof)


def source(t, h):
    """What asyncio's poll on MicroPython takes: an object that answers for the socket."""
    if not getattr(t, "_source", None):
        t._source = tls.load("tlssource").Source(t, ready)
    return t._source


def pollset(t, fds):
    return tls.load("tlspoll").pollset(fds)


# -- shutdown, options ------------------------------------------------------------------


def shutdown(t, h, how):
    """SHUT_WR sends close_notify, where the platform can, and then the end of the connection.

    0, or -EAGAIN while there is no room for it.
    """
    if not 0 <= how <= 2:
        fail("EINVAL")
    if t.st == FAILED or t.st < OPEN:
        fail("ENOTCONN")
    if how and not hasattr(t, "told"):
        fail("EOPNOTSUPP")
    if how != 1:
        t.shut_in = True
    if how and not t.told:
        mine = t.enter()
        try:
            if not mine:
                return -_EAGAIN
            # No other record is begun.
            t.shut_out = True
            t.told = t.st != OPEN or t.eng.half(t)
        except _FAILURES as e:
            return t.failed(e)
        finally:
            tls.leave[mine](t)
        if not t.told:
            return -_EAGAIN
        try:
            p.shutdown(t.raw, 1)
        except (AttributeError, OSError):
            pass  # the peer knows by close_notify
    return 0


def setsockopt(t, h, level, option, value):
    p.setsockopt(t.raw, level, option, value)


def getsockopt(t, h, level, option, buflen):
    return tls.load("tlscheck").get_option(t, level, option, buflen)
