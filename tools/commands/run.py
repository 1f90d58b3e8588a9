# SPDX-License-Identifier: MIT
# `usocket run`: a program on a target or a board.
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..boards import plugged
from ..errors import UsocketError
from ..programs import start


def do_run(args: argparse.Namespace) -> int:
    forward = tuple(args.forward)
    file, arguments, text = args.file, args.args, None
    if args.code:
        file, text, arguments = "-c", args.code[0], args.code[1:]
    elif file is None:
        args.refuse("the following arguments are required: FILE")
    elif file == "-":
        # CPython takes it from there by itself.
        text = "" if args.target == "cpython" else _of_stdin()
    program = start.Program(Path(file), arguments, args.micropython, args.timeout, forward, text)
    if forward and args.target != "vboard":
        raise UsocketError(
            "--forward is for --target vboard",
            "`usocket vboard --forward` starts a board with one.",
        )
    if args.device is not None:
        return start.run_device(args.device, program)
    if args.timeout and args.target != "vboard":
        raise UsocketError(
            "--timeout is for programs on a board",
            "timeout(1) does the same for one on this machine.",
        )
    return start.run(args.target, program)


def args_run(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run a Python file with usocket_compat importable. Input, output, Ctrl-C and the exit"
        " status are the program's own. USOCKET_COMPAT_CONF names another configuration."
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--target",
        metavar="TARGET",
        help="where to run it: " + ", ".join(start.TARGETS),
    )
    where.add_argument(
        "--device",
        metavar="DEVICE",
        help=f"run it on {plugged.DEVICE}",
    )
    parser.add_argument(
        "--micropython",
        default="any",
        metavar="VERSION|PATH",
        help="for MicroPython targets: 1.26.1, oldest, newest, or an interpreter's path with a"
        " slash in it (default: the one on PATH if it is new enough, else the newest)",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="on a board: interrupt a program that takes longer (default: never)",
    )
    parser.add_argument(
        "--forward",
        action="append",
        default=[],
        metavar="[udp:]PORT:BOARDPORT",
        help="with --target vboard: a port of this machine that leads to the board; 0 is any free"
        " one, which is printed",
    )
    parser.add_argument(
        "-c",
        dest="code",
        metavar="CODE",
        nargs=argparse.REMAINDER,
        help="run this text, with the arguments that follow; instead of FILE",
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help='the program; "-" is what comes from stdin'
    )
    parser.set_defaults(refuse=parser.error)
    rest = parser.add_argument(
        "args", metavar="ARGS", nargs=argparse.REMAINDER, help="its arguments"
    )
    rest.required = False  # where FILE is missing, it alone is


def _of_stdin() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise UsocketError("stdin is no text", "A program is one, in UTF-8.") from error


def seconds(text: str) -> float:
    if not 0 <= float(text) < 1e6:
        raise ValueError
    return float(text)
