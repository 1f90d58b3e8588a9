# SPDX-License-Identifier: MIT
# How pytest collects the behaviour suite: one item for each test function and target.
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..files import data_file
from ..programs import tracebacks
from .filerun import FileRun, Result, names_in
from .onboard import Target

COMMON = data_file("common/run.py").parent


class TestFailed(Exception):
    __test__ = False

    def __init__(self, result: Result) -> None:
        super().__init__(result.output)


# Who runs pytest says where the suite runs.
TARGETS = pytest.StashKey[list[Target]]()
RUNS = pytest.StashKey[dict[tuple[Path, str], FileRun]]()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.File | None:
    if module_path.parent == COMMON:
        file: pytest.File = CommonFile.from_parent(parent, path=module_path)
        return file
    return None


class CommonFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        for target in self.config.stash[TARGETS]:
            for name in (n for n in names_in(self.path) if n not in target.without):
                yield CommonItem.from_parent(
                    self, name=f"{name}[{target.id}]", target=target, test=name
                )


class CommonItem(pytest.Item):
    def __init__(self, *, target: Target, test: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target = target
        self.test = test

    def file_run(self) -> FileRun:
        """The one run of this file on this target, of the tests that were selected."""
        runs = self.config.stash.setdefault(RUNS, {})
        key = (self.path, self.target.id)
        if key not in runs:
            selected = [
                item.test
                for item in self.session.items
                if isinstance(item, CommonItem) and (item.path, item.target.id) == key
            ]
            runs[key] = FileRun(self.target, self.path, selected)
        return runs[key]

    def runtest(self) -> None:
        result = self.file_run().result(self.test)
        self.user_properties += [("note", result.note), ("rows", result.rows)]
        if not result.passed:
            # With xdist the other boards go on.
            if self.target.lost() and not hasattr(self.config, "workerinput"):
                self.session.shouldstop = f"{self.target.id} is gone: plug it in and repeat this"
            raise TestFailed(result)
        if result.output:
            self.add_report_section("call", "stdout", result.output)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, TestFailed):
            text = tracebacks.with_source(str(excinfo.value), [COMMON], self.target.port)
            return f"on {self.target.id}:\n{text}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


def pytest_report_teststatus(
    report: pytest.TestReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    note = dict(getattr(report, "user_properties", ())).get("note")
    if report.when == "call" and report.passed and note:
        return "passed", ".", f"PASSED ({note})"
    return None


def pytest_sessionfinish(session: pytest.Session) -> None:
    for run in session.config.stash.get(RUNS, {}).values():
        run.stop()
