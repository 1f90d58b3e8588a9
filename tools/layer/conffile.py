# SPDX-License-Identifier: MIT
# A board's .conf file, changed: by `usocket config set`, and by what menuconfig saves.
from __future__ import annotations

import errno
import textwrap
from collections.abc import Mapping
from pathlib import Path

import kconfiglib

from ..errors import UsocketError
from . import kconfig


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
    write(conf, new)


def _assignment(name: str, value: str, strings: set[str]) -> str:
    if name in strings and not value.startswith('"'):
        value = kconfig.literal(value)
    return f"CONFIG_{name}={value}"


def write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsocketError(
            f"cannot write {file}: {error.strerror}", "Name a file that you may write."
        ) from error


class Menu(kconfiglib.Kconfig):  # type: ignore[misc]
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
