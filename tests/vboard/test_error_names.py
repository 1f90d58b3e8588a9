"""The names of errors beside a board's numbers, in `usocket run` and `usocket test`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from usocket_tools.vboard.board import Board

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
SECONDS = 120
# newlib's numbers; where MicroPython knows the name, it says it itself.
ERRORS = {
    "net.setsockopt(net.socket(), net.SOL_SOCKET, 12345, 1)": "OSError: 109 (ENOPROTOOPT)",
    "net.connect(net.socket(), ('127.0.0.1', 9))": "OSError: [Errno 111] ECONNREFUSED",
    "net.bind(net.socket(), ('192.0.2.1', 9))": "OSError: 125 (EADDRNOTAVAIL)",
    "raise OSError(99999)": "OSError: 99999",
}


@pytest.mark.parametrize("line", ERRORS)
def test_run(board: Board, tmp_path: Path, line: str) -> None:
    program = tmp_path / "p.py"
    program.write_text(f"import usocket_compat as net\nprint('OSError: 109')\n{line}\n")
    done = subprocess.run(
        [*USOCKET, "run", "--device", board.device, program],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    # What the program prints is its own.
    assert (done.returncode, done.stdout) == (1, "OSError: 109\n")
    assert done.stderr.splitlines()[-1] == ERRORS[line]


def test_test(board: Board, tmp_path: Path) -> None:
    """A test that fails, where the configuration has too few fds for it."""
    conf = tmp_path / "few.conf"
    conf.write_text("CONFIG_ZVFS_OPEN_MAX=3\n")
    done = subprocess.run(
        [*USOCKET, "test", "--device", board.device, "-k", "lowest_free_first", "test_fds"],
        env={**os.environ, "USOCKET_COMPAT_CONF": str(conf)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 1
    assert re.search(r"^OSError: 23 \(ENFILE\)$", done.stdout, re.M), done.stdout
