# SPDX-License-Identifier: MIT
"""Datagrams on a board: broadcasts of its networks, and one for which there is little room."""

from __future__ import annotations

from pathlib import Path

from test_esp32 import SECONDS, started

from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "esp32" / "datagrams.py"


def test_broadcasts(board: Board) -> None:
    """ip(7): they need SO_BROADCAST, when it sends or connects; a socket can be bound to one."""
    near = board.address.rpartition(".")[0] + ".255"
    far = board.address.rpartition(".")[0] + ".127"
    with started(board, PROGRAM, "broadcasts", near, far) as program:
        lines = program.rest(SECONDS)
        assert program.end() == "", lines
    assert lines == [
        *(["EACCES EACCES 1 None EACCES 1"] * 3),
        "1 None 1 None 1 1",
        f"None ('{near}', 5000)",
        "None ('192.168.4.255', 5000)",
        "EADDRNOTAVAIL ('0.0.0.0', 0)",
    ]


def test_little_room(board: Board) -> None:
    """A datagram that fits what there is comes whole; else it is ENOMEM, and waits."""
    with started(board, PROGRAM, "little_room", 30_720) as program:
        lines = program.rest(SECONDS)
        assert program.end() == "", lines
    assert lines == [
        "1 b'x' b'x'",
        "True EAGAIN",
        "True True",
        "ENOMEM True",
        "ENOMEM True",
    ]
