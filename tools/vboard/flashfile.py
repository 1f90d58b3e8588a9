# SPDX-License-Identifier: MIT
# The flash of a virtual board: a file.
from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import UsocketError

FLASH_SIZE = 2 * 1024 * 1024
SECTOR = 4096
# For how long another one may still hold the flash, in seconds.
LOCKED = 1.0


def open_flash(file: Path | None) -> BinaryIO:
    """The flash: a file of ours alone, erased if it is new."""
    if file is None:
        flash = cast(BinaryIO, tempfile.TemporaryFile(buffering=0))  # noqa: SIM115
    else:
        try:
            # A flash holds keys: it is for nobody else.
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            flash = open(descriptor, "r+b", buffering=0)  # noqa: SIM115
            _lock(flash)
        except BlockingIOError:
            raise UsocketError(
                f"the flash {file} belongs to another board that runs",
                "End that one, or name another file.",
            ) from None
        except OSError as error:
            raise UsocketError(
                f"cannot use the flash {file}: {error.strerror}",
                "It has to be a file that you may read and write, or a new name.",
            ) from error
    size = os.fstat(flash.fileno()).st_size
    if not stat.S_ISREG(os.fstat(flash.fileno()).st_mode):
        raise UsocketError(
            f"cannot use the flash {file}: it is not a regular file", "Name another."
        )
    if not size:
        flash.write(b"\xff" * FLASH_SIZE)
    elif size % SECTOR or size < 16 * SECTOR:
        raise UsocketError(
            f"{file} is not a flash image: its size is {size} bytes",
            f"A flash is whole sectors of {SECTOR} bytes, 16 at least; a new name makes one.",
        )
    return flash


def _lock(flash: BinaryIO) -> None:
    # The firmware shares the lock with the descriptor, and may outlive a killed board by a moment.
    deadline = time.monotonic() + LOCKED
    while True:
        try:
            return fcntl.flock(flash, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
