"""Where the behaviour suite runs: each target starts an interpreter on a test file."""

from __future__ import annotations

import argparse
import functools
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable, Iterable, Optional, Union

from usocket_tools import deploy, files, micropython, remote, targets, testing
from usocket_tools.device import BoardReset, Device, Execution
from usocket_tools.errors import UsocketError
from usocket_tools.vboard.board import Board, add_arguments, control

ROOT = Path(__file__).resolve().parent.parent
COMMON = ROOT / "tests" / "common"
RUNNER = COMMON / "run.py"

STOP_SECONDS = 5  # for an interpreter to end after its last test
INTERRUPT_SECONDS = 2  # for a hung one to print its traceback


class Hung(Exception):
    """No line came before the deadline."""


class Process:
    """A started program, read line by line. A target that is no process offers the same."""

    stdin = subprocess.DEVNULL

    def __init__(self, argv: list[str], env: dict[str, str]):
        self._folder = tempfile.TemporaryDirectory(prefix="usocket-test-")
        self._process = subprocess.Popen(
            argv,
            env=env,
            cwd=self._folder.name,
            stdin=self.stdin,
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


class BoardProgram:
    """A program on a board, read as a Process is. `reset` is the board's reset button."""

    def __init__(self, device: Device, execution: Execution, reset: Callable[[], object]):
        self._device = device
        self._execution = execution
        self._reset = reset
        self._text = b""
        self._fault = ""  # why there is no more to read

    def line(self, seconds: float) -> Optional[str]:
        deadline = time.monotonic() + seconds
        while b"\n" not in self._text:
            if self._ended():
                return None
            if time.monotonic() >= deadline:
                raise Hung
            self._read(deadline - time.monotonic())
        line, _, self._text = self._text.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    rest = Process.rest

    def interrupt(self) -> list[str]:
        try:
            self._text += self._execution.interrupt(INTERRUPT_SECONDS)
            if self._execution.done:
                self._text += b"\n" + remote.traceback(self._execution).encode()
        except UsocketError as e:
            self._fault = str(e)
        lines = [line for line in self._text.decode(errors="replace").splitlines() if line]
        if not self._ended():
            lines.append("it does not end on Ctrl-C; the board was reset")
        self.stop()
        return lines

    def end(self) -> str:
        try:
            if self._fault:
                return self._fault
            if not self._execution.done:
                return "the program still runs"
            status, _ = remote.outcome(self._device, self._execution)
            return f"the program exited with status {status}" if status else ""
        except UsocketError as e:
            return str(e)
        finally:
            self.stop()

    def stop(self) -> None:
        if not self._ended():
            try:
                self._execution.interrupt(INTERRUPT_SECONDS)
                if not self._execution.done:
                    self._reset()
            except UsocketError:
                pass  # it is gone
        self._device.close()

    def _ended(self) -> bool:
        return bool(self._fault) or self._execution.done

    def _read(self, seconds: float) -> None:
        try:
            self._text += self._execution.read(seconds)
        except UsocketError as e:
            self._fault = "the board was reset" if isinstance(e, BoardReset) else str(e)
            self._text += b"\n" if self._text else b""
        if self._execution.done:
            words = remote.traceback(self._execution).encode()
            if self._text and not self._text.endswith(b"\n"):
                self._text += b"\n"
            self._text += words


class Target:
    """One more target is one more subclass with an `id` and a `start`."""

    id: str

    def start(self, file: Path, names: Iterable[str]) -> Union[Process, BoardProgram]:
        """Run these tests of the file; the answer yields the runner's lines."""
        raise NotImplementedError

    def lost(self) -> bool:
        """Whether it is gone for good, so that what is left of the tests need not be tried."""
        return False


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


class Serial(Target):
    """A board on a serial line: this device, always plugged in."""

    # What the test files import, which lies in the board's flash: its heap is small.
    FOLDER = "/suite"

    def __init__(self, id: str, device: str, runner: Path = RUNNER):
        self.id = id
        self._device = device
        self._runner = runner

    def device(self) -> str:
        return self._device

    def lost(self) -> bool:
        return "://" not in self._device and not os.path.exists(self._device)

    def reset(self) -> None:
        try:
            control(self._device, "reset")
        except UsocketError:  # a real one
            raise UsocketError(
                f"the board on {self._device} does not come back", "Press its reset button."
            ) from None

    def start(self, file: Path, names: Iterable[str]) -> BoardProgram:
        device = Device(self.device())
        try:
            self._fresh(device)
            wifi = testing.wifi_of(None, os.environ)
            if wifi:
                testing.join(device, wifi)
            self._copy(device, file)
            conf = file.with_suffix(".conf")
            execution = remote.start(
                device,
                self._runner,
                remote.Options(self._runner.name, [f"{self.FOLDER}/{file.name}", *names]),
                conf=conf if conf.exists() else None,
                modules={},
            )
        except BaseException:
            device.close()
            raise
        return BoardProgram(device, execution, self.reset)

    def _fresh(self, device: Device) -> None:
        try:
            device.fresh()
        except UsocketError:
            # What the last test did to it may take a reset to undo.
            self.reset()
            device.fresh()

    def _copy(self, device: Device, file: Path) -> None:
        helpers = [f for f in self._runner.parent.glob("*.py") if not f.name.startswith("test_")]
        compiler = deploy.Compiler(deploy.ask(device))
        wanted = {
            source.stem + compiler.suffix: compiler.compile(source, source.name)
            for source in [*helpers, file]
            if source != self._runner
        }
        deploy.sync(device, self.FOLDER, wanted)


class Vboard(Serial):
    """The virtual board: one for all files, and a new one when that has ended."""

    def __init__(self, id: str = "vboard", runner: Path = RUNNER, **options: object):
        super().__init__(id, "", runner)
        self._options = options
        self.board: Optional[Board] = None

    def lost(self) -> bool:
        return False

    def configure(self, words: list[str]) -> None:
        """Options as `usocket vboard` takes them, such as --loss 3%."""
        parser = argparse.ArgumentParser(prog="--vboard-options", add_help=False)
        add_arguments(parser)
        given, usual = vars(parser.parse_args(words)), vars(parser.parse_args([]))
        self._options.update({name: given[name] for name in given if given[name] != usual[name]})

    def device(self) -> str:
        board = self.board
        # One that is just ending may have no terminal any more.
        if board is None or not board.running() or not os.path.exists(board.device):
            self.stop()
            self.board = board = Board(**self._options)
        return board.device

    def reset(self) -> None:
        assert self.board
        self.board.control("reset")

    def stop(self) -> None:
        if self.board:
            self.board.stop()


@functools.lru_cache(maxsize=None)
def all_targets() -> list[Target]:
    return [
        CPython(),
        Unix(f"unix-{micropython.OLDEST}", "oldest", "standard"),
        Unix(f"unix-{newest()}", "newest", "standard"),
        Unix("unix-noffi", "newest", "noffi"),
        *(_boards() if "esp32" in files.ports() else []),
        *(Serial(testing.target_id(name), name) for name in _devices()),
    ]


def _boards() -> list[Target]:
    # With 32 bits its heap holds what an ESP32's holds.
    return [Vboard(), Vboard("vboard-32bit", variant="32bit")]


def _devices() -> list[str]:
    return os.environ.get(testing.DEVICES, "").split()


def newest() -> str:
    """The version to put into an id; not knowing it is for the tests to fail with."""
    try:
        return micropython.newest()
    except UsocketError:
        return "newest"
