# SPDX-License-Identifier: MIT
# What goes to a board: the layer as the board's configuration needs it, in the form in which its
# firmware loads it. install.py brings it there.
from __future__ import annotations

import functools
import tempfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from .. import files
from ..boards.filesystem import sha256
from ..boards.identity import Facts
from ..errors import UsocketError
from . import kconfig
from .compiling import Compiler

LAYER = "/lib/usocket_compat"


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
    # The drop-in modules, below /lib; dropin.py brings them, out of the folder.
    dropin: tuple[tuple[str, bytes], ...] = ()


def blocks(version: Version, size: int = 4096) -> int:
    """Bytes of a file system with blocks of this size that it takes at least, without folders."""
    contents = [content for _, content in (*version.files, *version.dropin)]
    return sum(-(-len(content) // size) * size for content in contents)


def version(facts: Facts, conf: Path | None = None) -> Version:
    return _layer(facts, configuration(facts.board, conf))


@functools.lru_cache(maxsize=8)
def _layer(facts: Facts, chosen: Configuration) -> Version:
    compiler = Compiler(facts)
    init = "__init__" + compiler.suffix
    dropin = dropin_modules(compiler, chosen) if chosen.dropin else {}
    with tempfile.TemporaryDirectory(prefix="usocket-") as folder:
        found = {}
        for name, source in sources(facts.platform, chosen, Path(folder)).items():
            below = PurePosixPath(name).relative_to("usocket_compat")
            found[str(below.with_suffix(compiler.suffix))] = compiler.layer(
                source, name, chosen.lines
            )
        flat = tuple(found.items())
        found.update((f"{files.DROPIN}/{name}", content) for name, content in dropin.items())
        digest = sha256(repr(sorted(found.items())).encode())[:8]
        # In place of the comment in its first line, so that the line numbers stay.
        _, _, rest = (files.PACKAGE / "__init__.py").read_text().partition("\n")
        named = Path(folder) / "__init__.py"
        named.write_text(f'__path__ = "{LAYER}/{digest}"\n{rest}')
        top = compiler.layer(named, "usocket_compat/__init__.py", chosen.lines)
    inside = {f"{digest}/{name}": content for name, content in found.items() if name != init}
    return Version(digest, init, tuple({init: top, **inside}.items()), flat, tuple(dropin.items()))


def dropin_modules(compiler: Compiler, chosen: Configuration) -> dict[str, bytes]:
    """The drop-in: name of the file -> content."""
    return {
        name + compiler.suffix: compiler.layer(source, f"{files.DROPIN}/{name}.py", chosen.lines)
        for name, source in files.dropin_files().items()
    }


class Configuration(NamedTuple):
    text: str  # of _config.py
    spared: tuple[str, ...]  # files that are not needed with it
    lines: bool = True  # whether tracebacks have the line numbers of the layer's files
    dropin: bool = False  # whether its modules socket and select are in the firmware's place


def configuration(board: str, conf: Path | None = None) -> Configuration:
    """The one for this board; without a file of its own, the defaults."""
    conf = conf or kconfig.named() or kconfig.conf_of(board)
    values = kconfig.load(conf)
    text = kconfig.generate(values, conf.name if conf else "its defaults")
    return Configuration(
        text,
        files.spared(values),
        bool(values["USOCKET_LINE_NUMBERS"]),
        bool(values["USOCKET_DROPIN"]),
    )


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
