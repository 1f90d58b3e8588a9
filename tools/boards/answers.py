# SPDX-License-Identifier: MIT
# What a board answers is data of somebody else: here it becomes values of the shape that was asked
# for, or one sentence. A shape is a function that says whether a value has it.
from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, Callable

from ..errors import UsocketError
from ..shown import shown
from .device import EXEC_SILENCE, Device

Shape = Callable[[Any], bool]

MOST = 1 << 20  # characters of an answer
_DEPTH = 8  # of values in values
_EXCERPT = 60
_HINT = (
    "Press its reset button and repeat the command. If that does not help, its boot.py may change"
    " what is asked, or the firmware is damaged: `usocket flash` writes it again."
)
# A literal's parts as MicroPython prints them.
_BYTE = r"\\(?:[\\'\"nrt]|x[0-9a-f]{2})"
_CHARACTER = _BYTE[:-1] + "|u[0-9a-f]{4}|U[0-9a-f]{8})"
_STRINGS = "|".join(
    rf"{prefix}{quote}(?:[^{quote}\\\r\n]|{escape})*{quote}"
    for prefix, escape in (("", _CHARACTER), ("b", _BYTE))
    for quote in "'\""
)
_TOKEN = re.compile(
    r"\s*(?:(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<between>[,:])"
    rf"|(?P<value>{_STRINGS}|-?[0-9]{{1,4000}}|(?:None|True|False)\b))"
)


class Nonsense(UsocketError):
    """A board's answer that is none to what was asked."""

    def __init__(self, name: str, answer: str) -> None:
        text = answer.strip()
        excerpt = shown(text[:_EXCERPT]) + ("..." if len(text) > _EXCERPT else "")
        super().__init__(f"{name}: the board answered nonsense: {excerpt or 'nothing'}", _HINT)


def ask(device: Device, code: str, shape: Shape, silence: float = EXEC_SILENCE) -> Any:
    """Run code that prints one value; the value, which has the shape.

    Raises Nonsense where the answer is no literal, is another one, or too long.
    """
    return parsed(device.name, device.exec(code, silence), shape)


def ask_lines(device: Device, code: str, shape: Shape) -> list[Any]:
    """The same of code that prints a value in each line."""
    return [
        parsed(device.name, line, shape) for line in device.exec(code).split("\n") if line.strip()
    ]


def parsed(name: str, answer: str, shape: Shape) -> Any:
    """The value of the literal `answer`, of the board `name`."""
    try:
        if len(answer) > MOST:
            raise ValueError
        _check(answer)
        value = ast.literal_eval(answer.strip())
        if not shape(value):
            raise ValueError
    # A character that there is not, a dict's key that cannot be one.
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise Nonsense(name, answer) from None
    return value


def _check(answer: str) -> None:
    """Refuse what would take Python's compiler long or deep."""
    text, at, depth, before = answer.rstrip(), 0, 0, ""
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError
        kind = found.lastgroup or ""
        depth += (kind == "open") - (kind == "close")
        # Two values in a row are one for Python.
        if depth > _DEPTH or (before in ("value", "close") and kind in ("value", "open")):
            raise ValueError
        at, before = found.end(), kind


# Shapes.


def nothing(value: Any) -> bool:
    return value is None


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def number(least: int = 0, most: int = 1 << 40) -> Shape:
    return lambda value: type(value) is int and least <= value <= most


def text(most: int = 4000, pattern: str = "") -> Shape:
    """A str; `pattern`: what all of it is."""
    return lambda value: (
        isinstance(value, str)
        and len(value) <= most
        and (not pattern or re.fullmatch(pattern, value) is not None)
    )


def raw(most: int = MOST) -> Shape:
    return lambda value: isinstance(value, bytes) and len(value) <= most


def either(*shapes: Shape) -> Shape:
    return lambda value: any(shape(value) for shape in shapes)


def parts(*shapes: Shape) -> Shape:
    """A tuple of as many."""
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(shapes)
        and all(shape(part) for shape, part in zip(shapes, value))
    )


def plain(value: Any) -> bool:
    """What a setting is."""
    return value is None or isinstance(value, int) or text(200)(value)


def several(shape: Shape) -> Shape:
    """A list of any length."""
    return lambda value: isinstance(value, list) and all(map(shape, value))


def table(key: Shape, shape: Shape) -> Shape:
    """A dict with any of such keys."""
    return lambda value: (
        isinstance(value, dict) and all(key(k) and shape(v) for k, v in value.items())
    )


def record(shapes: Mapping[str, Shape]) -> Shape:
    """A dict with these keys."""
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == shapes.keys()
        and all(shape(value[key]) for key, shape in shapes.items())
    )
