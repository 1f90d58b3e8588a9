"""Collects the behaviour suite: one item per test function and target."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Iterator, Optional

import pytest
from suite import FileRun, Result, names_in
from targets import HostTarget, Target, Vboard, all_targets

from usocket_tools import tracebacks

COMMON = Path(__file__).parent / "common"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        action="append",
        metavar="ID",
        help="run only on this target (may be given again): "
        + ", ".join(t.id for t in all_targets()),
    )
    parser.addoption(
        "--vboard-options",
        default="",
        metavar="OPTIONS",
        help='options of `usocket vboard` for the target vboard: "--loss 3%% --delay 20ms"',
    )


def pytest_configure(config: pytest.Config) -> None:
    ids = [t.id for t in all_targets()]
    for unknown in set(config.getoption("--target") or ids) - set(ids):
        raise pytest.UsageError(f"no target {unknown!r}; there are {', '.join(ids)}")
    words = shlex.split(config.getoption("--vboard-options"))
    for target in all_targets():
        if words and isinstance(target, Vboard):
            target.configure(words)


def chosen(config: pytest.Config) -> list[Target]:
    ids = config.getoption("--target")
    return [t for t in all_targets() if not ids or t.id in ids]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with an argument `target` runs once for each target on this machine."""
    if "target" in metafunc.fixturenames:
        hosts = [t for t in chosen(metafunc.config) if isinstance(t, HostTarget)]
        metafunc.parametrize("target", hosts, ids=[t.id for t in hosts])


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> Optional[pytest.File]:
    if module_path.parent == COMMON:
        return CommonFile.from_parent(parent, path=module_path)
    return None


class CommonFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        for target in chosen(self.config):
            for name in names_in(self.path):
                yield CommonItem.from_parent(
                    self, name=f"{name}[{target.id}]", target=target, test=name
                )


class CommonItem(pytest.Item):
    def __init__(self, *, target: Target, test: str, **kwargs) -> None:
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
        self.user_properties.append(("note", result.note))
        if not result.passed:
            # With xdist the other boards go on.
            if self.target.lost() and not hasattr(self.config, "workerinput"):
                self.session.shouldstop = f"{self.target.id} is gone: plug it in and repeat this"
            raise TestFailed(result)
        if result.output:
            self.add_report_section("call", "stdout", result.output)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, TestFailed):
            text = tracebacks.with_source(str(excinfo.value), [COMMON])
            return f"on {self.target.id}:\n{text}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, self.name


class TestFailed(Exception):
    __test__ = False

    def __init__(self, result: Result) -> None:
        super().__init__(result.output)


RUNS = pytest.StashKey[dict]()


def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config):
    note = dict(getattr(report, "user_properties", ())).get("note")
    if report.when == "call" and report.passed and note:
        return "passed", ".", f"PASSED ({note})"
    return None


def pytest_sessionfinish(session: pytest.Session) -> None:
    for run in session.config.stash.get(RUNS, {}).values():
        run.stop()
