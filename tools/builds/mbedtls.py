# SPDX-License-Identifier: MIT
# mbedTLS for what is built here: a library in the cache, for MicroPython's unix port or for the
# virtual board, of one size of words. So a build that changes does not compile it again.
from __future__ import annotations

import hashlib
import platform
import shutil
from pathlib import Path
from typing import NamedTuple

from ..errors import UsocketError
from ..files import cache_folder
from . import building, progress
from .building import Source

PORT = Path(__file__).resolve().parent / "tls"
PROJECT = building.Project(
    name="mbedTLS",
    package="mbedtls",
    variable="MBEDTLS_SRC",
    header="include/mbedtls/build_info.h",
    numbers=("MBEDTLS_VERSION_MAJOR", "MBEDTLS_VERSION_MINOR", "MBEDTLS_VERSION_PATCH"),
    oldest="3.6.0",
    hint="Name mbedTLS's sources in MBEDTLS_SRC: a folder, or a release archive, such as "
    "mbedtls-3.6.4.tar.bz2; or MicroPython's own release archive, which has them, in "
    "MICROPYTHON_SRC.",
)
# MicroPython's `tls` is written for mbedTLS 3.
_TOO_NEW = (4,)
# Of the log of a build.
_LINES = 86
_PARTS = ("include", "library")


class Library(NamedTuple):
    archive: Path
    include: Path


def source(micropython: Source) -> Source:
    """MBEDTLS_SRC's, else what a MicroPython tree of the user's has, else the packaged one."""
    own = building.own_source(PROJECT)
    own = own or building.bundled(PROJECT, micropython, "lib/mbedtls")
    if own is None:
        versions = [v for v in building.packaged(PROJECT) if building.key(v) < _TOO_NEW]
        if not versions:
            raise UsocketError("this machine's archive has no mbedTLS 3", PROJECT.hint)
        return Source(max(versions, key=building.key), None)
    if not building.key(PROJECT.oldest) <= building.key(own.version) < _TOO_NEW:
        raise UsocketError(
            f"mbedTLS {own.version} does not serve: {PROJECT.oldest} or a later 3 does",
            PROJECT.hint,
        )
    return own


def identity(wanted: Source) -> tuple[object, ...]:
    """What tells a build with this mbedTLS from another, besides MicroPython's sources."""
    ours = hashlib.sha256(b"".join((PORT / name).read_bytes() for name in ("Makefile", "board.h")))
    return wanted.version, building.identity(wanted, _PARTS), ours.hexdigest()


def library(wanted: Source, kind: str, bits32: bool, micropython: Source, tree: Path) -> Library:
    """The library, built if need be.

    kind is "unix", set up as that port of this MicroPython, whose unpacked tree is given, or
    "board".
    """
    words = 32 if bits32 else 64
    settings = building.identity(micropython, ("extmod/mbedtls", "ports/unix", "py", "lib"))
    version = (micropython.version, settings) if kind == "unix" else ""
    recipe = (identity(wanted), kind, words, platform.machine(), version)
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
    folder = cache_folder("mbedtls") / f"{wanted.version}-{kind}{words}-{digest}"

    def build(work: Path, done: Path) -> None:
        what = f"mbedTLS {wanted.version} ({kind}, {words} bits)"
        building.check_tools("mbedTLS", "bzip2")
        ours = building.tree(PROJECT, wanted, work / "src", lambda: building.packaged(PROJECT))
        log = building.Log(f"mbedtls-{folder.name}", what)
        with progress.building(what, f"mbedtls-{kind}{words}", log.file, _LINES):
            log.make(
                PORT,
                work / "build",
                f"MBEDTLS={ours}",
                f"MICROPYTHON={tree}",
                f"KIND={kind}",
                f"FORCE_32BIT={int(bits32)}",
            )
        shutil.copy2(work / "build" / "libmbedtls.a", done)
        shutil.copytree(ours / "include", done / "include")

    building.kept(folder, build)
    return Library(folder / "libmbedtls.a", folder / "include")
