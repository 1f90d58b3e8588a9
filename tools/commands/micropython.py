# SPDX-License-Identifier: MIT
# `usocket micropython`: the path of an interpreter.
from __future__ import annotations

import argparse

from ..builds import interpreters
from ..shown import say


def do_micropython(args: argparse.Namespace) -> int:
    if args.list:
        say(*interpreters.describe())
    else:
        say(str(interpreters.find(args.version, args.variant).path))
    return 0


def args_micropython(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print the path of a MicroPython for the unix target. It is built from its packaged"
        " source the first time it is asked for. mpy-cross of the same version lies beside it."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--oldest",
        dest="version",
        action="store_const",
        const="oldest",
        help=f"the oldest supported, {interpreters.OLDEST}",
    )
    which.add_argument(
        "--newest",
        dest="version",
        action="store_const",
        const="newest",
        help="the newest that is packaged",
    )
    which.add_argument(
        "--version", metavar="V", help="this one: 1.26.1, or 1.26 for the newest 1.26.x"
    )
    which.add_argument("--list", action="store_true", help="what is there and what could be built")
    parser.add_argument(
        "--variant",
        default="standard",
        metavar="VARIANT",
        help="how it is built: " + ", ".join(interpreters.VARIANTS) + " (default: %(default)s)",
    )
    parser.set_defaults(version="any")
