"""examples/udp_echo.py, unchanged, everywhere; its server, asked by the host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "examples" / "udp_echo.py"


@pytest.mark.parametrize("where", ["cpython", "unix", "vboard"])
def test_udp_echo(where: str) -> None:
    command = [sys.executable, "-m", "usocket_tools.cli", "run", "--target", where, FILE, "7788"]
    done = subprocess.run([*map(str, command)], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b"[b'client 0', b'client 1', b'client 2']\n"
