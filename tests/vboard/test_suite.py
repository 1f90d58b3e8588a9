# SPDX-License-Identifier: MIT
"""The behaviour suite over a serial line: what happens to the board harms one test alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from usocket_tools.suite.filerun import FileRun, Result, names_in
from usocket_tools.suite.onboard import Vboard
from usocket_tools.vboard.board import Board

SECONDS = 3  # instead of the suite's limit
RUNNER = Path(__file__).parent / "plain" / "run.py"

FILE = """
import socket

def test_passes():
    s = socket.socket()
    s.close()

def test_notes():
    return "a note"

def test_prints():
    print("printed")

def test_fails():
    assert 1 == 2, "the sum"

def test_has_no_memory():
    bytearray(100_000_000)

def test_hangs():
    while True:
        pass

def test_hangs_and_is_deaf():
    import micropython
    micropython.kbd_intr(-1)
    while True:
        pass

def test_after_hanging():
    pass

def test_resets():
    print("last words")
    import machine
    machine.reset()

def test_after_a_reset():
    pass

def test_resets_softly():
    import machine
    machine.soft_reset()

def test_exits():
    import sys
    sys.exit(0)

def test_leaves_a_thread():
    import _thread
    def forever():
        while True:
            pass
    _thread.start_new_thread(forever, ())

def test_is_unplugged():
    s = socket.socket()
    s.connect(("10.0.2.2", PORT))
    s.recv(1)
    while True:
        pass

def test_on_a_new_board():
    import os
    assert "suite" in os.listdir("/")

def test_last():
    pass
"""

EXPECTED = (
    ("test_passes", True, ""),
    ("test_notes", True, ""),
    ("test_prints", True, "printed"),
    ("test_fails", False, "AssertionError: the sum"),
    ("test_has_no_memory", False, "MemoryError"),
    ("test_hangs", False, f"no result within {SECONDS} s"),
    ("test_hangs_and_is_deaf", False, "the board was reset"),
    ("test_after_hanging", True, ""),
    ("test_resets", False, "last words"),
    ("test_after_a_reset", True, ""),
    ("test_resets_softly", False, "the interpreter ended during this test"),
    ("test_exits", False, "the interpreter ended during this test"),
    ("test_leaves_a_thread", True, ""),
    ("test_is_unplugged", False, "is gone: the board was unplugged"),
    ("test_on_a_new_board", True, ""),
    ("test_last", True, ""),
)


@pytest.fixture
def vboard() -> Iterator[Vboard]:
    board = Vboard(runner=RUNNER)
    yield board
    board.stop()


def results(vboard: Vboard, file: Path) -> dict[str, Result]:
    names = names_in(file)
    run = FileRun(vboard, file, names, SECONDS)
    return {name: run.result(name) for name in names}


def test_every_kind_of_failure_is_seen(vboard: Vboard, tmp_path: Path) -> None:
    file = tmp_path / "test_example.py"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)

        def unplug() -> None:
            with listener.accept()[0]:
                vboard.stop()

        thread = threading.Thread(target=unplug)
        thread.start()
        file.write_text(FILE.replace("PORT", str(listener.getsockname()[1])))
        found = results(vboard, file)
        thread.join()
    wrong = {n: r.output for n, r in found.items() if r.passed != dict(x[:2] for x in EXPECTED)[n]}
    assert wrong == {}
    for name, _, words in EXPECTED:
        assert words in found[name].output, (name, found[name].output)
    assert found["test_notes"].note == "a note"
    assert "in test_hangs" in found["test_hangs"].output, "a hung test shows where"
    assert "the board was reset" in found["test_resets"].output


def test_one_board_for_many_files(vboard: Vboard, tmp_path: Path) -> None:
    boards = set()
    for number in range(3):
        file = tmp_path / f"test_{number}.py"
        file.write_text(f"def test_{number}():\n    return '{number}'\n")
        result = results(vboard, file)[f"test_{number}"]
        assert (result.passed, result.note) == (True, str(number))
        boards.add(vboard.board)
    assert len(boards) == 1


def test_memory_that_others_took(tmp_path: Path) -> None:
    """A test that finds too little of the heap runs again in an empty one; it may fail there."""
    file = tmp_path / "test_large.py"
    file.write_text(
        "import gc\n"
        "kept = []\n"
        "def whole():\n"
        "    gc.collect()\n"
        "    return gc.mem_free() + gc.mem_alloc()\n"
        "def test_takes_some():\n"
        "    while gc.mem_free() * 10 > 4 * whole():\n"
        "        kept.append(bytearray(1000))\n"
        "def test_needs_half():\n"
        "    had = len(kept)\n"
        "    [bytearray(1000) for _ in range(whole() // 2000)]\n"
        "    return str(had)\n"
        "def test_needs_all():\n"
        "    [bytearray(1000) for _ in range(whole() // 1000)]\n"
    )
    board = Vboard()
    try:
        found = results(board, file)
    finally:
        board.stop()
    assert found["test_takes_some"].passed
    assert found["test_needs_half"].passed, found["test_needs_half"].output
    assert found["test_needs_half"].note == "0"
    assert "MemoryError" in found["test_needs_all"].output


def test_a_file_that_is_no_python(vboard: Vboard, tmp_path: Path) -> None:
    file = tmp_path / "test_wrong.py"
    file.write_text("def test_one(): pass\n")
    names = names_in(file)
    file.write_text("def test_one(: pass\n")
    result = FileRun(vboard, file, names, SECONDS).result("test_one")
    assert not result.passed
    assert "SyntaxError" in result.output


def test_a_file_that_cannot_be_imported(vboard: Vboard, tmp_path: Path) -> None:
    file = tmp_path / "test_wrong.py"
    file.write_text("import nothing_like_this\ndef test_one(): pass\ndef test_two(): pass\n")
    for result in results(vboard, file).values():
        assert not result.passed
        assert "nothing_like_this" in result.output


def test_no_board(tmp_path: Path) -> None:
    class Missing(Vboard):
        def device(self) -> str:
            return "/dev/nothing"

    file = tmp_path / "test_example.py"
    file.write_text("def test_one(): pass\n")
    result = results(Missing(runner=RUNNER), file)["test_one"]
    assert not result.passed
    assert "there is no device /dev/nothing" in result.output


def test_a_taken_board(tmp_path: Path) -> None:
    class Shared(Vboard):
        def device(self) -> str:
            return board.device

    file = tmp_path / "test_example.py"
    file.write_text("def test_one(): pass\n")
    with Board() as board:
        first = Shared(runner=RUNNER)
        program = first.start(file, ["test_one"])
        result = results(Shared(runner=RUNNER), file)["test_one"]
        assert "is in use by another program" in result.output
        program.stop()
        assert results(Shared(runner=RUNNER), file)["test_one"].passed
