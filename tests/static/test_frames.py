# SPDX-License-Identifier: MIT
"""MicroPython takes a frame of more than 11 words from the heap, which costs more than the call.

The compiler's own listing says how large a frame is. What is checked is found here: all that
zsock_send, zsock_recv and zsock_poll reach while all goes well. That ends where something is
loaded from a file, at an exception, and at the functions named ..._rest, which go on where a call
has to wait or is out of the ordinary.
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from usocket_tools.builds import interpreters

ROOT = Path(__file__).parents[2]
MOST = 11  # py/bc.h: VM_MAX_STATE_ON_STACK, in words
TRY = 3  # mp_exc_stack_t
CALLS = ("zsock_send", "zsock_recv", "zsock_poll")
# What each of these has besides usocket_compat/. A port's own call comes before the layer's.
PORTS = {"esp32": ["port/esp32"], "unix": ["port/unix/libc.py", "port/unix/nogil.py"]}


def frames(file: Path) -> dict[str, int]:
    """Words of each function's frame."""
    interpreter = interpreters.find("newest")
    listing = subprocess.run(
        [interpreter.path, "-v", "-v", file], capture_output=True, text=True, timeout=60
    )
    found = re.findall(
        r"code block '(\w+)'.*?N_STATE (\d+)\).*?N_EXC_STACK (\d+)\)",
        listing.stdout + listing.stderr,
        re.DOTALL,
    )
    # Of several with one name the largest.
    words: dict[str, int] = {}
    for name, state, tries in found:
        words[name] = max(words.get(name, 0), int(state) + TRY * int(tries))
    return words


def sources(port: str) -> list[Path]:
    """The port's files before the layer's."""
    found = []
    for name in PORTS[port]:
        found += sorted((ROOT / name).glob("*.py")) or [ROOT / name]
    # The drop-in modules (so*.py) are above these calls; aio, TLS and what is held
    # back for a Stream and LuaSocket's style have names like theirs.
    layer = sorted((ROOT / "usocket_compat").glob("*.py"))
    others = "so", "aio", "tls", "zheld", "luastyle"
    return found + [file for file in layer if not file.name.startswith(others)]


def functions(port: str) -> dict[str, list[tuple[Path, ast.FunctionDef]]]:
    """All functions and methods by their names."""
    found: dict[str, list[tuple[Path, ast.FunctionDef]]] = {}
    for file in sources(port):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append((file, node))
    return found


def other_names() -> dict[str, str]:
    """zio.py's own names for operations of the port: _send, _recv = p.send, p.recv."""
    text = (ROOT / "usocket_compat/zio.py").read_text()
    found = {}
    for names, values in re.findall(r"^(_\w+(?:, _\w+)*) = (p\.\w+(?:, p\.\w+)*)$", text, re.M):
        found.update(zip(names.split(", "), (v[2:] for v in values.split(", "))))
    return found


OTHER_NAMES = other_names()


def called(function: ast.FunctionDef) -> set[str]:
    """Names of what it calls while all goes well, by themselves or of a module or an object."""
    found = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, (ast.ExceptHandler, ast.Raise)):
            return
        # load("stream").write(...): a file that is loaded then.
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Attribute) and "load(" in ast.unparse(node.func)
        ):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            found.add(OTHER_NAMES.get(name, name))
        for child in ast.iter_child_nodes(node):
            visit(child)

    for statement in function.body:
        visit(statement)
    return {name for name in found if not name.endswith("_rest")}


def reached(port: str) -> dict[str, Path]:
    """Every function that the hot calls reach, and its file."""
    known = functions(port)
    found: dict[str, Path] = {}
    todo = list(CALLS)
    while todo:
        name = todo.pop()
        # The port's own, or all methods of that name.
        for file, function in known.get(name, [])[:1] if name in CALLS else known.get(name, []):
            if name not in found:
                found[name] = file
                todo += called(function)
    return found


@pytest.mark.parametrize("port", PORTS)
def test_hot_frames_stay_off_the_heap(port: str) -> None:
    hot = reached(port)
    # The search itself: these are found, whatever else is.
    expected = {
        "esp32": {"_read", "_write", "_receive"},
        "unix": {"recv"},  # send and recv_into are libc's
    }
    assert expected[port] | set(CALLS) <= set(hot)
    sizes = {file: frames(file) for file in set(hot.values())}
    words = {name: sizes[file].get(name, 0) for name, file in hot.items()}
    assert {name: n for name, n in words.items() if n > MOST} == {}
    assert sum(n > 0 for n in words.values()) >= 4


def test_reads_of_a_stream_stay_off_the_heap() -> None:
    words = frames(ROOT / "usocket_compat/zstream.py")
    assert max(words["recv_line"], words["recv_exact"]) <= MOST
