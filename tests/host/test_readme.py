# SPDX-License-Identifier: MIT
"""The program that README shows is the example, and says the same on every target; its session
is what the commands say today."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from usocket_tools.vboard.board import Board

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


# What another machine, another version or one more test changes.
VARIES = (
    r"/dev/pts/\d+",
    r"\b\d+(?:\.\d+)+(?:\+dev)?",  # versions, seconds
    r"\b[0-9a-f]{8}\b",
    r"\b\d+ (?=bytes|KB|files|sent|items|passed)",
    r"={3,}",
    r"\.{4,} *",  # pytest's, one for each test
)


def stable(text: str) -> str:
    return re.sub("|".join(VARIES), "#", text)


def session() -> list[tuple[str, str]]:
    """Each command of the session that README shows, and what it says there."""
    shown = (ROOT / "README.md").read_text().split("## A session")[1].split("```")[1]
    pieces = shown.partition("$ ")[2].split("\n$ ")
    return [(piece.partition("\n")[0], piece.partition("\n")[2]) for piece in pieces]


def test_session_is_of_the_four_commands() -> None:
    assert [line.split()[:2] for line, _ in session()] == [
        ["usocket", command] for command in ("doctor", "deploy", "run", "test")
    ]


def test_session_is_what_the_commands_say() -> None:
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "USOCKET_COMPAT"))
    }
    with Board() as board:
        for line, said in session():
            command = re.sub(r"/dev/pts/\d+", board.device, line).split()[1:]
            done = subprocess.run(
                [sys.executable, "-m", "usocket_tools.cli", *command],
                capture_output=True,
                text=True,
                cwd=ROOT,
                env=clean,
                timeout=100,
            )
            assert (done.returncode, done.stderr) == (0, ""), line
            wanted = re.escape(stable(said.strip())).replace(re.escape("...\n"), "(?:.*\n)*")
            assert re.fullmatch(wanted, stable(done.stdout.strip())), done.stdout
