# SPDX-License-Identifier: MIT
# MicroPython's tracebacks name files and lines; here the lines themselves are put in.
from __future__ import annotations

import linecache
import re
from pathlib import Path
from typing import Sequence

from .files import PACKAGE, PORTS

_PLACE = re.compile(r'( *)File "([^"]+)", line (\d+)')


def with_source(text: str, folders: Sequence[Path] = ()) -> str:
    """The text with the source line after each place, where it is known and not there already."""
    lines = text.split("\n")
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
        source = linecache.getline(str(_file(place[2], folders)), int(place[3])).strip()
        if source:
            result.append(deeper + source)
    return "\n".join(result)


def _file(name: str, folders: Sequence[Path]) -> Path:
    """Where the file of that name is here; on a board it has its name there."""
    port = re.match(r"(?:.*/)?usocket_compat/port/(.+)", name)
    layer = re.match(r"(?:.*/)?usocket_compat/(.+)", name)
    if port:
        return PORTS / port[1]
    if layer:
        return PACKAGE / layer[1]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    return Path(name)
