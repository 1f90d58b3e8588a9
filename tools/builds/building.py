# SPDX-License-Identifier: MIT
# What is built from other projects' sources: where these come from, one build at a time, its log,
# and the cache that keeps the result. A folder in the cache is whole, or it is not there.
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
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Callable, NamedTuple

from ..errors import UsocketError
from ..files import cache_folder
from ..shown import say
from . import progress
from .debian import Packages

_WEEK = 7 * 24 * 3600


class Source(NamedTuple):
    version: str
    # A folder, an archive, or none: the Debian package.
    where: Path | None


class Project(NamedTuple):
    """Something that Debian has the sources of."""

    name: str  # as people write it
    package: str
    variable: str  # names a folder or an archive instead
    header: str  # that tells the version
    numbers: tuple[str, str, str]  # by these definitions
    oldest: str
    hint: str


def key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def packaged(project: Project) -> dict[str, str]:
    """Versions that the Debian archive has, -> package version. Asked once a week."""
    kept = cache_folder("apt") / f"{project.package}.json"
    known: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(kept.read_text())
        if time.time() - kept.stat().st_mtime < _WEEK:
            return known
    asking = f"asking the Debian archive which versions of {project.name} it has"
    with locked("apt"), progress.waiting(asking):
        try:
            all_versions = Packages(project.package).update(
                lambda version: key(version) >= key(project.oldest)
            )
        except UsocketError as error:
            if known:
                return known
            raise UsocketError(f"no {project.name} sources: {error}", project.hint) from error
        known = {v: p for v, p in all_versions.items() if key(v) >= key(project.oldest)}
        if not known:
            raise UsocketError(
                f"this machine's archive has no {project.name} of {project.oldest} or later,"
                f" only {', '.join(sorted(all_versions, key=key))}",
                project.hint,
            )
        kept.write_text(json.dumps(known))
    return known


def own_source(project: Project) -> Source | None:
    """What the variable names."""
    named = os.environ.get(project.variable)
    if not named:
        return None
    where = Path(named).expanduser().absolute()
    try:
        return source_in(project, where)
    except (OSError, tarfile.TarError, zipfile.BadZipFile, StopIteration, KeyError) as error:
        raise UsocketError(
            f"{project.variable}={named} is not a source tree or archive of {project.name}",
            f"Name another, or unset {project.variable}: then a packaged one is taken.",
        ) from error


def source_in(project: Project, where: Path) -> Source:
    """The source in this folder or archive; some exception if it is none."""
    if where.is_dir():
        header = (where / project.header).read_text()
    else:
        header = _in_archive(where, f"/{project.header}")
    numbers = dict(re.findall(r"(?m)^#define (\w+) +(\d+)", header))
    return Source(".".join(numbers[name] for name in project.numbers), where)


def _in_archive(where: Path, end: str) -> str:
    """The text of the first file there whose name ends so."""
    if zipfile.is_zipfile(where):
        with zipfile.ZipFile(where) as packed:
            return packed.read(next(n for n in packed.namelist() if n.endswith(end))).decode()
    with tarfile.open(where) as archive:
        file = archive.extractfile(next(m for m in archive if m.name.endswith(end)))
        return file.read().decode() if file else ""


def bundled(project: Project, around: Source, part: str) -> Source | None:
    """The source that lies in this folder of another one's of the user; None if none does."""
    if around.where is None:
        return None
    if around.where.is_file():
        try:
            _in_archive(around.where, f"/{part}/{project.header}")
        except StopIteration:
            return None
        folder = cache_folder("sources") / f"{project.package}-in-{_digest(around.where)[:12]}"

        def unpack(work: Path, done: Path) -> None:
            shutil.copytree(_unpacked(around.where or work, work / "all") / part, done / "part")

        kept(folder, unpack)
        return source_in(project, folder / "part")
    inside = around.where / part
    return source_in(project, inside) if (inside / project.header).is_file() else None


def identity(source: Source, parts: Iterable[str]) -> object:
    """What tells one source of the same version from another."""
    if source.where is None:
        return "debian"
    if source.where.is_file():
        return hashlib.sha256(source.where.read_bytes()).hexdigest()
    return tree_digest(source.where, parts, "*.[chS]")


