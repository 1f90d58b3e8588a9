# SPDX-License-Identifier: MIT
# `usocket config`: look at the configuration of a board, and change it.
from __future__ import annotations

import argparse
import contextlib
import errno
import os
import sys
import textwrap
from pathlib import Path
from typing import Callable, Mapping

import kconfiglib

from . import kconfig
from .errors import UsocketError
from .files import CHECKOUT, PACKAGE


def do_config(args: argparse.Namespace) -> int:
    status: int = args.do(args)
    return status


def args_config(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Look at the configuration, Kconfig with the choices of a board, and change it. A board is"
        " a name in board_configs, or a .conf file of your own."
    )
    parsers = parser.add_subparsers(dest="what", metavar="WHAT", required=True)

    def add(
        name: str, do: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        added = parsers.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        added.set_defaults(do=do)
        return added

    add("boards", _boards, "list the boards and their limits")
    show = add("show", _show, "print every setting and where it comes from")
    generate = add("generate", _generate, "print the _config.py that a board loads")
    generate.add_argument("-o", metavar="FILE", dest="output", type=Path, help="write to FILE")
    for each in (show, generate):
        each.add_argument(
            "--board",
            metavar="BOARD",
            help="`usocket config boards` lists them (default: the file named by"
            " USOCKET_COMPAT_CONF, else UNIX)",
        )

    change = add("set", _set, "set symbols in a board's file")
    change.add_argument(
        "changes", metavar="SYMBOL=VALUE", nargs="+", help="such as ZVFS_OPEN_MAX=8"
    )
    unset = add("unset", _unset, "give symbols of a board their defaults again")
    unset.add_argument("changes", metavar="SYMBOL", nargs="+", help="such as ZVFS_OPEN_MAX")
    menu = add("menuconfig", _menuconfig, "look at the settings and change them in a menu")
    for each in (change, unset, menu):
        each.add_argument(
            "--board",
            metavar="BOARD",
            required=True,
            help="whose file to change; with `set` a new .conf file is made",
        )

    check = add("check", _check, "look for errors in .conf files")
    check.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, help="default: all of board_configs"
    )


def chosen(board: str | None) -> Path:
    """The file of a board; a variant without one of its own has its board's."""
    if not board:
        return kconfig.named() or kconfig.board_file("UNIX")
    if _is_file(board):
        return Path(board)
    return kconfig.conf_of(board) or kconfig.board_file(board)


def _is_file(board: str) -> bool:
    return "/" in board or board.endswith(".conf")


def _own(board: str) -> Path:
    """The file of a board, to be changed."""
    return Path(board) if _is_file(board) else kconfig.board_file(board)


def _boards(_args: argparse.Namespace) -> int:
    for board in kconfig.boards():
        conf = kconfig.board_file(board)
        sockets = kconfig.load(conf)["ZVFS_OPEN_MAX"]
        first = conf.read_text(encoding="utf-8").partition("\n")[0]
        print(f"{board:27}{sockets:>4} sockets  {first.lstrip('# ')}")
    return 0


def _show(args: argparse.Namespace) -> int:
    conf = chosen(args.board)
    settings, prompts = kconfig.settings(conf), kconfig.prompts()
    width = max(len(setting.origin) for setting in settings.values())
    print(f"# {conf}")
    for name, prompt in prompts.items():
        setting = settings[name]
        assignment = f"{name} = {kconfig.literal(setting.value)}"
        print(f"{assignment:36} # {setting.origin:{width}}  {prompt}")
    return 0


def _generate(args: argparse.Namespace) -> int:
    conf = chosen(args.board)
    text = kconfig.generate(kconfig.load(conf), conf.name)
    if args.output:
        _write(args.output, text)
    else:
        print(text, end="")
    return 0


def _set(args: argparse.Namespace) -> int:
    changes: dict[str, str | None] = {}
    for change in args.changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise UsocketError(
                f"{change!r} is not SYMBOL=VALUE", f"Such as {name or 'ZVFS_OPEN_MAX'}=8."
            )
        changes[_symbol(name)] = value
    conf = _own(args.board)
    _update(conf, changes, "" if _is_file(args.board) and not conf.exists() else None)
    return 0


def _unset(args: argparse.Namespace) -> int:
    _update(_own(args.board), {_symbol(name): None for name in args.changes})
    return 0


def _symbol(name: str) -> str:
    """Its name without CONFIG_, which may be there."""
    name = name[len("CONFIG_") :] if name.startswith("CONFIG_") else name
    kconfig.known(name)
    return name


