"""Rules: the life of a socket."""

from __future__ import annotations

import os
import select
import socket
from typing import Any

import kernel
from drawn import LIFE, LOOPBACK, ODD, SHORT, socks
from hypothesis import strategies as st
from hypothesis.stateful import multiple, rule
from twins import Twin
from world import World

import usocket_compat as net
from usocket_compat import errno


class Life(World):
    @rule(target=socks, calls=st.lists(st.tuples(socks, LIFE), min_size=1, max_size=4))
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

    def bind(self, twin: Twin, how: str, to: Twin | None) -> None:
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
