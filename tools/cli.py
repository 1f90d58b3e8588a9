# SPDX-License-Identifier: MIT
"""The `usocket` command: a table of do_x(args) functions."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

from . import micropython, targets
from .config import args_config, do_config
from .deploying import args_deploy, do_deploy
from .doctor import args_doctor, do_doctor
from .errors import UsocketError
from .flash import args_flash, do_flash
from .testing import args_test, do_test
from .vboard import __main__ as vboard
from .vboard.board import add_arguments as args_vboard


def do_run(args: argparse.Namespace) -> int:
    forward = tuple(args.forward)
    program = targets.Program(args.file, args.args, args.micropython, args.timeout, forward)
    if forward and args.target != "vboard":
        raise UsocketError(
            "--forward is for --target vboard",
            "`usocket vboard --forward` starts a board with one.",
        )
    if args.device is not None:
        return targets.run_device(args.device, program)
    if args.timeout and args.target != "vboard":
        raise UsocketError(
            "--timeout is for programs on a board",
            "timeout(1) does the same for one on this machine.",
        )
    return targets.run(args.target, program)


def args_run(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run a Python file with usocket_compat importable. Input, output, Ctrl-C and the exit"
        " status are the program's own. USOCKET_COMPAT_CONF names another configuration."
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--target",
        metavar="TARGET",
        help="where to run it: " + ", ".join(targets.TARGETS),
    )
    where.add_argument(
        "--device",
        metavar="DEVICE",
        help="run it on the board behind this serial device, or rfc2217:// or socket:// URL",
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
    parser.add_argument("file", metavar="FILE", type=Path, help="the program")
    rest = parser.add_argument(
        "args", metavar="ARGS", nargs=argparse.REMAINDER, help="its arguments"
    )
    rest.required = False  # where FILE is missing, it alone is


def seconds(text: str) -> float:
    if not 0 <= float(text) < 1e6:
        raise ValueError
    return float(text)


def do_micropython(args: argparse.Namespace) -> int:
    if args.list:
        print("\n".join(micropython.describe()))
    else:
        print(micropython.find(args.version, args.variant).path)
    return 0


def args_micropython(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print the path of a MicroPython for the unix target, which is built from its packaged"
        " source the first time it is asked for. mpy-cross of the same version lies beside it."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--oldest",
        dest="version",
        action="store_const",
        const="oldest",
        help=f"the oldest supported, {micropython.OLDEST}",
    )
    which.add_argument(
        "--newest",
        dest="version",
        action="store_const",
        const="newest",
        help="the newest that is packaged",
    )
    which.add_argument("--version", metavar="V", help="this version, such as 1.26.1")
    which.add_argument("--list", action="store_true", help="what is there and what could be built")
    parser.add_argument(
        "--variant",
        default="standard",
        metavar="VARIANT",
        help="how it is built: " + ", ".join(micropython.VARIANTS) + " (default: %(default)s)",
    )
    parser.set_defaults(version="any")


class Command(NamedTuple):
    do: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None]
    help: str


COMMANDS = {
    "run": Command(do_run, args_run, "run a program on a target"),
    "vboard": Command(vboard.run, args_vboard, "start a virtual ESP32"),
    "micropython": Command(do_micropython, args_micropython, "find or build MicroPython"),
    "flash": Command(do_flash, args_flash, "write MicroPython's firmware to a board"),
    "deploy": Command(do_deploy, args_deploy, "bring the layer to a board"),
    "test": Command(do_test, args_test, "run the behaviour suite on boards"),
    "doctor": Command(do_doctor, args_doctor, "look at this machine and its boards"),
    "config": Command(do_config, args_config, "show or change the configuration of a board"),
}


def main(argv: Sequence[str] | None = None) -> int:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed, and a device would get its number
            setattr(sys, name, open(os.devnull, "w"))
    try:
        status = _main(argv)
        sys.stdout.flush()
        return status
    except UsocketError as error:
        print(f"usocket: {error}", file=sys.stderr)
        print(error.hint, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # As `| head` ends others; what is still to be written would end in a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        print(f"usocket: {what or error}", file=sys.stderr)
        print("`usocket doctor` looks for what is wrong with this machine.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _main(argv: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="usocket", description="BSD sockets, the same on CPython and MicroPython."
    )
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.arguments(parsers.add_parser(name, help=command.help))
    args = parser.parse_args(argv)
    return COMMANDS[args.command].do(args)


if __name__ == "__main__":
    sys.exit(main())
