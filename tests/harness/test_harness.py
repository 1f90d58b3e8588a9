"""The harness itself: what goes wrong in a test must be seen, and harm no other test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import mutation
import pytest
from targets import HostTarget

from usocket_tools.suite.filerun import FileRun, Result, names_in
from usocket_tools.suite.onboard import Target

SECONDS = 3  # instead of the suite's limit

FILE = """
import os, sys
import usocket_compat as net
from check import Thread, eq, needs, raises, recv_exactly, sleep_ms, tcp

def test_passes():
    pass

def test_notes():
    return "a note"

def test_prints():
    print("printed")

def test_fails():
    eq(1, 2, "the sum")

def test_wrong_errno():
    raises("EBADF", net.zsock_socket, 99)

def test_raises_nothing():
    fd = tcp()
    try:
        raises("EBADF", net.zsock_fcntl, fd, net.F_GETFL)
    finally:
        net.zsock_close(fd)

def test_leaves_fds_open():
    tcp(), tcp()

def test_leaves_a_thread_running():
    Thread(sleep_ms, 20000)

def test_hangs():
    while True:
        sleep_ms(100)

def test_exits():
    sys.exit(0)

def test_crashes():
    print("last words")
    crash()

def crash():
    try:
        import uctypes
    except ImportError:
        os.abort()
    uctypes.bytearray_at(0, 1)[0] = 1

def test_last():
    pass
"""

EXPECTED = (
    ("test_passes", True, ""),
    ("test_notes", True, ""),
    ("test_prints", True, "printed"),
    ("test_fails", False, "the sum got 1, wanted 2"),
    ("test_wrong_errno", False, "raised OSError(EAFNOSUPPORT), wanted EBADF"),
    ("test_raises_nothing", False, "wanted EBADF"),
    ("test_leaves_fds_open", False, "left 2 fds open"),
    ("test_leaves_a_thread_running", False, "1 threads running"),
    ("test_hangs", False, f"no result within {SECONDS} s"),
    ("test_exits", False, "SystemExit"),
    ("test_crashes", False, "the interpreter died of"),
    ("test_last", True, ""),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "test_example.py"
    path.write_text(FILE)
    return path


def results(target: Target, file: Path) -> dict[str, Result]:
    names = names_in(file)
    run = FileRun(target, file, names, SECONDS)
    return {name: run.result(name) for name in names}


def test_every_kind_of_failure_is_seen(target: HostTarget, file: Path) -> None:
    found = results(target, file)
    for name, passed, words in EXPECTED:
        assert found[name].passed is passed, (name, found[name].output)
        assert words in found[name].output, name
    assert found["test_notes"].note == "a note"
    assert "in test_hangs" in found["test_hangs"].output, "a hung test shows where"
    assert set(found) == {name for name, _, _ in EXPECTED}


def test_results_in_any_order(target: HostTarget, file: Path) -> None:
    run = FileRun(target, file, ["test_passes", "test_fails", "test_last"], SECONDS)
    assert run.result("test_last").passed
    assert not run.result("test_fails").passed
    assert run.result("test_passes").passed


def test_a_missing_interpreter_fails_every_test(file: Path) -> None:
    class Missing(Target):
        id = "missing"

        def start(self, file: Path, names: Iterable[str]) -> NoReturn:
            raise FileNotFoundError("no such interpreter")

    found = results(Missing(), file)
    assert not any(result.passed for result in found.values())
    assert all("no such interpreter" in result.output for result in found.values())


def test_a_file_that_cannot_be_imported_fails_every_test(target: HostTarget, file: Path) -> None:
    file.write_text("import nothing_like_this\ndef test_one(): pass\ndef test_two(): pass\n")
    found = results(target, file)
    for name in ("test_one", "test_two"):
        assert not found[name].passed
        assert "nothing_like_this" in found[name].output


AT_EXIT = """
import os, sys

def test_one():
    pass

def test_two():
    if hasattr(sys, "atexit"):
        import uctypes
        sys.atexit(lambda: uctypes.bytearray_at(0, 1)[0])
    else:
        import atexit
        atexit.register(os._exit, 7)
"""


def test_a_crash_at_exit_fails_the_last_test(target: HostTarget, file: Path) -> None:
    file.write_text(AT_EXIT)
    found = results(target, file)
    assert found["test_one"].passed
    assert not found["test_two"].passed
    assert "passed, but then the interpreter" in found["test_two"].output


def test_what_is_said_to_be_equivalent_is_there() -> None:
    """A line of the core that changed may not be excused any more."""
    known = mutation.equivalent(mutation.EQUIVALENT.read_text(encoding="utf-8"))
    assert known.keys() - set(mutation.keys_of(mutation.all_changes()).values()) == set()
