# SPDX-License-Identifier: MIT
# The pages of docs/ that are lists: every setting, from Kconfig, and every constant. And the
# constants in the stubs.
from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator

import kconfiglib

from .. import files
from ..layer import kconfig

_GROUPS = (
    ("AF_ PF_", "Address families"),
    ("SOCK_ SOMAXCONN", "Types of sockets, and their flags"),
    ("SOL_ IPPROTO_", "Levels and protocols"),
    ("SO_", "Options of SOL_SOCKET"),
    ("TCP_", "Options of IPPROTO_TCP"),
    ("IP_", "Options of IPPROTO_IP"),
    ("IPV6_", "Options of IPPROTO_IPV6"),
    ("TLS_", "Options of SOL_TLS, and their values"),
    ("MSG_ SCM_ SOF_", "Flags of send and recv, types of ancillary data"),
    ("SHUT_", "shutdown"),
    ("POLL", "poll"),
    ("AI_ NI_ EAI_", "getaddrinfo and getnameinfo"),
    ("F_ O_ FIO", "fcntl and ioctl"),
    ("EFD_", "eventfd"),
    ("INADDR_ INET_ INET6_", "Addresses"),
)


def configuration() -> str:
    """Of docs/configuration.md."""
    return "\n".join([*_boards(), *_symbols()])


def _boards() -> Iterator[str]:
    yield "| board | what it is | settings |"
    yield "|---|---|---|"
    for board in kconfig.boards():
        conf = kconfig.board_file(board)
        what = conf.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        own = [
            f"{name}={kconfig.literal(setting.value)}"
            for name, setting in kconfig.settings(conf).items()
            if setting.origin.startswith(conf.name)
        ]
        yield f"| `{board}` | {what} | {'<br>'.join(f'`{each}`' for each in own) or '-'} |"
    yield ""


def _symbols() -> Iterator[str]:
    kconf = kconfiglib.Kconfig(str(kconfig.file()), warn_to_stderr=False)
    for node in kconf.node_iter():
        if node.item == kconfiglib.MENU:
            yield f"## {node.prompt[0]}\n"
        elif isinstance(node.item, kconfiglib.Symbol) and node.help:
            yield f"### CONFIG_{node.item.name}\n"
            if node.prompt:
                yield f"{node.prompt[0]}.\n"
            yield "; ".join(_facts(node)) + ".\n"
            yield node.help.strip() + "\n"


def _facts(node: kconfiglib.MenuNode) -> Iterator[str]:
    symbol = node.item
    yield f"Type {kconfiglib.TYPE_TO_STR[symbol.orig_type]}"
    value = kconfig.value(symbol)
    if isinstance(value, bool):
        yield f"default `{'y' if value else 'n'}`" + ("" if node.prompt else ", always")
    else:
        yield f"default `{kconfig.literal(value)}`"
    for low, high, _ in symbol.ranges:
        yield f"{low.str_value} to {high.str_value}"
    needs = kconfiglib.expr_str(symbol.direct_dep)
    if symbol.direct_dep is not symbol.kconfig.y:
        yield f"depends on `{needs}`"


def constants() -> str:
    """Of docs/constants.md."""
    names = _names()
    lines = ["| | |", "|---|---|"]
    for prefixes, title in _GROUPS:
        group = [n for n in names if n.startswith(tuple(prefixes.split()))]
        lines.append(f"| {title} | {' '.join(f'`{name}`' for name in group)} |")
        names = [name for name in names if name not in group]
    lines.append(
        "\n## usocket_compat.errno\n\nMicroPython's own `errno` has 22 of these.\n\n"
        + " ".join(f"`{name}`" for name in names)
    )
    return "\n".join(lines) + "\n"


def stub() -> str:
    """Of typings/usocket_compat/__init__.pyi."""
    constants = [name for name in _names() if not _is_errno(name)]
    zephyr = importlib.import_module("usocket_compat.zephyr")
    # Zephyr's functions are lower case, and written by hand.
    public = [name for name in zephyr.public(constants) if "SOCKET_SERVICE" not in name]
    names = constants + [name for name in public if name.isupper()]
    return "".join(f"{name}: {'str' if 'IN6ADDR' in name else 'int'}\n" for name in names)


def socket_stub() -> str:
    """Of typings/dropin/socket.pyi: the constants by CPython's names."""
    return "".join(f"{name}: int\n" for name in _names() if not _is_errno(name))


def errno_stub() -> str:
    """Of typings/usocket_compat/errno.pyi."""
    return "".join(f"{name}: int\n" for name in _names() if _is_errno(name))


def _is_errno(name: str) -> bool:
    return name[0] == "E" and name[3:4] != "_"


def _names() -> list[str]:
    """What port/unix has numbers for; by the behaviour suite all ports have the same."""
    tree = ast.parse((files.PORTS / "unix" / "numbers.py").read_text(encoding="utf-8"))
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    items = [item for text in texts for item in text.split() if "=" in item]
    return [item.partition("=")[0] for item in items if item[0].isupper()]
