# SPDX-License-Identifier: MIT
# The partition table in a firmware image, as ESP-IDF's bootloader and gen_esp32part.py take it:
# entries of 32 bytes, one with the MD5 of those before it, one of 0xFF, and 0xFF up to the end.
from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

AT, SIZE = 0x8000, 0xC00  # in the flash
_SECTORS = 0x1000  # what it takes of the flash, with room for a signature
_ENTRY = struct.Struct("<2sBBII16sI")
_MAGIC = b"\xaa\x50"
_MD5 = b"\xeb\xeb" + b"\xff" * 14  # then the 16 bytes of the digest
_END = b"\xff" * _ENTRY.size

APPLICATION = 0
_FACTORY, _OTA, _OTAS = 0, 0x10, 16  # subtypes of applications
_OWN_PLACES = (2, 3)  # kinds: the bootloader and this table
_ALIGNMENT = {APPLICATION: 0x10000}


class Partition(NamedTuple):
    kind: int
    subtype: int
    at: int  # in the flash, in bytes
    size: int


def read(table: bytes, flash: int) -> list[Partition]:
    """The partitions of this table for a flash of so many bytes.

    ValueError says what is wrong with the image that has it.
    """
    found: list[Partition] = []
    checked, at = False, 0
    while table[at : at + _ENTRY.size] != _END:
        entry = table[at : at + _ENTRY.size]
        if entry[:16] == _MD5:
            if checked or entry[16:] != hashlib.md5(table[:at]).digest():
                raise ValueError("the MD5 of its partition table does not match")
            checked = True
        elif len(entry) < _ENTRY.size or entry[:2] != _MAGIC or checked:
            raise ValueError(f"it has {'half a' if found else 'no'} partition table")
        else:
            found.append(Partition(*_ENTRY.unpack(entry)[1:5]))
        at += _ENTRY.size
    if not checked:
        raise ValueError("its partition table has no MD5")
    if len(table) < SIZE or table[at:].strip(b"\xff"):
        raise ValueError("its partition table does not end at its end")
    _check_places(found, flash)
    return found


def _check_places(found: list[Partition], flash: int) -> None:
    end = AT + _SECTORS
    for part in sorted(found, key=lambda part: part.at):
        if part.kind in _OWN_PLACES:
            continue
        if part.at % _ALIGNMENT.get(part.kind, 4):
            raise ValueError(f"its partition at {part.at:#x} is not where one can be")
        if part.at < end:
            raise ValueError(f"its partition at {part.at:#x} overlaps what is before it")
        end = part.at + part.size
        if end > flash:
            raise ValueError(
                f"its partition at {part.at:#x} ends at {end:#x}, and the flash at {flash:#x}"
            )


def started(found: list[Partition]) -> Partition | None:
    """The application that a new board starts: the factory's, or the first for updates."""
    applications = {part.subtype: part for part in found if part.kind == APPLICATION}
    for subtype in (_FACTORY, *range(_OTA, _OTA + _OTAS)):
        if subtype in applications:
            return applications[subtype]
    return None
