# SPDX-License-Identifier: MIT
"""A board loses its link, its address or its memory: which of lwIP's errors end a connection.

What is right is what Linux does, as far as lwIP takes the data; the peers are real sockets. The
rows are those of the table in port/esp32/outage.py.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_esp32 import SECONDS, accepted, port_of, rest, started

from usocket_tools.suite.started import BoardProgram
from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "esp32" / "outage.py"
# lwIP's send buffer, and what of it leaves POLLOUT standing.
SEND_BUFFER = 5760


@contextlib.contextmanager
def running(board: Board, *args: object) -> Iterator[Outage]:
    with started(board, PROGRAM, *args) as program:
        try:
            yield Outage(board, program)
            assert program.end_of_it() == ""
        finally:
            board.control("link up")
            board.control("memory 0")
            board.control("faults off")


class Outage:
    def __init__(self, board: Board, program: BoardProgram) -> None:
        self.board = board
        self.program = program

    def line(self) -> str:
        """Its next line; what it asks for is done."""
        while True:
            line = self.program.line(SECONDS)
            assert line is not None, self.program.end()
            word, _, value = line.partition(" ")
            if word in ("UP", "DOWN"):
                self.board.control(f"link {word.lower()}")
            elif word == "MEMORY":
                self.board.control(f"memory {value}")
                self.answer()
            else:
                return line

    def accepted(self, listener: socket.socket) -> socket.socket:
        """Its connection; one that makes none says why. A busy machine takes long to start it."""
        listener.settimeout(3 * SECONDS)
        try:
            return accepted(listener)
        except socket.timeout:
            raise AssertionError("no connection: " + self.program.end_of_it()) from None

    def answer(self) -> None:
        self.program.say("")
        self.program.expect("")  # its echo


def pattern(n: int) -> bytes:
    return bytes(i % 251 for i in range(n))


def echo(peer: socket.socket) -> None:
    while data := peer.recv(4096):
        peer.sendall(data)


def test_send_without_a_link(board: Board, listener: socket.socket) -> None:
    """Linux: it is taken, comes through when the link is back, and the connection lives."""
    with running(board, "echo", port_of(listener)) as outage, outage.accepted(listener) as peer:
        peer.sendall(peer.recv(10))
        assert outage.line() == "b'one'"
        assert outage.line() == "3 ['POLLOUT'] EAGAIN"
        assert outage.line() == "0 True"
        outage.program.expect("UP")
        board.control("link up")
        assert peer.recv(10) == b"two"
        peer.sendall(b"two")
        peer.sendall(peer.recv(10))
        assert outage.line() == "b'two' 5 b'three'"
        assert peer.recv(1) == b""


def test_one_outage_after_another(board: Board, listener: socket.socket) -> None:
    with running(board, "again_and_again", port_of(listener)) as outage:
        with outage.accepted(listener) as peer:
            received = b""
            for number in range(4):
                if number != 1:
                    assert outage.line() == "2 2"
                outage.program.expect("UP" if number != 1 else "DOWN")
                if number == 1:
                    board.control("link down")
                    outage.program.expect("UP")
                board.control("link up")
                expected = b"" if number == 1 else b"a%db%d" % (number, number)
                expected += b"c%d" % number
                data = b""
                while len(data) < len(expected):
                    data += peer.recv(len(expected) - len(data))
                assert data == expected
                peer.sendall(data)
                received += data
                assert outage.line() == repr(data)
            assert peer.recv(1) == b""


SIZES = (100, 1459, 2816, 2817, 5760, 9000)


@pytest.mark.parametrize(
    ("way", "size", "before"),
    [("send", size, "") for size in SIZES]
    + [("dontwait", 700, ""), ("sendto", 3000, ""), ("sendmsg", 5000, "")]
    + [("send", 2000, "eof"), ("send", 3000, "held"), ("send", 300, "held")],
)
def test_fill_the_send_buffer(
    board: Board, listener: socket.socket, way: str, size: int, before: str
) -> None:
    """What the calls said was taken comes, all of it, once, in order."""
    with running(board, "fill", port_of(listener), way, size, before) as outage:
        with outage.accepted(listener) as peer:
            if before:
                peer.sendall(b"before")
                assert outage.line().startswith("b'before'")
            if before == "eof":
                peer.shutdown(socket.SHUT_WR)
                assert outage.line() == "b''"
            sent, _calls, ready = outage.line().split(" ", 2)
            assert SEND_BUFFER // 3 < int(sent) <= SEND_BUFFER
            assert ready == "[]"
            outage.program.expect("UP")
            board.control("link up")
            data = rest(peer)
            assert outage.program.expect("SENT") == str(len(data))
            assert data == pattern(len(data))


def test_a_call_that_waits(board: Board, listener: socket.socket) -> None:
    size = 12000
    with (
        running(board, "blocking", port_of(listener), size) as outage,
        outage.accepted(listener) as peer,
    ):
        assert outage.line() == "True True"
        assert outage.line() == "EAGAIN"
        outage.program.expect("UP")
        board.control("link up")
        data = rest(peer)
        assert data == pattern(size)
        assert outage.program.expect("SENT") == str(size)


@pytest.mark.parametrize("piece", [300, 1000, 4096, 20_000])
def test_upload_over_an_outage(board: Board, listener: socket.socket, piece: int) -> None:
    """The link goes while as much is under way as fits: each byte comes, once."""
    size = 400_000
    with running(board, "upload", port_of(listener), size, piece) as outage:
        with outage.accepted(listener) as peer:
            data = peer.recv(1)
            for _ in range(3):
                while len(data) < size and len(data) % 50_000 < 45_000:
                    data += peer.recv(5000)
                board.control("link down")
                time.sleep(0.2)
                board.control("link up")
                data += peer.recv(5000)
            data += rest(peer)
            assert data == pattern(size)
            assert outage.program.expect("SENT") == str(size)


def test_nobody_can_tell(board: Board, listener: socket.socket) -> None:
    """With more than half the buffer under way a small write ends it: no byte is sent twice."""
    with running(board, "nobody_can_tell", port_of(listener)) as outage:
        with outage.accepted(listener) as peer:
            outage.program.expect("LOSE")
            board.control("faults loss=100%")
            outage.answer()
            assert outage.line() == "EHOSTUNREACH EPIPE ['POLLIN', 'POLLOUT', 'POLLHUP']"
            outage.program.expect("UP")
            board.control("faults off")
            board.control("link up")
            assert outage.line() == "EPIPE 3000"
            data = rest(peer)
            assert data == pattern(len(data)) and len(data) in (3000, 3200)


# rows: A10; on vboard
def test_address_lost(board: Board, listener: socket.socket) -> None:
    """lwIP aborts the connection, Linux times it out: ETIMEDOUT once, a broken pipe, the end."""
    with running(board, "address_lost", port_of(listener)) as outage, contextlib.ExitStack() as s:
        for _ in range(4):
            s.enter_context(outage.accepted(listener))
        assert outage.line() == "CONNECTED"
        for expected in (
            "ETIMEDOUT EPIPE b'' b''",
            "ETIMEDOUT EPIPE b'' b''",
            "ETIMEDOUT EPIPE b'' b''",
            "(['POLLIN', 'POLLOUT', 'POLLERR', 'POLLHUP'], 'ETIMEDOUT') EPIPE b'' b''",
        ):
            assert outage.line() == expected


def test_no_memory(board: Board, listener: socket.socket) -> None:
    """lwIP has no block for a packet: a write of nothing, and it can be repeated."""
    with (
        running(board, "no_memory", port_of(listener)) as outage,
        outage.accepted(listener) as peer,
    ):
        peer.sendall(peer.recv(10))
        lines = [outage.line() for _ in range(5)]
        assert lines[:4] == ["b'one'", "EAGAIN", "EAGAIN", "ENOMEM"]
        assert lines[4] in ("ENOBUFS", "ENOMEM", "ENFILE")
        with ThreadPoolExecutor() as pool:
            pool.submit(echo, peer)
            assert outage.line() == "3 b'two'"


def test_no_memory_for_a_connect(board: Board, listener: socket.socket) -> None:
    with running(board, "no_memory_for_connect", port_of(listener)) as outage:
        assert outage.line() == "ENOMEM"
        assert outage.line() == "None 9"
        with outage.accepted(listener) as peer:
            assert rest(peer) == b"connected"


def test_no_memory_after_a_refusal(board: Board, listener: socket.socket) -> None:
    """A connect that cannot say yet how the one before ended: the next says it, once."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ports = (port_of(listener), port_of(closed))
        with running(board, "no_memory_after_a_refusal", *ports) as outage:
            assert outage.line() == "ENOBUFS"
            assert outage.line() == "ECONNREFUSED"
            assert outage.line() == "None 9"
            with outage.accepted(listener) as peer:
                assert rest(peer) == b"connected"


def test_no_way(board: Board, listener: socket.socket) -> None:
    with running(board, "no_way", port_of(listener)) as outage:
        assert outage.line() == "ENETUNREACH"
        assert outage.line() == "ENETDOWN"
        assert outage.line() == "EHOSTUNREACH"
        assert outage.line() == "1"
        assert outage.line() == "None 9"
        with outage.accepted(listener) as peer:
            assert rest(peer) == b"connected"
