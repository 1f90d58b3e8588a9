# SPDX-License-Identifier: MIT
"""What many tests of the virtual board need; a file with wishes of its own has its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from usocket_tools.vboard.board import Board

SECONDS = 20


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with Board() as board:
        yield board


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server on the host, for a board to connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener
