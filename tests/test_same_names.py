"""Constants, errno names and calls have the same names, and kinds, on every target."""

from __future__ import annotations

import errno as _errno
import fcntl
import os
import select
import socket
import termios
from pathlib import Path

from targets import HostTarget

PROGRAM = """
import usocket_compat as net
from usocket_compat import errno
import sys
sys.path.append({common!r})
from test_constants import CONSTANTS
from check import EAIS, ERRNOS
from names import CALLS, PLAIN, long

for name in CONSTANTS + EAIS:
    print(name, getattr(net, name, None) is not None)
for name in ERRNOS:
    print(name, hasattr(errno, name))
for name in [long(name) for name in CALLS] + CALLS + PLAIN + ["gaierror"]:
    print(name, callable(getattr(net, name, None)))
for name in sorted(net.capabilities()):
    print("capability", name)
for name in sorted(set(net.__all__)):
    print("public", name, getattr(net, name, None) is not None)
for name in {others!r}.split():
    print("other", name, "there" if hasattr(net, name) or hasattr(errno, name) else "missing")
"""
# What CPython's modules have beside the layer's names comes through on no target.
OTHERS = {
    name
    for module in (socket, select, os, _errno, fcntl, termios)
    for name in dir(module)
    if name.isupper() and not name.startswith("_")
}


def test_same_names(target: HostTarget, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    common, others = str(Path(__file__).parent / "common"), " ".join(sorted(OTHERS))
    program.write_text(PROGRAM.format(common=common, others=others))
    process = target.run(program)
    lines = process.rest(30)
    assert process.end() == "", "\n".join(lines)
    assert [line for line in lines if line.endswith(" False")] == []
    # All are compared with the target that came first.
    assert lines == FIRST.setdefault("lines", lines)


FIRST: dict[str, list[str]] = {}
