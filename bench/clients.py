# SPDX-License-Identifier: MIT
"""Clients of two echo servers in turn: how many requests a second each of them answers."""

from __future__ import annotations

import selectors
import socket
import statistics
import time

MESSAGE = bytes(64)
SECONDS = 0.4  # a round
ROUNDS = 9


def requests(port: int, clients: int) -> float:
    """Requests a second of so many clients, each of which waits for its reply."""
    selector = selectors.DefaultSelector()
    left = {}
    for _ in range(clients):
        client = socket.create_connection(("127.0.0.1", port), 10)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client, selectors.EVENT_READ)
        client.send(MESSAGE)
        left[client] = len(MESSAGE)
    answered = 0
    begin = None
    while begin is None or time.perf_counter() - begin < SECONDS:
        ready = selector.select(10)
        assert ready, "the server does not answer"
        for key, _ in ready:
            ours = key.fileobj
            assert isinstance(ours, socket.socket)
            part = ours.recv(left[ours])
            assert part, "the server has closed a connection"
            left[ours] -= len(part)
            if not left[ours]:
                ours.send(MESSAGE)
                left[ours] = len(MESSAGE)
                answered += 1
                if begin is None and answered >= 4 * clients:
                    begin, answered = time.perf_counter(), 0
    rate = answered / (time.perf_counter() - begin)
    for client in left:
        client.close()
    selector.close()
    time.sleep(0.2)  # the board's ends of these close
    return rate


def compare(plain: int, layered: int, clients: int) -> list[float]:
    """[ratio of medians, us a request of the plain server, of the other]."""
    rates: tuple[list[float], list[float]] = ([], [])
    for n in range(ROUNDS):
        for which in (0, 1) if n % 2 else (1, 0):
            rates[which].append(requests((plain, layered)[which], clients))
    a, b = (statistics.median(each) for each in rates)
    return [b / a, 1e6 / a, 1e6 / b]


def end(plain: int) -> None:
    """Ends the program of both servers."""
    with socket.create_connection(("127.0.0.1", plain), 10) as client:
        client.send(b"end")
        client.recv(1)
