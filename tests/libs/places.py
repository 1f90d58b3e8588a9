"""Where a program runs: MicroPython on this machine or a virtual board, with the firmware's own
`socket` and `select` or with the drop-in in their place.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Union

import libraries
from targets import Unix

from usocket_tools.boards import filesystem, identity
from usocket_tools.boards.device import Device
from usocket_tools.layer import compiling
from usocket_tools.programs import remote
from usocket_tools.suite.started import BoardProgram, Hung, Process
from usocket_tools.vboard.board import Board

PROGRAMS = Path(__file__).parent / "programs"
# It puts the drop-in in the firmware's place.
CONF = Path(__file__).parent / "dropin.conf"
NATIVE, DROP_IN = "native", "dropin"

Program = Union[Process, BoardProgram]


class Place:
    """`host` is this machine's loopback as the program reaches it."""

    host = "127.0.0.1"
    board = False

    def __init__(self, name: str, kind: str) -> None:
        self.id = f"{name}-{kind}"
        self.name, self.kind = name, kind
        self._program: Program | None = None

    def run(self, name: str, *args: object, use: Iterable[str] = (), **options) -> Program:
        """Start programs/NAME.py with these libraries importable; the last one ends."""
        self.end()
        words = [str(each) for each in args]
        self._program = self._start(PROGRAMS / f"{name}.py", words, list(use), **options)
        return self._program

    def _start(self, program: Path, args: list[str], use: list[str]) -> Program:
        raise NotImplementedError

    def reach(self, port: int) -> int:
        """The port on this machine's loopback that leads to this port of the program."""
        raise NotImplementedError

    def reach_udp(self, port: int) -> int:
        """The same for datagrams."""
        return self.reach(port)

    def lines(self, name: str, *args: object, seconds: float = 30, **options) -> list[str]:
        """What the program prints; it has to end well."""
        return finished(self.run(name, *args, **options), seconds)

    def end(self) -> None:
        """A test that failed left its program running."""
        if self._program:
            self._program.stop()
        self._program = None

    def stop(self) -> None:
        self.end()


def finished(program: Program, seconds: float = 30) -> list[str]:
    """The lines that still come, of a program that ends in time and well."""
    lines: list[str] = []
    deadline = time.monotonic() + seconds
    try:
        while (line := program.line(max(0.1, deadline - time.monotonic()))) is not None:
            lines.append(line)
    except Hung:
        lines += program.interrupt()
        raise AssertionError("\n".join([*lines, f"it did not end within {seconds} s"])) from None
    wrong = program.end()
    assert wrong == "", "\n".join([*lines, wrong])
    return lines


def expect(program: Program, *lines: str, seconds: float = 20) -> None:
    """These are the next lines."""
    for wanted in lines:
        line = program.line(seconds)
        if line != wanted:
            rest = program.interrupt()
            raise AssertionError("\n".join([f"not {wanted!r} but {line!r}", *rest]))


class OnUnix(Place):
    def __init__(self, name: str, kind: str, version: str, variant: str) -> None:
        super().__init__(name, kind)
        self._target = Unix(self.id, version, variant)
        self._installed: dict[tuple[str, ...], tempfile.TemporaryDirectory] = {}

    def _start(self, program, args, use, prefix=()):
        argv, extra = self._target.command(CONF if self.kind == DROP_IN else None)
        extra["MICROPYPATH"] = self._install(tuple(use)) + ":" + extra["MICROPYPATH"]
        # A heap for the largest of them.
        command = [*prefix, argv[0], "-X", "heapsize=8m", str(program), *args]
        return Process(command, {**os.environ, **extra})

    def _install(self, names: tuple[str, ...]) -> str:
        """A folder with these libraries, which may be parts of one package."""
        if names not in self._installed:
            self._installed[names] = folder = tempfile.TemporaryDirectory(prefix="usocket-libs-")
            for name in names:
                for module, file in libraries.modules(name).items():
                    target = Path(folder.name) / f"{module}.py"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
        return self._installed[names].name

    def reach(self, port):
        return port

    def stop(self) -> None:
        super().stop()
        for folder in self._installed.values():
            folder.cleanup()


class OnBoard(Place):
    """One board for all programs; the libraries are in its flash, as an owner puts them there."""

    host = Board.host
    board = True

    def __init__(self, name: str, kind: str, **options: object) -> None:
        super().__init__(name, kind)
        self._options = options
        self._board: Board | None = None
        self._there: set[str] = set()
        self._forwards: dict[int, int] = {}

    @property
    def vboard(self) -> Board:
        if self._board is None or not self._board.running():
            self._board = Board(**self._options)
            self._there.clear()
            self._forwards.clear()
        return self._board

    def control(self, text: str) -> str:
        return self.vboard.control(text)

    def _start(self, program, args, use):
        board = self.vboard
        device = Device(board.device)
        try:
            try:
                device.fresh()
            except Exception:
                board.control("reset")
                device.fresh()
            self._bring(device, use)
            options = remote.Options(program.name, args)
            conf = CONF if self.kind == DROP_IN else None
            execution = remote.start(device, program, options, conf, modules={})
        except BaseException:
            device.close()
            raise
        return BoardProgram(device, execution, lambda: board.control("reset"))

    def _bring(self, device: Device, use: Iterable[str]) -> None:
        wanted: dict[str, Path] = {}
        for library in use:
            wanted.update(libraries.modules(library))
        compiler = compiling.Compiler(identity.ask(device))
        for module, file in wanted.items():
            if module not in self._there:
                content = compiler.compile(file, file.name)
                filesystem.write(device, f"/lib/{module}{compiler.suffix}", content)
                self._there.add(module)

    def reach(self, port):
        if port not in self._forwards:
            self._forwards[port] = self.vboard.forward(f"0:{port}")
        return self._forwards[port]

    def reach_udp(self, port):
        return self.vboard.forward(f"udp:0:{port}")

    def stop(self) -> None:
        super().stop()
        if self._board:
            self._board.stop()


def all_places() -> list[Place]:
    return [
        OnUnix("unix", NATIVE, "newest", "standard"),
        OnUnix("unix", DROP_IN, "newest", "standard"),
        OnUnix("unix-oldest", DROP_IN, "oldest", "standard"),
        OnUnix("unix-noffi", DROP_IN, "newest", "noffi"),
        OnBoard("vboard", NATIVE),
        OnBoard("vboard", DROP_IN),
        OnBoard("vboard-32bit", NATIVE, variant="32bit"),
        OnBoard("vboard-32bit", DROP_IN, variant="32bit"),
    ]
