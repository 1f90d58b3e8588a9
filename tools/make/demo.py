# SPDX-License-Identifier: MIT
# `make demo`: the file server of examples/ on a board, on MicroPython and on CPython, with curl as
# the client, told so that a reader can follow.
from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ..builds import interpreters
from ..errors import UsocketError
from ..files import PACKAGE
from ..vboard import build

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
    interpreter = _built()
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


def _built() -> interpreters.Interpreter:
    """What the rounds need, side by side where it has to be built."""
    if os.environ.get("USOCKET_DEVICE"):
        return interpreters.find()
    with ThreadPoolExecutor(2) as pool:
        board = pool.submit(build.find)
        interpreter = interpreters.find()
        board.result()
    return interpreter


def _on_a_board(folder: Path) -> None:
    named = os.environ.get("USOCKET_DEVICE")
    if named:
        console.print(f"\n[bold]The board at {named}[/]")
        _board_round(named, f"{_bring(named)}:{_ON_BOARD}", folder)
        return
    console.print("\n[bold]A virtual ESP32 board, since USOCKET_DEVICE names no real one[/]")
    with _vboard() as (device, port):
        _bring(device)
        _board_round(device, f"127.0.0.1:{port}", folder)


@contextlib.contextmanager
def _vboard() -> Iterator[tuple[str, str]]:
    """A virtual board's device, and the port that leads to it."""
    command = ["usocket", "vboard", "--forward", "0:" + _ON_BOARD]
    console.print(f"$ {' '.join(command)}")
    with subprocess.Popen(_argv(command), stdout=subprocess.PIPE, text=True) as board:
        try:
            assert board.stdout
            device, forward = board.stdout.readline().strip(), board.stdout.readline().strip()
            found = re.search(r":(\d+) -> ", forward)
            if not found:
                raise UsocketError("FAIL: there is no virtual board", "It says why, above.")
            console.print(f"{device}\n{forward}")
            yield device, found[1]
        finally:
            board.terminate()


def _bring(device: str) -> str:
    """Look at the board and bring the layer to it; its address."""
    said = _done(["usocket", "doctor", "--device", device], device)
    address = re.search(r"its address is (\S+)", said)
    if not address:
        raise UsocketError(f"the board at {device} has no network", "Connect it to Wi-Fi.")
    _done(["usocket", "deploy", "--device", device])
    return address[1]


def _done(command: list[str], about: str = "") -> str:
    """What the command says, shown where it is about that."""
    console.print(f"$ {' '.join(command)}")
    done = subprocess.run(_argv(command), capture_output=True, text=True, timeout=_TIMEOUT)
    for line in done.stdout.splitlines():
        if about in line:
            console.print(line, markup=False)
    if done.returncode:
        raise UsocketError(
            f"FAIL: `{' '.join(command)}` exits with {done.returncode}",
            done.stderr.strip() or "It says why, above.",
        )
    return done.stdout


def _argv(command: list[str]) -> list[str]:
    module = {"usocket": "usocket_tools.cli"}.get(command[0], command[0])
    return [sys.executable, "-m", module, *command[1:]]


def _board_round(device: str, address: str, folder: Path) -> None:
    arguments = ["--device", device, str(_SERVER), _ON_BOARD, "/served", "0.0.0.0"]
    _round(Round("", arguments, folder, _BOARD_SIZE, _BOARD_CONNECTIONS, address), device)


def _round(what: Round, device: str = "") -> None:
    if what.title:
        console.print(f"\n[bold]{what.title}[/]")
    served = what.folder / "served"
    served.mkdir(parents=True)
    data = os.urandom(what.size)
    (served / "random.bin").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    console.print(f"It serves {what.size:,} random bytes; sha256 {digest}.")
    if device:
        _done(["mpremote", "connect", device, "fs", "cp", "-r", str(served), ":/"], device)
    command = ["usocket", "run", *what.arguments]
    console.print(f"$ {' '.join(command)}")
    log = what.folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            _argv(command),
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
