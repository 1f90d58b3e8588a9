# SPDX-License-Identifier: MIT
"""Bytes come in order, whoever looks at the stream while a thread waits for them.

POSIX, recv: data is received in the order in which it was sent, MSG_PEEK leaves it unread. The
peer's own pattern is the oracle.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_esp32 import SECONDS, started

from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "esp32" / "order.py"
HOST = "10.0.2.2"  # this machine, for the board
TOTAL = 60_000


def pattern() -> bytes:
    """As the program's: no two of its places have the same eight bytes."""
    seed, block = 1, bytearray()
    for _ in range(4093):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        block.append(seed >> 16 & 255)
    return bytes(block) * (TOTAL // 4093 + 1)


@pytest.fixture(scope="module", params=["standard", "32bit"])
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    with Board(variant=request.param) as board:
        yield board


def send(listener: socket.socket, chance: random.Random) -> None:
    """Pieces of any size, with such pauses that the reader often waits."""
    data = pattern()[:TOTAL]
    with listener.accept()[0] as s:
        s.settimeout(3 * SECONDS)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = 0
        while at < TOTAL:
            for _ in range(chance.randrange(1, 5)):
                n = chance.choice((1, 10, 255, 256, 257, 500, 1460))
                s.sendall(data[at : at + n])
                at += n
                time.sleep(chance.choice((0, 0.0003, 0.001)))
            time.sleep(chance.choice((0.002, 0.005, 0.02)))
        s.recv(1)


@pytest.mark.parametrize("other", ["count", "poll", "peek", "second", "all"])
@pytest.mark.parametrize("form", ["buffer", "view", "bytes"])
def test_order_beside_a_reader(board: Board, form: str, other: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        peer = threading.Thread(target=send, args=(listener, random.Random(form + other)))
        peer.start()
        arguments = (form, other, HOST, listener.getsockname()[1], TOTAL)
        with started(board, PROGRAM, *arguments) as program:
            assert program.expect("read", 3 * SECONDS).split()[0] == str(TOTAL)
            assert program.end_of_it() == ""
        peer.join(SECONDS)
