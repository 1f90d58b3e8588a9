"""Programs that end with the test, and what they serve."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def started() -> Iterator[list]:
    """What a test starts it puts here; it is ended by its own id."""
    programs: list = []
    yield programs
    for program in programs:
        if isinstance(program, subprocess.Popen):
            program.terminate()
            program.wait(10)
        else:
            program.stop()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A folder with small.bin and large.bin."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "small.bin").write_bytes(bytes(range(256)) * 4)
    (folder / "large.bin").write_bytes(bytes(i * 7 % 251 for i in range(1 << 20)) * 2)
    tmp_path.chmod(0o755)
    folder.chmod(0o755)
    return folder
