"""The drop-in modules do what CPython's socket and select do: CPython runs the same program.

On MicroPython unix, with ffi, without it, and with the oldest one; on both virtual boards.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import placed
import pytest

from usocket_tools.builds import interpreters
from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "programs" / "behaviour.py"
CASES = [
    node.name
    for node in ast.parse(PROGRAM.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]
UNIX = {
    "unix": ("newest", "standard"),
    f"unix-{interpreters.OLDEST}": ("oldest", "standard"),
    "unix-noffi": ("newest", "noffi"),
}
BOARDS = {
    "vboard": {},
    f"vboard-{interpreters.OLDEST}": {"micropython": "oldest"},
    "vboard-32bit": {"variant": "32bit"},
}
# What a target refuses, since its native socket has nothing for it.
LACKS = {
    "unix-noffi": """
        test_port_0 test_connect_nonblocking test_messages
        test_socketpair test_options test_shutdown
        test_forgotten test_getaddrinfo test_interfaces test_inheritable test_host_names
        test_wrong_messages
    """,
}


def piece(cases: list[str], folder: Path) -> Path:
    """The program with these cases alone."""
    text = PROGRAM.read_text()
    tree = ast.parse(text)
    drop = {
        line
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in set(CASES) - set(cases)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    made = folder / "behaviour.py"
    lines = text.splitlines(keepends=True)
    made.write_text("".join(line for n, line in enumerate(lines, 1) if n not in drop))
    return made


def output(target: str, folder: Path) -> str:
    if target == "cpython":
        command, env = [sys.executable, PROGRAM], dict(os.environ)
    elif target == "cpython-build":
        build = Path(__file__).parent / "cpython_build.py"
        command, env = [sys.executable, build, PROGRAM], dict(os.environ)
    elif target in UNIX:
        command = [interpreters.find(*UNIX[target]).path, PROGRAM]
        env = placed.unix_environment()
    else:
        with Board(**BOARDS[target]) as board:
            placed.on_board(board.device)
            # In pieces: a board has no room for all of the program beside the layer.
            pieces = [CASES[at : at + 10] for at in range(0, len(CASES), 10)]
            return "".join(placed.run(board.device, piece(some, folder)) for some in pieces)
    done = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100
    )
    return done.stdout


@pytest.fixture(scope="module", params=["cpython", "cpython-build", *UNIX, *BOARDS])
def results(request, tmp_path_factory) -> tuple[str, str]:
    return request.param, output(request.param, tmp_path_factory.mktemp("behaviour"))


@pytest.mark.parametrize("case", CASES)
def test_as_cpython(results, case: str) -> None:
    target, text = results
    if case in LACKS.get(target, "").split():
        failed = text.partition(f"{case} FAILED\n")[2]
        assert re.search(r"^OSError: (\[Errno 95\]|92$)", failed, re.M), text
        return
    assert f"{case} ok\n" in text.replace("\r", ""), text
