# SPDX-License-Identifier: MIT
"""The program that README shows is the example, and says the same on every target."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples" / "echo.py"


def test_shown_program_is_the_example() -> None:
    shown = (ROOT / "README.md").read_text().split("```python\n")[1].split("```")[0]
    assert shown == PROGRAM.read_text()


@pytest.mark.parametrize("where", ["cpython", "unix"])
def test_shown_program_runs(where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "usocket_tools.cli", "run", "--target", where, str(PROGRAM)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "accepted True",
        "echoed b'hello, board'",
        "nothing more True",
    ]
