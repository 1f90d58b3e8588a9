"""A port in memory: sockets that reach only each other.

The example of docs/adding-a-port.md. Tests of faults put it beneath the layer with
usocket_compat.use(), and common tests that need no kernel run on it (target "memory").
It has all operations of port/interface.py but adopt and fileno, since descriptors are a kernel's;
IPv4 streams and datagrams, and AF_UNIX in pairs. For CPython, as the tests use it.
"""

import array as _array
import os
import struct
import time

from port.unix import steps as table  # noqa: F401  threads come in anywhere
from port.unix.numbers import names, number  # noqa: F401
from port.unix.sockaddr import inet_ntop, inet_pton, pack, unpack

array = _array.array
LACKS = (
    "AF_INET6 multicast MSG_OOB scm_rights udp_unreachable IP_MTU ancillary pktinfo connect_unspec"
)
ROOM = 65536  # bytes that a stream holds
POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL, POLLRDHUP = 1, 4, 8, 16, 32, 0x2000
PEEK, TRUNC, CTRUNC, OOB = 2, 32, 8, 1
STREAM, DGRAM = 1, 2
KEPT = ("SO_REUSEADDR", "SO_BROADCAST", "SO_KEEPALIVE")
ANY, HERE = "0.0.0.0", "127.0.0.1"


class Handle:
    """One end. What is still unread of a stream is one bytearray, of datagrams a list."""

    def __init__(self, family=2, type=STREAM, proto=0):
        self.family, self.type, self.proto = family, type, proto
        self.options = {}
        self.name = self.peer = self.other = None
        self.backlog = None  # a list: it listens
        self.unread = bytearray()
        self.queue = []
        self.ended = self.closed = self.silent = False  # the peer's end, close, our own SHUT_WR
        self.error = 0
        self.pending = False  # a connect is still to be told how it ended
        self.value = None  # of an eventfd


CLOSED = Handle()
CLOSED.closed = True
bound = {}  # (type, port) -> handle


def error(code):
    return OSError(code, os.strerror(code))


def no(name):
    raise error(number(name))


def minus(name):
    return -number(name)


def alive(h):
    if h.closed:
        no("EBADF")
    if h.value is not None:
        no("ENOTSOCK")
    return h


def last_error(r):
    return -r


class gaierror(OSError):
    pass


def ticks_ms():
    return time.monotonic_ns() // 1000000


def ticks_diff(a, b):
    return a - b


def ticks_add(a, ms):
    return a + ms


def sleep_ms(ms):
    time.sleep(ms / 1000)


def writable(buf):
    with memoryview(buf) as view:
        if view.readonly:
            raise TypeError("a writable buffer is required")


# -- names ------------------------------------------------------------------------------


def address(family, addr):
    raw = pack(family, addr, getaddrinfo)
    if raw is None or len(raw) < 2:
        no("EINVAL")
    if family == 2 and len(raw) < 16:
        no("EINVAL")
    return unpack(raw)


def getaddrinfo(host, service, family, type, proto, flags):
    try:
        addr = (inet_ntop(2, inet_pton(2, host or HERE)), int(service or 0))
    except (OSError, ValueError):
        raise gaierror(number("EAI_NONAME"), "EAI_NONAME") from None
    if family not in (0, 2):
        raise gaierror(number("EAI_FAMILY"), "EAI_FAMILY")
    kinds = [k for k in ((1, 6), (2, 17)) if type in (0, k[0]) and proto in (0, k[1])]
    if not kinds:
        raise gaierror(number("EAI_SOCKTYPE"), "EAI_SOCKTYPE")
    return [(2, kind, protocol, "", addr) for kind, protocol in kinds]


def getnameinfo(addr, flags):
    return addr[0], str(addr[1])


def gethostname():
    return "memory"


# -- life -------------------------------------------------------------------------------


def socket(family, type, proto):
    if family != 2:
        no("EAFNOSUPPORT")
    if type not in (STREAM, DGRAM):
        no("ESOCKTNOSUPPORT" if 0 < type < 11 else "EINVAL")
    if proto not in (0, {STREAM: 6, DGRAM: 17}[type]):
        no("EPROTONOSUPPORT")
    return Handle(family, type, proto or {STREAM: 6, DGRAM: 17}[type])


def close(h):
    h.closed = True
    bound_to = h.name and (h.type, h.name[1])
    if bound.get(bound_to) is h:
        del bound[bound_to]
    for waiting in h.backlog or ():
        close(waiting)
    if h.other:
        if h.unread:
            h.other.error = number("ECONNRESET")  # what was not read makes a reset of the end
        h.other.ended = True
        h.other.other = None


def bind(h, addr):
    if alive(h).name:
        no("EINVAL")
    if addr[0] not in (ANY, HERE):
        no("EADDRNOTAVAIL")
    port = addr[1] or next(n for n in range(49152, 65536) if (h.type, n) not in bound)
    if (h.type, port) in bound:
        no("EADDRINUSE")
    h.name = (addr[0], port)
    bound[h.type, port] = h


def named(h):
    if not h.name:
        bind(h, (HERE, 0))
    return h.name


