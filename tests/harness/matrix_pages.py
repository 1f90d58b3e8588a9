"""docs/matrix.md and the same as a page with colours and links, from the cells of a run."""

from __future__ import annotations

import html
import os
import platform
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import outcomes
from outcomes import NO_TEST, NOT_RUN, RED, Cell, Found, Row, columns, committed, rows
from targets import ROOT, HostTarget

from usocket_tools.boards.device import Device
from usocket_tools.suite.onboard import Serial, Target, Vboard

HTML = ROOT / "build" / "matrix.html"

_OF_A_HOST = """\
import sys
print(sys.implementation.name, ".".join([str(n) for n in sys.implementation.version[:3]]))
"""
_OF_A_BOARD = "import os; u = os.uname(); print(u.machine, u.release)"

_HEAD = """\
# The matrix

Each row is something that users of Zephyr, libuv, Hare, LuaSocket or mio rely on, or one of
Zephyr's names; each column a target; each cell what the tests of that row did there.
`usocket matrix` writes this page, and `make test` fails when a cell is no longer true.

- **pass**: its tests pass.
- **refused**: they see it refused, with the error that [API](api.md) names.
  What is named behind it is what is refused of the row.
- **lacks**: it is not so there, and no call could refuse it.
- **failed**, **no test**: it is not so, or nobody knows.

What needs words is in [What each target can and cannot do](parity.md).

| column | what it was |
|---|---|
"""
_CSS = """
body { font-family: sans-serif } table { border-collapse: collapse } h2 { margin-top: 2em }
td, th { border: 1px solid #999; padding: 2px 6px; text-align: left; vertical-align: top }
.pass { background: #bdf0bd } .refused { background: #ffe9a8 } .partly { background: #e0f0a8 }
.red { background: #ff9b9b; font-weight: bold } small { white-space: nowrap }
"""

Cells = dict[tuple[str, str], Cell]


def write(page: Path, new: Cells) -> None:
    """The page, and the one with colours; what did not run stays as it is in the text."""
    ran = {column for (_, column), cell in new.items() if cell.found}
    asked = {column: _version(columns()[column]) for column in ran}
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    said_before = committed(text)
    cells = {
        (row, column): new.get((row, column)) or _before(said, row, column)
        for row in rows()
        for column in columns()
        for said in [said_before.get((row, column), NOT_RUN)]
    }
    versions = {column: {**_versions(text), **asked}.get(column, "") for column in columns()}
    page.write_text(markdown(cells, versions), encoding="utf-8")
    HTML.parent.mkdir(parents=True, exist_ok=True)
    HTML.write_text(hypertext(cells, versions), encoding="utf-8")


def _before(said: str, row: str, column: str) -> Cell:
    """What the page said, with the tests that name the row, of which one may be new."""
    named = [t.id for t in outcomes.tests().values() if row in t.rows and column in t.columns]
    said = NOT_RUN if said == NO_TEST and named else said
    return Cell(said, [Found(test, "") for test in named])


def _version(target: Target) -> str:
    """What the target says of itself."""
    if isinstance(target, Serial):
        with Device(target.device()) as device:
            device.fresh()
            said = device.exec(_OF_A_BOARD)
            device.leave()
        if isinstance(target, Vboard):
            target.stop()
    else:
        assert isinstance(target, HostTarget)
        argv, env = target.command(None)
        done = subprocess.run(
            [*argv, "-c", _OF_A_HOST],
            env={**os.environ, **env},
            check=True,
            capture_output=True,
            text=True,
        )
        release = ".".join(platform.release().split(".")[:2])
        said = f"{done.stdout.strip()}, {platform.system()} {release}"
    return " ".join(said.split())[:200]


def _versions(text: str) -> dict[str, str]:
    parts = [[p.strip() for p in line.split("|")] for line in text.splitlines()]
    return {p[1]: p[2] for p in parts if len(p) == 4 and p[1] in columns()}


def _sections() -> Iterator[tuple[str, list[Row]]]:
    for title, found in groupby(rows().values(), key=lambda row: row.section):
        yield title, list(found)


def markdown(cells: Cells, versions: dict[str, str]) -> str:
    lines = [f"| {column} | {version} |" for column, version in versions.items()]
    for title, section in _sections():
        head = ["name"] if section[0].is_name else ["row", "what"]
        lines += ["", f"## {title}", "", _line([*head, *columns()])]
        lines.append(_line(["---"] * (len(head) + len(columns()))).replace(" ", ""))
        for row in section:
            said = [cells[row.id, column].text for column in columns()]
            bold = [f"**{text}**" if text in RED else text for text in said]
            lines.append(_line([*([f"`{row.id}`"] if row.is_name else [row.id, row.text]), *bold]))
    return _HEAD + "\n".join(lines) + "\n"


def _line(parts: list[str]) -> str:
    return "| " + " | ".join(parts) + " |"


def hypertext(cells: Cells, versions: dict[str, str]) -> str:
    made = [f"<!DOCTYPE html><meta charset=utf-8><title>The matrix</title><style>{_CSS}</style>"]
    made += ["<h1>The matrix</h1><table>"]
    made += [f"<tr><th>{column}<td>{html.escape(v)}" for column, v in versions.items()]
    for title, section in _sections():
        made += [f"</table><h2>{html.escape(title)}</h2><table><tr><th><th>"]
        made += [f"<th>{column}" for column in columns()]
        for row in section:
            made.append(f"<tr id={row.id}><th>{row.id}<td>{html.escape(row.text)}")
            made += [_cell(cells[row.id, column]) for column in columns()]
    return "\n".join([*made, "</table>", ""])


def _cell(cell: Cell) -> str:
    kind = "red" if cell.text in RED else cell.text.partition(":")[0]
    kind = "partly" if ";" in kind else kind
    links = []
    for id in sorted({found.test for found in cell.found}):
        file, _, name = id.partition("::")
        href = f"{os.path.relpath(ROOT / file, HTML.parent)}#L{outcomes.tests()[id].line}"
        links.append(f'<small><a href="{href}">{html.escape(name[len("test_") :])}</a></small>')
    return f"<td class={kind}>{html.escape(cell.text)}<br>{' '.join(links)}"
