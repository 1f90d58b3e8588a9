# SPDX-License-Identifier: MIT
# `usocket flash`: MicroPython's firmware onto a board. What would not run on the board is refused
# before.
from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

from ..boards import flasher, imagefile, named, plugged
from ..boards.line import check as check_device
from ..errors import UsocketError
from ..layer import kconfig
from ..shown import say
from ..vboard import board as vboard

BAUD = 460800


def do_flash(args: argparse.Namespace) -> int:
    chip = imagefile.check(args.image)
    if args.board:
        _check_board(args.board, chip, args.image)
    if args.dry_run:
        args.device = args.device and named.find(args.device).serial
        command = flasher.esptool(chip, args)
        say(shlex.join([*command, str(args.image)]))
        return 0
    device = plugged.only_device("; --dry-run needs none") if args.device is None else args.device
    _check_device(device)
    serial = named.find(device).serial
    command = flasher.esptool(chip, argparse.Namespace(**{**vars(args), "device": serial}))
    flasher.check_size(serial, chip, args.image)
    flasher.write([*command, str(args.image)], device, chip)
    say(f"{device}: {args.image.name} is written and verified")
    if args.erase:
        say("Its file system is empty; `usocket deploy` brings the layer to it.")
    return 0


def args_flash(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write MicroPython's firmware to a board, and verify it. The chip and the place in the"
        " flash are the image's; an image that is damaged, or for another chip or a larger"
        " flash, is refused. The files on the board stay unless --erase is given."
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help="the board's serial device, or its name in devices.toml (default: the only one there"
        " is)",
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


def chip_of_board(board: str) -> str:
    """The chip that esptool calls so: ESP32_GENERIC_S3-SPIRAM_OCT -> esp32s3."""
    found = re.fullmatch(r"ESP32_GENERIC(?:_([A-Z]\d+))?(?:-\w+)?", board)
    if not found:
        known = [name for name in kconfig.boards() if name.startswith("ESP32")]
        raise UsocketError(
            f"there is no firmware for a board {board!r}", "The boards: " + ", ".join(known)
        )
    return "esp32" + (found[1] or "").lower()


def _check_board(board: str, chip: imagefile.Chip, image: Path) -> None:
    wanted = chip_of_board(board)
    if wanted != chip.name:
        titles = {each.name: each.title for each in imagefile.chips()}
        raise UsocketError(
            f"{image} is firmware for the {chip.title}, and {board} has an"
            f" {titles.get(wanted, wanted)}",
            imagefile.DOWNLOAD,
        )
