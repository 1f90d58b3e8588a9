# SPDX-License-Identifier: MIT
# What a virtual board sent and received, for Wireshark and tcpdump.
from __future__ import annotations

import os
import struct
import time
from pathlib import Path

from ..errors import UsocketError


def _for_us(name: str, flags: int) -> int:
    """Opened so that a new file is for nobody else: what is sent may hold keys."""
    return os.open(name, flags, 0o600)


class Trace:
    """A pcap file of what the board's interface sent and received."""

    def __init__(self, file: Path) -> None:
        try:
            # Unbuffered, so that it is whole however the process ends.
            self._file = open(file, "wb", buffering=0, opener=_for_us)  # noqa: SIM115
        except OSError as error:
            raise UsocketError(
                f"cannot write {file}: {error.strerror}", "Name a file that you may write."
            ) from error
        self._file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))

    def frame(self, frame: bytes) -> None:
        seconds, ns = divmod(time.time_ns(), 1_000_000_000)
        header = struct.pack("=IIII", seconds, ns // 1000, len(frame), len(frame))
        self._file.write(header + frame)

    def close(self) -> None:
        self._file.close()
