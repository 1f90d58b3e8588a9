# SPDX-License-Identifier: MIT
# `usocket flash`: MicroPython's firmware onto a board. esptool does the writing; what would not
# run on the board is refused before.
#
# A firmware image as MicroPython publishes it holds the bootloader, the partition table and the
# application, and is written to where the chip looks for its bootloader.
from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import io
import os
import re
import shlex
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, NamedTuple

from rich.console import Console
from rich.progress import Progress
from serial.tools import list_ports

from . import kconfig
from .device import check as check_device
from .errors import UsocketError
from .vboard import board as vboard

BAUD = 460800

_IMAGE = 0xE9  # first byte of an ESP32 image
_CHIP = 12  # where the chip is named in it
_PARTITIONS = 0x8000  # in the flash
_PARTITION = b"\xaa\x50"
_DESCRIPTION, _DESCRIPTION_AT = b"\x32\x54\xcd\xab", 32  # of an application
_DOWNLOAD = "Download the .bin file for the board from micropython.org."

# USB vendors of the chips themselves, and of the serial converters that boards carry.
_ESPRESSIF = 0x303A
_VENDORS = {
    _ESPRESSIF: "Espressif",
    0x10C4: "Silicon Labs",
    0x1A86: "WCH",
    0x0403: "FTDI",
    0x067B: "Prolific",
}


class Chip(NamedTuple):
    name: str  # as esptool's --chip takes it
    title: str
    offset: int  # of the bootloader in the flash
    # The class that esptool has for it.
    rom: Any


class Found(NamedTuple):
    """A serial device that a board may be behind."""

    device: str
    about: str


def do_flash(args: argparse.Namespace) -> int:
    chip = check(args.image)
    if args.board:
        _check_board(args.board, chip, args.image)
    command = esptool(chip, args)
    if args.dry_run:
        print(shlex.join([*command, str(args.image)]))
        return 0
    device = _only_device() if args.device is None else args.device
    _check_device(device)
    command = esptool(chip, argparse.Namespace(**{**vars(args), "device": device}))
    _write([*command, str(args.image)], device, chip)
    print(f"{device}: {args.image.name} is written and verified")
    if args.erase:
        print("Its file system is empty; `usocket deploy` brings the layer to it.")
    return 0


def args_flash(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write MicroPython's firmware to a board, and verify it. The chip and the place in the"
        " flash are the image's; an image that is damaged, or for another chip, is refused. The"
        " files on the board stay unless --erase is given."
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help="the board's serial device (default: the only one there is)",
    )
    parser.add_argument(
        "--board",
        metavar="BOARD",
        help="refuse an image that is for another chip than this board's, such as"
        " ESP32_GENERIC_S3",
    )
    parser.add_argument(
        "--erase",
        action="store_true",
        help="erase everything first, the files too: for a board that had other firmware",
    )
    parser.add_argument(
        "--baud",
        type=baud,
        default=BAUD,
        metavar="N",
        help="a lower one may help when writing fails half way (default: %(default)s)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="check the image and print the esptool command"
    )
    parser.add_argument(
        "image", metavar="IMAGE", type=Path, help="the .bin file from micropython.org"
    )


def baud(text: str) -> int:
    if not 0 < int(text) < 10_000_000:
        raise ValueError
    return int(text)


def chips() -> list[Chip]:
    """The chips that esptool knows by their number in an image."""
    from esptool.targets import CHIP_DEFS

    return [
        Chip(name, rom.CHIP_NAME, rom.BOOTLOADER_FLASH_OFFSET, rom)
        for name, rom in CHIP_DEFS.items()
        if getattr(rom, "IMAGE_CHIP_ID", None) is not None
    ]


def chip_of_board(board: str) -> str:
    """The chip that esptool calls so: ESP32_GENERIC_S3-SPIRAM_OCT -> esp32s3."""
    found = re.fullmatch(r"ESP32_GENERIC(?:_([A-Z]\d+))?(?:-\w+)?", board)
    if not found:
        known = [name for name in kconfig.boards() if name.startswith("ESP32")]
        raise UsocketError(
            f"there is no firmware for a board {board!r}", "The boards: " + ", ".join(known)
        )
    return "esp32" + (found[1] or "").lower()


