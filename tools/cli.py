# SPDX-License-Identifier: MIT
"""The `usocket` command: a table of do_x(args) functions."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

from . import kconfig, micropython, targets
from .errors import UsocketError
from .files import PACKAGE
from .vboard import __main__ as vboard
from .vboard.board import add_arguments as args_vboard


def do_run(args: argparse.Namespace) -> int:
    forward = tuple(args.forward)
    program = targets.Program(args.file, args.args, args.micropython, args.timeout, forward)
    if forward and args.target != "vboard":
        raise UsocketError("--forward is for --target vboard")
    if args.device:
        return targets.run_device(args.device, program)
    if args.timeout and args.target != "vboard":
        raise UsocketError("--timeout is for programs on a board")
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
        type=float,
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
    parser.add_argument("args", metavar="ARGS", nargs=argparse.REMAINDER, help="its arguments")


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


def do_config(args: argparse.Namespace) -> int:
    return {"show": _show, "generate": _generate, "check": _check}[args.what](args)


def args_config(parser: argparse.ArgumentParser) -> None:
    parser.description = "Look at the configuration: Kconfig, with the choices of a board."
    parsers = parser.add_subparsers(dest="what", metavar="show|generate|check", required=True)
    show = parsers.add_parser("show", help="print every symbol with its value")
    generate = parsers.add_parser("generate", help="print the _config.py that a board loads")
    check = parsers.add_parser("check", help="look for errors in .conf files")
    for each in (show, generate):
        each.add_argument(
            "--board",
            metavar="BOARD",
            help="a file of board_configs: "
            + ", ".join(kconfig.boards())
            + " (default: the file named by USOCKET_COMPAT_CONF, else UNIX)",
        )
    generate.add_argument("-o", metavar="FILE", dest="output", type=Path, help="write to FILE")
    check.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, help="default: all of board_configs"
    )


def _chosen(board: str | None) -> Path:
    conf = os.environ.get("USOCKET_COMPAT_CONF")
    return Path(conf) if conf and not board else kconfig.board_file(board or "UNIX")


def _show(args: argparse.Namespace) -> int:
    conf = _chosen(args.board)
    values, prompts = kconfig.load(conf), kconfig.prompts()
    print(f"# {conf}")
    for name, prompt in prompts.items():
        print(f"{name + ' = ' + kconfig.literal(values[name]):36} # {prompt}")
    return 0


def _generate(args: argparse.Namespace) -> int:
    conf = _chosen(args.board)
    text = kconfig.generate(kconfig.load(conf), conf.name)
    if args.output:
        try:
            args.output.write_text(text)
        except OSError as error:
            raise UsocketError(f"cannot write {args.output}: {error.strerror}") from error
    else:
        print(text, end="")
    return 0


def _check(args: argparse.Namespace) -> int:
    for conf in args.files or [kconfig.board_file(board) for board in kconfig.boards()]:
        kconfig.load(conf)
        print(f"{conf}: fine")
    if not args.files:
        check_in_step()
    return 0


def check_in_step() -> None:
    """The _config.py of a checkout begins with what is generated for UNIX."""
    conf = kconfig.board_file("UNIX")
    text = kconfig.generate(kconfig.load(conf), conf.name)
    if not (PACKAGE / "_config.py").read_text().startswith(text):
        raise UsocketError(
            "usocket_compat/_config.py is not in step with Kconfig and UNIX.conf",
            "Put the output of `usocket config generate --board UNIX` at its top.",
        )


class Command(NamedTuple):
    do: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None]
    help: str


COMMANDS = {
    "run": Command(do_run, args_run, "run a program on a target"),
    "vboard": Command(vboard.run, args_vboard, "start a virtual ESP32"),
    "micropython": Command(do_micropython, args_micropython, "find or build MicroPython"),
    "config": Command(do_config, args_config, "show, generate or check the configuration"),
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="usocket", description="BSD sockets, the same on CPython and MicroPython."
    )
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        command.arguments(parsers.add_parser(name, help=command.help))
    args = parser.parse_args(argv)
    try:
        return COMMANDS[args.command].do(args)
    except UsocketError as error:
        print(f"usocket: {error}", file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"usocket: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
