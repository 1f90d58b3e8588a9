# SPDX-License-Identifier: MIT
# Runs a program on a board over its serial line: the layer into the board's flash, the program and
# the modules beside it into its RAM, output and status back.
#
# The program is compiled here and sent as .mpy: compiling it on the board takes several times the
# heap, which a board with 56 KB does not have for long programs. It is loaded through a file
# system in RAM that drops every piece as it is read, so that nothing is written to the flash.
from __future__ import annotations

import ast
import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..boards import answers, identity
from ..boards.device import CHUNK, Device, Execution
from ..errors import UsocketError
from ..layer import bundle, compiling, install
from ..shown import say_text
from . import errnames, tracebacks

_NAME = "_program"  # of the program, as the board imports it
_ROOT = "/.run"

_PREPARE = """
import io, sys, vfs

class File(io.IOBase):
    def __init__(self, pieces):
        self.pieces = pieces
        self.at = 0

    def readinto(self, buffer):
        n = 0
        while self.pieces and n < len(buffer):
            piece = self.pieces[0]
            m = min(len(buffer) - n, len(piece) - self.at)
            buffer[n : n + m] = piece[self.at : self.at + m]
            n += m
            self.at += m
            if self.at == len(piece):
                self.pieces.pop(0)
                self.at = 0
        return n

    def ioctl(self, request, argument):
        return 128 if request == 11 else 0

class Files:
    def __init__(self):
        self.files = {}

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def stat(self, path):
        for name in self.files:
            if name == path:
                return (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            if name[: len(path) + 1] == path + "/":
                return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(2)

    def open(self, path, mode):
        if self.files.get(path) is None:
            raise OSError(2)
        main = sys.modules.get(PROGRAM)
        if path[: len(PROGRAM) + 2] == "/" + PROGRAM + "." and main:
            main.__name__ = "__main__"
            sys.modules["__main__"] = main
        file = File(self.files[path])
        self.files[path] = None
        return file

files = Files()
vfs.mount(files, ROOT)
sys.path.insert(0, ROOT)
"""

_RUN = """
import gc, sys
sys.argv[:] = {argv!r}
gc.collect()
try:
    __import__({name!r})
    status = None
except SystemExit as e:
    status = e.args[0] if e.args else None
"""

_STATUS = (
    "print(status if status is None or isinstance(status, (int, bool)) else repr(str(status)))"
)
_ENDED = answers.either(
    answers.nothing,
    answers.flag,
    lambda value: isinstance(value, int),
    answers.text(answers.MOST),
)


class Options(NamedTuple):
    # How the program appears in sys.argv[0] and in tracebacks.
    name: str
    arguments: list[str]
    # After so many seconds it is interrupted; 0: never.
    timeout: float = 0


def run(device_name: str, program: Path, options: Options, folder: Path | None = None) -> int:
    """Run it with the board's output on ours; its exit status.

    `folder`: where what it imports is looked for, if not beside it.
    """
    with Device(device_name) as device:
        device.fresh()
        execution = None
        try:
            modules = modules_beside(program, folder)
            execution = start(device, program, options, modules=modules)
            return _follow(device, execution, options)
        except compiling.CompileError as error:
            # A traceback as the program's own would be.
            say_text(str(error))
            return 1
        finally:
            if execution is None or execution.done or execution.reset:
                device.leave()


def start(
    device: Device,
    program: Path,
    options: Options,
    conf: Path | None = None,
    modules: Mapping[str, Path] | None = None,
) -> Execution:
    """Bring the program, and the layer if it uses it, to a board that is `fresh`; start it.

    `modules` go with it: name -> file, by default those beside it that it imports.
    """
    facts = identity.ask(device)
    compiler = compiling.Compiler(facts)
    sources = {_NAME: program, **(modules_beside(program) if modules is None else modules)}
    compiled = {}
    for module, source in sources.items():
        shown = options.name if source == program else str(source)
        compiled[f"/{module}{compiler.suffix}"] = compiler.compile(source, shown)
    # What imports the drop-in modules may be in the firmware.
    wanted = bundle.configuration(facts.board, conf).dropin
    if wanted or any(b"usocket_compat" in source.read_bytes() for source in sources.values()):
        install.install(device, bundle.version(facts, conf))
    device.exec(f"PROGRAM, ROOT = {_NAME!r}, {_ROOT!r}" + _PREPARE)
    for path, content in compiled.items():
        device.exec(f"p = files.files[{path!r}] = []")
        for at in range(0, len(content), CHUNK):
            device.exec(f"p.append({content[at : at + CHUNK]!r})")
    device.exec("del p, files, Files")
    code = _RUN.format(argv=[options.name, *options.arguments], name=_NAME)
    return Execution(device, code, facts.platform)


def outcome(device: Device, execution: Execution) -> tuple[int, str]:
    """The exit status of an execution that is done, and what it says at its end."""
    error = traceback(execution)
    if error:
        return 1, error
    device.prompt()
    value = answers.ask(device, _STATUS, _ENDED)
    if isinstance(value, str):
        return 1, value + "\n"
    return int(value or 0) & 0xFF, ""


