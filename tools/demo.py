# SPDX-License-Identifier: MIT
# `make demo`: the file server of examples/ on a board, on MicroPython and on CPython, with curl as
# the client, told so that a reader can follow.
from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from . import micropython
from .device import Device
from .errors import UsocketError
from .files import PACKAGE
from .vboard.board import Board

_TOP = PACKAGE.parent
_SERVER = Path("examples/http_files.py")
_DOWNLOADS = 20
_TIMEOUT = 120
# A board has a small flash, and ten sockets.
_BOARD_SIZE, _BOARD_CONNECTIONS = 500_000, 8
_SIZE, _CONNECTIONS = 5_000_000, _DOWNLOADS
_ON_BOARD = "8080"

console = Console(highlight=False, soft_wrap=True)


class Round(NamedTuple):
    """One server, where it runs, and what is fetched from it."""

    title: str
    # behind `usocket run`
    arguments: list[str]
    folder: Path
    size: int
    connections: int
    # where curl finds it; without an address it is the port that the server prints
    address: str = ""


def demo() -> None:
    if not shutil.which("curl"):
        raise UsocketError("the demo needs curl", "Run `make setup`.")
    interpreter = micropython.find()
    lines = len((_TOP / _SERVER).read_text().splitlines())
    console.print(f"{_SERVER} is a file server of {lines} lines, written against usocket_compat.")
    with tempfile.TemporaryDirectory() as name:
        _on_a_board(Path(name) / "board")
        for target, title in (
            ("unix", f"MicroPython {interpreter.version} on this machine"),
            ("cpython", "CPython " + sys.version.split()[0]),
        ):
            folder = Path(name) / target
            arguments = ["--target", target, str(_SERVER), "0", str(folder / "served")]
            _round(Round(title, arguments, folder, _SIZE, _CONNECTIONS))
    console.print(
        f"\n[bold green]PASS[/]: the same file served {3 * _DOWNLOADS} downloads,"
        " and every one is the file it served."
    )


def _on_a_board(folder: Path) -> None:
    named = os.environ.get("USOCKET_DEVICE")
    if named:
        with Device(named) as device:
            device.fresh()
            ip = device.exec(_ADDRESS).strip()
            device.leave()
        if not ip:
            raise UsocketError(f"the board at {named} has no network", "Connect it to Wi-Fi.")
        _board_round(f"The board at {named}", named, f"{ip}:{_ON_BOARD}", folder)
        return
    with Board(forward=["0:" + _ON_BOARD]) as board:
        (port,) = board.host_ports()
        title = f"A virtual ESP32 board, since USOCKET_DEVICE names no real one: {board.device}"
        _board_round(title, board.device, f"127.0.0.1:{port}", folder)


_ADDRESS = """
import network
w = network.WLAN(network.STA_IF)
print(w.ifconfig()[0] if w.isconnected() else "")
"""


def _board_round(title: str, device: str, address: str, folder: Path) -> None:
    arguments = ["--device", device, str(_SERVER), _ON_BOARD, "/served", "0.0.0.0"]
    what = Round(title, arguments, folder, _BOARD_SIZE, _BOARD_CONNECTIONS, address)
    _round(what, device)


def _round(what: Round, device: str = "") -> None:
    console.print(f"\n[bold]{what.title}[/]")
    served = what.folder / "served"
    served.mkdir(parents=True)
    data = os.urandom(what.size)
    (served / "random.bin").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    console.print(f"It serves {what.size:,} random bytes; sha256 {digest}.")
    if device:
        _copy(served, device)
    command = ["usocket", "run", *what.arguments]
    console.print(f"$ {' '.join(command)}")
    log = what.folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "usocket_tools.cli", *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=_TOP,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        port = _port(server, log)
        begin = time.monotonic()
        _fetch(what.address or f"127.0.0.1:{port}", what.connections, what.folder / "fetched")
        seconds = time.monotonic() - begin
        if server.poll() is not None:
            raise _died(log)
    finally:
        _end(server, politely=bool(device))
    most = max(int(count) for count in re.findall(r"(?m)^(\d+) clients$", log.read_text()))
    files = (what.folder / "fetched").iterdir()
    same = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files].count(digest)
    console.print(
        f"{same} of {_DOWNLOADS} downloads have the file's digest. Up to {most} connections"
        f" at once, {_DOWNLOADS * what.size / 1e6:.0f} MB in {seconds:.2f} s."
    )
    if same != _DOWNLOADS:
        raise UsocketError(
            f"FAIL: {_DOWNLOADS - same} downloads differ on {what.title}", "That is a bug here."
        )
    # A slow start of curl may spare a board a connection or two.
    if most < (2 if device else what.connections):
        raise UsocketError(
            f"FAIL: {most} connections at once, not {what.connections}", "Is the machine busy?"
        )


def _copy(folder: Path, device: str) -> None:
    command = ["mpremote", "connect", device, "fs", "cp", "-r", str(folder), ":/"]
    console.print(f"$ {' '.join(command)}")
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, timeout=_TIMEOUT
    )
    if done.returncode:
        raise UsocketError(f"FAIL: mpremote exits with {done.returncode}", done.stderr)


def _end(server: subprocess.Popen[bytes], politely: bool) -> None:
    # On a board the program ends by Ctrl-C, and the board is usable after.
    server.send_signal(signal.SIGINT if politely else signal.SIGKILL)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _port(server: subprocess.Popen[bytes], log: Path) -> int:
    """The port that the server says it listens on."""
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"on port (\d+)\n", log.read_text())
        if found:
            return int(found[1])
        time.sleep(0.02)
    raise _died(log)


def _died(log: Path) -> UsocketError:
    return UsocketError(
        f"FAIL: the server did not go on:\n{log.read_text().strip()}",
        "`usocket doctor` looks at this machine and its boards.",
    )


def _fetch(address: str, connections: int, folder: Path) -> None:
    folder.mkdir()
    url = f"http://{address}/random.bin"
    # Immediate: curl would else wait whether an open connection can serve the next download too.
    parallel = ["--parallel", "--parallel-immediate", "--parallel-max", str(connections)]
    console.print(f"$ curl {' '.join(parallel)} {url} ... ({_DOWNLOADS} times)")
    command = ["curl", "--fail", "--noproxy", "*", *parallel]
    for number in range(_DOWNLOADS):
        command += ["--output", str(folder / f"{number}.bin"), url]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise UsocketError(
            f"FAIL: curl was not served within {_TIMEOUT} s", "Is the board in this network?"
        ) from None
    if done.returncode:
        raise UsocketError(f"FAIL: curl exits with {done.returncode}", done.stderr)


def main() -> int:
    try:
        demo()
    except UsocketError as error:
        console.print(f"\n[bold red]{error}[/]")
        console.print(error.hint)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
