# SPDX-License-Identifier: MIT
# The boards that are plugged in, and the one that is meant when none is named.
from __future__ import annotations

from typing import NamedTuple

from serial.tools import list_ports

from ..errors import UsocketError

# USB vendors of the chips themselves, and of the serial converters that boards carry.
_ESPRESSIF = 0x303A
_VENDORS = {
    _ESPRESSIF: "Espressif",
    0x10C4: "Silicon Labs",
    0x1A86: "WCH",
    0x0403: "FTDI",
    0x067B: "Prolific",
}

# What --device takes.
DEVICE = (
    "the board behind this serial device or URL (rfc2217://, socket://), or of this name in"
    " devices.toml"
)


class Found(NamedTuple):
    """A serial device that a board may be behind."""

    device: str
    about: str


def devices() -> list[Found]:
    """Serial devices whose USB vendor makes ESP32s or what boards have in their place."""
    return [
        Found(port.device, f"{_VENDORS[port.vid]}, {port.product or port.description}")
        for port in sorted(list_ports.comports())
        if port.vid in _VENDORS
    ]


def only_device(else_: str = ", such as a virtual one") -> str:
    """The board that is meant when none is named; `else_`: what to do where there is none."""
    found = devices()
    if not found:
        raise UsocketError(
            "no board is plugged in",
            "Its USB cable may be one without data lines. --device names a board that is not"
            f" found{else_}.",
        )
    if len(found) > 1:
        raise UsocketError(
            f"{len(found)} boards are plugged in",
            "Name one with --device: " + ", ".join(each.device for each in found),
        )
    return found[0].device
