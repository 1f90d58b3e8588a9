"""The layer and the kernel side by side.

Every socket of the state machine is a twin: one in the layer, one of plain CPython. A rule makes
the same call on both and compares results and errno. The plain one never uses Python's timeouts,
so that it shows the kernel; where CPython's wrapper hides the kernel, kernel.py is asked instead.
"""

from __future__ import annotations

import array
import fcntl
import os
import select
import shutil
import signal
import socket
import struct
import tempfile
import termios
import threading
import time
from typing import Any, Callable, Optional

import kernel
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

import usocket_compat as net
from usocket_compat import errno, fdtable

# Allowances.
SETTLE = 2.0  # s, for loopback to deliver and for both worlds to show the same
HELD = 0.3  # s, after which TCP that holds bytes back is taken as settled
STUCK = 5.0  # s, after which a call of the layer hangs
EARLY = 3  # ms by which a timeout may end early
LATE = 500  # ms by which it may end late on a busy machine

OPEN_MOST = 12
# A timeout up to this may be waited for; other calls that would block are made non-blocking.
SHORT = 40  # ms

KINDS = {
    "tcp4": (socket.AF_INET, socket.SOCK_STREAM),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM),
    "udp4": (socket.AF_INET, socket.SOCK_DGRAM),
    "udp6": (socket.AF_INET6, socket.SOCK_DGRAM),
    "unix": (socket.AF_UNIX, socket.SOCK_STREAM),
    "unixd": (socket.AF_UNIX, socket.SOCK_DGRAM),
    "unixq": (socket.AF_UNIX, socket.SOCK_SEQPACKET),
}
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
FOREIGN = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


if not _has_ipv6():
    del KINDS["tcp6"], KINDS["udp6"], LOOPBACK[socket.AF_INET6]


def _closed_port() -> int:
    """A port that nothing uses, below those that the system gives out."""
    for port in range(20011, 30000, 13):
        try:
            for type in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                for family in LOOPBACK:
                    with socket.socket(family, type) as s:
                        s.bind(("", port))
            return port
        except OSError:
            pass
    raise RuntimeError("no free port")


CLOSED_PORT = _closed_port()

SOL, TCP, IP, IP6 = 1, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6
# Options that say the same in both worlds whatever they are set to.
SETTABLE = [
    (SOL, socket.SO_REUSEADDR),
    (SOL, socket.SO_REUSEPORT),
    (SOL, socket.SO_KEEPALIVE),
    (SOL, socket.SO_BROADCAST),
    (SOL, socket.SO_OOBINLINE),
    (SOL, socket.SO_SNDBUF),
    (SOL, socket.SO_RCVBUF),
    (SOL, socket.SO_PRIORITY),
    (TCP, socket.TCP_NODELAY),
    (TCP, socket.TCP_KEEPIDLE),
    (TCP, socket.TCP_KEEPINTVL),
    (TCP, socket.TCP_KEEPCNT),
    (TCP, socket.TCP_USER_TIMEOUT),
    (IP, socket.IP_TTL),
    (IP, socket.IP_TOS),
    (IP, 13),  # IP_RECVTOS
    (IP, 12),  # IP_RECVTTL
    (IP, 8),  # IP_PKTINFO
    (IP, socket.IP_MULTICAST_TTL),
    (IP, socket.IP_MULTICAST_LOOP),
    (IP, socket.IP_MULTICAST_IF),
    (IP, socket.IP_ADD_MEMBERSHIP),
    (IP6, socket.IPV6_V6ONLY),
    (IP6, socket.IPV6_UNICAST_HOPS),
    (IP6, socket.IPV6_MULTICAST_HOPS),
    (IP6, socket.IPV6_MULTICAST_LOOP),
    (IP6, socket.IPV6_RECVPKTINFO),
    (IP6, socket.IPV6_RECVHOPLIMIT),
    (IP6, socket.IPV6_TCLASS),
    (SOL, 9999),
    (9999, 1),
    (-1, 1),
]
READABLE = SETTABLE + [
    (SOL, socket.SO_ERROR),
    (SOL, socket.SO_TYPE),
    (SOL, socket.SO_ACCEPTCONN),
    (SOL, socket.SO_DOMAIN),
    (SOL, socket.SO_PROTOCOL),
    (SOL, socket.SO_LINGER),
    (SOL, socket.SO_RCVTIMEO),
    (SOL, socket.SO_SNDTIMEO),
    (SOL, socket.SO_RCVLOWAT),
    (SOL, socket.SO_SNDLOWAT),
    (TCP, socket.TCP_FASTOPEN),
    (IP, 14),  # IP_MTU
    (IP6, 24),  # IPV6_MTU
]
VALUES = st.one_of(
    st.sampled_from([0, 1, -1, 2, 5, 60, 255, 256, 16384, 65536, 1 << 20, 0x7FFFFFFF]),
    st.sampled_from([b"", b"\1", b"\1\0\0\0", bytes(4), b"\1\0\0\0\0\0\0\0", b"\x7f\0\0\1" * 2]),
    st.sampled_from([bytearray(b"\xe0\1\2\3\x7f\0\0\1"), memoryview(b"\1\0\0\0")]),
)
# Small buffers make how much fits a matter of timing, and TCP sizes them itself until told.
SIZES = ((SOL, socket.SO_SNDBUF), (SOL, socket.SO_RCVBUF))

PEEK, DONTWAIT, WAITALL = socket.MSG_PEEK, socket.MSG_DONTWAIT, socket.MSG_WAITALL
TRUNC, OOB, MORE = socket.MSG_TRUNC, socket.MSG_OOB, socket.MSG_MORE
# Addresses that cannot be used.
ODD = ("foreign", "family", "range", "shape")
FORMS = {"bytes": bytes, "bytearray": bytearray, "memoryview": memoryview}
RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)

socks = Bundle("socks")


def _one(*items: Any) -> Any:
    return st.sampled_from(items)


