# SPDX-License-Identifier: MIT
# MicroPython's tracebacks name files and lines; here the lines themselves are put in. The layer's
# files on a board have short names (layer/compiling.py) and no line numbers, which would be heap
# there: of these it is the function that leads back.
from __future__ import annotations

import ast
import functools
import linecache
import re
from collections.abc import Sequence
from pathlib import Path

from ..files import DROPIN, PACKAGE, PORTS, dropin_files
from ..shown import shown
from . import errnames

_PLACE = re.compile(r'( *)File "([^"\n]+)", line ([0-9]{1,7})\b')
_NAMELESS = re.compile(r'File "us/([\w/]+)", line 1(?:, in (\w+))?')


def unshortened(text: str) -> str:
    """The places in the layer's files by their names, each at the beginning of its function."""

    def place(found: re.Match[str]) -> str:
        name, function = found[1] + ".py", found[2]
        for folder, below in (
            (PACKAGE, "usocket_compat"),
            (PORTS, "usocket_compat/port"),
            (_dropin(), DROPIN),
        ):
            file = _within(folder, name)
            if file:
                line = _functions(file).get(function or "", 1)
                where = f'File "{below}/{name}", line {line}'
                return where + (f", in {function}" if function else "")
        return found[0]

    return _NAMELESS.sub(place, text)


def _dropin() -> Path:
    return dropin_files()["socket"].parent


@functools.cache
def _functions(file: Path) -> dict[str, int]:
    """Name -> line, of two of a name the first that ast.walk finds."""
    found: dict[str, int] = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, node.lineno)
    return found


def with_source(text: str, folders: Sequence[Path] = (), port: str = "") -> str:
    """The text with the source line after each place, where it is known and not there already;
    of a port's platform, with the names of errors.
    """
    lines = errnames.named(unshortened(text), port).split("\n")
    result = []
    for number, line in enumerate(lines):
        result.append(line)
        place = _PLACE.match(line)
        if not place:
            continue
        deeper = place[1] + "  "
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if following.startswith(deeper) and not _PLACE.match(following):
            continue
        file = _file(place[2], folders)
        source = linecache.getline(str(file), int(place[3])).strip() if file else ""
        if source:
            result.append(deeper + source)
    return shown("\n".join(result), lines=True)


def _file(name: str, folders: Sequence[Path]) -> Path | None:
    """Where the file of that name is here, on a board it has its name there; None where it is
    neither the layer's nor the program's.
    """
    port = re.match(r"(?:.*/)?usocket_compat/port/(.+)", name)
    layer = re.match(r"(?:.*/)?usocket_compat/(.+)", name)
    dropin = re.fullmatch(rf"{DROPIN}/(\w+\.py)", name)
    if dropin:
        return _within(_dropin(), dropin[1])
    if port:
        return _within(PORTS, port[1])
    if layer:
        return _within(PACKAGE, layer[1])
    return next(filter(None, (_within(folder, name) for folder in folders)), None)


def _within(folder: Path, name: str) -> Path | None:
    """The Python file in the folder, by whatever name a board gives."""
    try:
        file = (folder / name).resolve()
        inside = folder.resolve() in file.parents and file.suffix == ".py"
        return file if inside and file.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None  # a name that no file can have
