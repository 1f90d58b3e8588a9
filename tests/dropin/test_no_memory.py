"""With little or no heap left a socket's call is made, or raises MemoryError and is not made.

What is there before must be there afterwards: data, connections, descriptors, and what the calls
do. Each is tried with every number of free blocks up to 128 bytes, and with some up to 1 KB.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path

import placed
import pytest
from targets import COMMON

from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "programs" / "no_memory.py"
MODES = "native", "timeout", "fd"


def names() -> list[str]:
    for node in ast.parse(PROGRAM.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TESTS":
            return [ast.literal_eval(each.elts[0]) for each in node.value.elts]
    raise AssertionError("the program has no TESTS")


def unix(program: Path) -> str:
    done = subprocess.run(
        [placed.unix(), "-X", "heapsize=900K", program],
        env=placed.unix_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
    )
    return done.stdout


def board(program: Path) -> str:
    with Board(variant="32bit") as board:
        placed.on_board(board.device)
        return placed.run(board.device, program)


@pytest.mark.parametrize("output", [unix, board])
def test_made_or_not_made(output, tmp_path: Path) -> None:
    for file in PROGRAM, COMMON / "shortage.py":
        shutil.copy(file, tmp_path)
    lines = output(tmp_path / PROGRAM.name).replace("\r", "").strip().splitlines()
    wanted = ["load - ok", *(f"{name} {mode} ok" for mode in MODES for name in names())]
    assert lines == wanted
