# SPDX-License-Identifier: MIT
# Boards that the behaviour suite runs on: one behind a serial line, and the virtual one.
from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..boards import filesystem, identity, named
from ..boards.device import Device
from ..errors import UsocketError
from ..files import data_file
from ..layer import compiling
from ..programs import remote
from ..vboard.board import Board, control
from ..vboard.options import add_arguments
from ..wifi import wifi_of
from .joining import join, wifi_of_board
from .started import POWER, BoardProgram, Process

RUNNER = data_file("common/run.py")


class Target:
    """One more target is one more subclass with an `id` and a `start`."""

    id: str
    without: frozenset[str] = frozenset()  # tests that do not run there
    port = ""  # whose numbers of errors it prints, where it prints no names

    def start(self, file: Path, names: Iterable[str]) -> Process | BoardProgram:
        """Run these tests of the file; the answer yields the runner's lines."""
        raise NotImplementedError

    def lost(self) -> bool:
        """Whether it is gone for good, so that what is left of the tests need not be tried."""
        return False


class Serial(Target):
    """A board on a serial line: this device, always plugged in."""

    port = "esp32"

    # What the test files import, which lies in the board's flash: its heap is small.
    FOLDER = "/suite"

    def __init__(self, id: str, device: str, runner: Path = RUNNER):
        self.id = id
        self._device = device
        self._runner = runner

    def device(self) -> str:
        return self._device

    def lost(self) -> bool:
        serial = named.find(self._device).serial
        return "://" not in serial and not os.path.exists(serial)

    def reset(self) -> str:
        """Press its button; or cycle its power, and say so."""
        if named.cycle(named.find(self._device)):
            return POWER
        try:
            control(self._device, "reset")
            return ""
        except UsocketError:  # a real one
            raise UsocketError(
                f"the board on {self._device} does not come back", "Press its reset button."
            ) from None

    def start(self, file: Path, names: Iterable[str]) -> BoardProgram:
        device = Device(self.device())
        try:
            self._fresh(device)
            wifi = wifi_of(None, os.environ) or wifi_of_board(device.board)
            if wifi:
                join(device, wifi)
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
        compiler = compiling.Compiler(identity.ask(device))
        wanted = {
            source.stem + compiler.suffix: compiler.compile(source, source.name)
            for source in [*helpers, file]
            if source != self._runner
        }
        filesystem.sync(device, self.FOLDER, wanted)


# Heap for files of TLS tests, in a board's bytes of 32 bits. Both ends of each connection, the
# test and its threads are on the one board, where a bare ESP32's heap is for one end: tests/peers
# and tests/vboard try that end in it.
BOTH_ENDS = 176 * 1024


class Vboard(Serial):
    """The virtual board: one for all files but those of TLS, and a new one when that has ended."""

    def __init__(self, id: str = "vboard", runner: Path = RUNNER, **options: Any):
        super().__init__(id, "", runner)
        self._options = options
        self._heap: int | None = None
        self.board: Board | None = None

    def lost(self) -> bool:
        return False

    def configure(self, words: list[str]) -> None:
        """Options as `usocket vboard` takes them, such as --loss 3%."""
        parser = argparse.ArgumentParser(prog="--vboard-options", add_help=False)
        add_arguments(parser)
        given, usual = vars(parser.parse_args(words)), vars(parser.parse_args([]))
        self._options.update({name: given[name] for name in given if given[name] != usual[name]})

    def start(self, file: Path, names: Iterable[str]) -> BoardProgram:
        heap = BOTH_ENDS if "tls" in file.stem else None
        if heap != self._heap:
            self._heap = heap
            self.stop()
        return super().start(file, names)

    def device(self) -> str:
        board = self.board
        # One that is just ending may have no terminal any more.
        if board is None or not board.running() or not os.path.exists(board.device):
            self.stop()
            # Both ends of TLS connections are on it: twice what a bare ESP32 has for one.
            options: dict[str, Any] = {"tls_memory": 120000}
            if self._heap:
                words = 1 if self._options.get("variant") == "32bit" else 2
                options["heap"] = self._heap * words
            self.board = board = Board(**{**options, **self._options})
        return board.device

    def reset(self) -> str:
        assert self.board
        return self.board.control("reset")

    def stop(self) -> None:
        if self.board:
            self.board.stop()
