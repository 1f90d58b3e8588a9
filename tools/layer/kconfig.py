# SPDX-License-Identifier: MIT
# Kconfig and a board's .conf -> the values of _config.py. What kconfiglib would only warn of is
# an error here, and it names the file and the line.
from __future__ import annotations

import difflib
import functools
import os
import re
from pathlib import Path
from typing import NamedTuple, Union

import kconfiglib

from ..errors import UsocketError
from ..files import data_file, ports
from ..shown import shown

Values = dict[str, Union[bool, int, str]]

_ASSIGNMENT = re.compile(r"CONFIG_(\w+)=(.*)")
_UNSET = re.compile(r"# CONFIG_(\w+) is not set")
NAMED = "USOCKET_COMPAT_CONF"
# What is for Zephyr's programs to read, and for what brings the layer to where it runs.
_HOST = (
    *("NET_SOCKETS", "NET_SOCKETS_SERVICE", "NET_SOCKETS_SOCKOPT_TLS"),
    *("USOCKET_DROPIN", "USOCKET_LINE_NUMBERS"),
)
# What the layer asks for only where it is n: a name takes heap.
_TOLD_IF_N = ("NET_SOCKETS_ENABLE_DTLS",)
_SHOWS = "`usocket config show` prints every symbol with its value and what it is."


class ConfigError(UsocketError):
    """A configuration file that cannot be used."""


def boards() -> list[str]:
    return sorted(file.stem for file in data_file("board_configs/UNIX.conf").parent.glob("*.conf"))


def board_file(board: str) -> Path:
    if board not in boards():
        raise ConfigError(
            f"there is no board {board!r} in board_configs", "The boards: " + ", ".join(boards())
        )
    return data_file(f"board_configs/{board}.conf")


def named() -> Path | None:
    """The file that the user has chosen for everything."""
    name = os.environ.get(NAMED)
    return Path(name) if name else None


def conf_of(board: str) -> Path | None:
    """The file that a board gets: a variant without one of its own has its board's."""
    for name in (board, board.partition("-")[0]):
        if name in boards():
            return board_file(name)
    return None


class Setting(NamedTuple):
    value: bool | int | str
    # Where that is written: FILE:LINE of the .conf, or else of the Kconfig.
    origin: str


def load(conf: str | Path | None = None) -> Values:
    """The value of every symbol, with the assignments of the file `conf` if one is given."""
    return {name: setting.value for name, setting in settings(conf).items()}


def settings(conf: str | Path | None = None) -> dict[str, Setting]:
    """The same, and where each value comes from."""
    kconf = _kconfig()
    lines = {} if conf is None else _apply(kconf, Path(conf))
    found = {}
    for symbol in kconf.unique_defined_syms:
        node = symbol.nodes[0]
        origin = f"{Path(node.filename).name}:{node.linenr}"
        if conf is not None and symbol.name in lines:
            origin = f"{Path(conf).name}:{lines[symbol.name]}"
        found[symbol.name] = Setting(value(symbol), origin)
    return found


def generate(values: Values, source: str) -> str:
    """The text of a _config.py of plain constants."""
    lines = [f"# Generated from Kconfig and {shown(source)} by `usocket config generate`."]
    lines += [f"{name} = {literal(value)}" for name, value in generated(values).items()]
    return "\n".join(lines) + "\n"


def generated(values: Values) -> Values:
    """Those that the layer reads."""
    return {
        name: value
        for name, value in values.items()
        if name not in _HOST and not (value and name in _TOLD_IF_N)
    }


def prompts() -> dict[str, str]:
    """Symbol that a file may set -> its one-line description."""
    return {
        node.item.name: node.prompt[0]
        for node in _kconfig().node_iter()
        if isinstance(node.item, kconfiglib.Symbol) and node.prompt
    }


def file() -> Path:
    return data_file("Kconfig")


def _kconfig() -> kconfiglib.Kconfig:
    kconf = kconfiglib.Kconfig(str(file()), warn_to_stderr=False)
    if kconf.warnings:
        raise ConfigError(kconf.warnings[0], f"{file()} has the mistake.")
    return kconf


def read(conf: Path) -> str:
    try:
        return conf.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise ConfigError(
            f"cannot read the configuration {conf}: {reason}",
            "`usocket config boards` lists the boards; `config set` makes a new file.",
        ) from error


