"""Puts the drop-in modules in place: on a board, and for MicroPython unix."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from targets import ROOT

from usocket_tools.boards import identity
from usocket_tools.boards.device import Device
from usocket_tools.builds import interpreters
from usocket_tools.layer import bundle, install, kconfig

DROPIN = ROOT / "dropin"
SETTING = "\nCONFIG_USOCKET_DROPIN=y\n"


def conf() -> Path:
    """A configuration with the drop-in, that of the virtual board else."""
    file = Path(tempfile.gettempdir()) / f"usocket-dropin-{os.getpid()}.conf"
    if not file.exists():
        file.write_text(kconfig.read(kconfig.board_file("ESP32_GENERIC")) + SETTING)
        atexit.register(file.unlink)
    return file


def on_board(name: str) -> None:
    """On the board at that device, from its next program on; the layer with it."""
    with Device(name) as device:
        device.fresh()
        install.install(device, bundle.version(identity.ask(device), conf()))
        device.leave()


def away(name: str) -> None:
    """The firmware's own again."""
    with Device(name) as device:
        device.fresh()
        install.remove(device)
        device.leave()


def unix_environment() -> dict[str, str]:
    return {**os.environ, "MICROPYPATH": f"{DROPIN}:{ROOT}:.frozen"}


def unix(version: str = "newest") -> Path:
    return interpreters.find(version).path


def run(name: str, program: Path, *arguments: str) -> str:
    """What a program prints on the board."""
    command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", name]
    done = subprocess.run(
        [*command, str(program), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        env={**os.environ, kconfig.NAMED: str(conf())},
    )
    return str(done.stdout)
