# SPDX-License-Identifier: MIT
# Where a program can run. A new target is one function and its line in TARGETS.
from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Callable, NamedTuple, NoReturn

from ..builds import interpreters
from ..errors import UsocketError
from ..layer import kconfig, micropypath
from ..shown import say
from ..vboard.board import Board
from . import errnames, remote

# What MicroPython's unix port runs, so that Ctrl-C ends a program with the same status as
# elsewhere (the port itself ends with 1), and the program finds all as it would. No name is left.
_UNIX = """\
try:
    __import__("sys").path[0] = {folder!r}
    __import__("sys").argv[:2] = [{name!r}]
    {run}
except KeyboardInterrupt as e:
    __import__("sys").print_exception(e, __import__("sys").stderr)
    __import__("sys").exit(130)
"""


class Program(NamedTuple):
    # The program, or "-c" with its text, or "-" with what stdin had.
    file: Path
    arguments: list[str]
    # A version, "any", "oldest", "newest", or the path of an interpreter.
    micropython: str
    # For boards: after so many seconds the program is interrupted; 0: never.
    timeout: float = 0
    # For the virtual board: ports of this machine that lead to it.
    forward: tuple[str, ...] = ()
    # Of "-c" and "-", None for a file.
    text: str | None = None


def run_cpython(program: Program) -> NoReturn:
    if program.text is None or str(program.file) == "-":
        _become([sys.executable, str(program.file), *program.arguments])
    _become([sys.executable, "-c", program.text, *program.arguments])


def run_unix(program: Program) -> NoReturn:
    interpreter = _micropython(program.micropython)
    conf = os.environ.pop("USOCKET_COMPAT_CONF", "")
    path = micropypath.search_path(Path(conf) if conf else None)
    errnames.name_errors("unix")
    name, folder, run = str(program.file), "", "exec({text!r}, globals())"
    if program.text is None:
        folder, run = str(program.file.resolve().parent), "execfile({name!r})"
    code = _UNIX.format(
        folder=folder, name=name, run=run.format(name=name, text=program.text or "")
    )
    _become([str(interpreter), "-c", code, "", *program.arguments], MICROPYPATH=path)


def run_vboard(program: Program) -> int:
    with Board(forward=program.forward, micropython=_packaged(program.micropython)) as board:
        for line in board.forwards:
            say(f"usocket: {line}", err=True)
        return run_device(board.device, program)


def run_device(device: str, program: Program) -> int:
    _check(program)
    options = remote.Options(str(program.file), program.arguments, program.timeout)
    if program.text is None:
        return remote.run(device, program.file, options)
    with tempfile.TemporaryDirectory(prefix="usocket-") as folder:
        file = Path(folder) / "program.py"
        file.write_text(program.text, encoding="utf-8")
        # What it imports is looked for where the user is.
        return remote.run(device, file, options, Path.cwd())


TARGETS: dict[str, Callable[[Program], int]] = {
    "cpython": run_cpython,
    "unix": run_unix,
    "vboard": run_vboard,
}


def run(target: str, program: Program) -> int:
    """Run the program on the target; its exit status, unless the program takes our place."""
    if target not in TARGETS:
        raise UsocketError(
            f"there is no target {target!r}", "Targets: " + ", ".join(sorted(TARGETS))
        )
    _check(program)
    return TARGETS[target](program)


def _check(program: Program) -> None:
    if program.text is None and not program.file.is_file():
        raise UsocketError(
            f"there is no file {program.file}", "FILE is a Python program, such as a main.py."
        )
    conf = kconfig.named()
    if conf:
        # Before the program starts, where the error is one line instead of a traceback.
        kconfig.load(conf)


def _micropython(wanted: str) -> Path:
    if "/" not in wanted:
        return interpreters.find(wanted).path
    path = Path(wanted)
    answer = interpreters.ask(path)
    if answer is None:
        raise UsocketError(
            f"{path} is not a MicroPython interpreter",
            "`usocket micropython` prints the path of one.",
        )
    return path


def _packaged(wanted: str) -> str:
    """The version to build the virtual board from."""
    if "/" in wanted:
        raise UsocketError(
            f"the virtual board cannot be {wanted}: it is built from MicroPython's source",
            "Give a version, oldest or newest; MICROPYTHON_SRC names other sources.",
        )
    return "newest" if wanted == "any" else wanted


def _become(command: list[str], **environment: str) -> NoReturn:
    """Put the program in our place, so that its streams, signals and status are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(command[0], command, {**os.environ, **environment})
