# SPDX-License-Identifier: MIT
# The page of boards that somebody has verified, made of the reports in docs/verified/, which
# `usocket verify` wrote.
from __future__ import annotations

import re
from pathlib import Path

from .. import files

_COLUMNS = ("board", "chip", "firmware", "layer", "tests", "quirks", "date")
_NONE = "None yet: no report of a real board is here.\n"


def table(folder: Path | None = None) -> str:
    folder = folder or files.PACKAGE.parent / "docs" / "verified"
    rows = [_row(file) for file in sorted(folder.glob("*.md"))]
    if not rows:
        return _NONE
    head = [*_COLUMNS, "report"]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


def _row(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8")
    head = dict(re.findall(r"^- (\w+): (.*)$", text.partition("\n## ")[0], re.M))
    if not text.startswith("# usocket verify\n") or not set(_COLUMNS) <= head.keys():
        raise ValueError(f"{file} is no report of `usocket verify`")
    if "virtual" in head:
        raise ValueError(f"{file} is of a virtual board")
    return [*(_plain(head[name]) for name in _COLUMNS), f"[{file.stem}](verified/{file.name})"]


def _plain(text: str) -> str:
    """Somebody else's words, as nothing but words."""
    return re.sub(r"[^\w .,:()+-]", "", text)
