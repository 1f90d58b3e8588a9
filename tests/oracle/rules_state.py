"""Rules: options, names, modes."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios
from typing import Any

import kernel
from drawn import READABLE, SIZES, SOL, STATE, socks
from hypothesis import strategies as st
from hypothesis.stateful import rule
from twins import Twin
from world import World

import usocket_compat as net


class State(World):
    @rule(calls=st.lists(st.tuples(socks, STATE), min_size=1, max_size=4))
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