_SENT = _one(0, 1, 2, 5, 5, 64, 100, 1500, 4096)
_ASKED = _one(0, 1, 2, 5, 5, 64, 100, 1500, 5000, 70000)
_SEND_FLAGS = _one(0, 0, 0, DONTWAIT, socket.MSG_NOSIGNAL, MORE, OOB, socket.MSG_DONTROUTE)
_RECV_FLAGS = _one(
    *[0, DONTWAIT, PEEK, WAITALL] * 2,
    PEEK | DONTWAIT,
    PEEK | TRUNC,
    PEEK | WAITALL,
    TRUNC,
    WAITALL | DONTWAIT,
    OOB,
    socket.MSG_ERRQUEUE,
)
# Rather a socket that has something to read.
_THERE = _one(True, True, True, True, False)
_EVENTS = _one(0, 1, 4, 5, 5, 2, 7, kernel.POLLRDHUP, 0x40 | 0x100)


def _call(name: str, *args: Any) -> Any:
    return st.tuples(st.just(name), *args)


_SEND = _call("send", _SENT, _SEND_FLAGS, _one("bytes", "bytearray", "memoryview", "array"))
_RECV = _call(
    "recv", _ASKED, _RECV_FLAGS, _one("bytes", "bytes", "bytearray", "memoryview", "array"), _THERE
)
_TALK = st.one_of(
    _SEND,
    _SEND,
    _call(
        "sendto",
        _SENT,
        _SEND_FLAGS,
        _one(*["twin"] * 6, "packed", "packed", "closed", "mapped", *ODD),
        socks,
    ),
    _call(
        "sendmsg",
        st.lists(_SENT, max_size=3),
        _SEND_FLAGS,
        _one(None, None, None, "twin", "closed"),
        socks,
        st.one_of(st.none(), socks),
        _one(1, 1, 2),
    ),
    _RECV,
    _RECV,
    _RECV,
    _call("recvfrom", _ASKED, _RECV_FLAGS, st.booleans(), _THERE),
    _call(
        "recvmsg",
        st.lists(_ASKED, max_size=3),
        _one(0, 0, 16, 20, 24, 40, 256),
        _RECV_FLAGS,
        _THERE,
    ),
)
_CHANGES = st.lists(
    st.tuples(st.integers(0, 5), _EVENTS, st.one_of(st.none(), st.none(), socks)), max_size=3
)
_LIFE = st.one_of(
    _call("refused", _one(True, True, False), st.booleans()),
    _call("bind", _one(*["loopback"] * 6, "any", "any", "twin", "packed", *ODD), socks),
    _call("listen", _one(-1, 0, 1, 5, 128, 1 << 20)),
    _call(
        "connect",
        _one(*["twin"] * 8, "packed", "packed", "closed", "closed", "mapped", "any", *ODD),
        socks,
    ),
    _call("dissolve"),
    _call("accept", _THERE),
    _call("shutdown", _one(0, 1, 2, 1, 2, 3, -1)),
    _call("shutdown", _one(0, 1)),
    _call("close"),
    _call("close"),
    # One argument that is wrong: of several any may be told.
    _call("odd_socket", _one(0, 9999, -1), _one(1, 2), st.just(0)),
    _call("odd_socket", _one(1, 2, 10), _one(0, 3, 4, 5, 77, -1, 2048 | 1, 0x80001), st.just(0)),
    _call("odd_socket", _one(1, 2, 10), _one(1, 2), _one(1, 6, 17, 132, 255, 9999)),
)
_STATE = st.one_of(
    _call("so_error"),
    _call("expire", _one(12, 20)),
    _call("getsockopt", st.sampled_from(READABLE), _one(0, 0, 4, 8, 1, 16)),
    _call("setsockopt", st.sampled_from(SETTABLE), VALUES),
    _call("timeout", st.booleans(), _one(0, 20, 40, 1000), _one("float", "int", "timeval")),
    _call("linger", _one((0, 0), (1, 0), (0, 5)), st.booleans()),
    _call("set_nonblock", st.booleans(), _one("fcntl", "ioctl")),
    _call("fcntl", _one(fcntl.F_GETFL, fcntl.F_GETFL, 9999, -1)),
    _call("fionread"),
    _call("getsockname"),
    _call("getpeername"),
)


class Stuck(AssertionError):
    """A call of the layer did not come back."""


class Watchdog:
    """Ends a hanging call in this thread; SIGALRM belongs to pytest-timeout."""

    def __init__(self) -> None:
        self.begin = 0.0
        self._main = threading.get_ident()
        self._old = signal.signal(signal.SIGUSR1, self._raise)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _raise(self, *_: object) -> None:
        if self.begin:
            raise Stuck(f"the layer's call has not come back for {STUCK} s")

    def _watch(self) -> None:
        while not self._end.wait(0.25):
            if self.begin and time.monotonic() - self.begin > STUCK:
                signal.pthread_kill(self._main, signal.SIGUSR1)

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        signal.signal(signal.SIGUSR1, self._old)


class Twin:
    """One socket of the layer and its plain counterpart."""

    def __init__(self, fd: int, plain: socket.socket, number: int):
        self.fd = fd
        self.plain = plain
        self.number = number
        # The layer's handle: for looking at the kernel's state alone.
        self.handle = fdtable.tab[fd].h
        self.family = plain.family
        self.stream = plain.type == socket.SOCK_STREAM
        self.tcp = self.stream and plain.family != socket.AF_UNIX
        self.open = True
        self.nonblock = False
        self.rcvtimeo = 0
        self.sndtimeo = 0
        self.peer: Optional[Twin] = None
        # Of a listener: how many wait, how many may.
        self.pending = 0
        self.backlog: Optional[int] = None
        # Something was done that makes a plain stream of bytes out of the question.
        self.odd = False
        # The open file is another twin's too.
        self.shared = False
        # Which socket gets what is sent to its port is up to the kernel.
        self.ambiguous = False
        self.ports = (0, 0)
        # It was bound, and did nothing that gives a port up.
        self.held = False
        # Options that were set.
        self.set: set[tuple] = set()

    def __repr__(self) -> str:
        return f"#{self.number}"

    def paired(self) -> bool:
        return self.open and self.peer is not None and self.peer.open

    def is_ready(self, event: int) -> bool:
        return bool(kernel.revents(self.plain.fileno(), event))


