# SPDX-License-Identifier: MIT
# Runs the tests of one file on one target and keeps what each of them gave.
from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

from .onboard import Target
from .started import BoardProgram, Hung, Process

TEST_SECONDS = 30  # longest that one test may take


@dataclass
class Result:
    passed: bool
    output: str
    note: str = ""
    rows: dict[str, str] = field(default_factory=dict)  # of docs/matrix.md: each with its outcome


def names_in(file: Path) -> list[str]:
    """Names of the test functions, in order, without importing the file."""
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [name for name in names if name.startswith("test_")]


class FileRun:
    """Results in the order of the tests; a test that ends its interpreter fails alone."""

    def __init__(
        self, target: Target, file: Path, names: list[str], seconds: float = TEST_SECONDS
    ):
        self._target = target
        self._file = file
        self._waiting = list(names)
        self._seconds = seconds
        self._results: dict[str, Result] = {}
        self._rows: dict[str, str] = {}
        self._process: Process | BoardProgram | None = None

    def result(self, name: str) -> Result:
        while name not in self._results:
            self._next()
        return self._results[name]

    def stop(self) -> None:
        if self._process:
            self._process.stop()
            self._process = None

    def _next(self) -> None:
        name = self._waiting[0]
        try:
            result = self._read(name)
        except Exception as e:
            # No interpreter: that is a failure of each of its tests.
            result = Result(False, f"cannot run on {self._target.id}: {type(e).__name__}: {e}")
        result.rows, self._rows = self._rows, {}
        self._waiting.pop(0)
        self._results[name] = result
        if not self._waiting:
            self.stop()

    def _read(self, name: str) -> Result:
        output: list[str] = []
        started = False
        fresh = not self._process
        if not self._process:
            self._process = self._target.start(self._file, self._waiting)
        process = self._process

        def failed(reason: str) -> Result:
            return Result(False, "\n".join([*output, reason]))

        while True:
            try:
                line = process.line(self._seconds)
            except Hung:
                output += process.interrupt()
                self._process = None
                return failed(f"hung: no result within {self._seconds} s")
            if line is None:
                self._process = None
                reason = process.end()
                if started or fresh:
                    return failed(reason or "the interpreter ended during this test")
                return self._read(name)  # the test before this one ended it
            if line == f"@@ run {name}":
                started = True
            elif line.startswith("@@ row "):
                row, _, outcome = line[len("@@ row ") :].partition(" ")
                self._rows[row] = outcome
            elif line == f"@@ again {name}" and not fresh:
                process.rest(self._seconds)
                process.end()
                self._process = None
                self._rows.clear()
                return self._read(name)
            elif line == f"@@ fail {name}":
                return Result(False, "\n".join(output))
            elif line.startswith(f"@@ pass {name} "):
                if len(self._waiting) == 1:
                    output += process.rest(self._seconds)
                    self._process = None
                    if reason := process.end():
                        return failed(f"passed, but then {reason}")
                return Result(True, "\n".join(output), line[len(f"@@ pass {name} ") :])
            else:
                output.append(line)
