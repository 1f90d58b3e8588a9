# SPDX-License-Identifier: MIT
"""Firmware images for each chip, made by esptool's own tools from small ELF files."""

from __future__ import annotations

import hashlib
import random
import struct
import subprocess
import sys
from pathlib import Path

from esptool.targets import CHIP_DEFS

_XTENSA, _RISCV = 94, 243
_DESCRIPTION = b"\x32\x54\xcd\xab" + bytes(252)
APPLICATION = 0x10000


def esptool(*words: object) -> str:
    command = [sys.executable, "-m", "esptool", *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def elf(chip: str, sections: dict[str, tuple[int, bytes]]) -> bytes:
    """An ELF file of the chip's machine; sections: name -> address and content."""
    machine = _XTENSA if chip in ("esp32", "esp32s2", "esp32s3") else _RISCV
    names = b"\0" + b"\0".join(name.encode() for name in [*sections, ".shstrtab"]) + b"\0"
    body, headers = b"", [bytes(40)]
    for name, (address, content) in sections.items():
        at = names.index(b"\0" + name.encode() + b"\0") + 1
        place = 52 + len(body)
        headers.append(struct.pack("<10I", at, 1, 6, address, place, len(content), 0, 0, 4, 0))
        body += content
    at, place = names.index(b".shstrtab"), 52 + len(body)
    headers.append(struct.pack("<10I", at, 3, 0, 0, place, len(names), 0, 0, 1, 0))
    body += names
    entry = next(iter(sections.values()))[0]
    start = 52 + len(body)
    header = b"\x7fELF\1\1\1" + bytes(9)
    header += struct.pack(
        "<HHIIIIIHHHHHH", 2, machine, 1, entry, 0, start, 0, 52, 0, 0, 40, len(headers), 3
    )
    header = header[:-2] + struct.pack("<H", len(headers) - 1)
    return header + body + b"".join(headers)


def image(chip: str, folder: Path, name: str, sections: dict[str, tuple[int, bytes]]) -> Path:
    source, out = folder / f"{name}.elf", folder / f"{name}.bin"
    source.write_bytes(elf(chip, sections))
    esptool("--chip", chip, "elf2image", "--flash_size", "4MB", "-o", out, source)
    return out


def partitions() -> bytes:
    """MicroPython's table for 4 MiB of flash."""
    entries = (
        (1, 2, 0x9000, 0x6000, b"nvs"),
        (1, 1, 0xF000, 0x1000, b"phy_init"),
        (0, 0, APPLICATION, 0x1F0000, b"factory"),
        (1, 0x81, 0x200000, 0x200000, b"vfs"),
    )
    table = b"".join(
        b"\xaa\x50" + struct.pack("<BBII16sI", kind, sub, at, size, label, 0)
        for kind, sub, at, size, label in entries
    )
    table += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()
    return table.ljust(0xC00, b"\xff")


def parts(chip: str, folder: Path) -> dict[str, Path]:
    """The bootloader, the partition table and the application."""
    rom = CHIP_DEFS[chip]
    ram = (
        0x3FFF0000
        if chip == "esp32"
        else next(low for low, _, what in rom.MEMORY_MAP if what == "DRAM") + 0x1000
    )
    noise = random.Random(chip).randbytes(150_000)
    (folder / "partitions.bin").write_bytes(partitions())
    return {
        "bootloader": image(chip, folder, "bootloader", {".dram0.data": (ram, noise[:4000])}),
        "partitions": folder / "partitions.bin",
        "application": image(
            chip,
            folder,
            "application",
            {
                ".dram0.data": (ram, noise[:2000]),
                ".flash.appdesc": (rom.DROM_MAP_START + 32, _DESCRIPTION + noise),
            },
        ),
    }


def firmware(chip: str, folder: Path) -> Path:
    """As MicroPython publishes it: all three in one, from the bootloader's place on."""
    made = parts(chip, folder)
    offset = CHIP_DEFS[chip].BOOTLOADER_FLASH_OFFSET
    out = folder / f"{chip}-firmware.bin"
    command = ["--chip", chip, "merge_bin", "-o", out, "--target-offset", hex(offset)]
    places = zip((offset, 0x8000, APPLICATION), made.values())
    command += [word for at, part in places for word in (hex(at), part)]
    esptool(*command)
    return out