def check(image: Path) -> Chip:
    """The chip that the image is for; an image that is not whole is refused."""
    try:
        data = image.read_bytes()
    except OSError as error:
        raise UsocketError(f"cannot read {image}: {error.strerror}", _DOWNLOAD) from error
    if data[:4] == b"UF2\n":
        raise UsocketError(f"{image} is a UF2 file, for copying to a bootloader", _DOWNLOAD)
    if data[:4] == b"\x7fELF":
        raise UsocketError(f"{image} is an ELF file, which cannot be flashed", _DOWNLOAD)
    if len(data) < _DESCRIPTION_AT or data[0] != _IMAGE:
        raise UsocketError(f"{image} is not firmware for an ESP32", _DOWNLOAD)
    if data[_DESCRIPTION_AT : _DESCRIPTION_AT + 4] == _DESCRIPTION:
        raise UsocketError(
            f"{image} is the application alone, for updates over the air: a board does not start"
            " from it",
            _DOWNLOAD,
        )
    chip = _chip(image, data)
    _check_part(image, "bootloader", data, chip)
    at = _application(data, chip.offset)
    if at is None:
        raise UsocketError(
            f"{image} has no partition table with an application: it is not whole firmware",
            _DOWNLOAD,
        )
    part = data[at - chip.offset :]
    if part[:1] != bytes([_IMAGE]) or _chip(image, part) != chip:
        raise UsocketError(f"{image} is damaged: it has no application for its chip", _DOWNLOAD)
    _check_part(image, "application", part, chip)
    return chip


def _chip(image: Path, data: bytes) -> Chip:
    number = int.from_bytes(data[_CHIP : _CHIP + 2], "little")
    for chip in chips():
        if chip.rom.IMAGE_CHIP_ID == number:
            return chip
    raise UsocketError(
        f"{image} is for a chip that esptool {_version()} does not know (number {number})",
        "A newer esptool may: pip install --upgrade esptool",
    )


def _application(data: bytes, offset: int) -> int | None:
    """Where in the flash the first application is, by the partition table."""
    table = data[_PARTITIONS - offset :]
    while table[:2] == _PARTITION and len(table) >= 32:
        kind, _, at = struct.unpack("<BBI", table[2:8])
        if kind == 0:
            return int(at)
        table = table[32:]
    return None


class _Part(io.BytesIO):
    name = ""  # which esptool asks for


def _check_part(image: Path, what: str, data: bytes, chip: Chip) -> None:
    from esptool.bin_image import LoadFirmwareImage
    from esptool.util import FatalError

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it warns of what is usual
            part = LoadFirmwareImage(chip.name, _Part(data))
        whole = part.checksum == part.calculate_checksum()
        if part.append_digest:
            whole = whole and part.stored_digest == part.calc_digest
    except (FatalError, struct.error, TypeError, IndexError):
        whole = False
    if not whole:
        raise UsocketError(f"{image} is damaged or incomplete: its {what} is not whole", _DOWNLOAD)


def _check_board(board: str, chip: Chip, image: Path) -> None:
    wanted = chip_of_board(board)
    if wanted != chip.name:
        titles = {each.name: each.title for each in chips()}
        raise UsocketError(
            f"{image} is firmware for the {chip.title}, and {board} has an"
            f" {titles.get(wanted, wanted)}",
            _DOWNLOAD,
        )


def esptool(chip: Chip, args: argparse.Namespace) -> list[str]:
    """The command that writes the image, which is to be its last word."""
    # Before 5.0 its commands had underscores.
    write = "write_flash" if _version().startswith("4.") else "write-flash"
    command = [sys.executable, "-m", "esptool", "--chip", chip.name]
    command += ["--port", args.device] if args.device else []
    command += ["--baud", str(args.baud), write]
    command += ["--erase-all"] if args.erase else []
    return [*command, hex(chip.offset)]


