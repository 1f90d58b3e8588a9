# SPDX-License-Identifier: MIT
# MicroPython's unix port: the one on PATH, or one built here from source and kept in the cache.
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Iterator, NamedTuple

from rich.console import Console

from .debian import Packages
from .errors import UsocketError
from .files import cache_dir

OLDEST = "1.25.0"

# The package leaves submodules out: no btree, no TLS. asyncio is frozen for the programs that
# use it. Newer compilers warn of more than these sources were written for.
_COMMON = (
    "MICROPY_PY_BTREE=0",
    "MICROPY_PY_SSL=0",
    "MICROPY_SSL_AXTLS=0",
    "MICROPY_SSL_MBEDTLS=0",
    "CFLAGS_EXTRA=-Wno-error",
)
VARIANTS = {
    "standard": (),
    "noffi": ("MICROPY_PY_FFI=0",),
    "32bit": ("MICROPY_PY_FFI=0", "MICROPY_FORCE_32BIT=1"),
}
# Changed by hand when the build changes in a way that VARIANTS and _COMMON do not show.
_RECIPE = 1
_WEEK = 7 * 24 * 3600

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


class _Source(NamedTuple):
    version: str
    # A folder, an archive, or none: the Debian package.
    where: Path | None


def find(version: str = "any", variant: str = "standard") -> Interpreter:
    """A MicroPython of this version, built if need be.

    version is a number, "oldest" (that is supported), "newest" (that is packaged) or "any":
    the one on PATH if that is new enough, else the newest.
    """
    if variant not in VARIANTS:
        raise UsocketError(
            f"there is no variant {variant!r} of MicroPython", "Variants: " + ", ".join(VARIANTS)
        )
    own = _own_source()
    if version == "any":
        if own is None:
            path = _on_path(variant)
            if path is not None:
                return path
        version = "newest"
    if version == "newest":
        version = own.version if own else newest()
    elif version == "oldest":
        version = OLDEST
    elif not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise UsocketError(
            f"{version!r} is not a MicroPython version", "Give one like 1.26.1, oldest or newest."
        )
    if _key(version) < _key(OLDEST):
        raise UsocketError(f"MicroPython {version} is too old: {OLDEST} is the oldest supported")
    path = _on_path(variant)
    if own is None and path is not None and path.version == version:
        return path
    return _built(own if own and own.version == version else _Source(version, None), variant)


def newest() -> str:
    """The newest packaged version; without an archive, the newest that was built already."""
    try:
        return max(packaged(), key=_key)
    except UsocketError:
        built = [interpreter.version for _, interpreter in cached()]
        if not built:
            raise
        return max(built, key=_key)


def packaged() -> dict[str, str]:
    """Versions that the Debian archive has, -> package version. Asked once a week."""
    kept = cache_dir() / "apt" / "micropython.json"
    known: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(kept.read_text())
        if time.time() - kept.stat().st_mtime < _WEEK:
            return known
    with _locked("apt"), _progress("asking the Debian archive which MicroPythons it has"):
        try:
            all_versions = Packages("micropython").update()
        except UsocketError as error:
            if known:
                return known
            raise UsocketError(f"no MicroPython sources: {error}", _HINT) from error
        known = {v: p for v, p in all_versions.items() if _key(v) >= _key(OLDEST)}
        if not known:
            raise UsocketError(
                f"the Debian archive has no MicroPython of {OLDEST} or later", _HINT
            )
        kept.write_text(json.dumps(known))
    return known


_HINT = (
    "Put a micropython on PATH, or name MicroPython's sources (a folder, or a release archive) "
    "in MICROPYTHON_SRC."
)


def cached() -> list[tuple[str, Interpreter]]:
    """The builds in the cache: variant and interpreter."""
    found = []
    for folder in sorted(_builds().glob("*-*-*")):
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
    own = _own_source()
    if own is not None:
        lines.append(f"{own.version:8} source    {own.where} (MICROPYTHON_SRC)")
    try:
        for version in sorted(packaged(), key=_key):
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
    if not found or answer is None or _key(answer[0]) < _key(OLDEST):
        return None
    if variant == "32bit" or answer[1] != (variant == "standard"):
        return None
    mpy_cross = shutil.which("mpy-cross")
    return Interpreter(Path(found), answer[0], Path(mpy_cross) if mpy_cross else None)


def _own_source() -> _Source | None:
    named = os.environ.get("MICROPYTHON_SRC")
    if not named:
        return None
    where = Path(named).expanduser().absolute()
    try:
        if where.is_dir():
            header = (where / "py/mpconfig.h").read_text()
        else:
            with tarfile.open(where) as archive:
                member = next(m for m in archive if m.name.endswith("/py/mpconfig.h"))
                file = archive.extractfile(member)
                header = file.read().decode() if file else ""
        numbers = dict(re.findall(r"#define MICROPY_VERSION_(\w+) +(\d+)", header))
        version = ".".join(numbers[part] for part in ("MAJOR", "MINOR", "MICRO"))
    except (OSError, tarfile.TarError, StopIteration, KeyError) as error:
        raise UsocketError(
            f"MICROPYTHON_SRC={named} is not a source tree or archive of MicroPython"
        ) from error
    return _Source(version, where)


def _builds() -> Path:
    return cache_dir() / "micropython"