def known(name: str, where: str = "") -> None:
    """Refuse what is no symbol that a file may set."""
    if name in names():
        return
    close = difflib.get_close_matches(name, prompts(), 1)
    hint = f" (did you mean CONFIG_{close[0]}?)" if close else ""
    raise ConfigError(
        f"{where}unknown symbol CONFIG_{name}{hint}", "`usocket config show` lists every symbol."
    )


@functools.cache
def names() -> set[str]:
    return {symbol.name for symbol in _kconfig().unique_defined_syms}


def check(conf: Path, text: str) -> None:
    """Whether the file could have this text."""
    _apply(_kconfig(), conf, text)


def _apply(kconf: kconfiglib.Kconfig, conf: Path, text: str | None = None) -> dict[str, int]:
    """Give the symbols the values of the file; the line of each."""
    lines = (read(conf) if text is None else text).split("\n")
    assigned: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines, 1):
        where = f"{conf}:{number}"
        parsed = parse(where, line.strip())
        if parsed is None:
            continue
        name, setting = parsed
        known(name, f"{where}: ")
        if name in assigned:
            raise ConfigError(
                f"{where}: CONFIG_{name} is set already on line {assigned[name][0]}",
                "Remove one of the two lines.",
            )
        wanted = _checked(where, kconf.syms[name], setting)
        kconf.syms[name].set_value(wanted)
        assigned[name] = number, wanted
    # Dependencies can only be judged when every line has been read.
    for name, (number, wanted) in assigned.items():
        if kconf.syms[name].str_value != wanted:
            reason = _refusal(kconf.syms[name])
            raise ConfigError(
                f"{conf}:{number}: CONFIG_{name} cannot be {wanted!r}: {reason}", _SHOWS
            )
    return {name: number for name, (number, _) in assigned.items()}


def parse(where: str, line: str) -> tuple[str, str] | None:
    """The symbol and the text of its value, if the line assigns one."""
    found = _UNSET.fullmatch(line)
    if found:
        return found[1], "n"
    if not line or line.startswith("#"):
        return None
    found = _ASSIGNMENT.fullmatch(line)
    if not found:
        raise ConfigError(
            f"{where}: not an assignment of the form CONFIG_NAME=value: {line}",
            "A comment begins with #.",
        )
    return found[1], found[2]


def _checked(where: str, symbol: kconfiglib.Symbol, value: str) -> str:
    """The value as kconfiglib writes it."""
    bad = f"{where}: bad value {value} for CONFIG_{symbol.name}: "
    if symbol.type == kconfiglib.BOOL:
        if value not in ("y", "n"):
            raise ConfigError(bad + "it is y or n", _SHOWS)
    elif symbol.type == kconfiglib.INT:
        if not re.fullmatch(r"-?[0-9]+", value):
            raise ConfigError(bad + "it is a decimal number", _SHOWS)
        value = str(int(value))
        for low, high, condition in symbol.ranges:
            if kconfiglib.expr_value(condition) and not (
                int(low.str_value) <= int(value) <= int(high.str_value)
            ):
                raise ConfigError(
                    bad + f"the range is {low.str_value} to {high.str_value}", _SHOWS
                )
    else:
        if not re.fullmatch(r'"([^"\\]|\\.)*"', value):
            raise ConfigError(bad + 'it is a text in "double quotes"', _SHOWS)
        value = str(kconfiglib.unescape(value[1:-1]))
        if symbol.name == "USOCKET_PORT" and value not in ("", *ports()):
            raise ConfigError(bad + "the ports are " + ", ".join(ports()), _SHOWS)
    return value


def _refusal(symbol: kconfiglib.Symbol) -> str:
    needs = str(kconfiglib.expr_str(symbol.direct_dep))
    if not any(node.prompt for node in symbol.nodes):
        return "it is always y"
    return "it depends on " + needs


def value(symbol: kconfiglib.Symbol) -> bool | int | str:
    if symbol.type == kconfiglib.BOOL:
        return bool(symbol.str_value == "y")
    if symbol.type == kconfiglib.INT:
        return int(symbol.str_value or 0)
    return str(symbol.str_value)


def literal(value: bool | int | str) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)
