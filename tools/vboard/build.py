# SPDX-License-Identifier: MIT
# The firmware of the virtual board: MicroPython and lwIP from their sources, with the port in
# firmware/, built once and kept in the cache.
from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from .. import building, micropython
from ..building import Source
from ..errors import UsocketError
from ..files import cache_dir

VARIANTS = {"standard": (), "32bit": ("FORCE_32BIT=1",)}
LWIP = building.Project(
    name="lwIP",
    package="lwip",
    variable="LWIP_SRC",
    header="src/include/lwip/init.h",
    numbers=("LWIP_VERSION_MAJOR", "LWIP_VERSION_MINOR", "LWIP_VERSION_REVISION"),
    oldest="2.2.0",
    hint="Name lwIP's sources (a folder, or a release archive) in LWIP_SRC.",
)
PORT = Path(__file__).resolve().parent / "firmware"
_MICROPYTHON_PARTS = ("py", "extmod", "shared", "lib", "mpy-cross", "ports/esp32", "tools")
_LWIP_PARTS = ("src",)


class Firmware(NamedTuple):
    path: Path
    version: str
    mpy_cross: Path


def find(variant: str = "standard", version: str = "newest") -> Firmware:
    """The firmware with this version of MicroPython, built if need be."""
    if variant not in VARIANTS:
        raise UsocketError(
            f"there is no variant {variant!r} of the virtual board",
            "Variants: " + ", ".join(VARIANTS),
        )
    wanted = micropython.source("newest" if version == "any" else version)
    lwip = _lwip()
    recipe = (
        building.tree_digest(PORT, (".",), "*"),
        building.identity(wanted, _MICROPYTHON_PARTS),
        lwip.version,
        building.identity(lwip, _LWIP_PARTS),
        VARIANTS[variant],
        platform.machine(),
    )
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
    folder = cache_dir() / "vboard" / f"{wanted.version}-{variant}-{digest}"
    building.kept(folder, lambda work, done: _build(wanted, lwip, variant, folder, work, done))
    return Firmware(folder / "firmware", wanted.version, folder / "mpy-cross")


def _lwip() -> Source:
    own = building.own_source(LWIP)
    if own and building.key(own.version) < building.key(LWIP.oldest):
        raise UsocketError(
            f"lwIP {own.version} is too old: {LWIP.oldest} is the oldest that the board has",
            LWIP.hint,
        )
    return own or Source(max(building.packaged(LWIP), key=building.key), None)


def _build(
    wanted: Source, lwip: Source, variant: str, folder: Path, work: Path, done: Path
) -> None:
    what = f"the virtual board, MicroPython {wanted.version} and lwIP {lwip.version} ({variant})"
    building.check_tools("the virtual board")
    if variant == "32bit":
        building.check_32bit()
    sources = micropython.tree(wanted, work / "src")
    stack = building.tree(LWIP, lwip, work / "lwip", lambda: building.packaged(LWIP))
    log = building.Log(f"vboard-{folder.name}", what)
    with building.progress(f"building {what}, about half a minute; log: {log.file}"):
        micropython.mpy_cross(log, sources, work, done)
        log.make(
            PORT,
            work / "build",
            *VARIANTS[variant],
            f"MICROPYTHON={sources}",
            f"LWIP={stack}",
            f"PYTHON={sys.executable}",
            f"MICROPY_MPYCROSS={done / 'mpy-cross'}",
            # Only looked at for its README.md.
            f"MPY_LIB_DIR={sources}",
        )
        shutil.copy2(work / "build" / "firmware", done)
    if ask(done / "firmware") != wanted.version:
        raise UsocketError(f"the build of {what} does not run", f"The log: {log.file}")


def ask(path: Path) -> str | None:
    """The version of MicroPython in this firmware; None if it is no firmware."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
