"""The table of states and bindings (usocket_compat/sostate.py) is what sockets have."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import placed
from targets import ROOT

from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "programs" / "states.py"


def table(kernel: bool) -> dict[str, set[str]]:
    tree = ast.parse((ROOT / "usocket_compat/sostate.py").read_text())
    value = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "BOUND"
    )
    text = ast.unparse(value).replace("_packs", str(kernel))
    found = {state: set(names.split()) for state, names in eval(text, {}).items()}
    if kernel:
        # sokind.plain_calls
        found["plain"] = {"recv", "send"}
    return found


def check(text: str, kernel: bool) -> None:
    wanted = table(kernel)
    lines = [line.partition(":") for line in text.replace("\r", "").splitlines()]
    assert {state for state, _, _ in lines} == set(wanted), text
    for state, _, names in lines:
        assert set(names.split()) == wanted[state], (state, text)


def test_states_on_unix() -> None:
    done = subprocess.run(
        [placed.unix(), PROGRAM],
        env=placed.unix_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
    )
    check(done.stdout, kernel=True)


def test_states_on_a_board() -> None:
    with Board() as board:
        placed.on_board(board.device)
        check(placed.run(board.device, PROGRAM), kernel=False)


def test_a_state_has_no_name_that_nothing_gives() -> None:
    """Each name of the table is a function of the file that its state says."""
    for state, file, prefix, kernel in (
        ("waits", "sowait", "t_", False),
        ("waits", "sokernel", "k_", True),
    ):
        text = (ROOT / f"usocket_compat/{file}.py").read_text()
        has = {n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}
        assert {prefix + name for name in table(kernel)[state]} <= has
