# SPDX-License-Identifier: MIT
"""How the ESP32's plain socket differs from POSIX, each difference shown on the virtual board."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from usocket_tools.boards.device import Device, Execution
from usocket_tools.files import data_file
from usocket_tools.suite import quirkrun
from usocket_tools.suite.quirks import COUNTING, EXHAUSTED, IPV6, QUIRKS, Quirk
from usocket_tools.vboard.board import Board

KNOWN = {quirk.program: quirk for quirk in QUIRKS}
ON_STOCK = [quirk for quirk in QUIRKS if quirk.program not in (IPV6, EXHAUSTED)]


@pytest.fixture(scope="module")
def ports() -> Iterator[list[str]]:
    with quirkrun.servers() as ports:
        yield ports


def start(device: Device, ports: list[str], name: str) -> Execution:
    return quirkrun.start(device, name, Board.host, ports)


@pytest.fixture(scope="module", autouse=True)
def exhausted(ports: list[str]) -> Iterator[Execution]:
    """The one that takes long, on a board of its own while the others run."""
    with Board() as board, Device(board.device) as device:
        yield start(device, ports, EXHAUSTED)


@pytest.fixture(scope="module")
def board6() -> Iterator[Board]:
    """As no board with stock firmware is: with addresses of IPv6."""
    with Board(ipv6=True) as board:
        yield board


def test_quirk_of_ipv6(board6: Board, ports: list[str]) -> None:
    with Device(board6.device) as device:
        found = quirkrun.output(start(device, ports, IPV6), IPV6)
    assert found == KNOWN[IPV6].expected


@pytest.mark.parametrize("quirk", ON_STOCK, ids=[quirk.program for quirk in ON_STOCK])
def test_quirk(board: Board, ports: list[str], quirk: Quirk) -> None:
    counts_pcbs = quirk.program in COUNTING
    if counts_pcbs:
        board.control("reset")
    with Device(board.device) as device:
        found = quirkrun.output(start(device, ports, quirk.program), quirk.program)
    assert found == quirk.expected
    if counts_pcbs:
        board.control("reset")


def test_connect_without_answer(exhausted: Execution) -> None:
    """Nobody answers any of the SYNs."""
    assert quirkrun.output(exhausted, EXHAUSTED) == KNOWN[EXHAUSTED].expected


def test_every_program_is_run() -> None:
    there = {file.stem for file in data_file("quirks/common.py").parent.glob("*.py")}
    assert there == {"common", *KNOWN}
