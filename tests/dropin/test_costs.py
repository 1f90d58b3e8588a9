"""Asyncio on the drop-in: what it keeps of the heap, its clients, sockets that nobody closes."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import placed
import pytest
from targets import ROOT

from usocket_tools.vboard.board import Board

ECHO = Path(__file__).parent / "programs" / "echo.py"


def test_heap_of_an_asyncio_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "bench")
    spec = importlib.util.spec_from_file_location("bench_run", ROOT / "bench" / "run.py")
    assert spec and spec.loader
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    assert 0 < bench.dropin_heap() <= bench.DROPIN_HEAP


@pytest.mark.parametrize("variant", ["standard", "32bit"])
def test_asyncio_and_forgotten_sockets(variant: str) -> None:
    with Board(variant=variant) as board:
        placed.on_board(board.device)
        text = placed.run(board.device, ECHO).replace("\r", "")
    assert text == "refused 111\ndone True\n"


def test_asyncio_on_unix() -> None:
    done = subprocess.run(
        [placed.unix(), ECHO],
        env=placed.unix_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.stdout == "refused 111\ndone True\n"