def listen(h, backlog):
    if alive(h).type != STREAM:
        no("EOPNOTSUPP")
    if h.other:
        no("EINVAL")
    named(h)
    h.backlog = h.backlog or []


def connect(h, addr, wait):
    if addr.__class__ is not tuple:
        return minus("EOPNOTSUPP")  # AF_UNSPEC
    if alive(h).type == DGRAM:
        named(h)
        h.peer = addr
        return 0
    if h.backlog is not None:
        return minus("EISCONN")
    if h.pending or h.other or h.ended:
        # The first call after the connection is there tells so.
        pending, h.pending = h.pending, False
        return taken(h) if pending else minus("EISCONN")
    listener = bound.get((STREAM, addr[1]))
    h.pending = not wait  # one that does not wait is always told later
    if listener is None or listener.backlog is None:
        h.error = number("ECONNREFUSED")
        return minus("EINPROGRESS") if h.pending else taken(h)
    h.name = (HERE, named(h)[1])
    end = Handle()
    end.proto, end.name, end.peer, end.other = 6, (HERE, addr[1]), h.name, h
    h.peer, h.other = end.name, end
    listener.backlog.append(end)
    return minus("EINPROGRESS") if h.pending else 0


def accept(h, entry):
    if alive(h).type != STREAM:
        return minus("EOPNOTSUPP")
    if h.backlog is None:
        return minus("EINVAL")
    if not h.backlog:
        return minus("EAGAIN")
    entry.h = h.backlog.pop(0)
    entry.h.options = dict(h.options)
    return entry.h.peer


def shutdown(h, how):
    if how not in (0, 1, 2):
        no("EINVAL")
    if not alive(h).other and not h.peer:
        no("ENOTCONN")
    if how != 0:
        h.silent = True
        if h.other:
            h.other.ended = True
    if how != 1:
        h.ended = True


def socketpair(family, type, proto, size):
    if family != 1:
        no("EOPNOTSUPP" if family == 2 else "EAFNOSUPPORT")
    if type not in (STREAM, DGRAM):
        no("ESOCKTNOSUPPORT" if 0 < type < 11 else "EINVAL")
    if proto not in (0, 1):
        no("EPROTONOSUPPORT")
    a, b = Handle(1, type), Handle(1, type)
    a.other, b.other = b, a
    a.name = a.peer = b.name = b.peer = ""
    return a, b


# -- data -------------------------------------------------------------------------------


def taken(h):
    """minus the errno that the handle has to report, 0 for none; it is reported once."""
    code, h.error = h.error, 0
    return -code


def send(h, data, n, flags):
    if h.closed:
        return minus("EBADF")
    if alive(h).type == DGRAM:
        if h.other or h.family == 2:
            return sendto(h, data, flags, h.peer)
        return minus("ECONNREFUSED")
    if flags & OOB:
        return minus("EOPNOTSUPP")
    if h.error:
        return taken(h)
    if h.silent or not h.other or h.backlog is not None:
        return minus("EPIPE")
    part = bytes(data)[: ROOM - len(h.other.unread)]
    if n and not part:
        return minus("EAGAIN")
    h.other.unread += part
    return len(part)


def sendto(h, data, flags, addr):
    if h.closed:
        return minus("EBADF")
    if alive(h).type == STREAM:
        return send(h, data, len(data), flags)
    if flags & OOB:
        return minus("EOPNOTSUPP")
    if h.silent:
        return minus("EPIPE")
    if h.family == 2 and addr is None:
        return minus("EDESTADDRREQ")
    if h.family == 2 and not addr[1]:
        return minus("EINVAL")
    if len(data) > 65507:
        return minus("EMSGSIZE")
    to = h.other or bound.get((DGRAM, addr[1]))
    source = "" if h.family == 1 else (HERE, named(h)[1])
    if to and (not to.peer or to.peer in ("", source)):
        if len(to.queue) == 64:
            return minus("EAGAIN") if h.family == 1 else len(data)
        to.queue.append((bytes(data), source))
    return len(data)


def recvfrom(h, n, flags):
    """(bytes, addr); a datagram whole, whatever n."""
    if h.closed:
        return minus("EBADF")
    alive(h)
    if flags & OOB:
        return minus("EOPNOTSUPP")
    if h.type == DGRAM:
        if not h.queue:
            return (b"", None) if h.ended and h.silent else minus("EAGAIN")
        return h.queue[0] if flags & PEEK else h.queue.pop(0)
    if h.error:
        return taken(h)
    if h.backlog is not None or not (h.other or h.ended):
        return minus("ENOTCONN")
    data = bytes(h.unread[:n])
    if not data and n and not h.ended:
        return minus("EAGAIN")
    if not flags & PEEK:
        del h.unread[:n]
    return data, None


def recv(h, n, flags):
    got = recvfrom(h, n, flags)
    return got[0][:n] if got.__class__ is tuple else got


def recvfrom_into(h, buf, n, flags):
    got = recvfrom(h, n, flags)
    if got.__class__ is not tuple:
        return got
    data, addr = got
    if not (flags & TRUNC and h.type == STREAM):
        memoryview(buf).cast("B")[: len(data[:n])] = data[:n]
    return len(data) if flags & TRUNC else len(data[:n]), addr


