# SPDX-License-Identifier: MIT
"""The `usocket` command: a table of those in commands/."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Callable, NamedTuple, NoReturn

from .errors import UsocketError
from .files import version
from .shown import say, shown


class Command(NamedTuple):
    do: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None]


# Each is a file of commands/, which is loaded for that command alone.
COMMANDS = {
    "run": "run a program on a target",
    "vboard": "start a virtual ESP32",
    "micropython": "find or build MicroPython",
    "flash": "write MicroPython's firmware to a board",
    "deploy": "bring the layer to a board",
    "test": "run the behaviour suite on boards",
    "verify": "compare a board with the virtual one",
    "matrix": "write docs/matrix.md from the tests",
    "doctor": "look at this machine and its boards",
    "certs": "make what a board needs for TLS",
    "config": "show or change the configuration of a board",
}


def load(name: str) -> Command:
    module = importlib.import_module(f".commands.{name}", __package__)
    return Command(getattr(module, f"do_{name}"), getattr(module, f"args_{name}"))


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(shown(message))


def main(argv: Sequence[str] | None = None) -> int:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed, and a device would get its number
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for good
    try:
        status = _main(argv)
        sys.stdout.flush()
        return status
    except UsocketError as error:
        say(f"usocket: {error}", error.hint, err=True)
        return 1
    except BrokenPipeError:
        # As `| head` ends others; what is still to be written would end in a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        hint = "`usocket doctor` looks for what is wrong with this machine."
        say(f"usocket: {what or error}", hint, err=True)
        return 1
    except KeyboardInterrupt:
        return 130


def _main(argv: Sequence[str] | None) -> int:
    parser = Parser(
        prog="usocket", description="BSD sockets, the same on CPython and MicroPython."
    )
    parser.add_argument("--version", action="version", version=f"usocket {version()}")
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    words = sys.argv[1:] if argv is None else argv
    command = load(words[0]) if words and words[0] in COMMANDS else None
    for name, help in COMMANDS.items():
        subparser = parsers.add_parser(name, help=help)
        if command and name == words[0]:
            command.arguments(subparser)
    args = parser.parse_args(words)
    assert command  # the parser takes no other word
    return command.do(args)


if __name__ == "__main__":
    sys.exit(main())
