# SPDX-License-Identifier: MIT
"""A stream's reader that waits within lwIP is woken at once, and nothing waits with it.

lwIP keeps six segments of a connection that are unread (DEFAULT_TCP_RECVMBOX_SIZE) and drops what
follows; the firmware's poll looks once in 10 ms (extmod/modselect.c). The firmware's own socket,
which waits in lwIP, is the oracle for stalls. POSIX: what does not block takes no time; a close is
the project's contract 9.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from test_esp32 import SECONDS, started

from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "esp32" / "waits.py"
HOST = "10.0.2.2"  # this machine, for the board
# As in the program.
PIECE, PIECES, BURSTS = 256, 12, 25
# A few come with a busy machine; without the wait in lwIP it is 11 to 23.
FEW = BURSTS // 3


@pytest.fixture(scope="module", params=["standard", "32bit"])
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    with Board(variant=request.param) as board:
        yield board


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener


FORMS = pytest.mark.parametrize("form", ["buffer", "view", "bytes"])


def serve(listener: socket.socket, answer: Callable[[socket.socket], None]) -> threading.Thread:
    def one() -> None:
        with listener.accept()[0] as s:
            s.settimeout(3 * SECONDS)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer(s)

    thread = threading.Thread(target=one)
    thread.start()
    return thread


def bursts(s: socket.socket) -> None:
    """For each byte twelve small segments, which are 0.4 ms apart so that nobody joins them."""
    while s.recv(1):
        time.sleep(0.02)  # its reader waits for good
        for _ in range(PIECES):
            s.sendall(bytes(PIECE))
            until = time.perf_counter() + 0.0004
            while time.perf_counter() < until:
                time.sleep(0.00005)


@FORMS
def test_small_segments_do_not_stall(board: Board, listener: socket.socket, form: str) -> None:
    found = []
    for function in ("plain",), ("layered", form):
        peer = serve(listener, bursts)
        arguments = (function[0], HOST, listener.getsockname()[1], *function[1:])
        with started(board, PROGRAM, *arguments) as program:
            found.append(int(program.expect("stalls", 4 * SECONDS)))
            assert program.end_of_it() == ""
        peer.join(SECONDS)
    plain, layered = found
    assert layered <= plain + FEW, found


def test_a_wait_leaves_nothing_on_the_heap(board: Board, listener: socket.socket) -> None:
    def answer(s: socket.socket) -> None:
        while s.recv(1):
            for _ in range(PIECES):
                s.sendall(bytes(PIECE))
            time.sleep(0.005)

    peer = serve(listener, answer)
    with started(board, PROGRAM, "heap", HOST, listener.getsockname()[1]) as program:
        assert int(program.expect("left", 2 * SECONDS)) < 100  # of 40 rounds
        assert program.end_of_it() == ""
    peer.join(SECONDS)


def test_nothing_waits_beside_a_reader(board: Board, listener: socket.socket) -> None:
    def answer(s: socket.socket) -> None:
        for _ in range(2):
            s.recv(1)
            time.sleep(0.1)
            s.sendall(b"more")
        time.sleep(2)

    peer = serve(listener, answer)
    with started(board, PROGRAM, "beside", HOST, listener.getsockname()[1]) as program:
        assert int(program.expect("worst")) < 60
        ended, took = program.expect("closed").split()
        assert (ended, int(took) < 200) == ("True", True)
        assert program.end_of_it() == ""
    peer.join(SECONDS)


def start(s: socket.socket) -> None:
    """As much as is asked for, twice: from then on its reader waits within lwIP."""
    for _ in range(2):
        assert s.recv(1) == b"k"
        time.sleep(0.1)
        s.sendall(b"more")


@FORMS
def test_ctrl_c_in_a_wait(board: Board, listener: socket.socket, form: str) -> None:
    def answer(s: socket.socket) -> None:
        start(s)
        s.recv(1)
        s.sendall(bytes(n % 251 for n in range(1000)))
        s.recv(1)

    times = 60
    chance = random.Random(form)
    peer = serve(listener, answer)
    arguments = ("interrupted", HOST, listener.getsockname()[1], form, times)
    with started(board, PROGRAM, *arguments) as program:
        for _ in range(times):
            program.expect("go")
            time.sleep(chance.random() * 0.15)
            program._execution.write(b"\x03")
        assert int(program.expect("worst")) < 60
        assert program.expect("all") == "True"
        assert program.end_of_it() == ""
    peer.join(SECONDS)


@FORMS
def test_no_memory_in_a_wait(board: Board, listener: socket.socket, form: str) -> None:
    def answer(s: socket.socket) -> None:
        start(s)
        n = 0
        while s.recv(1) == b"k":
            time.sleep(0.05)
            s.sendall(bytes([n] * 100))
            n += 1

    peer = serve(listener, answer)
    with started(board, PROGRAM, "starved", HOST, listener.getsockname()[1], form) as program:
        failed = int(program.expect("failed", 2 * SECONDS))
        # Each try by a view takes an object; the others may have had theirs before they wait.
        assert failed or form != "view"
        assert program.expect("all", 2 * SECONDS) == "True 1700"
        assert program.end_of_it() == ""
    peer.join(SECONDS)


@FORMS
def test_close_as_data_comes(board: Board, listener: socket.socket, form: str) -> None:
    times = 40

    def answer(s: socket.socket) -> None:
        start(s)
        s.recv(1)
        time.sleep(0.005)
        s.sendall(b"abcd")

    def peer() -> None:
        for _ in range(times):
            serve(listener, answer).join(SECONDS)

    thread = threading.Thread(target=peer)
    thread.start()
    arguments = ("closes", HOST, listener.getsockname()[1], form, times)
    with started(board, PROGRAM, *arguments) as program:
        left = program.expect("left", 4 * SECONDS)
        assert left.startswith("[] 0 ")
        assert program.end_of_it() == ""
    thread.join(SECONDS)
