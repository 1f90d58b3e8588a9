"""docs/matrix.md: how its cells are made, and that none stays when it is no longer so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import matrix_pages
import mutation
import outcomes as matrix
import pytest
from outcomes import FAILED, NO_TEST, NOT_RUN, PAGE, PASS, REFUSED, THERE, Outcomes, rows

from usocket_tools.commands import matrix as command

CPYTHON = "cpython"


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


# What is in the tree


def test_the_page_has_every_row_and_every_target_and_no_other() -> None:
    cells = matrix.committed(page())
    assert cells.keys() == {(row, column) for row in rows() for column in matrix.columns()}
    heads = re.findall(r"^\| (?:row \| what|name) \| (.*) \|$", page(), re.M)
    # Not every machine can have the binary.
    assert {*matrix.columns()} <= {*heads[0].split(" | ")} <= {*matrix.columns(), "unix-binary"}
    assert len(set(heads)) == 1


def test_the_page_is_whole() -> None:
    cells = matrix.committed(page())
    assert [cell for cell, text in cells.items() if text == NOT_RUN] == [], "`usocket matrix`"


def test_what_tests_name_is_a_row() -> None:
    known = {*rows(), matrix.EACH}
    assert {test.id: set(test.rows) - known for test in matrix.tests().values()} == {
        id: set() for id in matrix.tests()
    }
    assert {row.id: set(row.same) - rows().keys() for row in rows().values()} == {
        id: set() for id in rows()
    }


def test_a_mark_without_a_test_is_an_error(tmp_path: Path) -> None:
    text = "# rows: A1\n\ndef test_x(): pass\n"
    with pytest.raises(ValueError, match="no test stands below"):
        list(matrix._tests("tests/common/test_x.py", text))
    (test,) = matrix._tests("tests/common/test_x.py", text.replace("\n\n", "\n@needs('x')\n"))
    assert (test.rows, CPYTHON in test.columns) == (("A1",), True)
    with pytest.raises(ValueError, match="say where"):
        list(matrix._tests("tests/peers/test_x.py", text.replace("\n\n", "\n")))


def test_the_command_runs_each_test_that_shows_rows() -> None:
    found = {
        f"{file.relative_to(matrix.ROOT).as_posix()}::{test}"
        for file in (matrix.ROOT / "tests").rglob("test_*.py")
        for test in command._TEST.findall(file.read_text(encoding="utf-8"))
    }
    assert found - {"tests/host/test_matrix.py::test_x"} == matrix.tests().keys()


# What is made of outcomes


TESTS = {
    test.id: test
    for test in (
        matrix.Test("t.py::test_one", 1, ("A1", "A2"), frozenset([CPYTHON, "vboard"])),
        matrix.Test("t.py::test_two", 2, ("A1",), frozenset([CPYTHON])),
        matrix.Test("t.py::test_each", 3, ("each",), frozenset([CPYTHON])),
    )
}


@pytest.fixture
def outcomes(monkeypatch) -> Outcomes:
    monkeypatch.setattr(matrix, "tests", lambda: TESTS)
    return Outcomes()


def text_of(outcomes: Outcomes, row: str) -> str:
    cell = outcomes.cell(rows()[row], CPYTHON)
    return cell.text if cell else NOT_RUN


@pytest.mark.parametrize(
    ("one", "two", "cell"),
    [
        ((True, ""), (True, "a note"), PASS),
        ((True, ""), (False, ""), FAILED),
        ((True, "refused: shutdown"), (True, "refused: shutdown"), "refused: shutdown"),
        ((True, "refused: shutdown"), (True, ""), "pass; refused: shutdown"),
        ((True, "refused: B A"), (False, ""), FAILED),
        ((True, "lacks: threads"), (True, ""), PASS),
        ((True, "lacks: threads"), (True, "lacks: threads"), "lacks"),
    ],
)
def test_a_cell_is_all_of_its_tests(outcomes, one, two, cell) -> None:
    outcomes.add("t.py::test_one[cpython]", *one, {})
    assert text_of(outcomes, "A1") == NOT_RUN, "one of two"
    outcomes.add("t.py::test_two[cpython]", *two, {})
    assert text_of(outcomes, "A1") == cell
    assert text_of(outcomes, "A4") == NO_TEST
    assert outcomes.cell(rows()["A1"], "vboard") is None


def test_the_target_is_the_first_argument() -> None:
    every = matrix.Test("t.py::test_x", 1, ("A1",), frozenset(matrix.columns()))
    for id, column in matrix._of_target().items():
        for arguments in (id, f"{id}-blocking"):
            assert matrix._columns(every, arguments) == ({column} if column else set())
    assert not matrix._columns(every, "memory")
    for arguments in ("", "blocking", "vboard1"):
        assert matrix._columns(every, arguments) == every.columns


def test_the_outcomes_of_single_names(outcomes) -> None:
    told = {"SO_LINGER": PASS, "SO_DEBUG": REFUSED, "AF_INET": THERE, "MSG_PEEK": THERE}
    told["SO_TYPE"] = FAILED
    outcomes.add("t.py::test_each[cpython]", False, "", told)
    texts = {name: text_of(outcomes, name) for name in (*told, "SO_ERROR")}
    assert texts.pop("AF_INET") == PASS, "that it is there is all"
    assert texts.pop("MSG_PEEK") == NO_TEST, "that a flag is there is not"
    assert texts.pop("SO_ERROR") == NO_TEST
    assert texts == {n: told[n] for n in texts}
    assert text_of(outcomes, "C22") == PASS, "SO_LINGER is what shows it"


def test_a_page_is_read_as_it_was_written(outcomes) -> None:
    outcomes.add("t.py::test_one[cpython]", True, "", {})
    outcomes.add("t.py::test_two[cpython]", True, "refused: shutdown", {})
    outcomes.add("t.py::test_each[cpython]", True, "", {"SO_LINGER": PASS})
    cells = outcomes.cells()
    whole = {
        (row, column): cells.get((row, column), matrix.Cell(NOT_RUN))
        for row in rows()
        for column in matrix.columns()
    }
    text = matrix_pages.markdown(whole, {CPYTHON: "CPython 3.9"})
    assert matrix.committed(text) == {key: cell.text for key, cell in whole.items()}
    assert matrix.untrue(text, cells) == []
    (line,) = matrix.untrue(text.replace("| pass; refused: shutdown", "| pass"), cells)
    assert "A1 on cpython: the page says 'pass', it is 'pass; refused: shutdown'" in line
    shown = matrix_pages.hypertext(whole, {})
    assert (
        '<td class=partly>pass; refused: shutdown<br><small><a href="../t.py#L1">one</a>' in shown
    )
    assert "<td class=red>no test" in shown


# That it is seen


# What is changed: an option that is refused is taken and forgotten; another errno.
CHANGES = (
    (
        "usocket_compat/zopt.py",
        "    sock.p.setsockopt(sock.h, level, option, value)\n",
        '    if option != _number("SO_SOCKS5"):\n'
        "        sock.p.setsockopt(sock.h, level, option, value)\n",
    ),
    ("usocket_compat/zctl.py", '    fail("EOPNOTSUPP")\n', '    fail("EINVAL")\n'),
)


def test_a_changed_layer_turns_its_cells_red_and_no_others(tmp_path) -> None:
    tree = mutation.copy_tree(tmp_path / "tree")
    for name, old, new in CHANGES:
        text = (tree / name).read_text()
        assert text.count(old) == 1
        (tree / name).write_text(text.replace(old, new))
    each = [f"{t.id}[cpython]" for t in matrix.tests().values() if matrix.EACH in t.rows]
    done = subprocess.run(
        [*mutation.PYTEST, "--maxfail=99", *each],
        cwd=tree,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tree / mutation.PATH)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(done.stdout)
    said = [line for line in done.stdout.splitlines() if " on cpython: the page says " in line]
    assert [line.partition(" by ")[0] for line in said] == [
        "SO_SOCKS5 on cpython: the page says 'refused', it is 'failed'",
        "FIONWRITE on cpython: the page says 'refused', it is 'failed'",
    ]
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
