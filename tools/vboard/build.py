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

from ..builds import building, interpreters, mbedtls, progress
from ..builds.building import Source
from ..errors import UsocketError
from ..files import cache_folder

VARIANTS = {"standard": (), "32bit": ("FORCE_32BIT=1",)}
LWIP = building.Project(
    name="lwIP",
    package="lwip",
    variable="LWIP_SRC",
    header="src/include/lwip/init.h",
    numbers=("LWIP_VERSION_MAJOR", "LWIP_VERSION_MINOR", "LWIP_VERSION_REVISION"),
    oldest="2.2.0",
    hint="Name lwIP's sources in LWIP_SRC: a folder, or a release archive, such as "
    "lwip-2.2.1.zip; or MicroPython's own release archive, which has them, in MICROPYTHON_SRC.",
)
PORT = Path(__file__).resolve().parent / "firmware"
_MICROPYTHON_PARTS = ("py", "extmod", "shared", "lib", "mpy-cross", "ports/esp32", "tools")
# Of the log of a build.
_LINES = 497
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
    wanted = interpreters.source("newest" if version == "any" else version)
    stack, tls = lwip(wanted), mbedtls.source(wanted)
    recipe = (
        building.tree_digest(PORT, (".",), "*"),
        building.identity(wanted, _MICROPYTHON_PARTS),
        stack.version,
        building.identity(stack, _LWIP_PARTS),
        mbedtls.identity(tls),
        interpreters.frozen_identity(),
        VARIANTS[variant],
        platform.machine(),
    )
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
    folder = cache_folder("vboard") / f"{wanted.version}-{variant}-{digest}"
    sources = (wanted, stack, tls)
    building.kept(folder, lambda work, done: _build(sources, variant, folder, work, done))
    return Firmware(folder / "firmware", wanted.version, folder / "mpy-cross")


def lwip(micropython: Source) -> Source:
    """LWIP_SRC's, else the packaged one, else what MicroPython's sources of the user have."""
    own = building.own_source(LWIP)
    if own is None:
        try:
            return Source(max(building.packaged(LWIP), key=building.key), None)
        except UsocketError:
            own = building.bundled(LWIP, micropython, "lib/lwip")
            if own is None:
                raise
    if building.key(own.version) < building.key(LWIP.oldest):
        raise UsocketError(
            f"lwIP {own.version} is too old: {LWIP.oldest} is the oldest that the board has",
            LWIP.hint,
        )
    return own


def _build(
    parts: tuple[Source, Source, Source], variant: str, folder: Path, work: Path, done: Path
) -> None:
    wanted, ip, tls = parts
    what = f"the virtual board, MicroPython {wanted.version} and lwIP {ip.version} ({variant})"
    building.check_tools("the virtual board")
    if variant == "32bit":
        building.check_32bit()
    sources = interpreters.tree(wanted, work / "src")
    stack = building.tree(LWIP, ip, work / "lwip", lambda: building.packaged(LWIP))
    library = mbedtls.library(tls, "board", variant == "32bit", wanted, sources)
    log = building.Log(f"vboard-{folder.name}", what)
    with progress.building(what, f"vboard-{variant}", log.file, _LINES):
        interpreters.mpy_cross(log, sources, work, done)
        log.make(
            PORT,
            work / "build",
            *VARIANTS[variant],
            f"MICROPYTHON={sources}",
            f"LWIP={stack}",
            f"TLS={mbedtls.PORT}",
            f"TLS_LIBRARY={library.archive}",
            f"TLS_INCLUDE={library.include}",
            f"PYTHON={sys.executable}",
            f"MICROPY_MPYCROSS={done / 'mpy-cross'}",
            # Only looked at for its README.md.
            f"MPY_LIB_DIR={sources}",
        )
        shutil.copy2(work / "build" / "firmware", done)
    # A preview says so behind its number.
    if (ask(done / "firmware") or "").partition("-")[0] != wanted.version:
        raise UsocketError(f"the build of {what} does not run", f"The log: {log.file}")


def ask(path: Path) -> str | None:
    """The version of MicroPython in this firmware; None if it is no firmware."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