def tree_digest(tree: Path, parts: Iterable[str], pattern: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        for file in sorted((tree / part).rglob(pattern)):
            name = file.relative_to(tree).as_posix()
            # Neither what a build left there, nor what pip compiled.
            if file.is_file() and "/build" not in name and file.suffix != ".pyc":
                digest.update(name.encode() + file.read_bytes())
    return digest.hexdigest()


def tree(
    project: Project, source: Source, folder: Path, versions: Callable[[], dict[str, str]]
) -> Path:
    """The unpacked source: its own folder, or this one, made for it."""
    where = source.where or fetched(project, source.version, versions)
    return where if where.is_dir() else _unpacked(where, folder)


def _unpacked(archive: Path, folder: Path) -> Path:
    folder.mkdir()
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder / ".zip")
        (only,) = (folder / ".zip").iterdir()
        return only
    command = ["tar", "--extract", "--strip-components=1", "--file", str(archive)]
    done = subprocess.run(
        [*command, "-C", str(folder)], capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode:
        raise UsocketError(
            f"{archive} cannot be unpacked: {done.stderr.strip()}", "Remove it, or name another."
        )
    return folder


def fetched(project: Project, version: str, ask: Callable[[], dict[str, str]]) -> Path:
    folder = cache_folder("sources")
    for archive in folder.glob(f"{project.package}_{version}[+.]*orig.tar.*"):
        if _as_fetched(project, archive):
            return archive
    versions = ask()
    if version not in versions:
        others = ", ".join(sorted(versions, key=key))
        raise UsocketError(
            f"{project.name} {version} is not packaged, only {others}", project.hint
        )
    with locked("apt"), tempfile.TemporaryDirectory(dir=folder) as work:
        archive = Packages(project.package).fetch(versions[version], Path(work))
        _record(folder / archive.name, _digest(archive))
        return archive.replace(folder / archive.name)


def _as_fetched(project: Project, archive: Path) -> bool:
    """Whether it is what was fetched, which apt has checked."""
    digest = _digest(archive)
    try:
        expected = _record_of(archive).read_text()
    except FileNotFoundError:
        # Of an older version: apt's lists, which are signed, name it as long as it is packaged.
        expected = Packages(project.package).digests().get(archive.name, "")
        if digest == expected:
            _record(archive, digest)
    if digest != expected:
        say(f"usocket: {archive} is not what was fetched; fetching it again", err=True)
    return digest == expected


def _record(archive: Path, digest: str) -> None:
    record = _record_of(archive)
    # Whole for another run that looks at it.
    with tempfile.NamedTemporaryFile("w", dir=record.parent, prefix=".", delete=False) as new:
        new.write(digest)
    os.replace(new.name, record)


def _record_of(archive: Path) -> Path:
    """A file beside it, with its SHA-256 as it was fetched."""
    return archive.with_name(f".{archive.name}.sha256")


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as data:
        for piece in iter(lambda: data.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def kept(folder: Path, build: Callable[[Path, Path], None]) -> None:
    """Have build(work, done) fill the folder, unless it is there."""
    if folder.is_dir():
        return
    with locked(f"{folder.parent.name}-{folder.name}"):
        # Another run may have built it while this one waited.
        if folder.is_dir():
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        # What a build that was interrupted left; nobody else builds this one now.
        for stale in folder.parent.glob(f".building-{folder.name}-*"):
            shutil.rmtree(stale, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=f".building-{folder.name}-", dir=folder.parent))
        try:
            done = work / "done"
            done.mkdir()
            build(work, done)
            done.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)


class Log:
    """Where the output of a build goes."""

    def __init__(self, name: str, what: str) -> None:
        self.what = what
        self.file = cache_folder("logs") / f"{name}.log"
        self.file.write_text("")

    def make(self, folder: Path, build: Path, *flags: str) -> None:
        # Not those from a make around us, or from somebody who compiles for another purpose.
        foreign = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CFLAGS", "CPPFLAGS", "LDFLAGS", "CC")
        environment = {name: v for name, v in os.environ.items() if name not in foreign}
        # The version is that of the sources, not of a repository that the cache lies in.
        environment["GIT_CEILING_DIRECTORIES"] = str(build.parent.parent)
        # A source tree that the user named stays as it is.
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        command = ["make", "-C", str(folder), f"-j{os.cpu_count() or 1}", f"BUILD={build}"]
        with self.file.open("a") as output:
            failed = subprocess.run(
                [*command, *flags],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
            ).returncode
        if failed:
            raise UsocketError(f"building {self.what} failed", f"The log says why: {self.file}")


def check_tools(what: str, *more: str) -> None:
    missing = [tool for tool in ("make", "gcc", *more, "tar") if not shutil.which(tool)]
    if not missing and not _compiles():
        missing = ["libc6-dev (the C library to compile with)"]
    if missing:
        raise UsocketError(
            f"building {what} needs {', '.join(missing)}",
            "Install it, or run `make setup` in a checkout; `usocket doctor` names the packages.",
        )


def _compiles() -> bool:
    """Whether the compiler has a C library, which Debian's does without."""
    program = b'#include <stdio.h>\nint main(void) { return puts("") < 0; }\n'
    command = ["gcc", "-x", "c", "-o", os.devnull, "-", "-lpthread", "-lm"]
    return not subprocess.run(command, input=program, capture_output=True).returncode


def check_32bit() -> None:
    if platform.machine() not in ("x86_64", "AMD64"):
        raise UsocketError(
            "the 32bit variant can only be built on x86-64", "Take the standard one."
        )
    program = "#include <stdio.h>\n"
    command = ["gcc", "-m32", "-E", "-x", "c", "-"]
    if subprocess.run(command, input=program.encode(), capture_output=True).returncode:
        raise UsocketError("the 32bit variant needs gcc-multilib", "Run `make setup`.")


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """One run at a time; the lock goes with the process that holds it."""
    file = cache_folder("locks") / name
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"usocket: waiting for another run ({name})", err=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
