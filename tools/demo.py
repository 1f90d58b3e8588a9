# SPDX-License-Identifier: MIT
# `make demo`: the file server of examples/ on MicroPython and then on CPython, with curl as the
# client, told so that a reader can follow.
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

from rich.console import Console

from . import micropython
from .errors import UsocketError
from .files import PACKAGE

_TOP = PACKAGE.parent
_SERVER = Path("examples/http_files.py")
_SIZE = 5_000_000
_CONNECTIONS = 20
_TIMEOUT = 120

console = Console(highlight=False, soft_wrap=True)


def demo() -> None:
    if not shutil.which("curl"):
        raise UsocketError("the demo needs curl", "Run `make setup`.")
    interpreter = micropython.find()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "served").mkdir()
        data = os.urandom(_SIZE)
        (folder / "served" / "random.bin").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        lines = len((_TOP / _SERVER).read_text().splitlines())
        console.print(
            f"{_SERVER} is a file server of {lines} lines, written once against usocket_compat."
            f"\nIt serves a file of {_SIZE:,} random bytes; sha256 {digest}."
        )
        _round("unix", f"MicroPython {interpreter.version}", folder, digest)
        _round("cpython", "CPython " + sys.version.split()[0], folder, digest)
    console.print(
        f"\n[bold green]PASS[/]: the same file served {2 * _CONNECTIONS} downloads,"
        " and every one is the file it served."
    )


def _round(target: str, title: str, folder: Path, digest: str) -> None:
    command = ["usocket", "run", "--target", target, str(_SERVER), "0", str(folder / "served")]
    console.print(f"\n[bold]{title}[/]\n$ {' '.join(command)}")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "usocket_tools.cli", *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=_TOP,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        port = _port(server, folder / "log")
        begin = time.monotonic()
        _fetch(port, folder / target)
        seconds = time.monotonic() - begin
        if server.poll() is not None:
            raise _died(folder / "log")
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    text = (folder / "log").read_text()
    most = max(int(count) for count in re.findall(r"(?m)^(\d+) clients$", text))
    got = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (folder / target).iterdir()]
    same = got.count(digest)
    console.print(
        f"{same} of {_CONNECTIONS} downloads have the file's digest. Up to {most} connections"
        f" at once, {_CONNECTIONS * _SIZE / 1e6:.0f} MB in {seconds:.2f} s."
    )
    if same != _CONNECTIONS:
        raise UsocketError(f"FAIL: {_CONNECTIONS - same} downloads differ on {title}")
    if most != _CONNECTIONS:
        raise UsocketError(f"FAIL: {most} connections at once on {title}, not {_CONNECTIONS}")


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
    return UsocketError(f"FAIL: the server did not go on:\n{log.read_text().strip()}")


def _fetch(port: int, folder: Path) -> None:
    folder.mkdir()
    url = f"http://127.0.0.1:{port}/random.bin"
    # Immediate: curl would else wait whether an open connection can serve the next download too.
    parallel = ["--parallel", "--parallel-immediate", "--parallel-max", str(_CONNECTIONS)]
    console.print(f"$ curl {' '.join(parallel)} {url} ... ({_CONNECTIONS} times)")
    command = ["curl", "--fail", "--noproxy", "*", *parallel]
    for number in range(_CONNECTIONS):
        command += ["--output", str(folder / f"{number}.bin"), url]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise UsocketError(f"FAIL: curl was not served within {_TIMEOUT} s") from None
    if done.returncode:
        raise UsocketError(f"FAIL: curl exits with {done.returncode}", done.stderr)


def main() -> int:
    try:
        demo()
    except UsocketError as error:
        console.print(f"\n[bold red]{error}[/]")
        if error.hint:
            console.print(error.hint)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
