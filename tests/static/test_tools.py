"""The house of the host tools: names, and who knows whom."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from usocket_tools.cli import COMMANDS, load

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
HARNESS = ROOT / "tests/harness"
MOST = 400  # lines of a file
# Each knows those before it, and what is below all.
FOLDERS = "certificates builds boards layer vboard programs make findings suite commands".split()
BELOW = {"errors", "files", "shown", "wifi"}


def files_of(top: Path) -> list[Path]:
    """The package's files; a folder without an __init__.py is of programs for elsewhere."""
    found = sorted(top.rglob("*.py"))
    return [f for f in found if f.parent == top or (f.parent / "__init__.py").exists()]


def sources() -> list[Path]:
    return files_of(TOOLS)


def module(file: Path, top: Path) -> str:
    """Its name within the package: commands.run; of a folder's __init__.py the folder's."""
    parts = list(file.relative_to(top).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(file: Path, top: Path) -> Iterator[str]:
    """The modules of the package that a file imports, in a function too."""
    names = {module(other, top) for other in top.rglob("*.py")}
    package = list(file.relative_to(top).parts[:-1])
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            base += node.module.split(".") if node.module else []
            for alias in node.names:
                whole = ".".join([*base, alias.name])
                yield whole if whole in names else ".".join(base)


def graph(top: Path) -> dict[str, set[str]]:
    return {module(file, top): set(imported(file, top)) for file in files_of(top)}


def in_circles(edges: dict[str, set[str]]) -> set[str]:
    """Those that import one another, and those above them."""
    left = dict(edges)
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return set(left)


def test_no_circles():
    edges = graph(TOOLS)
    assert len(edges) == len(sources())
    # The package's own first file has one import, made when the command starts.
    assert edges[""] == {"cli"}
    assert in_circles({name: others for name, others in edges.items() if name}) == set()


@pytest.mark.parametrize("later", [False, True])
def test_a_circle_would_be_found(tmp_path, later):
    (tmp_path / "a").mkdir()
    (tmp_path / "b.py").write_text("from .a import c\n")
    (tmp_path / "a/c.py").write_text("from ..d import f\nfrom .. import e\n")
    back = "from . import b\n"
    (tmp_path / "d.py").write_text(f"def f():\n    {back}" if later else back)
    (tmp_path / "e.py").write_text("import os\n")
    (tmp_path / "a/__init__.py").write_text("")
    edges = graph(tmp_path)
    assert edges == {"a": set(), "a.c": {"d", "e"}, "b": {"a.c"}, "d": {"b"}, "e": set()}
    assert in_circles(edges) == {"a.c", "b", "d"}


def test_folders_know_those_below_alone():
    wrong = []
    for name, others in graph(TOOLS).items():
        folder = name.partition(".")[0]
        if folder in FOLDERS and name != "vboard.__main__":  # which hands over to cli
            known = {*BELOW, *FOLDERS[: FOLDERS.index(folder) + 1]}
            wrong += [f"{name}: {o}" for o in others if o.partition(".")[0] not in known]
    assert wrong == []
    assert {file.parent.name for file in TOOLS.glob("*/__init__.py")} == set(FOLDERS)


# What is for a program, and not for the terminal: the output of `config generate`, and the lines
# between a board's process and who started it.
PRINT = {"commands/config.py": 1, "commands/vboard.py": 1, "vboard/process.py": 1}


def test_what_is_said_goes_through_one_place():
    """shown.py, which lets nothing drive the terminal. What the Makefile runs is its own."""
    found = Counter()
    for file in sources():
        name = file.relative_to(TOOLS).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            says = called == "print" or called in ("sys.stdout.write", "sys.stderr.write")
            if says and not name.startswith("make/"):
                found[name] += 1
    assert found == PRINT


def test_answers_of_boards_are_parsed_in_one_place():
    """Where it is checked what they are."""
    asking = {f for f in sources() if "literal_eval" in f.read_text(encoding="utf-8")}
    assert [file.name for file in asking] == ["answers.py"]


def test_one_name_is_one_thing():
    names = Counter(file.name for file in [*sources(), *HARNESS.glob("*.py")])
    assert [name for name, count in names.items() if count > 1 and name != "__init__.py"] == []


def test_a_command_is_a_file_of_its_name():
    files = {file.stem for file in (TOOLS / "commands").glob("[!_]*.py")}
    assert files == COMMANDS.keys()
    for name in COMMANDS:
        command = load(name)
        assert command.do.__module__ == command.arguments.__module__
        assert command.do.__module__ == f"usocket_tools.commands.{name}"


def test_files_are_small():
    assert {str(f): n for f in sources() if (n := len(f.read_text().splitlines())) > MOST} == {}


def test_the_architecture_names_every_folder():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert [name for name in FOLDERS if f"| `tools/{name}/` |" not in text] == []
