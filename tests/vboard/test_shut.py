# SPDX-License-Identifier: MIT
"""shutdown of a board's connection, as a peer on the network sees it."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

import pytest
from test_esp32 import accepted, port_of, rest, started

from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "esp32" / "shut.py"
PATTERN = bytes(range(250))


@pytest.mark.parametrize("size", [0, 250, 4000, 5750])
def test_unread_data_is_no_reset(board: Board, listener: socket.socket, size: int) -> None:
    with started(board, PROGRAM, "unread", port_of(listener)) as program:
        with accepted(listener) as peer:
            program.expect("READY")
            peer.sendall(PATTERN * (size // 250))
            time.sleep(0.3)
            program.say("")
            program.expect("")  # its echo
            assert program.expect("") == "None"
            program.expect("SHUT")
            assert rest(peer) == b"last words"
            program.say("")
            program.expect("")
            assert program.expect("") == f"{size} True"
        assert program.end_of_it() == ""


def test_no_room_for_what_arrived(board: Board, listener: socket.socket) -> None:
    """ENOMEM, and the connection is as it was."""
    with started(board, PROGRAM, "no_room", port_of(listener)) as program:
        with accepted(listener) as peer, accepted(listener):
            program.expect("READY")
            peer.sendall(PATTERN * 16)
            time.sleep(0.3)
            program.say("")
            program.expect("")
            assert program.expect("") == "ENOMEM"
            assert program.expect("") == "5 True"
            assert program.expect("") == "None True"
            assert rest(peer) == b"alive"
        assert program.end_of_it() == ""


def test_no_room_to_see_a_reset(board: Board, listener: socket.socket) -> None:
    """ENOMEM while what came before it finds no room; then what Linux says after a reset."""
    with started(board, PROGRAM, "no_room_after_a_reset", port_of(listener)) as program:
        with accepted(listener) as peer, accepted(listener):
            program.expect("READY")
            peer.sendall(PATTERN * 16)
            time.sleep(0.3)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            time.sleep(0.3)
            program.say("")
            program.expect("")
            assert program.expect("") == "ENOMEM"
            assert program.expect("") == "True"
        assert program.end_of_it() == ""
