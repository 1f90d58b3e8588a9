# SPDX-License-Identifier: MIT
# `usocket matrix`: the behaviour suite on every target that there is, and from what its tests say
# docs/matrix.md, and the same with colours. tests/harness/outcomes.py does it as a part of pytest.
from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys

from ..shown import say
from ..suite import checkout
from ..suite.handover import DEVICES

# A test that shows rows: the comment that names them, what else stands above it, its name.
_TEST = re.compile(r"^# rows: .*\n(?:[@#].*\n)*def (test_\w+)", re.M)
_PROCESSES = "3"  # as `make test` has


def do_matrix(args: argparse.Namespace) -> int:
    suite = checkout.suite("matrix")
    checkout.need("pytest", "pytest-timeout", "pytest-xdist")
    others = [
        f"{file}::{test}"
        for file in sorted(suite.rglob("test_*.py"))
        if file.parent.name != "common"
        for test in _TEST.findall(file.read_text(encoding="utf-8"))
    ]
    command = [sys.executable, "-m", "pytest", str(suite / "common"), *others]
    command += ["-n", _PROCESSES, "--dist", "loadfile", "--no-loadscope-reorder"]
    command += ["--matrix", "write"]
    for name in args.target:
        command += ["--target", name]
    environment = dict(os.environ)
    if args.device:
        environment[DEVICES] = " ".join(args.device)
    status = subprocess.run(command, cwd=suite.parent, env=environment).returncode
    say("The page: docs/matrix.md, and with colours and links build/matrix.html")
    return status


def args_matrix(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run the behaviour suite on every target of this machine, and write docs/matrix.md and"
        " build/matrix.html: a row for each thing that programs rely on, a column for each target,"
        " in each cell what the tests of that row said there. It needs a checkout of the project."
    )
    parser.add_argument(
        "--target",
        metavar="ID",
        action="append",
        default=[],
        help="only this target, again for more; the other columns stay as they are",
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help="the board behind this serial device too, as a column of its own; again for more",
    )