def _update(conf: Path, changes: Mapping[str, str | None], text: str | None = None) -> None:
    """Change the file, and say what it gives now."""
    text = kconfig.read(conf) if text is None else text
    before = kconfig.load()
    with contextlib.suppress(kconfig.ConfigError):
        # A wrong line may be what is changed now.
        before = kconfig.load(conf)
    edit(conf, text, changes)
    after = kconfig.settings(conf)
    for name in changes:
        was, now = before[name], after[name]
        change = "" if was == now.value else f", was {kconfig.literal(was)}"
        print(f"{name} = {kconfig.literal(now.value)} ({now.origin}{change})")
    if CHECKOUT and conf == kconfig.board_file("UNIX"):
        print(_OUT_OF_STEP[1], file=sys.stderr)


def edit(conf: Path, text: str, changes: Mapping[str, str | None]) -> None:
    """Write the file's text with symbols set, or unset by None; nothing if it would be wrong."""
    strings = {name for name, value in kconfig.load().items() if isinstance(value, str)}
    todo = dict(changes)
    lines = []
    for line in text.splitlines():
        assigned = kconfig.parse(str(conf), line.strip())
        if assigned is None or assigned[0] not in changes:
            lines.append(line)
        elif assigned[0] in todo:
            value = todo.pop(assigned[0])
            lines += [] if value is None else [_assignment(assigned[0], value, strings)]
    added = [
        _assignment(name, value, strings) for name, value in todo.items() if value is not None
    ]
    new = "".join(line + "\n" for line in [*lines, *added])
    kconfig.check(conf, new)
    _write(conf, new)


def _assignment(name: str, value: str, strings: set[str]) -> str:
    if name in strings and not value.startswith('"'):
        value = kconfig.literal(value)
    return f"CONFIG_{name}={value}"


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsocketError(
            f"cannot write {file}: {error.strerror}", "Name a file that you may write."
        ) from error


class _Menu(kconfiglib.Kconfig):  # type: ignore[misc]
    """What menuconfig saves goes into the board's file, between its comments."""

    def load_config(self, *args: object, **more: object) -> str:
        message: str = super().load_config(*args, **more)
        # It would ask to save a file that does not name every symbol, though nothing was changed.
        for symbol in self.unique_defined_syms:
            if symbol.user_value is None and symbol.config_string:
                symbol.set_value(symbol.str_value)
        return message

    def write_config(self, filename: str, *_: object, **__: object) -> str:
        conf = Path(filename)
        try:
            text = kconfig.read(conf) if conf.exists() else ""
            changes = self._changes(text, kconfig.load(conf) if conf.exists() else kconfig.load())
            edit(conf, text, changes)
        except UsocketError as error:
            # menuconfig shows this one in a box, which does not break lines.
            reason = textwrap.fill(str(error).replace(f"{conf}:", "line "), 60)
            raise OSError(errno.EINVAL, reason, filename) from error
        return f"{filename}: {', '.join(changes) or 'nothing'} changed"

    def _changes(self, text: str, now: kconfig.Values) -> dict[str, str | None]:
        lines = [kconfig.parse("", line.strip()) for line in text.splitlines()]
        assigned = {line[0] for line in lines if line}
        defaults = kconfig.load()
        changes: dict[str, str | None] = {}
        for name in kconfig.prompts():
            symbol = self.syms[name]
            value = kconfig.value(symbol)
            if not symbol.visibility or value == defaults[name] != now[name]:
                if name in assigned:
                    changes[name] = None
            elif value != now[name]:
                changes[name] = symbol.str_value
        return changes


def _menuconfig(args: argparse.Namespace) -> int:
    conf = _own(args.board)
    kconfig.load(conf)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsocketError(
            "menuconfig needs a terminal", "`usocket config set` works without one."
        )
    try:
        import curses

        import menuconfig
    except ImportError as error:
        raise UsocketError(
            f"menuconfig needs Python's curses module: {error}",
            "`usocket config set` works without it.",
        ) from error
    os.environ["KCONFIG_CONFIG"] = str(conf)
    try:
        menuconfig.menuconfig(_Menu(str(kconfig.file()), warn_to_stderr=False))
    except curses.error as error:
        raise UsocketError(
            f"this terminal cannot show the menu: {error}",
            "TERM may name another kind than it is.",
        ) from error
    return 0


_OUT_OF_STEP = (
    "usocket_compat/_config.py is not in step with Kconfig and UNIX.conf",
    "Put the output of `usocket config generate --board UNIX` at the top of"
    " usocket_compat/_config.py.",
)


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
        raise UsocketError(*_OUT_OF_STEP)
