# SPDX-License-Identifier: MIT
# Programs that were started to be read line by line: a process of this machine, or on a board.
from __future__ import annotations

import queue
import signal
import subprocess
import tempfile
import threading
import time
from typing import Callable, Protocol

from ..boards.device import BoardReset, Device, Execution
from ..errors import UsocketError
from ..programs import remote

STOP_SECONDS = 5  # for an interpreter to end after its last test
POWER = "its power was cycled"
CYCLED = f"the board did not answer; {POWER}"
INTERRUPT_SECONDS = 2  # for a hung one to print its traceback


class Hung(Exception):
    """No line came before the deadline."""


class Lines(Protocol):
    def line(self, seconds: float) -> str | None: ...


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
        self._lines: queue.Queue[str | None] = queue.Queue()
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

    def line(self, seconds: float) -> str | None:
        """The next line; None at the end; Hung when none comes in time."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise Hung from None
        if line is None:
            self._lines.put(None)
        return line

    def rest(self: Lines, seconds: float) -> list[str]:
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
    """A program on a board, read as a Process is.

    `reset` is the board's reset button; what it gives may be POWER.
    """

    def __init__(self, device: Device, execution: Execution, reset: Callable[[], object]):
        self._device = device
        self._execution = execution
        self._reset = reset
        # What is to be read: first that the board hung before.
        self._text = CYCLED.encode() + b"\n" if device.cycled else b""
        self._fault = ""  # why there is no more to read

    def line(self, seconds: float) -> str | None:
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
        deaf = not self._ended()
        how = self.stop()
        if deaf:
            lines.append(f"it does not end on Ctrl-C; {how or 'the board was reset'}")
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

    def stop(self) -> str:
        """What had to be done to end it, if that is more than Ctrl-C and known."""
        how = ""
        try:
            if not self._ended():
                self._execution.interrupt(INTERRUPT_SECONDS)
                if not self._execution.done:
                    # A line that is open could not come back by its name.
                    self._device.close()
                    how = POWER if self._reset() == POWER else ""
        except UsocketError as e:
            how = str(e)  # it is gone
        self._device.close()
        return how

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
