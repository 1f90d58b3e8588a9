# SPDX-License-Identifier: MIT
# What `usocket doctor` finds on this machine.
from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator

from .. import files
from ..boards import named as boards
from ..boards import plugged
from ..builds import interpreters, mbedtls
from ..errors import UsocketError
from ..layer import kconfig
from ..make import setup
from ..vboard import board as vboard
from ..vboard import build
from . import of_import
from .finding import NOTE, OK, WRONG, Finding


def host() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(OK, f"Python {version}")
    for requirement in importlib.metadata.requires("usocket-compat") or ():
        if applies(requirement):
            yield package(requirement)
    if importlib.util.find_spec("curses"):
        yield Finding(OK, "curses, for `usocket config menuconfig`")
    else:
        yield Finding(
            NOTE, "Python has no curses", "Without it there is no `usocket config menuconfig`."
        )
    yield configuration()
    yield cache()
    yield from micropython()
    yield slirp()


def applies(requirement: str) -> bool:
    """Whether it is one of this Python's, and of no extra."""
    marker = requirement.partition(";")[2]
    below = re.search(r"""python_version < ["']([\d.]+)""", marker)
    return "extra ==" not in marker and not (
        below and list(sys.version_info[:3]) >= numbers(below[1])
    )


def package(requirement: str) -> Finding:
    requirement = requirement.partition(";")[0].strip()
    found = re.match(r"([\w.-]+)[^>]*(?:>=\s*([\d.]+))?", requirement)
    assert found
    name, least = found[1], found[2] or "0"
    hint = f"pip install '{requirement}'"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(WRONG, f"the Python package {name} is missing", hint)
    if numbers(version) < numbers(least):
        return Finding(WRONG, f"{name} {version} is older than {least}", hint)
    return Finding(OK, f"{name} {version}")


def numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def configuration() -> Finding:
    try:
        for each in kconfig.boards():
            kconfig.load(kconfig.board_file(each))
        named = kconfig.named()
        if named:
            kconfig.load(named)
            return Finding(OK, f"the configuration {named}, by {kconfig.NAMED}")
    except UsocketError as error:
        return Finding(WRONG, str(error), error.hint)
    return Finding(OK, f"the configuration of {len(kconfig.boards())} boards")


def cache() -> Finding:
    folder = files.cache_dir()
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding(
            WRONG,
            f"cannot write to the cache {folder}: {error.strerror}",
            "USOCKET_CACHE names another folder.",
        )
    free = shutil.disk_usage(folder).free
    if free < 500e6:
        return Finding(
            NOTE, f"{free / 1e6:.0f} MB are left for the cache {folder}", "A build takes 500 MB."
        )
    return Finding(OK, f"the cache {folder}")


def micropython() -> Iterator[Finding]:
    """MicroPython for the unix target and mpy-cross: built, or what a build would lack."""
    built = interpreters.cached()
    if built:
        _, newest = built[-1]
        yield Finding(OK, f"MicroPython {newest.version} for the unix target, with mpy-cross")
        yield of_import.unix(newest)
        return
    tools = ("gcc", "libc6-dev", "make", "pkg-config", "libffi-dev", "xz-utils", "bzip2")
    missing = [tool for tool in tools if not setup.has_package(tool)]
    if missing:
        yield Finding(
            NOTE,
            "MicroPython and the virtual board cannot be built: there is no " + ", ".join(missing),
            _install(missing),
        )
    else:
        yield Finding(OK, "what MicroPython is built with; it is not built yet")
    yield from sources()
    yield Finding(
        NOTE,
        "no mpy-cross: boards get the layer as .py, which needs more of their memory",
        "`usocket micropython --newest` builds one.",
    )


def sources() -> Iterator[Finding]:
    """Where the sources would come from: asked, since a mirror may have none that serve."""
    try:
        wanted = interpreters.source("newest")
        parts = {"MicroPython": wanted, "mbedTLS": mbedtls.source(wanted)}
        parts["lwIP"] = build.lwip(wanted)
    except UsocketError as error:
        yield Finding(NOTE, f"MicroPython or the virtual board: {error}", error.hint)
        return
    except OSError:
        return  # the cache cannot be written, as `cache` says
    found = (f"{name} {part.version} ({part.where or 'packaged'})" for name, part in parts.items())
    yield Finding(OK, "the sources of " + ", ".join(found))


# What other systems call these.
_ELSEWHERE = {
    "dnf": "dnf install gcc make pkgconf-pkg-config libffi-devel xz bzip2 libslirp",
    "apk": "apk add build-base pkgconf libffi-dev xz bzip2 libslirp",
    "brew": "brew install pkg-config libffi xz; the virtual board needs Linux",
}


def _install(packages: list[str]) -> str:
    for tool, line in _ELSEWHERE.items():
        if not shutil.which("apt-get") and shutil.which(tool):
            return line
    return "apt-get install " + " ".join(packages) + ", on Debian and its derivatives"


def slirp() -> Finding:
    if sys.platform != "linux":
        return Finding(
            NOTE,
            "no virtual board: it needs Linux",
            "All else is here; a virtual machine or a container with Linux has it.",
        )
    if setup.has_package("libslirp0"):
        return Finding(OK, "libslirp, for the virtual board")
    return Finding(
        NOTE, "there is no libslirp, which the virtual board needs", _install(["libslirp0"])
    )


def _with_names(given: list[str]) -> Iterator[Finding]:
    where = boards.file()
    try:
        for each in boards.read(where).values() if where else ():
            if each.name not in given:
                text = f"{each.name}: {each.serial}, by {where}"
                yield Finding(NOTE, text, f"`usocket doctor --device {each.name}` looks at it.")
    except UsocketError as error:
        yield Finding(WRONG, str(error), error.hint)


def found_devices(named: list[str]) -> Iterator[Finding]:
    """Which boards there are, and those that are not looked at."""
    there = plugged.devices()
    for each in there:
        yield Finding(OK, f"{each.device}: {each.about}")
    for device in vboard.devices():
        if device not in named:
            yield Finding(
                NOTE,
                f"{device}: a virtual board",
                f"`usocket doctor --device {device}` looks at it.",
            )
    there_by_name = list(_with_names(named))
    yield from there_by_name
    if not there and not named and not there_by_name:
        yield Finding(
            NOTE,
            "no board is plugged in",
            "If one is: its cable may have no data lines, or --device names it.",
        )
