# SPDX-License-Identifier: MIT
"""The first use of a name while a board's heap is full: MemoryError, and then it works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_esp32 import started

from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "esp32" / "full.py"


@pytest.fixture(scope="module", params=["standard", "32bit"])
def board(request) -> Iterator[Board]:
    with Board(variant=request.param) as board:
        yield board


@pytest.mark.parametrize("name", ["zsock_socket", "zsock_getaddrinfo", "AF_INET", "aio"])
@pytest.mark.parametrize("free", [0, 16, 32, 48])
def test_a_name_while_the_heap_is_full(board: Board, name: str, free: int) -> None:
    """MicroPython crashes on a second import of what had no memory for its module."""
    with started(board, PROGRAM, name, free) as program:
        assert program.expect("full") == "[False, False, False]"
        assert program.expect("then") == "True"
        assert program.end_of_it() == ""
