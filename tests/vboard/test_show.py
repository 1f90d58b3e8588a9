# SPDX-License-Identifier: MIT
"""What the virtual board is for, from end to end: a web server on it, load, many of them, heap.

The figures are in the notes that `pytest -v` prints.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from usocket_tools.boards.device import Device, Execution
from usocket_tools.vboard.board import Board

SECONDS = 20
SIZE = 1 << 20
LOSSY_SECONDS = 100  # retransmission timers, mostly
LOAD = 4 << 20
HEAP = 10240  # what `import usocket_compat` may keep
PIECE = bytes(i * 7 & 0xFF for i in range(1031))
CONTENT = (PIECE * (SIZE // len(PIECE) + 1))[:SIZE]

WEB = f"""
import socket
piece = bytes(i * 7 & 0xFF for i in range({len(PIECE)}))
s = socket.socket()
s.bind(("0.0.0.0", 80))
s.listen(2)
print("serves")
while True:
    client, _ = s.accept()
    request = client.readline()
    while client.readline() not in (b"\\r\\n", b""):
        pass
    client.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: {SIZE}\\r\\n\\r\\n")
    left = {SIZE}
    while left:
        left -= client.send(piece if left >= len(piece) else piece[:left])
    client.close()
"""

PLAIN = f"""
import socket
s = socket.socket()
s.bind(("0.0.0.0", 81))
s.listen(2)
print("serves")
client, _ = s.accept()
block = bytearray(4096)
left = {LOAD}
while left:
    left -= client.readinto(block) or 0
client.sendall(b"all")
left = {LOAD}
while left:
    left -= client.send(block)
client.close()
print("done")
"""

IMPORT = """
import gc
gc.collect()
before = gc.mem_alloc()
import usocket_compat
gc.collect()
print("keeps", gc.mem_alloc() - before)
"""


@contextlib.contextmanager
def serving(board: Board, program: str) -> Iterator[Execution]:
    with Device(board.device) as device:
        device.fresh()
        execution = Execution(device, program)
        said = b""
        while b"serves\r\n" not in said:
            piece = execution.read(SECONDS)
            assert piece, execution.error
            said += piece
        try:
            yield execution
        finally:
            execution.interrupt()


def curl(port: int, file: Path, seconds: float) -> float:
    """Fetch into the file; bytes a second."""
    url = f"http://127.0.0.1:{port}/"
    options = ["--silent", "--show-error", "--fail", "--http1.0", "--max-time", str(seconds)]
    done = subprocess.run(
        ["curl", *options, "--output", file, "--write-out", "%{speed_download}", url],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize(("loss", "seconds"), [("", SECONDS), ("loss=5% seed=7", LOSSY_SECONDS)])
def test_web_server(tmp_path, record_property, loss, seconds):
    with Board(forward=["0:80"]) as board, serving(board, WEB):
        if loss:
            board.control(f"faults {loss}")
        rate = curl(board.host_ports()[0], tmp_path / "fetched", seconds)
        assert not loss or loss.split()[0] in board.control("status")
    digests = [hashlib.sha256(x).digest() for x in ((tmp_path / "fetched").read_bytes(), CONTENT)]
    assert digests[0] == digests[1]
    record_property("note", f"{rate / 1000:.0f} KB/s")


def test_load(record_property):
    with Board(forward=["0:81"]) as board, serving(board, PLAIN) as execution:
        with socket.create_connection(("127.0.0.1", board.host_ports()[0])) as s:
            s.settimeout(SECONDS)
            times = [time.monotonic()]
            s.sendall(bytes(LOAD))
            assert s.recv(3, socket.MSG_WAITALL) == b"all"
            times.append(time.monotonic())
            received = 0
            while data := s.recv(1 << 16):
                received += len(data)
            times.append(time.monotonic())
        assert received == LOAD
        said = b""
        while piece := execution.read(SECONDS):  # in pieces, as the line gives them
            said += piece
        assert (said, execution.error) == (b"done\r\n", "")
    up, down = (LOAD / 1e6 / (end - start) for start, end in zip(times, times[1:]))
    record_property("note", f"{up:.1f} MB/s to the board, {down:.1f} MB/s from it")


def test_twenty_boards_leave_nothing(tmp_path, monkeypatch):
    """As in test_board.py, with the real firmware, which has run a program."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen = []
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with Board(forward=["0:80"]) as board:
            firmware = int(re.search(r"\bfirmware=(\d+)", board.control("status"))[1])
            # Names the terminal without holding it open.
            seen.append((board.pid, firmware, os.open(board.device, os.O_PATH)))
            with Device(board.device) as device:
                device.fresh()
                assert device.exec("f = open('x', 'w'); print(f.write('y'))") == "1\r\n"
    for *pids, terminal in seen:
        assert not any(os.path.exists(f"/proc/{pid}/exe") for pid in pids)
        assert os.fstat(terminal).st_nlink == 0
        os.close(terminal)
    assert os.listdir(tmp_path) == [] and len(os.listdir("/proc/self/fd")) == before


def test_heap_of_the_import(tmp_path, record_property):
    """On 32 bits, as on an ESP32."""
    program = tmp_path / "keeps.py"
    program.write_text(IMPORT)
    with Board(variant="32bit") as board:
        command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device]
        done = subprocess.run(
            [*command, str(program)], capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 0, done.stderr
    kept = int(done.stdout.split()[1])
    # Neither nothing at all, nor more than the budget.
    assert 1000 < kept <= HEAP
    record_property("note", f"{kept} bytes")
