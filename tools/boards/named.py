# SPDX-License-Identifier: MIT
# Boards that have names, in devices.toml: where each is, what it is, its network, and the command
# that cycles its power.
from __future__ import annotations

import difflib
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UsocketError
from ..shown import say

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "devices.toml"
NAMED = "USOCKET_DEVICES"  # an environment variable
POWER_SECONDS = 60  # for the command
_KEYS = ("serial", "board", "wifi", "power")
_HINT = 'Such as [desk], and in the next line: serial = "/dev/ttyUSB0".'


class Named(NamedTuple):
    """A board; one that is given by its device has that for a name, and nothing more."""

    name: str
    serial: str  # a path or an URL
    board: str = ""  # as MicroPython names its builds
    wifi: Path | None = None
    power: str = ""


# Of this process: those whose power was cycled, and who did not answer after it.
_hopeless: set[str] = set()


def file() -> Path | None:
    """The file that is used: of the environment, here, or the user's; None: there is none."""
    given = os.environ.get(NAMED)
    if given:
        return Path(given).absolute()
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    for each in (Path(FILE).absolute(), home / "usocket_compat" / FILE):
        if each.is_file():
            return each
    return None


def find(text: str) -> Named:
    """The board of this name, or behind this path or URL."""
    if not re.fullmatch(r"[\w.-]+", text) or os.path.exists(text):
        return Named(text, text)
    where = file()
    if where is None:
        return Named(text, text)
    boards = read(where)
    if text not in boards:
        raise UsocketError(
            f"{where} names no board {text!r}", "It has " + (", ".join(boards) or "none") + "."
        )
    return boards[text]


def read(where: Path) -> dict[str, Named]:
    """All of a file."""
    try:
        with where.open("rb") as opened:
            _own(where, os.fstat(opened.fileno()))
            found = tomllib.load(opened)
    except OSError as error:
        raise UsocketError(
            f"cannot read {where}: {error.strerror}", f"{NAMED} names another file."
        ) from error
    except ValueError as error:  # of TOML, or of UTF-8
        raise UsocketError(f"{where} is no TOML: {error}", _HINT) from error
    return {name: _board(where, name, values) for name, values in found.items()}


def _own(where: Path, state: os.stat_result) -> None:
    """Its commands run as this user: nobody else may have written them."""
    if state.st_uid not in (os.geteuid(), 0) or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsocketError(
            f"{where} can be written by others, and names commands that you run",
            f"`chmod go-w {shlex.quote(str(where))}`, if it is yours.",
        )


def _board(where: Path, name: str, values: Any) -> Named:
    if not re.fullmatch(r"[\w.-]+", name):
        raise UsocketError(
            f"{where}: {name!r} is no name for a board", "Letters, digits, and . - _ are."
        )
    if not isinstance(values, dict):
        raise UsocketError(f"{where}: {name} stands outside of a board's table", _HINT)
    for key, value in values.items():
        if key not in _KEYS:
            close = difflib.get_close_matches(key, _KEYS, 1)
            hint = f"Did you mean {close[0]}?" if close else "There are " + ", ".join(_KEYS) + "."
            raise UsocketError(f"{where}: {name} has no use for {key!r}", hint)
        if not isinstance(value, str) or not value:
            raise UsocketError(f"{where}: {key} of {name} is not a text", f'{key} = "..."')
    if "serial" not in values:
        raise UsocketError(f"{where}: {name} has no serial", _HINT)
    wifi = values.get("wifi")
    return Named(
        name,
        values["serial"],
        values.get("board", ""),
        where.parent / Path(wifi).expanduser() if wifi else None,
        values.get("power", ""),
    )


def cycle(board: Named) -> bool:
    """Cut its power and give it back, if its entry says how; whether it was done.

    Once for each time that it hangs: not again where that did not help.
    """
    if not board.power or board.name in _hopeless:
        return False
    _hopeless.add(board.name)
    command = shlex.split(board.power)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=POWER_SECONDS
        )
        why = done.stderr.decode(errors="replace").strip().split("\n")[-1]
        wrong = why or f"status {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        wrong = f"it did not end within {POWER_SECONDS} s"
    except OSError as error:
        wrong = str(error.strerror)
    if wrong:
        raise UsocketError(
            f"{board.name} hangs, and its power could not be cycled: {command[0]}: {wrong}",
            f"`power` of {board.name} in {file()} is the command.",
        )
    say(f"usocket: {board.name} did not answer; its power was cycled", err=True)
    return True


def answers(board: Named) -> None:
    """It does: should it hang another time, that is a case of its own."""
    _hopeless.discard(board.name)
