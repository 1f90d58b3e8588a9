"""What the layer's files become for a board: private numbers are constants of mpy-cross."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from usocket_tools import files
from usocket_tools.boards.identity import Facts
from usocket_tools.layer import compiling

FILES = {
    **{name: path for port in files.ports() for name, path in files.device_files(port).items()},
    **files.dropin_files(),
}


class Unmarked(ast.NodeTransformer):
    """A tree without const(), whose names it keeps."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        value = node.value
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "const":
            self.names += [ast.unparse(target) for target in node.targets]
            node.value = value.args[0]
        return node


@functools.cache
def asked_for() -> set[object]:
    """What any file asks for by name in another: attributes, imports, strings."""
    found: set[object] = set()
    for path in FILES.values():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant):
                found.add(node.value)
            elif isinstance(node, ast.ImportFrom):
                found.update(each.name for each in node.names)
    return found


@pytest.mark.parametrize("name", FILES)
def test_nothing_else_changes(name: str) -> None:
    text = FILES[name].read_text()
    marked, unmarked = ast.parse(compiling.constants(text)), Unmarked()
    tree = ast.parse(text)
    own = Unmarked()
    assert ast.dump(unmarked.visit(marked)) == ast.dump(own.visit(tree))
    # A constant has no name any more: nobody else may ask for it, nor change it.
    stored = [
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    ]
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, (ast.arg, ast.keyword))}
    uses: dict[str, list[tuple[int, ast.expr_context]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            uses.setdefault(node.id, []).append((node.lineno, node.ctx))
    for constant in unmarked.names:
        assert stored.count(constant) == 1 and constant not in arguments
        assert constant not in asked_for()
        # Nor does mpy-cross know of it above its line.
        assert isinstance(min(uses[constant], key=lambda use: use[0])[1], ast.Store)


def test_some_are_constants() -> None:
    assert sum(compiling.constants(path.read_text()).count("= const(") for path in FILES.values())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("_A = 1", False),
        ("_A = -0x20  # why", False),
        ("A = 1", True),
        ("_a = 1", True),
        ("_A = 1.5", True),
        ("_A = 1 << 4", True),
        ("_A = 0x40000000", True),
        ("_A = 1\n_A = 2", True),
        ("_A = 1\ndef f():\n    global _A", True),
        ("_A = 1\ndef f():\n    _A = 2", True),
        ("if x:\n    _A = 1", True),
    ],
)
def test_which_are(text: str, kept: bool) -> None:
    assert (compiling.constants(text) == text) == kept


@pytest.mark.parametrize("lines", [False, True])
def test_the_name_is_gone(tmp_path: Path, lines: bool) -> None:
    source = tmp_path / "some.py"
    source.write_text("_PRIVATE_NUMBER = 77\n\n\ndef f():\n    return _PRIVATE_NUMBER\n")
    compiler = compiling.Compiler(Facts("", "esp32", 6))
    content = compiler.layer(source, "usocket_compat/some.py", lines)
    assert b"_PRIVATE_NUMBER" not in content
    assert b"_PRIVATE_NUMBER" in compiler.compile(source, "some.py")
