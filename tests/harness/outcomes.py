"""What the tests of a run say of each row of docs/matrix.md on each target.

tests/matrix/ has the rows. A comment above a test names those that it shows, `# rows: A7 C40`;
`# rows: each` is a test that tells an outcome for each name by itself, with check.row. A cell is
made of the outcomes of its tests; it is looked at when all of them ran.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from targets import ROOT, Memory, all_targets, newest, on_this_kernel

from usocket_tools.builds.interpreters import OLDEST
from usocket_tools.suite.onboard import Target

ROWS = ROOT / "tests" / "matrix"
PAGE = ROOT / "docs" / "matrix.md"
COMMON = "tests/common/"
EACH = "each"

PASS, REFUSED, FAILED, THERE = "pass", "refused", "failed", "there"
LACKS = "lacks"  # what is not there, and no call could refuse it
NO_TEST = "no test"
NOT_RUN = "not run"  # in no page that `make test` lets pass
RED = FAILED, LACKS, NO_TEST, NOT_RUN

_MARK = re.compile(r"# rows: ([\w ,]+?)(?:; on ([\w -]+))?$")
_NODE = re.compile(r"(?P<test>[^\[]+?::\w+)(?:\[(?P<arguments>.+)\])?$")


@dataclass(frozen=True)
class Row:
    id: str
    text: str  # none for a name
    section: str
    same: tuple[str, ...] = ()  # rows whose tests are its own too

    @property
    def is_name(self) -> bool:
        return not self.text

    @property
    def is_used(self) -> bool:
        """Of an option or a flag it is not enough that its name is there."""
        return "options" in self.section or "flags" in self.section


@dataclass(frozen=True)
class Test:
    """A test that shows rows, and the columns that it runs for."""

    id: str  # tests/common/test_tcp.py::test_urgent_byte
    line: int
    rows: tuple[str, ...]
    columns: frozenset[str]


@dataclass(frozen=True)
class Found:
    test: str
    outcome: str
    of: str = ""  # what was refused, where the row does not say it


@dataclass
class Cell:
    text: str
    found: list[Found] = field(default_factory=list)


@functools.cache
def rows() -> dict[str, Row]:
    found: list[Row] = []
    section = ""
    text = "".join(
        (ROWS / name).read_text(encoding="utf-8") for name in ("parity.txt", "zephyr.txt")
    )
    for line in text.splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif section.startswith("Zephyr: ") and section != "Zephyr: sockets":
            found += [Row(name, "", section) for name in line.split() if line[0] != "#"]
        elif line and line[0] != "#":
            id, _, text = line.partition("  ")
            text, _, same = text.partition(" = ")
            found.append(Row(id, text, section, tuple(same.split())))
    return {row.id: row for row in found}


@functools.cache
def columns() -> dict[str, Target]:
    """Their names stay when MicroPython is newer. The port in memory is a tool of tests."""
    names = {f"unix-{OLDEST}": "unix-oldest", f"unix-{newest()}": "unix-newest"}
    return {names.get(t.id, t.id): t for t in all_targets() if not isinstance(t, Memory)}


def _of_target() -> dict[str, str]:
    """The column of each target, "" of one that has none."""
    return {t.id: next((c for c, of in columns().items() if of is t), "") for t in all_targets()}


def _columns(test: Test, arguments: str) -> frozenset[str]:
    """Those of the target that is the first of a test's arguments: unix-1.25.0-blocking."""
    ids = [id for id in _of_target() if (arguments + "-").startswith(id + "-")]
    return test.columns & {_of_target()[max(ids, key=len)]} if ids else test.columns