def recv_into(h, buf, n, flags):
    got = recvfrom_into(h, buf, n, flags)
    return got[0] if got.__class__ is tuple else got


def sendmsg(h, buffers, ancdata, flags, addr):
    if ancdata:
        return minus("EOPNOTSUPP")
    data = b"".join([bytes(b) for b in buffers])
    return send(h, data, len(data), flags) if addr is None else sendto(h, data, flags, addr)


def recvmsg(h, buffers, ancbufsize, flags):
    if ancbufsize:
        return minus("EOPNOTSUPP")
    n = sum([len(b) for b in buffers])
    got = recvfrom(h, n, flags & ~TRUNC)
    if got.__class__ is not tuple:
        return got
    data, addr = got
    at = 0
    for b in buffers:
        part = data[at : at + len(b)]
        memoryview(b).cast("B")[: len(part)] = part
        at += len(part)
    return len(data) if flags & TRUNC else at, [], TRUNC if len(data) > n else 0, addr


# -- options, and the rest --------------------------------------------------------------


def option(h, level, wanted):
    """The name of an option."""
    alive(h)
    for name in (*KEPT, "SO_TYPE", "SO_ERROR", "SO_DOMAIN", "SO_PROTOCOL", "SO_ACCEPTCONN"):
        if level == number("SOL_SOCKET") and wanted == number(name):
            return name
    if level == number("IPPROTO_TCP") and wanted == number("TCP_NODELAY") and h.type == STREAM:
        return "TCP_NODELAY"
    no("ENOPROTOOPT")


def getsockopt(h, level, wanted, buflen):
    name = option(h, level, wanted)
    facts = {"SO_TYPE": h.type, "SO_DOMAIN": h.family, "SO_PROTOCOL": h.proto}
    facts["SO_ACCEPTCONN"] = h.backlog is not None
    value = int(facts[name] if name in facts else h.options.get(name, 0))
    if name == "SO_ERROR":
        value, h.error = h.error, 0
    return struct.pack("i", value)[:buflen] if buflen else value


def setsockopt(h, level, wanted, value):
    name = option(h, level, wanted)
    if name not in KEPT and name != "TCP_NODELAY":
        no("ENOPROTOOPT")
    if not isinstance(value, int):
        if len(value) < 4:
            no("EINVAL")
        value = struct.unpack_from("i", value)[0]
    h.options[name] = value != 0


def getsockname(h):
    return alive(h).name if h.name is not None else (ANY, 0)


def getpeername(h):
    if alive(h).peer is None or h.type == STREAM and not (h.other or h.ended):
        no("ENOTCONN")
    if h.peer.__class__ is tuple and not h.peer[1]:
        no("ENOTCONN")  # Linux: port 0 is no peer
    return h.peer


def ioctl(h, request):
    alive(h)
    if h.type == DGRAM:
        return len(h.queue[0][0]) if h.queue else 0
    return len(h.unread)


def eventfd(value, semaphore):
    h = Handle()
    h.value, h.options = value, {"semaphore": semaphore}
    return h


def eventfd_read(h):
    if h.closed:
        no("EBADF")
    if not h.value:
        return minus("EAGAIN")
    n = 1 if h.options["semaphore"] else h.value
    h.value -= n
    return n


def eventfd_write(h, value):
    if h.closed:
        no("EBADF")
    if value > 0xFFFFFFFFFFFFFFFE - h.value:
        return minus("EAGAIN")
    h.value += value
    return 0


def revents(h):
    if h.closed:
        return POLLNVAL
    if h.value is not None:
        return (POLLIN if h.value else 0) | (POLLOUT if h.value < 0xFFFFFFFFFFFFFFFE else 0)
    if h.type == DGRAM:
        return POLLOUT | (POLLIN if h.queue or h.ended else 0)
    if h.backlog is not None:
        return POLLIN if h.backlog else 0
    if not h.other and not h.ended:
        return POLLOUT | POLLHUP | (POLLIN | POLLERR if h.error else 0)
    ready = POLLIN | POLLRDHUP if h.ended else POLLIN if h.unread else 0
    if not h.other or len(h.other.unread) < ROOM:
        ready |= POLLOUT
    if h.ended and (h.silent or not h.other):
        ready |= POLLHUP
    return ready | (POLLERR if h.error else 0)


def look(wanted, ms):
    """(handle, revents) of those that are ready within ms; wanted: [handle, events]."""
    end = None if ms < 0 else ticks_ms() + ms
    while True:
        found = [(h, revents(h) & (e | POLLERR | POLLHUP | POLLNVAL)) for h, e in wanted]
        found = [(h, r) for h, r in found if r]
        if found or end is not None and ticks_ms() >= end:
            return found
        sleep_ms(0.2)


def wait(h, events, ms):
    found = look([(h, events)], ms)
    return found[0][1] if found else 0


def key(h):
    return h


class poller:
    def __init__(self):
        self.wanted = {}

    def register(self, h, events):
        self.wanted[h] = events

    modify = register

    def ipoll(self, ms):
        return look(self.wanted.items(), ms)