def _interpreter(folder: Path, version: str) -> Interpreter:
    return Interpreter(folder / "micropython", version, folder / "mpy-cross")


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _built(source: _Source, variant: str) -> Interpreter:
    recipe = repr((_RECIPE, _COMMON, VARIANTS[variant], platform.machine(), _identity(source)))
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:8]
    name = f"{source.version}-{variant}-{digest}"
    folder = _builds() / name
    if not folder.is_dir():
        with _locked(name):
            # Another run may have built it while this one waited.
            if not folder.is_dir():
                _build(source, variant, folder)
    return _interpreter(folder, source.version)


def _identity(source: _Source) -> object:
    """What tells one source of the same version from another."""
    if source.where is None:
        return "debian"
    if source.where.is_file():
        return hashlib.sha256(source.where.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for part in ("py", "extmod", "shared", "lib", "mpy-cross", "ports/unix"):
        for file in sorted((source.where / part).rglob("*.[chS]")):
            name = file.relative_to(source.where).as_posix()
            if file.is_file() and "/build" not in name:
                digest.update(name.encode() + file.read_bytes())
    return digest.hexdigest()


def _build(source: _Source, variant: str, folder: Path) -> None:
    _check_tools(variant)
    where = source.where or _download(source.version)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # What a build that was interrupted left; nobody else builds this one now.
    for stale in folder.parent.glob(f".building-{folder.name}-*"):
        shutil.rmtree(stale, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".building-{folder.name}-", dir=folder.parent))
    log = cache_dir() / "logs" / f"micropython-{folder.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    what = f"MicroPython {source.version} ({variant})"
    try:
        with _progress(f"building {what}, about half a minute; log: {log}"):
            tree = where if where.is_dir() else _unpacked(where, work / "src")
            done = work / "done"
            done.mkdir()
            _make(log, what, tree / "mpy-cross", work / "mpy-cross", "w")
            shutil.copy2(work / "mpy-cross" / "mpy-cross", done)
            _make(
                log,
                what,
                tree / "ports/unix",
                work / "unix",
                "a",
                *VARIANTS[variant],
                f"MICROPY_MPYCROSS={done / 'mpy-cross'}",
                f"FROZEN_MANIFEST={tree / 'extmod/asyncio/manifest.py'}",
                # Only looked at for its README.md, and never used by that manifest.
                f"MPY_LIB_DIR={tree}",
            )
            shutil.copy2(work / "unix" / "micropython", done)
        answer = ask(done / "micropython")
        if answer is None or answer[0] != source.version:
            raise UsocketError(f"the build of {what} does not run", f"The log: {log}")
        done.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unpacked(archive: Path, tree: Path) -> Path:
    tree.mkdir()
    command = ["tar", "--extract", "--strip-components=1", "--file", str(archive), "-C", str(tree)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode:
        raise UsocketError(f"{archive} cannot be unpacked: {done.stderr.strip()}")
    return tree


def _download(version: str) -> Path:
    folder = cache_dir() / "sources"
    for archive in folder.glob(f"micropython_{version}[+.]*.orig.tar.*"):
        return archive
    versions = packaged()
    if version not in versions:
        others = ", ".join(sorted(versions, key=_key))
        raise UsocketError(f"MicroPython {version} is not packaged, only {others}", _HINT)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked("apt"), tempfile.TemporaryDirectory(dir=folder) as work:
        archive = Packages("micropython").fetch(versions[version], Path(work))
        return archive.replace(folder / archive.name)


def _make(log: Path, what: str, folder: Path, build: Path, mode: str, *flags: str) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        # From a make around us, and from those who compile for another purpose.
        if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CFLAGS", "CPPFLAGS", "LDFLAGS", "CC")
    }
    # The version is that of the sources, not of a repository that the cache lies in.
    environment["GIT_CEILING_DIRECTORIES"] = str(build.parent.parent)
    command = ["make", "-C", str(folder), f"-j{os.cpu_count() or 1}", f"BUILD={build}"]
    with log.open(mode) as output:
        failed = subprocess.run(
            [*command, *_COMMON, *flags],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
        ).returncode
    if failed:
        raise UsocketError(f"building {what} failed", f"The log says why: {log}")


def _check_tools(variant: str) -> None:
    missing = [tool for tool in ("make", "gcc", "pkg-config", "tar") if not shutil.which(tool)]
    if missing:
        raise UsocketError(f"building MicroPython needs {', '.join(missing)}", "Run `make setup`.")
    if variant == "standard" and subprocess.run(["pkg-config", "--exists", "libffi"]).returncode:
        raise UsocketError("building MicroPython needs libffi-dev", "Run `make setup`.")
    if variant == "32bit":
        if platform.machine() not in ("x86_64", "AMD64"):
            raise UsocketError("the 32bit variant can only be built on x86-64")
        program = "#include <stdio.h>\n"
        command = ["gcc", "-m32", "-E", "-x", "c", "-"]
        if subprocess.run(command, input=program.encode(), capture_output=True).returncode:
            raise UsocketError("the 32bit variant needs gcc-multilib", "Run `make setup`.")


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    """One run at a time; the lock goes with the process that holds it."""
    file = cache_dir() / "locks" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"usocket: waiting for another run ({name})", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _progress(text: str) -> Iterator[None]:
    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"usocket: {text}", file=sys.stderr)
        yield
        return
    with console.status(text):
        yield
