# SPDX-License-Identifier: MIT
"""Poller against select.epoll, CPython, on the same descriptors, one of many ready, in turn.

Arguments: how many fds (10 1000 10000), each a line: what one event costs either way, and the
ratio. An event is a poll that finds it, with the receive and the send that make the next, by the
same calls either way; `poll` is the poll alone, `plain` the event with plain sockets beneath
epoll.
"""

import os
import resource
import select
import socket
import sys
import tempfile
import time
from typing import Callable

counts = [int(n) for n in sys.argv[1:]] or [10, 1000, 10000]
MOST = max(counts) + 64
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if soft < MOST * 2 + 64:
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(MOST * 2 + 64, hard), hard))

with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
    conf.write(f"CONFIG_ZVFS_OPEN_MAX={MOST}\nCONFIG_ZVFS_POLL_MAX={MOST}\n")
    conf.flush()
    os.environ["USOCKET_COMPAT_CONF"] = conf.name
    import usocket_compat as net

EVENTS = 300
ROUNDS = 41


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def measure(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, ...]:
    """ns an event of each, the least of rounds in turn, and the median of their ratios."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for kind, step in enumerate((first, second)):
            begin = time.perf_counter_ns()
            for _ in range(EVENTS):
                step()
            spent[kind].append((time.perf_counter_ns() - begin) / EVENTS)
    return min(spent[0]), min(spent[1]), median([a / b for a, b in zip(*spent)])


def bench(n: int) -> None:
    # n - 1 sockets stay idle, and one gets the data.
    idle = [net.zsock_socket(net.AF_INET, net.SOCK_DGRAM) for _ in range(n - 1)]
    a, b = net.zsock_socketpair()
    epoll = select.epoll()
    poller = net.Poller()
    for fd in idle:
        epoll.register(net.zsock_fileno(fd), select.EPOLLIN)
        poller.register(fd, fd, net.POLLIN)
    plain, mine = [socket.socket(fileno=os.dup(net.zsock_fileno(fd))) for fd in (a, b)]
    epoll.register(net.zsock_fileno(b), select.EPOLLIN)
    poller.register(b, "b", net.POLLIN)
    buf = bytearray(16)
    net.zsock_send(a, b"x")

    def by_epoll() -> None:
        for _, events in epoll.poll(1):
            assert events & 1
            net.zsock_recv(b, buf)
            net.zsock_send(a, b"x")

    def by_sockets() -> None:
        for _, events in epoll.poll(1):
            assert events & 1
            mine.recv_into(buf)
            plain.send(b"x")

    def by_poller() -> None:
        for event in poller.poll(1000):
            assert event.readable
            net.zsock_recv(b, buf)
            net.zsock_send(a, b"x")

    assert len(poller.poll(0)) == len(epoll.poll(0)) == 1
    for name, result in (
        ("event", measure(by_epoll, by_poller)),
        ("plain", measure(by_sockets, by_poller)),
        ("poll", measure(lambda: epoll.poll(1), lambda: poller.poll(1000))),
    ):
        one, other, ratio = result
        what = f"{n:6} fds, {name:5}"
        print(f"{what}: epoll {one:5.0f} ns, Poller {other:5.0f} ns, ratio {ratio:.2f}")
    poller.close()
    epoll.close()
    plain.close()
    mine.close()
    net.closeall()


for n in counts:
    bench(n)