def _version() -> str:
    return importlib.metadata.version("esptool")


def devices() -> list[Found]:
    """Serial devices whose USB vendor makes ESP32s or what boards have in their place."""
    return [
        Found(port.device, f"{_VENDORS[port.vid]}, {port.product or port.description}")
        for port in sorted(list_ports.comports())
        if port.vid in _VENDORS
    ]


def _only_device() -> str:
    found = devices()
    if not found:
        raise UsocketError(
            "no board is plugged in",
            "Its USB cable may be one without data lines. --device names a board that is not"
            " found; --dry-run needs none.",
        )
    if len(found) > 1:
        raise UsocketError(
            f"{len(found)} boards are plugged in",
            "Name one with --device: " + ", ".join(each.device for each in found),
        )
    return found[0].device


def _check_device(device: str) -> None:
    try:
        vboard.control(device, "status")
    except UsocketError:
        check_device(device)
        return
    raise UsocketError(
        f"{device} is a virtual board, whose firmware is a program of this machine",
        "`usocket vboard --micropython VERSION` starts one with other firmware.",
    )


def _write(command: list[str], device: str, chip: Chip) -> None:
    console = Console(stderr=True)
    lines: list[str] = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"connecting to {device}", total=None)
        with _running(command) as process:
            for line in _lines(process):
                lines.append(line)
                percent = re.search(r"\b(\d+(?:\.\d+)?) ?%", line)
                if percent:
                    progress.update(
                        task, description="writing", total=100, completed=float(percent[1])
                    )
                elif line.startswith("Erasing flash"):
                    progress.update(task, description="erasing", total=None)
    if process.returncode:
        raise _failure(lines, device, chip)
    if not any("Hash of data verified" in line for line in lines):
        raise UsocketError(
            f"esptool wrote to {device} but did not verify it", "Repeat the command."
        )


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # Without a width it would break its lines.
        env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "300"},
    )
    try:
        with process:
            yield process
    except BaseException:
        process.kill()
        raise


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What it prints, a progress bar that it draws again as a line too."""
    assert process.stdout
    line = ""
    for character in iter(lambda: process.stdout.read(1) if process.stdout else "", ""):
        if character in "\r\n":
            yield line
            line = ""
        else:
            line += character
    yield line


# What esptool says -> what to say for it, and what to do.
_FAILURES = (
    (
        r"This chip is (?P<found>.+?), not ",
        "{device} is an {found}, and this firmware is for the {chip}",
        _DOWNLOAD,
    ),
    (
        r"MD5 of file does not match|flash region is empty",
        "{device} does not hold what was written to it",
        "Repeat the command with --baud 115200 and another cable; or the flash is worn out.",
    ),
    (
        r"port is busy or doesn't exist|Could not open",
        "{device} cannot be opened: it is in use, or not a serial device",
        "End what uses it: mpremote, a terminal program, another `usocket`.",
    ),
    (
        r"Failed to connect|No serial data received|Wrong boot mode",
        "no chip answers at {device}",
        "Put the board into its bootloader and repeat the command: hold BOOT (or 0), press and"
        " release RESET (or EN), release BOOT.",
    ),
)


def _failure(lines: list[str], device: str, chip: Chip) -> UsocketError:
    text = "\n".join(lines)
    for pattern, message, hint in _FAILURES:
        found = re.search(pattern, text)
        if found:
            words = {"device": device, "chip": chip.title, **found.groupdict()}
            return UsocketError(message.format(**words), hint)
    fatal = re.search(r"(?:fatal|exception) error occurred: (.+)", text)
    said = fatal[1] if fatal else next((line for line in reversed(lines) if line.strip()), "")
    return UsocketError(
        f"writing to {device} failed: {said.strip() or 'esptool does not say why'}",
        "--baud 115200, another cable, or the board in its bootloader may help.",
    )
