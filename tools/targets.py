# SPDX-License-Identifier: MIT
# Where a program can run. A new target is one function and its line in TARGETS.
from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable, NamedTuple, NoReturn

from . import files, kconfig, micropython, remote
from .errors import UsocketError
from .vboard.board import Board


class Program(NamedTuple):
    file: Path
    arguments: list[str]
    # A version, "any", "oldest", "newest", or the path of an interpreter.
    micropython: str
    # For boards: after so many seconds the program is interrupted; 0: never.
    timeout: float = 0
    # For the virtual board: ports of this machine that lead to it.
    forward: tuple[str, ...] = ()


def run_cpython(program: Program) -> NoReturn:
    _become([sys.executable, str(program.file), *program.arguments])


def run_unix(program: Program) -> NoReturn:
    interpreter = _micropython(program.micropython)
    conf = os.environ.pop("USOCKET_COMPAT_CONF", "")
    folder = unix_path(Path(conf) if conf else None)
    path = f"{folder}:{os.environ.get('MICROPYPATH', _DEFAULT_PATH)}"
    _become([str(interpreter), str(program.file), *program.arguments], MICROPYPATH=path)


def run_vboard(program: Program) -> int:
    with Board(forward=program.forward, micropython=_packaged(program.micropython)) as board:
        for line in board.forwards:
            print(f"usocket: {line}", file=sys.stderr)
        return run_device(board.device, program)


def run_device(device: str, program: Program) -> int:
    _check(program)
    options = remote.Options(str(program.file), program.arguments, program.timeout)
    return remote.run(device, program.file, options)


TARGETS: dict[str, Callable[[Program], int]] = {
    "cpython": run_cpython,
    "unix": run_unix,
    "vboard": run_vboard,
}

# What MicroPython searches when MICROPYPATH is not set.
_DEFAULT_PATH = ".frozen:~/.micropython/lib:/usr/lib/micropython"


def run(target: str, program: Program) -> int:
    """Run the program on the target; its exit status, unless the program takes our place."""
    if target not in TARGETS:
        raise UsocketError(
            f"there is no target {target!r}", "Targets: " + ", ".join(sorted(TARGETS))
        )
    _check(program)
    return TARGETS[target](program)


def _check(program: Program) -> None:
    if not program.file.is_file():
        raise UsocketError(
            f"there is no file {program.file}", "FILE is a Python program, such as a main.py."
        )
    conf = kconfig.named()
    if conf:
        # Before the program starts, where the error is one line instead of a traceback.
        kconfig.load(conf)


def unix_path(conf: Path | None = None) -> Path:
    """The folder from which MicroPython's unix port imports the layer, so configured."""
    if files.CHECKOUT and conf is None:
        return files.PACKAGE.parent
    conf = conf or kconfig.board_file("UNIX")
    return files.stage("unix", kconfig.generate(kconfig.load(conf), conf.name))


def _micropython(wanted: str) -> Path:
    if "/" not in wanted:
        return micropython.find(wanted).path
    path = Path(wanted)
    answer = micropython.ask(path)
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