def traceback(execution: Execution) -> str:
    """Without the lines of what started the program, with the names of the layer's files and of
    errors.
    """
    lines = execution.error.splitlines(keepends=True)
    ours = (line for line in lines if not line.startswith('  File "<stdin>"'))
    return errnames.named(tracebacks.unshortened("".join(ours)), execution.platform)


def modules_beside(program: Path, folder: Path | None = None) -> dict[str, Path]:
    """The modules in the program's folder that it imports, and those that they import."""
    folder = folder or program.parent
    found: dict[str, Path] = {}
    waiting = [program]
    while waiting:
        for module in _imported(waiting.pop()):
            parts = module.split(".")
            if parts[0] == "usocket_compat":
                continue
            for count in range(1, len(parts) + 1):
                base = folder.joinpath(*parts[:count])
                for source in (base.with_suffix(".py"), base / "__init__.py"):
                    name = source.relative_to(folder).with_suffix("").as_posix()
                    if source.is_file() and source != program and name not in found:
                        found[name] = source
                        waiting.append(source)
    return found


def _imported(source: Path) -> Iterator[str]:
    """Absolute names, those of a package's relative imports too."""
    try:
        tree = ast.parse(source.read_bytes(), str(source))
    except (SyntaxError, ValueError):
        return  # the compiler will say so
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = source.parent.name
                base = f"{package}.{base}" if base else package
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")


def _follow(device: Device, execution: Execution, options: Options) -> int:
    """Pass output on, and input, until the program has ended."""
    deadline = time.monotonic() + options.timeout if options.timeout else 0
    output = _Output(deadline)
    with _Input() as user:
        while not execution.done:
            try:
                left = deadline - time.monotonic() if deadline else 3600
                if left <= 0:
                    return _too_long(execution, output, options)
                output.write(execution.read(left, *user.fds))
                execution.write(user.take())
            except KeyboardInterrupt:
                execution.interrupt(take=output.write)
                if not execution.done:
                    raise UsocketError(
                        f"the program on {device.name} does not end on Ctrl-C",
                        "Press the board's reset button.",
                    ) from None
                output.end()
                status, words = outcome(device, execution)
                say_text(words)
                return 130 if words.rstrip().endswith("KeyboardInterrupt:") else status
    output.end()
    status, words = outcome(device, execution)
    say_text(words)
    return status


def _too_long(execution: Execution, output: _Output, options: Options) -> int:
    execution.interrupt(take=output.write)
    output.end()
    say_text(traceback(execution))
    ended = "it was interrupted" if execution.done else "it does not end on Ctrl-C either"
    raise UsocketError(
        f"the program did not end within {options.timeout:g} s; {ended}",
        "A longer --timeout gives it more time."
        if execution.done
        else "Press the board's reset button.",
    )


class _Output:
    """Our stdout, with line ends as everywhere.

    After the deadline nobody waits for a reader of it, who would keep us from ending.
    """

    def __init__(self, deadline: float = 0) -> None:
        self._held = b""
        self._deadline = deadline

    def write(self, data: bytes) -> None:
        data = self._held + data
        # Its "\n" may come with the next piece.
        self._held = b"\r" if data.endswith(b"\r") else b""
        data = data[: len(data) - len(self._held)].replace(b"\r\n", b"\n")
        self._pass_on(data)

    def end(self) -> None:
        held, self._held = self._held, b""
        self._pass_on(held)

    def _pass_on(self, data: bytes) -> None:
        if not self._deadline:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return
        fd = sys.stdout.fileno()
        while data:
            left = max(0, self._deadline - time.monotonic())
            if not select.select([], [fd], [], left)[1]:
                return
            # For so many a pipe that is writable has room.
            data = data[os.write(fd, data[: select.PIPE_BUF]) :]


class _Input:
    """Our stdin for the program: a terminal key by key, since the board echoes what it reads."""

    def __init__(self) -> None:
        self.fds: tuple[int, ...] = ()
        self._saved: list[Any] | None = None

    def __enter__(self) -> _Input:
        with contextlib.suppress(AttributeError, OSError, ValueError):
            fd = sys.stdin.fileno()
            if os.isatty(fd):
                if _in_background(fd):
                    return self
                self._saved = termios.tcgetattr(fd)
                tty.setcbreak(fd)
            self.fds = (fd,)
        return self

    def __exit__(self, *_: object) -> None:
        if self._saved is not None:
            termios.tcsetattr(self.fds[0], termios.TCSANOW, self._saved)

    def take(self) -> bytes:
        """What there is, a line's end as the Enter key gives it."""
        if not self.fds or not select.select(self.fds, [], [], 0)[0]:
            return b""
        data = os.read(self.fds[0], 128)
        if not data:
            self.fds = ()
        return data.replace(b"\n", b"\r")


def _in_background(terminal: int) -> bool:
    """Whether it is another program's turn to use our terminal."""
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:
        return False  # not the one that we are controlled from
