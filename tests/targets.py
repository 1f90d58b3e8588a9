"""Where the behaviour suite runs: each target starts an interpreter on a test file."""

from __future__ import annotations

import functools
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Iterable, Optional

from usocket_tools import micropython, targets
from usocket_tools.errors import UsocketError

ROOT = Path(__file__).resolve().parent.parent
RUNNER = ROOT / "tests" / "common" / "run.py"

STOP_SECONDS = 5  # for an interpreter to end after its last test
INTERRUPT_SECONDS = 2  # for a hung one to print its traceback


class Hung(Exception):
    """No line came before the deadline."""


class Process:
    """A started program, read line by line. A target that is no process offers the same."""

    def __init__(self, argv: list[str], env: dict[str, str]):
        self._folder = tempfile.TemporaryDirectory(prefix="usocket-test-")
        self._process = subprocess.Popen(
            argv,
            env=env,
            cwd=self._folder.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._lines: queue.Queue[Optional[str]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as stream:
            for line in stream:
                self._lines.put(line.decode(errors="replace").rstrip("\n"))
        self._lines.put(None)

    def line(self, seconds: float) -> Optional[str]:
        """The next line; None at the end; Hung when none comes in time."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise Hung from None
        if line is None:
            self._lines.put(None)
        return line

    def rest(self, seconds: float) -> list[str]:
        """The lines that still come."""
        lines = []
        try:
            while (line := self.line(seconds)) is not None:
                lines.append(line)
        except Hung:
            pass
        return lines

    def interrupt(self) -> list[str]:
        """Make a hung program say where it hangs, then end it."""
        self._process.send_signal(signal.SIGINT)
        lines = self.rest(INTERRUPT_SECONDS)
        self.stop()
        return lines

    def end(self) -> str:
        """Wait for the end; says what was wrong with it, or ''."""
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.stop()
            return f"the interpreter did not end within {STOP_SECONDS} s of its last line"
        self.stop()
        if status < 0:
            return f"the interpreter died of {signal.Signals(-status).name}"
        return f"the interpreter exited with status {status}" if status else ""

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(STOP_SECONDS)
        self._folder.cleanup()


class Target:
    """One more target is one more subclass with an `id` and a `start`."""

    id: str

    def start(self, file: Path, names: Iterable[str]) -> Process:
        """Run these tests of the file; the answer yields the runner's lines."""
        raise NotImplementedError


class HostTarget(Target):
    """An interpreter on this machine."""

    def command(self, conf: Optional[Path]) -> tuple[list[str], dict[str, str]]:
        """The interpreter's argv and its environment, the layer importable."""
        raise NotImplementedError

    def run(
        self,
        program: Path,
        *args: str,
        conf: Optional[Path] = None,
        prefix: Iterable[str] = (),
    ) -> Process:
        """Start a program with the layer importable; `prefix` is a command to start it with."""
        argv, extra = self.command(conf)
        env = {k: v for k, v in os.environ.items() if k != "USOCKET_COMPAT_CONF"}
        env.update(extra)
        return Process([*prefix, *argv, str(program), *args], env)

    def start(self, file: Path, names: Iterable[str]) -> Process:
        conf = file.with_suffix(".conf")
        return self.run(RUNNER, str(file), *names, conf=conf if conf.exists() else None)


class CPython(HostTarget):
    id = "cpython"

    def command(self, conf: Optional[Path]) -> tuple[list[str], dict[str, str]]:
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {"PYTHONPATH": os.pathsep.join(path)}
        if conf:
            env["USOCKET_COMPAT_CONF"] = str(conf)
        return [sys.executable, "-u", "-X", "dev"], env


class Unix(HostTarget):
    """MicroPython's unix port."""

    def __init__(self, id: str, version: str, variant: str):
        self.id = id
        self._version = version
        self._variant = variant

    def command(self, conf: Optional[Path]) -> tuple[list[str], dict[str, str]]:
        interpreter = micropython.find(self._version, self._variant)
        return [str(interpreter.path)], {"MICROPYPATH": f"{targets.unix_path(conf)}:.frozen"}


@functools.lru_cache(maxsize=None)
def all_targets() -> list[Target]:
    return [
        CPython(),
        Unix(f"unix-{micropython.OLDEST}", "oldest", "standard"),
        Unix(f"unix-{newest()}", "newest", "standard"),
        Unix("unix-noffi", "newest", "noffi"),
    ]


def newest() -> str:
    """The version to put into an id; not knowing it is for the tests to fail with."""
    try:
        return micropython.newest()
    except UsocketError:
        return "newest"
