# SPDX-License-Identifier: MIT
# `usocket config`: look at the configuration of a board, and change it.
from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Callable

from ..errors import UsocketError
from ..files import CHECKOUT, PACKAGE
from ..layer import conffile, kconfig
from ..shown import say


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
    change.add_argument(
        "--from",
        dest="start",
        metavar="BOARD",
        help="what a new file begins with, such as ESP32_GENERIC_S3",
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
        say(f"{board:27}{sockets:>4} sockets  {first.lstrip('# ')}")
    return 0


def _show(args: argparse.Namespace) -> int:
    conf = chosen(args.board)
    settings, prompts = kconfig.settings(conf), kconfig.prompts()
    width = max(len(setting.origin) for setting in settings.values())
    say(f"# {conf}")
    for name, prompt in prompts.items():
        setting = settings[name]
        assignment = f"{name} = {kconfig.literal(setting.value)}"
        say(f"{assignment:36} # {setting.origin:{width}}  {prompt}")
    return 0


def _generate(args: argparse.Namespace) -> int:
    conf = chosen(args.board)
    text = kconfig.generate(kconfig.load(conf), conf.name)
    if args.output:
        conffile.write(args.output, text)
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
    new = _is_file(args.board) and not conf.exists()
    if args.start and not new:
        raise UsocketError(
            f"{conf} is there already, and does not begin with {args.start}",
            "Leave out --from, or name another file.",
        )
    start = kconfig.read(chosen(args.start)) if args.start else ""
    _update(conf, changes, start if new else None)
    if new and not args.start:
        say(
            f"{conf} is new, and has only this: the rest are Kconfig's defaults,"
            " and not those of a board (--from BOARD begins with that board's)",
            err=True,
        )
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
    conffile.edit(conf, text, changes)
    after = kconfig.settings(conf)
    for name in changes:
        was, now = before[name], after[name]
        change = "" if was == now.value else f", was {kconfig.literal(was)}"
        say(f"{name} = {kconfig.literal(now.value)} ({now.origin}{change})")
    if CHECKOUT and conf == kconfig.board_file("UNIX"):
        say(_OUT_OF_STEP[1], err=True)


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
        menuconfig.menuconfig(conffile.Menu(str(kconfig.file()), warn_to_stderr=False))
    except curses.error as error:
        raise UsocketError(
            f"this terminal cannot show the menu: {error}",
            "TERM may name another kind of terminal.",
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
        say(f"{conf}: fine")
    if not args.files:
        check_in_step()
    return 0


def check_in_step() -> None:
    """The _config.py of a checkout begins with what is generated for UNIX."""
    conf = kconfig.board_file("UNIX")
    text = kconfig.generate(kconfig.load(conf), conf.name)
    if not (PACKAGE / "_config.py").read_text().startswith(text):
        raise UsocketError(*_OUT_OF_STEP)
