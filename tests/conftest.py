"""Collects the behaviour suite: one item per test function and target."""

from __future__ import annotations

import shlex
import signal

import outcomes
import pytest
from targets import all_targets, on_this_kernel

# Hooks of pytest's, and this file's.
from usocket_tools.suite.collecting import (  # noqa: F401
    TARGETS,
    pytest_pycollect_makemodule,
    pytest_report_teststatus,
    pytest_sessionfinish,
)
from usocket_tools.suite.onboard import Target, Vboard


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
    parser.addoption(
        "--matrix",
        choices=["look", "write"],
        default="look",
        help="compare the outcomes with docs/matrix.md, or write them there",
    )


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background job starts with these ignored, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        # nohup: this process outlives the terminal; what it starts gets the default all the same.
        signal.signal(signal.SIGHUP, lambda number, frame: None)
    ids = [t.id for t in all_targets()]
    for unknown in set(config.getoption("--target") or ids) - set(ids):
        raise pytest.UsageError(f"no target {unknown!r}; there are {', '.join(ids)}")
    config.stash[TARGETS] = chosen(config)
    if not hasattr(config, "workerinput"):
        write = config.getoption("--matrix") == "write"
        config.pluginmanager.register(outcomes.Plugin(outcomes.PAGE, write))
    words = shlex.split(config.getoption("--vboard-options"))
    for target in all_targets():
        if words and isinstance(target, Vboard):
            target.configure(words)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first: the processes then end together."""
    folders = "vboard", "peers", "libs", "dropin"

    def rank(item: pytest.Item) -> int:
        return next((i for i, f in enumerate(folders) if f in item.path.parts), len(folders))

    items.sort(key=rank)


def chosen(config: pytest.Config) -> list[Target]:
    ids = config.getoption("--target")
    return [t for t in all_targets() if not ids or t.id in ids]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with an argument `target` runs once for each target on this machine."""
    if "target" in metafunc.fixturenames:
        hosts = [t for t in chosen(metafunc.config) if t in on_this_kernel()]
        metafunc.parametrize("target", hosts, ids=[t.id for t in hosts])
