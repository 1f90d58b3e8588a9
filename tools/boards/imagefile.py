# SPDX-License-Identifier: MIT
# `usocket flash`: MicroPython's firmware onto a board. esptool does the writing; what would not
# run on the board is refused before.
#
# A firmware image as MicroPython publishes it holds the bootloader, the partition table and the
# application, and is written to where the chip looks for its bootloader.
from __future__ import annotations

import contextlib
import importlib.metadata
import io
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UsocketError
from . import partitions

_IMAGE = 0xE9  # first byte of an ESP32 image
_FLASH = 3  # where it says for how large a flash it is, in the upper half: 0 is 1 MiB, 1 is 2 MiB
_CHIP = 12  # where the chip is named in it
_DESCRIPTION, _DESCRIPTION_AT = b"\x32\x54\xcd\xab", 32  # of an application
DOWNLOAD = "Download the .bin file for the board from micropython.org."


class Chip(NamedTuple):
    name: str  # as esptool's --chip takes it
    title: str
    offset: int  # of the bootloader in the flash
    # The class that esptool has for it.
    rom: Any


def chips() -> list[Chip]:
    """The chips that esptool knows by their number in an image."""
    from esptool.targets import CHIP_DEFS

    return [
        Chip(name, rom.CHIP_NAME, rom.BOOTLOADER_FLASH_OFFSET, rom)
        for name, rom in CHIP_DEFS.items()
        if getattr(rom, "IMAGE_CHIP_ID", None) is not None
    ]


def check(image: Path) -> Chip:
    """The chip that the image is for; an image that is not whole is refused."""
    try:
        data = image.read_bytes()
    except OSError as error:
        raise UsocketError(f"cannot read {image}: {error.strerror}", DOWNLOAD) from error
    if data[:4] == b"UF2\n":
        raise UsocketError(f"{image} is a UF2 file, for copying to a bootloader", DOWNLOAD)
    if data[:4] == b"\x7fELF":
        raise UsocketError(f"{image} is an ELF file, which cannot be flashed", DOWNLOAD)
    if len(data) < _DESCRIPTION_AT or data[0] != _IMAGE:
        raise UsocketError(f"{image} is not firmware for an ESP32", DOWNLOAD)
    if data[_DESCRIPTION_AT : _DESCRIPTION_AT + 4] == _DESCRIPTION:
        raise UsocketError(
            f"{image} is the application alone, for updates over the air: a board does not start"
            " from it",
            DOWNLOAD,
        )
    chip = _chip(image, data)
    before = partitions.AT - chip.offset
    _check_part(image, "bootloader", data[:before], chip)
    table = data[before : before + partitions.SIZE]
    flash = _flash_size(data)
    try:
        found = partitions.read(table, flash)
    except ValueError as error:
        raise UsocketError(
            f"{image} is damaged, or not whole firmware: {error}", DOWNLOAD
        ) from error
    if len(data) + chip.offset > flash:
        raise UsocketError(f"{image} is larger than the flash that it is for", DOWNLOAD)
    _check_applications(image, data, chip, found)
    return chip


def flash_size(image: Path) -> int:
    """For a flash of how many bytes this image is, which `check` has taken."""
    return _flash_size(image.read_bytes()[:_DESCRIPTION_AT])


def _flash_size(data: bytes) -> int:
    return 1 << 20 << (data[_FLASH] >> 4)


def _check_applications(
    image: Path, data: bytes, chip: Chip, found: list[partitions.Partition]
) -> None:
    first = partitions.started(found)
    if first is None:
        raise UsocketError(
            f"{image} is not whole firmware: its partition table names no application", DOWNLOAD
        )
    for each in found:
        at = each.at - chip.offset
        part = data[at : at + each.size]
        # A place for updates may be empty.
        if each.kind == partitions.APPLICATION and (each == first or part.strip(b"\xff")):
            if part[:1] != bytes([_IMAGE]) or _chip(image, part) != chip:
                raise UsocketError(
                    f"{image} is damaged: it has no application for its chip", DOWNLOAD
                )
            _check_part(image, "application", part, chip)


def _chip(image: Path, data: bytes) -> Chip:
    number = int.from_bytes(data[_CHIP : _CHIP + 2], "little")
    for chip in chips():
        if number == chip.rom.IMAGE_CHIP_ID:
            return chip
    raise UsocketError(
        f"{image} is for a chip that esptool {esptool_version()} does not know (number {number})",
        "A newer esptool may: pip install --upgrade esptool",
    )


class _Part(io.BytesIO):
    name = ""  # which esptool asks for


def _check_part(image: Path, what: str, data: bytes, chip: Chip) -> None:
    from esptool.bin_image import LoadFirmwareImage

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it warns of what is usual
            part = LoadFirmwareImage(chip.name, _Part(data))
        # Only the digest covers the header, which could also say that there is none.
        whole = bool(part.append_digest) and part.stored_digest == part.calc_digest
        whole = whole and part.checksum == part.calculate_checksum()
    except Exception:  # of what it was not made for it raises what it likes
        whole = False
    if not whole:
        raise UsocketError(f"{image} is damaged or incomplete: its {what} is not whole", DOWNLOAD)


def esptool_version() -> str:
    return importlib.metadata.version("esptool")
