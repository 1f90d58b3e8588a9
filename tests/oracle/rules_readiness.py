"""Rules: poll and select."""

from __future__ import annotations

import select
from typing import Any

import kernel
from drawn import CHANGES, EVENTS, pick, socks
from hypothesis import strategies as st
from hypothesis.stateful import rule
from twins import EARLY, LATE
from world import World

import usocket_compat as net


class Readiness(World):
    @rule(
        twins=st.lists(st.one_of(st.none(), socks, socks, socks, socks), min_size=1, max_size=6),
        events=st.lists(EVENTS, min_size=6, max_size=6),
        ms=pick(0, 0, 0, 0, 0, 20, -1),
        changes=CHANGES,
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

    @rule(changes=CHANGES, drop=st.booleans())
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
        timeout=pick(0, 0, 0, 0.02, None),
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