@functools.cache
def tests() -> dict[str, Test]:
    """Those that name rows, of all files, without importing one."""
    return {
        test.id: test
        for file in sorted((ROOT / "tests").rglob("test_*.py"))
        for test in _tests(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
    }


def _tests(name: str, text: str) -> Iterator[Test]:
    marks = {n: m for n, line in enumerate(text.split("\n"), 1) if (m := _MARK.match(line))}
    if not marks:
        return
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        line = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
        ids: list[str] = []
        where: set[str] = set()
        while line in marks:
            mark = marks.pop(line)
            ids += mark[1].replace(",", " ").split()
            where |= set((mark[2] or "").split())
            line -= 1
        if ids:
            yield Test(
                f"{name}::{node.name}",
                node.lineno,
                tuple(ids),
                frozenset(where or _runs_on(name, node)),
            )
    if marks:
        raise ValueError(f"{name}: no test stands below `# rows:` in lines {list(marks)}")


def _runs_on(name: str, node: ast.FunctionDef) -> Iterable[str]:
    if name.startswith(COMMON):
        return [c for c, target in columns().items() if node.name not in target.without]
    if "target" in [each.arg for each in node.args.args]:
        return [_of_target()[target.id] for target in on_this_kernel()]
    raise ValueError(f"{name}: say where {node.name} runs: # rows: ...; on vboard")


def _row(name: str) -> str:
    """Capabilities have names of calls without their prefixes."""
    kind, _, call = name.rpartition(":")
    calls = (f"zsock_{call}", f"zvfs_{call}") if kind else ()
    return next((each for each in calls if each in rows()), call)


class Outcomes:
    """What tests told, report by report."""

    def __init__(self) -> None:
        self.ran: dict[str, set[str]] = defaultdict(set)  # column -> tests
        self._found: dict[tuple[str, str], list[Found]] = defaultdict(list)

    def add(self, node: str, passed: bool, note: str, told: dict[str, str]) -> None:
        """One test that ran, its note, and the outcomes of single rows that it told."""
        match = _NODE.match(node)
        test = tests().get(match["test"]) if match else None
        if not test or not match:
            return
        for column in _columns(test, match["arguments"] or ""):
            self.ran[column].add(test.id)
            for name, outcome in told.items():
                self._found[_row(name), column].append(Found(test.id, outcome))
            for row in set(test.rows) - {EACH, *told}:
                self._found[row, column].append(_of_whole(test.id, passed, note))

    def cell(self, row: Row, column: str) -> Cell | None:
        """None where not all of its tests ran."""
        ids = {row.id, *row.same}
        names = any(rows()[id].is_name for id in ids)
        for test in tests().values():
            wanted = ids & set(test.rows) or (names and EACH in test.rows)
            if wanted and column in test.columns and test.id not in self.ran[column]:
                return None
        found = {each: None for id in sorted(ids) for each in self._of(id, column, row)}
        return Cell(_text(row, list(found)), list(found))

    def _of(self, id: str, column: str, row: Row) -> Iterator[Found]:
        for each in self._found[id, column]:
            if each.outcome == REFUSED and not each.of and id != row.id:
                yield Found(each.test, REFUSED, id)
            else:
                yield each

    def cells(self) -> dict[tuple[str, str], Cell]:
        return {
            (row.id, column): cell
            for row in rows().values()
            for column in columns()
            if (cell := self.cell(row, column))
        }


def _of_whole(test: str, passed: bool, note: str) -> Found:
    """The outcome of a test is that of its rows."""
    if not passed:
        return Found(test, FAILED)
    if note.startswith("lacks: "):
        return Found(test, LACKS)
    if note.startswith("refused: "):
        return Found(test, REFUSED, note[len("refused: ") :])
    return Found(test, PASS)


def there(row: Row) -> set[str]:
    """That a name is there is all there is to some."""
    return {THERE} if row.is_name and not row.is_used else set()


def _text(row: Row, found: list[Found]) -> str:
    outcomes = {each.outcome for each in found}
    own = [each for each in found if not each.of]
    if row.is_name and {each.outcome for each in own} & ({PASS, REFUSED, FAILED} | there(row)):
        # What else a test needs is no matter of the name.
        found, outcomes = own, {each.outcome for each in own}
    if FAILED in outcomes:
        return FAILED
    if not outcomes & {PASS, REFUSED}:
        if outcomes & there(row):
            return PASS
        return LACKS if LACKS in outcomes else NO_TEST
    if REFUSED not in outcomes:
        return PASS
    of = {word for each in found for word in each.of.split()} - {row.id}
    refused = REFUSED + (": " + " ".join(sorted(of)) if of else "")
    return f"{PASS}; {refused}" if PASS in outcomes else refused


def committed(text: str) -> dict[tuple[str, str], str]:
    """The cells of a page."""
    cells: dict[tuple[str, str], str] = {}
    head: list[str] = []
    for line in text.splitlines():
        parts = [part.strip(" `*") for part in line.split("|")[1:-1]]
        if line.startswith("|---") or not parts:
            continue
        if parts[0] in ("row", "name"):
            head = parts
        elif parts[0] in rows() and head:
            cells |= {(parts[0], c): cell for c, cell in zip(head, parts) if c in columns()}
    return cells


def untrue(text: str, cells: dict[tuple[str, str], Cell]) -> list[str]:
    """What the page says that the run does not. It has no column for a board plugged in here."""
    says = committed(text)
    there = {column for _, column in says} or columns()
    return [
        f"{row} on {column}: the page says {says.get((row, column), 'nothing')!r}, it is"
        f" {cell.text!r} by " + (", ".join(sorted({f.test for f in cell.found})) or "no test")
        for (row, column), cell in cells.items()
        if column in there and says.get((row, column)) != cell.text
    ]


class Plugin:
    """Looks at the page when the tests are over, or writes it."""

    def __init__(self, page: Path, write: bool):
        self.page, self.write = page, write
        self.outcomes = Outcomes()
        self.wrong: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and report.failed):
            told = dict(report.user_properties)
            if not report.skipped:
                note, each = str(told.get("note") or ""), told.get("rows")
                self.outcomes.add(report.nodeid, report.passed, note, dict(each or {}))  # type: ignore[call-overload]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        cells = self.outcomes.cells()
        if self.write:
            import matrix_pages

            matrix_pages.write(self.page, cells)
        elif self.page.exists():
            self.wrong = untrue(self.page.read_text(encoding="utf-8"), cells)
            if self.wrong and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.wrong:
            terminalreporter.section(f"{self.page.name} is not true any more")
            for line in self.wrong:
                terminalreporter.write_line(line)
            terminalreporter.write_line("`usocket matrix` writes it again.")
