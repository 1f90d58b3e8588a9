"""Rules: data, one way and the other."""

from __future__ import annotations

import array
import os
import select
import socket
import time
from typing import Any

import kernel
from drawn import DONTWAIT, FORMS, MORE, ODD, OOB, PEEK, RIGHTS, SHORT, TALK, TRUNC, WAITALL, socks
from hypothesis import strategies as st
from hypothesis.stateful import multiple, rule
from twins import SETTLE, Twin, never_waits, outcome
from world import World

import usocket_compat as net


class Data(World):
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

    @rule(target=socks, calls=st.lists(st.tuples(socks, TALK), min_size=1, max_size=8))
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
