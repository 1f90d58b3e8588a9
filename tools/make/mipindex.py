# SPDX-License-Identifier: MIT
# The layer as an index for mip, a folder for any web server: `mip.install(name, index=address)`.
# Its shape is that of micropython-lib's: package/FORMAT/NAME/VERSION.json names files by the
# beginning of their sha256, and file/ has them. FORMAT is a version of .mpy, or py for sources.
from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .. import files
from ..builds import interpreters
from ..errors import UsocketError
from ..layer import compiling
from . import generate

PACKAGES = {"usocket_compat": False, "usocket_compat-dropin": True}  # name -> with the drop-in
DESCRIPTION = "Zephyr's BSD socket API for MicroPython on an ESP32"
_DIGITS = 8


def write(folder: Path) -> list[str]:
    """The whole index, in a folder that is there; gives the formats."""
    compiler = interpreters.find("newest").mpy_cross
    if not compiler:
        # Another's interpreter, which came without one: this is built here, with its own.
        compiler = interpreters.find(interpreters.find("newest").version).mpy_cross
    assert compiler
    formats = ["py", _format(compiler)]
    for name, dropin in PACKAGES.items():
        for form in formats:
            hashes = [
                [target, _put(folder, content)]
                for target, content in _files(dropin, compiler if form != "py" else None)
            ]
            package = {"v": 1, "version": files.version(), "hashes": hashes, "deps": []}
            for version in ("latest", files.version()):
                _json(folder / "package" / form / name / f"{version}.json", package)
    _json(folder / "index.json", {"v": 2, "packages": [_described(n, formats) for n in PACKAGES]})
    return formats


def _described(name: str, formats: list[str]) -> dict[str, object]:
    return {
        "name": name,
        "version": files.version(),
        "author": "",
        "description": DESCRIPTION,
        "license": "MIT",
        "versions": {form: [files.version()] for form in formats},
        "path": "",
    }


def _files(dropin: bool, compiler: Path | None) -> Iterator[tuple[str, bytes]]:
    """Where each goes below the board's lib, and what it is there."""
    package = json.loads(generate.package_json(dropin=dropin))
    for target, url in package["urls"]:
        source = files.PACKAGE.parent / url
        if compiler:
            yield target[: -len("py")] + "mpy", _compiled(compiler, source, target)
        else:
            yield target, source.read_bytes()


def _compiled(compiler: Path, source: Path, name: str) -> bytes:
    with compiling.lean_source(source) as lean:
        done = subprocess.run([compiler, "-s", name, "-o", "-", lean], capture_output=True)
    if done.returncode:
        raise UsocketError(f"{name} does not compile", done.stderr.decode(errors="replace"))
    return done.stdout


def _format(compiler: Path) -> str:
    """The version of the .mpy files that it makes: their second byte."""
    done = subprocess.run([compiler, "-o", "-", "/dev/null"], capture_output=True, check=True)
    return str(done.stdout[1])


def _put(folder: Path, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()[:_DIGITS]
    file = folder / "file" / name[:2] / name
    if file.exists() and file.read_bytes() != content:
        raise UsocketError("two files have the same name in the index", "Give _DIGITS two more.")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return name


def _json(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")
