# SPDX-License-Identifier: MIT
"""MicroPython's own multi_net tests, unchanged, and ours: one side on the board, one on the host.

Right is what both sides print when both are on this machine.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterator

import pytest
from runner import Host, OnBoard, TwoSided

from usocket_tools import micropython
from usocket_tools.vboard.board import Board

OURS = sorted(Path(__file__).parent.glob("net_*.py"))
THEIRS = """
asyncio_tcp_client_rst asyncio_tcp_close_write asyncio_tcp_readall asyncio_tcp_readexactly
asyncio_tcp_readinto asyncio_tcp_server_client tcp_accept_recv tcp_client_rst tcp_data
tcp_recv_peek udp_data udp_data_multi udp_recv_dontwait udp_recv_peek
""".split()
BOTH = ["board serves", "host serves"]
NO_LINGER = "a client on the ESP32 has no SO_LINGER to reset a connection with"
# As the file itself says, lwIP raises after the reset; and the port never reports POLLERR, nor a
# POLLHUP that it was not asked for (ports/esp32/modsocket.c).
ON_LWIP = [
    *("[1]", "b'GET / HTTP'", "[1]", "b'/1.0\\r\\n\\r\\n'", "[1]", "104", "[1]"),
    *("Traceback (most recent call last):", "OSError: [Errno 128] ENOTCONN"),
]


@pytest.fixture(scope="module")
def their_tests(tmp_path_factory) -> Path:
    """tests/multi_net of the source that the board was built from."""
    folder = tmp_path_factory.mktemp("micropython") / "src"
    return micropython.tree(micropython.source("newest"), folder) / "tests" / "multi_net"


@pytest.fixture
def board() -> Iterator[Board]:
    with Board() as board:
        yield board


def on_board(board: Board, file: Path, way: str, *host: str) -> TwoSided:
    sides = [OnBoard(board), Host(*host, address=Board.host)]
    return TwoSided(file, sides if way == "board serves" else sides[::-1])


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize("name", THEIRS)
def test_theirs(board, their_tests, name, way):
    file = their_tests / f"{name}.py"
    interpreter = str(micropython.find("newest").path)
    # The first to run: a port of the board, once forwarded, is in the way.
    expected = TwoSided(file, [Host(interpreter), Host(interpreter)])
    run = on_board(board, file, way, interpreter)
    if name in ("tcp_client_rst", "asyncio_tcp_client_rst") and way == "host serves":
        assert run.skipped, NO_LINGER
        return
    if name == "tcp_client_rst":
        expected.output[0] = ON_LWIP
    assert not run.skipped
    assert run.output == expected.output


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize("file", OURS, ids=[file.stem for file in OURS])
def test_ours(board, file, way):
    expected = TwoSided(file, [Host(sys.executable), Host(sys.executable)])
    run = on_board(board, file, way, sys.executable)
    assert any(expected.output)
    assert run.output == expected.output


def test_there_are_ours():
    assert OURS


FAILS = """
def instance0():
    multitest.globals(IP=multitest.get_network_ip())
    multitest.next()
    print("zero")

def instance1():
    multitest.next()
    {}
"""


@pytest.mark.parametrize("way", BOTH)
def test_a_side_that_fails(board, tmp_path, way):
    file = tmp_path / "fails.py"
    file.write_text(FAILS.format("raise ValueError(IP)"))
    run = on_board(board, file, way, sys.executable)
    assert run.output[0] == ["zero"]
    assert run.output[1][-1].startswith("ValueError: 1")


@pytest.mark.parametrize("way", BOTH)
def test_a_side_that_hangs(board, tmp_path, way, monkeypatch):
    monkeypatch.setattr("runner.SECONDS", 2)
    file = tmp_path / "hangs.py"
    file.write_text(FAILS.format("while True: pass"))
    with pytest.raises(AssertionError, match="instance1 hangs"):
        on_board(board, file, way, sys.executable)
