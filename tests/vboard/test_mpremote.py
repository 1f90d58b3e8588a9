# SPDX-License-Identifier: MIT
"""The real mpremote against the virtual board, as its users call it."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import random
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

from usocket_tools.make import release
from usocket_tools.vboard.board import Board

SECONDS = 60


@pytest.fixture
def mpremote(board: Board, tmp_path: Path) -> Callable[..., str]:
    def mpremote(*words: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", board.device, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return mpremote


def test_exec(mpremote):
    assert mpremote("exec", "import sys; print(sys.platform, 6 * 7)") == "esp32 42\n"


def test_eval(mpremote):
    assert mpremote("eval", "[n * n for n in range(4)]") == "[0, 1, 4, 9]\n"


def test_run(mpremote, tmp_path):
    lines = [f"print({n})" for n in range(500)]
    (tmp_path / "program.py").write_text("\n".join(lines))
    assert mpremote("run", "program.py").split() == [str(n) for n in range(500)]


def test_files(mpremote, tmp_path):
    content = random.Random(7).randbytes(200_000)
    (tmp_path / "there").write_bytes(content)
    mpremote("fs", "mkdir", ":folder")
    mpremote("fs", "cp", "there", ":folder/file")
    assert "200000 file" in mpremote("fs", "ls", ":folder")
    assert hashlib.sha256(content).hexdigest() in mpremote("fs", "sha256sum", ":folder/file")
    mpremote("soft-reset", "fs", "cp", ":folder/file", "back")
    assert (tmp_path / "back").read_bytes() == content
    mpremote("fs", "rm", ":folder/file")
    mpremote("fs", "rmdir", ":folder")
    assert "folder" not in mpremote("fs", "ls")


def test_mount(mpremote, tmp_path):
    (tmp_path / "module.py").write_text("VALUE = 'from the host'\n")
    code = "import module; print(module.VALUE); open('made', 'w').write('by the board')"
    assert "from the host" in mpremote("mount", ".", "exec", code)
    assert (tmp_path / "made").read_text() == "by the board"


def test_mip(mpremote, tmp_path):
    (tmp_path / "greet.py").write_text("def greet():\n    print('installed')\n")
    package = {"urls": [["greet/__init__.py", "greet.py"]], "version": "1"}
    (tmp_path / "package.json").write_text(json.dumps(package))
    with release.served(tmp_path) as url:
        mpremote("mip", "install", f"{url}/package.json")
    assert mpremote("exec", "import greet; greet.greet()") == "installed\n"


def test_soft_reset(mpremote):
    mpremote("exec", "left = 1")
    assert mpremote("resume", "exec", "print('left' in globals())") == "True\n"
    assert mpremote("soft-reset", "resume", "exec", "print('left' in globals())") == "False\n"


def test_reset(mpremote):
    mpremote("exec", "open('kept', 'w').write('x')")
    mpremote("reset")
    assert mpremote("exec", "import os; print('kept' in os.listdir())") == "True\n"


def test_repl(board):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mpremote", "connect", board.device, "repl"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, start_new_session=True) as process:
        try:
            read_until(ours, b"exit this shell")
            # Keys that come before it has set up the terminal mean something else.
            while b">>> " not in read(ours, 0.2):
                os.write(ours, b"\r")
            os.write(ours, b"print(6 * 7)\r")
            read_until(ours, b"42\r\n>>> ")
            os.write(ours, b"while True: pass\r\r")
            read_until(ours, b"\r\n... \r\n")
            os.write(ours, b"\x03")
            read_until(ours, b"KeyboardInterrupt: \r\n>>> ")
            os.write(ours, b"\x04")
            read_until(ours, b"soft reboot")
            os.write(ours, b"\x1d")
            assert process.wait(SECONDS) == 0
        finally:
            process.kill()
    os.close(ours)
    os.close(theirs)


def read(fd: int, seconds: float) -> bytes:
    return os.read(fd, 1000) if select.select([fd], [], [], seconds)[0] else b""


def read_until(fd: int, text: bytes) -> None:
    seen = b""
    deadline = time.monotonic() + SECONDS
    while text not in seen:
        data = read(fd, max(deadline - time.monotonic(), 0))
        assert data, seen
        seen += data
