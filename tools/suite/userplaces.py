# SPDX-License-Identifier: MIT
# Where a user's tests run a user's program: on this machine, on the virtual board, on a board of
# the desk. What runs it is `usocket run`, so that it is as at the command line.
from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from ..boards import named
from ..boards.device import Device
from ..errors import UsocketError
from ..findings import of_board
from ..vboard.board import Board, control, host_port, is_virtual
from ..wifi import wifi_of
from .joining import join, towards, wifi_of_board

HOSTS = ("cpython", "unix")
VBOARD = "vboard"
SECONDS = 60  # for a program, and for what it says
STOP_SECONDS = 10
# As `python -m`, without the modules of the current folder.
_RUN = "import sys; sys.path[:1] = sys.path[:1] if sys.path[0] else []; "
_RUN += "from usocket_tools import main; sys.exit(main())"


class Done(NamedTuple):
    """A program that has ended."""

    status: int
    output: str  # stdout
    errors: str  # stderr


class Program:
    """A program that runs. As a context manager it is stopped at the end of the block."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._text = {"stdout": "", "stderr": ""}
        self._more = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(name,), daemon=True) for name in self._text
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str) -> None:
        stream = getattr(self._process, name)
        with stream:
            while piece := stream.readline():
                with self._more:
                    self._text[name] += piece
                    self._more.notify_all()
        with self._more:
            self._more.notify_all()

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._text["stdout"]

    @property
    def errors(self) -> str:
        """What it has written to stderr so far; on a board, the traceback at its end."""
        return self._text["stderr"]

    def wait_for(self, text: str, seconds: float = SECONDS) -> str:
        """Wait until it has printed a line with this text; the line.

        Raises AssertionError, with all that it printed, if it ends before, or is out of time.
        """
        deadline = time.monotonic() + seconds
        with self._more:
            while True:
                whole = self.output[: self.output.rfind("\n") + 1].splitlines()
                for line in whole:
                    if text in line:
                        return line
                left = deadline - time.monotonic()
                ended = not any(reader.is_alive() for reader in self._readers)
                if left <= 0 or ended:
                    why = f"took more than {seconds:g} s"
                    if ended:
                        why = f"ended with the exit status {self.wait(STOP_SECONDS)}"
                    raise AssertionError(
                        f"the program {why}, and has not printed {text!r}:\n"
                        f"{self.output}{self.errors}"
                    )
                # Looked at again, since a reader may have ended just now.
                self._more.wait(min(left, 0.2))

    def wait(self, seconds: float = SECONDS) -> int:
        """Wait for its end; its exit status. Raises AssertionError when it is out of time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the program did not end within {seconds:g} s:\n{self.output}{self.errors}"
            ) from None
        for reader in self._readers:
            reader.join(STOP_SECONDS)
        return self._process.returncode

    def stop(self) -> int:
        """Ctrl-C, and by force if it does not end; its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self.wait()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class Place:
    """Where a program runs: `id` is cpython, unix, vboard or a board's name."""

    host = "127.0.0.1"  # this machine, as the program knows it

    def __init__(self, id: str, folder: Path) -> None:
        self.id = id
        self._folder = folder

    def _where(self) -> list[str]:
        return ["--target", self.id]

    def start(self, file: str | Path, *arguments: str) -> Program:
        """Start a program; a relative path is one from the test's folder, which is its own.

        Raises FileNotFoundError.
        """
        path = self._folder / file
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "there is no program", str(path))
        command = [sys.executable, "-c", _RUN, "run", *self._where(), str(path)]
        return Program([*command, *arguments], self._folder)

    def run(self, file: str | Path, *arguments: str, seconds: float = SECONDS) -> Done:
        """Run a program to its end: its status and what it printed.

        Raises AssertionError when it does not end in time.
        """
        with self.start(file, *arguments) as program:
            status = program.wait(seconds)
            return Done(status, program.output, program.errors)

    def reach(self, port: int, udp: bool = False) -> tuple[str, int]:
        """The address by which a test reaches this port of the program."""
        return "127.0.0.1", port


def _forwarded(device: str, port: int, udp: bool, known: dict[str, int]) -> tuple[str, int]:
    """By a port of this machine, which leads to the virtual board."""
    spec = f"{'udp:' if udp else ''}0:{port}"
    if spec not in known:
        known[spec] = host_port(control(device, f"forward {spec}"))
    return "127.0.0.1", known[spec]


class VirtualPlace(Place):
    """On a virtual board, which is `board`: its link, its faults are at `board.control`."""

    host = Board.host

    def __init__(self, folder: Path, board: Board) -> None:
        super().__init__(VBOARD, folder)
        self.board = board
        self._ports: dict[str, int] = {}

    def _where(self) -> list[str]:
        return ["--device", self.board.device]

    def reach(self, port: int, udp: bool = False) -> tuple[str, int]:
        return _forwarded(self.board.device, port, udp, self._ports)


class BoardPlace(Place):
    """On a board of the desk, in the network that devices.toml or the environment names."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder)
        wifi = wifi_of(None, os.environ) or wifi_of_board(named.find(name))
        with Device(name) as device:
            device.fresh()
            if wifi:
                join(device, wifi)
            self._address = of_board.address(device)
            device.leave()
            self._device = device.board.serial
        self._virtual = is_virtual(self._device)
        self._ports: dict[str, int] = {}
        if self._virtual:
            self.host = Board.host
        elif self._address:
            self.host = towards(self._address)

    def _where(self) -> list[str]:
        return ["--device", self.id]

    def reach(self, port: int, udp: bool = False) -> tuple[str, int]:
        if not self._address:
            raise UsocketError(f"{self.id} is in no network", "`wifi` in devices.toml names one.")
        if self._virtual:
            return _forwarded(self._device, port, udp, self._ports)
        return self._address, port
