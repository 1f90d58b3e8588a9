# SPDX-License-Identifier: MIT
# What a board says of itself.
from __future__ import annotations

from typing import NamedTuple

from ..errors import UsocketError
from . import answers, named
from .device import Device

_ASK = """
import sys
i = sys.implementation
print((getattr(i, '_build', ''), sys.platform, getattr(i, '_mpy', 0)))
"""
# The board is a file's name here; a platform may be called anything, and has no port then.
_SHAPE = answers.parts(
    answers.text(100, r"[A-Za-z0-9_.+-]*"), answers.text(64), answers.number(0, 0xFFFFF)
)


class Facts(NamedTuple):
    """What a board says of itself."""

    # As MicroPython names its builds: ESP32_GENERIC, ESP32_GENERIC-SPIRAM.
    board: str
    platform: str
    # The format of .mpy that it loads.
    mpy: int


def ask(device: Device) -> Facts:
    facts = Facts(*answers.ask(device, _ASK, _SHAPE))
    if device.board.board not in ("", facts.board):
        raise UsocketError(
            f"{device.name} is {facts.board or 'of no known kind'}, and not {device.board.board}",
            f"{named.FILE} says so; another board may be in its place.",
        )
    return facts
