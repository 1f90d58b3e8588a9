# SPDX-License-Identifier: MIT
# `make release`: the wheel, the sdist and the index for mip, built from what is committed, each
# tried, and laid into build/release. Nothing is uploaded.
from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import threading
import venv
from collections.abc import Iterator
from pathlib import Path

from .. import files
from ..errors import UsocketError
from ..shown import say
from ..vboard.board import Board
from . import generate, mipindex

SECONDS = 300
ECHO = "examples/echo.py"
ECHO_SAYS = ["accepted True", "echoed b'hello, board'", "nothing more True"]
_NOT_PACKED = (".git", ".venv", "build", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis")


def problems(top: Path) -> list[str]:
    """What stands in the way of a release."""
    found = []
    version = files.version()
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        found.append(f"the version is {version}: set one of three numbers in __init__.py")
    dated = re.findall(r"^## \[(.+)\] - \d{4}-\d\d-\d\d$", changelog(top), re.M)
    if dated[:1] != [version]:
        found.append(f"CHANGELOG.md does not begin with [{version}] and its date")
    if stale := generate.stale(top):
        found.append(f"out of step, run `make generate`: {', '.join(stale)}")
    if (top / ".git").exists() and _run("git", "status", "--porcelain", cwd=top):
        found.append("there are changes that are not committed")
    return found


def changelog(top: Path) -> str:
    return (top / "CHANGELOG.md").read_text(encoding="utf-8")


def make(top: Path, folder: Path) -> None:
    """Builds all of it into a folder, and tries each."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "mip").mkdir(parents=True)
    say("release: sdist and wheel ...")
    packed = build(top, folder)
    _run(sys.executable, "-m", "twine", "check", "--strict", *packed)
    say("release: the wheel in an environment of its own ...")
    try_wheel(top, folder)
    say("release: the index for mip, on a virtual board ...")
    mipindex.write(folder / "mip")
    try_mip(top, folder / "mip")
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in packed]
    (folder / "SHA256SUMS").write_text("".join(f"{line}\n" for line in sums))


def build(top: Path, folder: Path) -> list[Path]:
    """The sdist of what the tree has, and the wheel that is built from that."""
    tree = folder / "tree"
    shutil.copytree(top, tree, ignore=shutil.ignore_patterns(*_NOT_PACKED), symlinks=True)
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, tree)
    packed = [*folder.glob("*.tar.gz"), *folder.glob("*.whl")]
    with tarfile.open(packed[0]) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers()}
    kept = {f.relative_to(tree).as_posix() for f in tree.rglob("*") if f.is_file()}
    if missing := {name for name in kept - names if ".egg-info/" not in name}:
        raise UsocketError(f"the sdist lacks {', '.join(sorted(missing))}", "See MANIFEST.in.")
    shutil.rmtree(tree)
    return packed


def try_wheel(top: Path, folder: Path) -> None:
    """Installs it beside nothing of the tree, and runs a program by its command."""
    (wheel,) = folder.glob("*.whl")
    place = folder / "tried"
    venv.create(place, with_pip=False)
    python, usocket = place / "bin" / "python", place / "bin" / "usocket"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    _run(*pip, "install", "-q", "--no-deps", "--no-index", wheel)
    # What it needs is installed here already.
    env = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    where = _run(python, "-c", "import usocket_tools as t; print(t.__file__)", cwd=place, env=env)
    if not where.startswith(str(place)):
        raise UsocketError("the wheel's command is not what was tried", where)
    said = _run(usocket, "run", "--target", "cpython", top / ECHO, cwd=place, env=env)
    _same(said, "the wheel")
    shutil.rmtree(place)


def try_mip(top: Path, index: Path) -> None:
    """Each package of the index on a board without the layer, and a program on it."""
    with served(index) as address, Board() as board:
        for name in mipindex.PACKAGES:
            mpremote = (sys.executable, "-m", "mpremote", "connect", board.device)
            _run(*mpremote, "mip", "install", "--index", address, name, cwd=index)
            _same(_run(*mpremote, "run", top / ECHO, cwd=index), name)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, by HTTP on this machine's loopback."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _same(said: str, what: str) -> None:
    if said.splitlines() != ECHO_SAYS:
        raise UsocketError(f"{ECHO} says something else with {what}", said)


def _run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode:
        raise UsocketError(f"{' '.join(words)} failed", done.stdout)
    return done.stdout


def main() -> int:
    top = files.PACKAGE.parent
    folder = top / "build" / "release"
    try:
        if found := problems(top):
            say("release: not yet:", *found, err=True)
            return 1
        make(top, folder)
    except (UsocketError, OSError) as error:
        say(f"release: {error}", err=True)
        if getattr(error, "hint", ""):
            say(*error.hint.splitlines(), err=True)  # type: ignore[union-attr]
        return 1
    for each in sorted(folder.iterdir()):
        say(f"build/release/{each.name}")
    say("release: built and tried; nothing was uploaded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
