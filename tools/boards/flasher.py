# SPDX-License-Identifier: MIT
# Firmware into the flash of a chip. esptool does it; what it says becomes one sentence.
from __future__ import annotations

import argparse
import collections
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from ..errors import UsocketError
from .imagefile import DOWNLOAD, Chip, esptool_version, flash_size

# Lines of what it says, and characters of one: some of it is what a board said to it.
_KEPT, _LONGEST = 500, 1000


def esptool(chip: Chip, args: argparse.Namespace) -> list[str]:
    """The command that writes the image, which is to be its last word."""
    command = [*_on(chip, args.device), "--baud", str(args.baud), _named("write-flash")]
    command += ["--erase-all"] if args.erase else []
    return [*command, hex(chip.offset)]


def _on(chip: Chip, device: str | None) -> list[str]:
    command = [sys.executable, "-m", "esptool", "--chip", chip.name]
    return [*command, "--port", device] if device else command


def _named(command: str) -> str:
    """Before 5.0 esptool's commands had underscores."""
    return command.replace("-", "_") if esptool_version().startswith("4.") else command


def check_size(device: str, chip: Chip, image: Path) -> None:
    """Refuse firmware that is for a larger flash than the board's: it would not start there."""
    lines: collections.deque[str] = collections.deque(maxlen=_KEPT)
    with _running([*_on(chip, device), _named("flash-id")]) as process:
        lines.extend(_lines(process))
    if process.returncode:
        raise _failure(lines, device, chip)
    found = re.search(r"Detected flash size: (\d+)([KM])B", "\n".join(lines))
    # esptool does not know each flash chip; one that it does not know is not refused.
    size = int(found[1]) << (10 if found[2] == "K" else 20) if found else None
    wanted = flash_size(image)
    if size is not None and size < wanted:
        raise UsocketError(
            f"{device} has {_mib(size)} of flash, and {image} is for {_mib(wanted)}",
            "micropython.org has firmware for smaller flashes of some boards, with words such as"
            " FLASH_4M in the file's name.",
        )


def _mib(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def write(command: list[str], device: str, chip: Chip) -> None:
    console = Console(stderr=True)
    lines: collections.deque[str] = collections.deque(maxlen=_KEPT)
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
        if character in "\r\n" or len(line) == _LONGEST:
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
        DOWNLOAD,
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


def _failure(lines: Sequence[str], device: str, chip: Chip) -> UsocketError:
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