def never_waits(twin: Twin, flags: int) -> bool:
    """Urgent data and queued errors are there or not, even for a blocking recv."""
    if twin.family == socket.AF_UNIX:
        return bool(flags & OOB)
    return bool(flags & socket.MSG_ERRQUEUE) or twin.tcp and bool(flags & OOB)


def outcome(call: Callable[[], Any]) -> tuple:
    try:
        return ("gave", call())
    except Stuck:
        raise
    except socket.gaierror as e:
        return ("gaierror", e.errno)
    except OSError as e:
        # CPython's own refusals (a path too long) have no errno; the layer says EINVAL.
        return ("errno", errno.EINVAL if e.errno is None else e.errno)
    except (TypeError, ValueError, OverflowError) as e:
        return (type(e).__name__, None)


def show(result: tuple) -> str:
    if result[0] == "errno":
        return os.strerror(result[1])
    return f"{result[0]} {result[1]!r}"


class Port:
    """A port number as far as it means the same in both worlds."""

    def __init__(self, number: int, twins: frozenset[int]):
        self.number = number
        self.twins = twins

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Port):
            return NotImplemented
        if not self.twins or not other.twins:
            known = self.twins or other.twins
            return not known and (self.number == other.number or 0 < self.number < 65536)
        return bool(self.twins & other.twins)

    def __repr__(self) -> str:
        return f"port {self.number} of {sorted(self.twins)}"


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.twins: list[Twin] = []
        self.listeners: list[Twin] = []
        self.watchdog = Watchdog()
        self.folder = tempfile.mkdtemp(prefix="oracle-")
        os.mkdir(self.folder + "/l")
        os.mkdir(self.folder + "/k")
        self.names = 0
        self.sent = 0
        # Urgent data was sent.
        self.urgent = False
        self.failed = False
        self.plains: list[socket.socket] = []
        self.pollfds: list[Any] = []
        self.before = len(os.listdir("/proc/self/fd"))
        assert fdtable.used() == 0

    def teardown(self) -> None:
        self.watchdog.stop()
        shutil.rmtree(self.folder)
        if self.failed:
            for plain in self.plains:
                plain.close()
            for fd, sock in enumerate(fdtable.tab):
                if sock is not fdtable.closed:
                    fdtable.tab[fd] = fdtable.closed
                    sock.h.close()
            fdtable._low = 0
            return
        for twin in self.twins:
            if twin.open:
                twin.plain.close()
                net.zsock_close(twin.fd)
        assert fdtable.used() == 0, "the table is not empty"
        left = len(os.listdir("/proc/self/fd")) - self.before
        assert left == 0, f"{left} descriptors are left open"

    def check(self, good: bool, message: str) -> None:
        if not good:
            self.failed = True
            raise AssertionError(message)

    def kept(self, plain: socket.socket) -> socket.socket:
        """Closed at the end, whatever happens."""
        self.plains.append(plain)
        return plain

    # -- Both worlds

    def both(
        self,
        layer: Callable[[], Any],
        plain: Callable[[], Any],
        seen: Callable[[str, Any], Any] = lambda world, value: value,
    ) -> tuple:
        """The two results after they were found the same; the layer's ms last."""
        self.watchdog.begin = begin = time.monotonic()
        failed, self.failed = self.failed, True  # should something else be raised
        try:
            mine = outcome(layer)
        finally:
            self.watchdog.begin = 0
        spent = (time.monotonic() - begin) * 1000
        theirs = outcome(plain)
        self.failed = failed
        one, two = mine, theirs
        if mine[0] == "gave" and theirs[0] == "gave":
            one, two = ("gave", seen("l", mine[1])), ("gave", seen("k", theirs[1]))
        self.check(one == two, f"the layer: {show(one)}; the kernel: {show(two)}")
        return mine, theirs, spent

    def timely(self, results: tuple, twin: Twin, timeout: int, flags: int) -> None:
        """A timeout that expired took its time, and not much more."""
        waits = timeout and not twin.nonblock and not flags & DONTWAIT
        waits = waits and not never_waits(twin, flags)
        if results[0] == ("errno", errno.EAGAIN) and waits:
            spent = results[2]
            self.check(timeout - EARLY <= spent <= timeout + LATE, f"{spent} ms, not {timeout}")

    @invariant()
    def settled(self) -> None:
        """Wait until the kernel shows the same state for both sockets of each twin."""
        begin = time.monotonic()
        for twin in self.twins:
            if not twin.open:
                continue
            while True:
                states, held = zip(
                    kernel.state(twin.handle, twin.tcp), kernel.state(twin.plain, twin.tcp)
                )
                if states[0] == states[1] and not any(held):
                    break
                spent = time.monotonic() - begin
                if states[0] == states[1] and spent > HELD:
                    break
                self.check(spent < SETTLE, f"the states of {twin} differ for long: {states}")
                time.sleep(0.0002 if spent < 0.02 else 0.005)
            if twin.family != socket.AF_UNIX:
                twin.ports = twin.handle.getsockname()[1], twin.plain.getsockname()[1]
        used = sum(twin.open for twin in self.twins)
        self.check(fdtable.used() == used, f"{fdtable.used()} fds are in the table, not {used}")

    def add(self, fd: int, plain: socket.socket) -> Twin:
        taken = {twin.fd for twin in self.twins if twin.open}
        free = next(n for n in range(len(taken) + 1) if n not in taken)
        self.check(fd == free, f"the fd is {fd}, the lowest free one {free}")
        twin = Twin(fd, plain, len(self.twins))
        self.twins.append(twin)
        return twin

    def full(self, wanted: int = 1) -> bool:
        return sum(twin.open for twin in self.twins) + wanted > OPEN_MOST

    def usable(self, twin: Twin) -> bool:
        """False for a closed twin whose fd is another one's by now."""
        return twin.open or all(other.fd != twin.fd for other in self.twins if other.open)

    def readable(self, twin: Twin) -> Twin:
        """This one, or rather one that has something to read."""
        if not (twin.open and twin.is_ready(select.POLLIN)):
            for other in self.twins:
                if other.open and kernel.readable(other.plain.fileno()):
                    return other
        return twin

    def data(self, size: int) -> bytes:
        self.sent += 1
        start = self.sent * 31 % 251
        return bytes((start + i) % 251 for i in range(size))

    # -- Addresses

    def port_seen(self, world: str, number: int) -> Port:
        at = 0 if world == "l" else 1
        return Port(
            number, frozenset(t.number for t in self.twins if number and t.ports[at] == number)
        )

    def addr_seen(self, world: str, addr: Any) -> Any:
        if isinstance(addr, tuple):
            return (addr[0], self.port_seen(world, addr[1]), *addr[2:])
        if isinstance(addr, str):
            return addr.replace(f"{self.folder}/{world}/", "")
        if isinstance(addr, bytes) and addr[:1] == b"\0":
            # Six bytes: a name that the kernel chose.
            return len(addr) if len(addr) == 6 else addr.replace(b"-%s-" % world.encode(), b"--")
        return addr

    def address(self, twin: Twin, how: str, to: Optional[Twin], new: bool = False) -> tuple:
        """An address for this twin, in both worlds; the layer's may be a packed one."""
        if twin.family == socket.AF_UNIX:
            both = self.unix_address(how, to, new)
            if how == "packed" and all(both):
                return struct.pack("H", socket.AF_UNIX) + os.fsencode(both[0]) + b"\0", both[1]
            return both
        host = LOOPBACK[twin.family]
        ports = (0, 0) if new else (CLOSED_PORT, CLOSED_PORT)
        if how in ("twin", "packed", "mapped") and to and to.family in LOOPBACK:
            # Of what has no hold on its port the number may by now be anyone's.
            if to.open and to.held and to.plain.type == twin.plain.type and not to.ambiguous:
                ports = to.ports
        if how == "any":
            host = ""
        elif how == "foreign":
            host = FOREIGN[twin.family] if new else host
        elif how == "family":
            host = "::1" if twin.family == socket.AF_INET else "127.0.0.1"
        elif how == "mapped" and twin.family == socket.AF_INET6:
            host = "::ffff:127.0.0.1"
        elif how == "range":
            ports = (65536, 65536)
        elif how == "shape":
            return (host,), (host,)
        elif how == "packed":
            raw = socket.inet_pton(twin.family, host)
            packed = struct.pack("H", twin.family) + struct.pack("!H", ports[0])
            if twin.family == socket.AF_INET:
                return packed + raw + bytes(8), (host, ports[1])
            return packed + bytes(4) + raw + bytes(4), (host, ports[1])
        if twin.family == socket.AF_INET6 and how == "twin":
            return (host, ports[0], 0, 0), (host, ports[1], 0, 0)
        return (host, ports[0]), (host, ports[1])

    def unix_address(self, how: str, to: Optional[Twin], new: bool) -> tuple:
        if how in ("twin", "packed", "mapped") and to and to.family == socket.AF_UNIX and to.open:
            return to.handle.getsockname(), to.plain.getsockname()
        self.names += 1
        if how == "any":
            return "", ""
        if how == "foreign":
            name = "none/x"
        elif how == "family":
            n = b"%d-%d" % (os.getpid(), self.names)
            return b"\0-l-" + n, b"\0-k-" + n
        elif how == "range":
            name = "x" * 120
        elif how == "shape":
            return 5, 5
        else:
            name = "x%d" % self.names
        return f"{self.folder}/l/{name}", f"{self.folder}/k/{name}"

    def would_be_full(self, to: Optional[Twin]) -> bool:
        """True when a connection to this listener would wait in the network."""
        return bool(to and to.backlog is not None and to.pending > to.backlog)

    # -- Making sockets

    @initialize(target=socks, kind=st.sampled_from(sorted(KINDS)))
    def begin(self, kind: str) -> Any:
        return self.make("connection", kind, True, 5)

    @rule(
        target=socks,
        how=_one("connection", "connection", "connection", "pair", "pair", "listener", "new"),
        kind=st.sampled_from(sorted(KINDS)),
        flag=st.booleans(),
        backlog=_one(0, 1, 5),
    )
    def make(self, how: str, kind: str, flag: bool, backlog: int) -> Any:
        if self.full(3):
            return multiple()
        if how == "new":
            return self.new(kind, flag)
        if how == "pair":
            family = socket.AF_INET if kind == "udp6" else socket.AF_UNIX
            return multiple(*self.socketpair(family, KINDS[kind][1], flag))
        if how == "listener":
            return self.listener(kind, backlog)
        return multiple(*self.connection(kind, flag))

    def new(self, kind: str, nonblock: bool) -> Twin:
        family, type = KINDS[kind]
        mine, theirs, _ = self.both(
            lambda: net.zsock_socket(family, type | socket.SOCK_NONBLOCK * nonblock),
            lambda: self.kept(socket.socket(family, type)),
            lambda world, value: None,
        )
        os.set_blocking(theirs[1].fileno(), not nonblock)
        twin = self.add(mine[1], theirs[1])
        twin.nonblock = nonblock
        return twin

    def socketpair(self, family: int, type: int, nonblock: bool) -> list[Twin]:
        mine, theirs, _ = self.both(
            lambda: net.zsock_socketpair(family, type | socket.SOCK_NONBLOCK * nonblock),
            lambda: [self.kept(s) for s in socket.socketpair(family, type)],
            lambda world, value: len(value),
        )
        if mine[0] != "gave":
            return []
        twins = [self.add(fd, plain) for fd, plain in zip(mine[1], theirs[1])]
        for twin in twins:
            twin.nonblock = nonblock
            os.set_blocking(twin.plain.fileno(), not nonblock)
        twins[0].peer, twins[1].peer = twins[1], twins[0]
        return twins

    def listener(self, kind: str, backlog: int) -> Twin:
        twin = self.new(kind, False)
        self.bind(twin, "loopback", None)
        if twin.plain.type != socket.SOCK_DGRAM:
            self.listen(twin, backlog)
        self.settled()
        return twin

    def connection(self, kind: str, keep: bool) -> list[Twin]:
        """Two sockets that are connected to each other, and the listener."""
        listener = self.listener(kind, 5)
        client = self.new(kind, False)
        if client.plain.type == socket.SOCK_DGRAM:
            self.bind(client, "loopback", None)
            self.settled()
            self.connect(listener, "twin", client)
            self.connect(client, "twin", listener)
            return [client, listener]
        self.connect(client, "twin", listener)
        client.odd = False
        self.settled()
        (server,) = self.accept(listener)
        client.peer, server.peer = server, client
        if keep:
            return [client, server, listener]
        self.close(listener)
        return [client, server]

    # -- The life of a socket

    @rule(target=socks, calls=st.lists(st.tuples(socks, _LIFE), min_size=1, max_size=4))
    def life(self, calls: list) -> Any:
        return multiple(*self.several(calls))

    def several(self, calls: list) -> list[Twin]:
        """Makes the calls; the sockets that came out of them."""
        new: list[Twin] = []
        for twin, (name, *args) in calls:
            self.settled()
            if name[:4] == "recv" and args.pop():
                twin = self.readable(twin)
            if name == "accept" and args.pop():
                twin = next((t for t in self.twins if t.open and t.pending > 0), twin)
            if name == "so_error":
                twin = next((t for t in self.twins if t.open and t.is_ready(8)), twin)
            if name == "pass_on":
                twin = next((t for t in self.twins if t.family == 1 and t.paired()), twin)
            if self.usable(twin):
                new += getattr(self, name)(twin, *args) or ()
        return new

    def odd_socket(self, twin: Twin, family: int, type: int, proto: int) -> None:
        mine, theirs, _ = self.both(
            lambda: net.zsock_socket(family, type, proto),
            lambda: kernel.socket(family, type, proto),
            lambda world, value: None,
        )
        if mine[0] == "gave":
            net.zsock_close(mine[1])
            os.close(theirs[1])

    def bind(self, twin: Twin, how: str, to: Optional[Twin]) -> None:
        # Of a bad address on a closed socket either may be told.
        if not twin.open and how in ODD:
            return
        mine, theirs = self.address(twin, how, to, new=True)
        result = self.both(lambda: net.zsock_bind(twin.fd, mine), lambda: twin.plain.bind(theirs))
        if result[0][0] == "gave":
            twin.held = True
            if how in ("twin", "packed") and to:
                twin.ambiguous = to.ambiguous = True

    def listen(self, twin: Twin, backlog: int) -> None:
        result = self.both(
            lambda: net.zsock_listen(twin.fd, backlog), lambda: twin.plain.listen(backlog)
        )
        if result[0][0] == "gave":
            twin.backlog = max(backlog, 0)

    def connect(self, twin: Twin, how: str, to: Twin) -> None:
        if twin.shared or to.shared or (not twin.open and how in ODD):
            return
        if twin.plain.type != socket.SOCK_DGRAM and self.would_be_full(to):
            patient = twin.nonblock or 0 < twin.sndtimeo <= SHORT
            if twin.family != socket.AF_UNIX or not patient:
                return
        mine, theirs = self.address(twin, how, to)
        result = self.both(
            lambda: net.zsock_connect(twin.fd, mine), lambda: twin.plain.connect(theirs)
        )
        good = result[0][0] == "gave" or result[0] == ("errno", errno.EINPROGRESS)
        if good and how != "closed":
            to.pending += 1
        twin.odd = True
        twin.held = twin.held and not twin.tcp

    def refused(self, twin: Twin, nonblock: bool, ask: bool) -> list[Twin]:
        """A new socket whose connection is refused, if this one's family has such a thing."""
        if self.full() or twin.family not in LOOPBACK:
            return []
        new = self.new("tcp4" if twin.family == socket.AF_INET else "tcp6", nonblock)
        self.connect(new, "closed", new)
        self.settled()
        if ask:
            self.so_error(new)
        return [new]

    def dissolve(self, twin: Twin) -> None:
        """connect to AF_UNSPEC, which CPython cannot."""
        if not twin.open or twin.shared or twin.family == socket.AF_UNIX:
            return
        raw = bytes(16)
        self.both(
            lambda: net.zsock_connect(twin.fd, raw),
            lambda: kernel.connect(twin.plain.fileno(), raw),
        )
        twin.odd = True
        twin.held = False

    def accept(self, twin: Twin) -> list[Twin]:
        if self.full() or twin.shared:
            return []
        blocks = twin.open and twin.backlog is not None and not twin.is_ready(select.POLLIN)
        if blocks and not twin.nonblock and not 0 < twin.rcvtimeo <= SHORT:
            return []

        def plain_accept() -> tuple:
            number, addr = twin.plain._accept()
            return self.kept(socket.socket(fileno=number)), addr

        result = self.both(
            lambda: net.zsock_accept(twin.fd),
            plain_accept,
            lambda world, value: self.addr_seen(world, value[1]),
        )
        self.timely(result, twin, twin.rcvtimeo, 0)
        if result[0][0] != "gave":
            return []
        twin.pending -= 1
        new = self.add(result[0][1][0], result[1][1][0])
        if twin.tcp:
            new.rcvtimeo, new.sndtimeo = twin.rcvtimeo, twin.sndtimeo
        return [new]

    def shutdown(self, twin: Twin, how: int) -> None:
        self.both(lambda: net.zsock_shutdown(twin.fd, how), lambda: twin.plain.shutdown(how))
        twin.odd = True
        twin.held = twin.held and not twin.tcp

    def close(self, twin: Twin) -> None:
        if not twin.open:
            # socket.close() says nothing the second time.
            self.both(lambda: net.zsock_close(twin.fd), lambda: kernel.close(kernel.NEVER))
            return
        twin.open = False
        self.both(lambda: net.zsock_close(twin.fd), twin.plain.close)

    # -- Data

    def patience(self, twin: Twin, flags: int, event: int, size: int) -> int:
        """The flags, with MSG_DONTWAIT where the call could wait for long."""
        if twin.family == socket.AF_UNIX:
            flags &= ~socket.MSG_ERRQUEUE  # has no meaning there
        timeout = twin.rcvtimeo if event == select.POLLIN else twin.sndtimeo
        if not twin.open or twin.nonblock or 0 < timeout <= SHORT:
            return flags
        if event == select.POLLIN and never_waits(twin, flags):
            return flags
        if event == select.POLLOUT:
            never = twin.is_ready(event) and twin.plain.type == socket.SOCK_STREAM
            return flags if never or twin.family != socket.AF_UNIX else flags | DONTWAIT
        if self.urgent or not twin.is_ready(event):
            # A stream with nothing but urgent data is ready and has nothing to read.
            return flags | DONTWAIT
        if flags & WAITALL and kernel.readable(twin.plain.fileno()) < size:
            # Less may be all: at the end of the stream.
            ended = kernel.revents(twin.plain.fileno(), kernel.POLLRDHUP)
            return flags if ended & (kernel.POLLRDHUP | 16) else flags | DONTWAIT
        return flags

    def send_flags(self, twin: Twin, flags: int, size: int) -> int:
        if flags & MORE and twin.tcp:
            flags = 0  # held back for 200 ms
        if flags & OOB and twin.stream:
            if twin.family == socket.AF_UNIX:
                return self.send_flags(twin, 0, size)  # a peek at it can hang in the kernel
            self.urgent = True
        return self.patience(twin, flags, select.POLLOUT, size)

    @rule(target=socks, calls=st.lists(st.tuples(socks, _TALK), min_size=1, max_size=8))
    def talk(self, calls: list) -> Any:
        return multiple(*self.several(calls))

    def send(self, twin: Twin, size: int, flags: int, form: str) -> None:
        flags = self.send_flags(twin, flags, size)
        data = self.data(size)
        given = array.array("B", data) if form == "array" else FORMS[form](data)
        result = self.both(
            lambda: net.zsock_send(twin.fd, given, flags),
            lambda: twin.plain.send(data, flags),
        )
        self.timely(result, twin, twin.sndtimeo, flags)

    def sendto(self, twin: Twin, size: int, flags: int, how: str, to: Twin) -> None:
        if not twin.open and how in ODD:
            return
        if to.family != twin.family and how == "twin":
            to = twin
        flags = self.send_flags(twin, flags, size)
        data = self.data(size)
        mine, theirs = self.address(twin, how, to)
        result = self.both(
            lambda: net.zsock_sendto(twin.fd, data, flags, mine),
            lambda: twin.plain.sendto(data, flags, theirs),
        )
        self.timely(result, twin, twin.sndtimeo, flags)

    def sendmsg(
        self, twin: Twin, sizes: list, flags: int, how: Any, to: Twin, carried: Any, times: int
    ) -> None:
        flags = self.send_flags(twin, flags, sum(sizes))
        data = [self.data(size) for size in sizes]
        mine, theirs = self.address(twin, how, to) if how else (None, None)
        mine_anc: list = []
        their_anc: list = []
        if carried and carried.open and twin.family == socket.AF_UNIX:
            mine_anc = [(*RIGHTS, array.array("i", [carried.fd] * times))]
            their_anc = [(*RIGHTS, array.array("i", [carried.plain.fileno()] * times))]
            # Whose end has which state from now on is the kernel's matter.
            carried.shared = True
        result = self.both(
            lambda: net.zsock_sendmsg(twin.fd, data, mine_anc, flags, mine),
            lambda: twin.plain.sendmsg(data, their_anc, flags, theirs),
        )
        self.timely(result, twin, twin.sndtimeo, flags)

    def pass_on(self, twin: Twin, carried: Twin, times: int, room: int, peek: bool) -> Any:
        """Sends a socket over a stream, and receives it."""
        peer = twin.peer
        if not peer or not twin.paired() or not carried.open:
            return ()
        self.sendmsg(twin, [1], 0, None, twin, carried, times)
        self.settled()
        new = list(self.recvmsg(peer, [5000], room, PEEK | DONTWAIT)) if peek else []
        return [*new, *self.recvmsg(peer, [5000], room, DONTWAIT)]

    def recv(self, twin: Twin, size: int, flags: int, form: str) -> None:
        flags = self.patience(twin, flags, select.POLLIN, size)
        buffer = array.array("B", b"\xee" * size) if form == "array" else bytearray(b"\xee" * size)
        into = memoryview(buffer) if form == "memoryview" else buffer
        # TCP writes nothing with MSG_TRUNC.
        blank = flags & TRUNC and twin.tcp

        def mine() -> tuple:
            if form == "bytes":
                data = net.zsock_recv(twin.fd, size, flags)
                return data, bytes(len(data)) if blank else data
            n = net.zsock_recv(twin.fd, into, flags)
            rest = bytes(into)[n:]
            self.check(blank or rest == b"\xee" * len(rest), "more than n bytes changed")
            return n, bytes(into)[:n]

        def plain() -> tuple:
            # Not socket.recv: it does not ask the kernel for 0 bytes, and with MSG_TRUNC it
            # shows bytes that were never written.
            n, data = kernel.recv(twin.plain.fileno(), size, flags)
            return (data if form == "bytes" else n), data

        def seen(world: str, value: tuple) -> tuple:
            first, data = value
            if blank:
                return len(first) if form == "bytes" else first, len(data)
            return value

        result = self.both(mine, plain, seen)
        self.timely(result, twin, twin.rcvtimeo, flags)
        if twin.stream and size and result[0] == ("gave", (b"" if form == "bytes" else 0, b"")):
            self.both(mine, plain, seen)  # the end of a stream stays the end

    def recvfrom(self, twin: Twin, size: int, flags: int, into: bool) -> None:
        flags = self.patience(twin, flags, select.POLLIN, size)
        blank = flags & TRUNC and twin.tcp
        one, two = bytearray(size), bytearray(size)

        def plain() -> tuple:
            if into and size:
                return twin.plain.recvfrom_into(two, size, flags)
            data, addr = twin.plain.recvfrom(size, flags)
            # What is behind the size was never written (MSG_TRUNC).
            return (len(data) if into else data[:size]), addr

        def seen(world: str, value: tuple) -> tuple:
            data = len(value[0]) if blank and not into else value[0]
            return data, self.addr_seen(world, value[1])

        result = self.both(
            lambda: net.zsock_recvfrom(twin.fd, one if into else size, flags), plain, seen
        )
        self.check(blank or one == two, "the buffers differ")
        self.timely(result, twin, twin.rcvtimeo, flags)

    def recvmsg(self, twin: Twin, sizes: list, room: int, flags: int) -> Any:
        if self.full(4):
            return ()
        flags = self.patience(twin, flags, select.POLLIN, sum(sizes))
        one = [bytearray(size) for size in sizes]
        two = [bytearray(size) for size in sizes]

        def seen(world: str, value: tuple) -> tuple:
            n, anc, msg_flags, addr = value
            anc = [(*item[:2], len(item[2]) if item[:2] == RIGHTS else item[2]) for item in anc]
            return n, anc, msg_flags, self.addr_seen(world, addr)

        result = self.both(
            lambda: net.zsock_recvmsg(twin.fd, one, room, flags),
            lambda: twin.plain.recvmsg_into(two, room, flags),
            seen,
        )
        self.timely(result, twin, twin.rcvtimeo, flags)
        if result[0][0] != "gave":
            return ()
        self.check(flags & TRUNC or one == two, "the buffers differ")
        new = []
        for mine, theirs in zip(result[0][1][1], result[1][1][1]):
            if mine[:2] == RIGHTS:
                for fd, number in zip(array.array("i", mine[2]), array.array("i", theirs[2])):
                    twin = self.add(fd, self.kept(socket.socket(fileno=number)))
                    twin.shared = True
                    twin.nonblock = not os.get_blocking(number)
                    new.append(twin)
        return new

    @rule(twin=socks)
    def fill(self, twin: Twin) -> None:
        """A stream that nobody reads fills up; all of it then comes out in order."""
        peer = twin.peer
        if not peer or not (twin.paired() and twin.stream):
            return
        if self.urgent or twin.odd or peer.odd or twin.shared or peer.shared:
            return
        while True:
            result = self.both(
                lambda: net.zsock_recv(peer.fd, 65536, DONTWAIT),
                lambda: kernel.recv(peer.plain.fileno(), 65536, DONTWAIT)[1],
            )
            if result[0][0] != "gave":
                break
        block = self.data(16384)
        worlds = (
            (
                lambda: net.zsock_send(twin.fd, block, DONTWAIT),
                lambda: net.zsock_recv(peer.fd, 65536, DONTWAIT),
            ),
            (
                lambda: twin.plain.send(block, DONTWAIT),
                lambda: peer.plain.recv(65536, DONTWAIT),
            ),
        )
        ends = []
        for send, recv in worlds:
            blocks: list[int] = []
            while (last := outcome(send))[0] == "gave":
                blocks.append(last[1])
            total = sum(blocks)
            self.check(total > 4096, "an empty stream takes next to nothing")
            got = bytearray()
            end = time.monotonic() + SETTLE
            while len(got) < total and time.monotonic() < end:
                part = outcome(recv)
                if part[0] == "gave":
                    got += part[1]
            self.check(got == b"".join(block[:n] for n in blocks), "not what was sent")
            ends.append((last, outcome(recv)))
        self.check(ends[0] == ends[1], f"the layer: {ends[0]}; the kernel: {ends[1]}")

    # -- State

    @rule(calls=st.lists(st.tuples(socks, _STATE), min_size=1, max_size=4))
    def state(self, calls: list) -> None:
        self.several(calls)

    def getsockopt(self, twin: Twin, option: tuple, buflen: int) -> None:
        if buflen and option in ((SOL, socket.SO_RCVTIMEO), (SOL, socket.SO_SNDTIMEO)):
            buflen = 16
        if twin.tcp and option in SIZES and option not in twin.set:
            return
        self.both(
            lambda: net.zsock_getsockopt(twin.fd, *option, buflen),
            lambda: twin.plain.getsockopt(*option, *([buflen] if buflen else [])),
        )

    def setsockopt(self, twin: Twin, option: tuple, value: Any) -> None:
        if option in SIZES and isinstance(value, int):
            value = max(value, 16384)
        if option == (SOL, socket.SO_REUSEPORT):
            twin.ambiguous = True
        result = self.both(
            lambda: net.zsock_setsockopt(twin.fd, *option, value),
            lambda: twin.plain.setsockopt(*option, value),
        )
        if result[0][0] == "gave":
            twin.set.add(option)
        # What it was set to, and that options of the same number were not.
        for same in READABLE:
            if same[1] == option[1]:
                self.getsockopt(twin, same, 0)

    def timeout(self, twin: Twin, receive: bool, ms: int, form: str) -> None:
        if twin.shared:
            return
        option = (SOL, socket.SO_RCVTIMEO if receive else socket.SO_SNDTIMEO)
        if form == "int":
            ms = ms // 1000 * 1000
        # The kernel takes nothing but a struct timeval.
        raw = struct.pack("ll", ms // 1000, ms % 1000 * 1000)
        value = {"int": ms // 1000, "float": ms / 1000, "timeval": raw}[form]
        result = self.both(
            lambda: net.zsock_setsockopt(twin.fd, *option, value),
            lambda: twin.plain.setsockopt(*option, raw),
        )
        if result[0][0] == "gave":
            if receive:
                twin.rcvtimeo = ms
            else:
                twin.sndtimeo = ms

    def so_error(self, twin: Twin) -> None:
        """An error is told once."""
        for _ in range(2):
            self.getsockopt(twin, (SOL, socket.SO_ERROR), 0)

    def expire(self, twin: Twin, ms: int) -> None:
        """A receive that gets nothing in time."""
        if twin.open and not twin.shared:
            before = twin.rcvtimeo
            self.timeout(twin, True, ms, "float")
            self.recv(twin, 5, 0, "bytes")
            self.timeout(twin, True, before, "float")

    def linger(self, twin: Twin, value: tuple, as_tuple: bool) -> None:
        raw = struct.pack("ii", *value)
        given = value if as_tuple else raw
        self.both(
            lambda: net.zsock_setsockopt(twin.fd, SOL, socket.SO_LINGER, given),
            lambda: twin.plain.setsockopt(SOL, socket.SO_LINGER, raw),
        )

    def getsockname(self, twin: Twin) -> None:
        self.both(lambda: net.zsock_getsockname(twin.fd), twin.plain.getsockname, self.addr_seen)

    def getpeername(self, twin: Twin) -> None:
        self.both(lambda: net.zsock_getpeername(twin.fd), twin.plain.getpeername, self.addr_seen)

    def plain_fd(self, twin: Twin) -> int:
        return twin.plain.fileno() if twin.open else kernel.NEVER

    def set_nonblock(self, twin: Twin, nonblock: bool, how: str) -> None:
        if twin.shared:
            return
        fd = self.plain_fd(twin)
        flag = os.O_NONBLOCK if nonblock else 0
        if how == "ioctl":
            result = self.both(
                lambda: net.zsock_ioctl(twin.fd, net.FIONBIO, int(nonblock)),
                lambda: kernel.ioctl(fd, termios.FIONBIO, int(nonblock)) and 0,
            )
        else:
            result = self.both(
                lambda: net.zsock_fcntl(twin.fd, net.F_SETFL, flag),
                lambda: fcntl.fcntl(fd, fcntl.F_SETFL, flag),
            )
        if result[0][0] == "gave":
            twin.nonblock = nonblock

    def fcntl(self, twin: Twin, cmd: int) -> None:
        fd = self.plain_fd(twin)
        self.both(lambda: net.zsock_fcntl(twin.fd, cmd), lambda: fcntl.fcntl(fd, cmd))

    def fionread(self, twin: Twin) -> None:
        fd = self.plain_fd(twin)
        self.both(
            lambda: net.zsock_ioctl(twin.fd, net.FIONREAD),
            lambda: kernel.ioctl(fd, termios.FIONREAD),
        )

    # -- Readiness

    @rule(
        twins=st.lists(st.one_of(st.none(), socks, socks, socks, socks), min_size=1, max_size=6),
        events=st.lists(_EVENTS, min_size=6, max_size=6),
        ms=_one(0, 0, 0, 0, 0, 20, -1),
        changes=_CHANGES,
    )
    def poll(self, twins: list, events: list, ms: int, changes: list) -> None:
        """A new list (None: a negative fd), then the same with some entries changed."""
        self.pollfds = []
        for twin, wanted in zip(twins, events):
            if not twin or self.usable(twin):
                pollfd = net.zsock_pollfd(twin.fd if twin else -7, wanted)
                self.pollfds.append([twin, pollfd])
        self.poll_both(ms)
        self.poll_again(changes, False)

    @rule(changes=_CHANGES, drop=st.booleans())
    def poll_again(self, changes: list, drop: bool) -> None:
        """The last list, whatever has happened to its sockets in the meantime."""
        if drop and self.pollfds:
            del self.pollfds[-1]
        self.poll_both(0)
        for at, wanted, twin in changes:
            if not self.pollfds:
                return
            entry = self.pollfds[at % len(self.pollfds)]
            entry[1].events = wanted
            if twin and self.usable(twin):
                entry[0] = twin
                entry[1].fd = twin.fd
            self.poll_both(0)

    def poll_both(self, ms: int) -> None:
        pollfds = [entry[1] for entry in self.pollfds]
        entries = [
            (-7 if not twin else self.fd_of(pollfd), pollfd.events)
            for twin, pollfd in self.pollfds
        ]
        if ms < 0 and not any(kernel.poll(entries, 0)):
            ms = 0

        def mine() -> tuple:
            n = net.zsock_poll(pollfds, ms)
            return n, [pollfd.revents for pollfd in pollfds]

        def plain() -> tuple:
            revents = kernel.poll(entries, ms)
            return sum(r != 0 for r in revents), revents

        result = self.both(mine, plain)
        if ms > 0 and result[0][1][0] == 0:
            spent = result[2]
            self.check(ms - EARLY <= spent <= ms + LATE, f"{spent} ms, not {ms}")

    def fd_of(self, pollfd: Any) -> int:
        """The plain descriptor of whatever has that fd now."""
        for twin in self.twins:
            if twin.open and twin.fd == pollfd.fd:
                return twin.plain.fileno()
        return kernel.NEVER

    @rule(
        lists=st.lists(st.lists(socks, max_size=4), min_size=3, max_size=3),
        timeout=_one(0, 0, 0, 0.02, None),
    )
    def select(self, lists: list, timeout: Any) -> None:
        lists = [[twin for twin in twins if self.usable(twin)] for twins in lists]
        fds = [[twin.fd for twin in twins] for twins in lists]
        plain = [[twin.plain.fileno() for twin in twins] for twins in lists]
        if any(number < 0 for numbers in plain for number in numbers):
            # For a closed socket CPython raises a ValueError; the kernel says EBADF.
            self.both(lambda: net.zsock_select(*fds, timeout), lambda: kernel.close(kernel.NEVER))
            return
        if timeout is None and not any(select.select(*plain, 0)):
            timeout = 0

        def index(world: str, value: tuple) -> list:
            wanted = fds if world == "l" else plain
            return [[all_.index(fd) for fd in ready] for all_, ready in zip(wanted, value)]

        self.both(
            lambda: net.zsock_select(*fds, timeout),
            lambda: select.select(*plain, timeout),
            index,
        )
