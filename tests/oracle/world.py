"""Both worlds: each call is made in the layer and on the plain socket, and gives the same."""

from __future__ import annotations

import os
import select
import shutil
import socket
import struct
import tempfile
import time
from typing import Any, Callable

import kernel
from drawn import CLOSED_PORT, DONTWAIT, FOREIGN, LOOPBACK, OPEN_MOST
from hypothesis.stateful import RuleBasedStateMachine, invariant
from twins import EARLY, HELD, LATE, SETTLE, Port, Twin, Watchdog, never_waits, outcome, show

import usocket_compat as net
from usocket_compat import errno, zbase

# Allowances.


class World(RuleBasedStateMachine):
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
        assert len(net.fds()) == 0

    def teardown(self) -> None:
        self.watchdog.stop()
        shutil.rmtree(self.folder)
        if self.failed:
            for plain in self.plains:
                plain.close()
            for fd in net.fds():
                zbase.table.take(fd).h.close()
            return
        for twin in self.twins:
            if twin.open:
                twin.plain.close()
                net.zsock_close(twin.fd)
        assert len(net.fds()) == 0, "the table is not empty"
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
        self.check(len(net.fds()) == used, f"{len(net.fds())} fds are in the table, not {used}")

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

    def address(self, twin: Twin, how: str, to: Twin | None, new: bool = False) -> tuple:
        """An address for this twin, in both worlds; the layer's may be a packed one."""
        if twin.family == socket.AF_UNIX:
            both = self.unix_address(how, to, new)
            if how == "packed" and all(both):
                return struct.pack("H", socket.AF_UNIX) + os.fsencode(both[0]) + b"\0", both[1]
            return both
        host = LOOPBACK[twin.family]
        ports = (0, 0) if new else (CLOSED_PORT, CLOSED_PORT)
        known = how in ("twin", "packed", "mapped") and to and to.family in LOOPBACK
        # Of what has no hold on its port the number may by now be anyone's.
        if known and to.open and to.held and to.plain.type == twin.plain.type:
            ports = ports if to.ambiguous else to.ports
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

    def unix_address(self, how: str, to: Twin | None, new: bool) -> tuple:
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
            name = f"x{self.names}"
        return f"{self.folder}/l/{name}", f"{self.folder}/k/{name}"

    def would_be_full(self, to: Twin | None) -> bool:
        """True when a connection to this listener would wait in the network."""
        return bool(to and to.backlog is not None and to.pending > to.backlog)
