"""Finding and building MicroPython, with sources that build in no time; Debian's archive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from usocket_tools import debian, files, micropython
from usocket_tools.errors import UsocketError

# A MicroPython of shell script: it answers what micropython.ask asks.
MAKEFILE = r"""
all:
	@echo building >> $(COUNT)
	$(SLOW)
	mkdir -p $(BUILD)
	printf '#!/bin/sh\necho micropython 1.25.3 True\n' > $(BUILD)/$(PROG)
	chmod +x $(BUILD)/$(PROG)
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("USOCKET_CACHE", str(tmp_path / "cache"))
    # Whatever is on this machine's PATH.
    monkeypatch.setattr(micropython, "_on_path", lambda variant: None)
    return tmp_path / "cache"


@pytest.fixture
def tree(tmp_path, monkeypatch, cache):
    tree = tmp_path / "tree"
    for folder in ("py", "mpy-cross", "ports/unix", "extmod/asyncio"):
        (tree / folder).mkdir(parents=True)
    (tree / "py/mpconfig.h").write_text(
        "".join(
            f"#define MICROPY_VERSION_{name} {n}\n"
            for name, n in (("MAJOR", 1), ("MINOR", 25), ("MICRO", 3))
        )
    )
    (tree / "mpy-cross/Makefile").write_text("PROG = mpy-cross" + MAKEFILE)
    (tree / "ports/unix/Makefile").write_text("PROG = micropython" + MAKEFILE)
    monkeypatch.setenv("MICROPYTHON_SRC", str(tree))
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    return tree


def builds(tmp_path: Path) -> int:
    """How often one of the two makefiles ran."""
    count = tmp_path / "count"
    return len(count.read_text().splitlines()) if count.exists() else 0


def test_own_source_is_built_once(tree, tmp_path, cache):
    found = micropython.find()
    assert found.version == "1.25.3"
    assert found.path.is_file() and found.mpy_cross.is_file()
    assert cache in found.path.parents
    assert micropython.find("newest") == micropython.find("1.25.3") == found
    assert builds(tmp_path) == 2
    assert not list(cache.glob("micropython/.building-*"))
    # Another variant and other sources are other builds.
    assert micropython.find(variant="noffi").path != found.path
    (tree / "py/new.c").write_text("")
    assert micropython.find().path != found.path
    assert builds(tmp_path) == 6


def test_own_source_as_an_archive(tree, tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "micropython-1.25.3.tar.xz", "w:xz") as archive:
        archive.add(tree, "micropython-1.25.3")
    monkeypatch.setenv("MICROPYTHON_SRC", str(tmp_path / "micropython-1.25.3.tar.xz"))
    assert micropython.find().version == "1.25.3"


def test_not_a_source(tmp_path, monkeypatch, cache):
    (tmp_path / "text").write_text("no archive")
    for name in (tmp_path, tmp_path / "text", tmp_path / "missing"):
        monkeypatch.setenv("MICROPYTHON_SRC", str(name))
        with pytest.raises(UsocketError, match="not a source tree or archive"):
            micropython.find()


def test_a_failed_build_names_its_log(tree, monkeypatch, cache):
    monkeypatch.setenv("SLOW", "@echo this compiler is on fire; false")
    with pytest.raises(UsocketError, match="building MicroPython 1.25.3") as caught:
        micropython.find()
    log = Path(caught.value.hint.split()[-1])
    assert "this compiler is on fire" in log.read_text()
    assert not list(cache.glob("micropython/*"))
    monkeypatch.delenv("SLOW")
    assert micropython.find().version == "1.25.3"


def test_a_build_that_does_not_run(tree, cache):
    makefile = tree / "ports/unix/Makefile"
    makefile.write_text(makefile.read_text().replace("1.25.3", "1.25.4"))
    with pytest.raises(UsocketError, match="does not run"):
        micropython.find()


FIND = "from usocket_tools import micropython; print(micropython.find().path)"


def test_an_interrupted_build_is_thrown_away(tree, monkeypatch, cache):
    monkeypatch.setenv("SLOW", "sleep 60")
    process = subprocess.Popen(
        [sys.executable, "-c", FIND], stderr=subprocess.DEVNULL, start_new_session=True
    )
    while not list(cache.glob("micropython/.building-*")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(cache.glob("micropython/.building-*"))
    monkeypatch.delenv("SLOW")
    assert micropython.find().path.is_file()
    assert not list(cache.glob("micropython/.building-*"))


def test_two_runs_build_once(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("SLOW", "sleep 0.5")
    command = [sys.executable, "-c", FIND]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate() for process in both]
    assert outputs[0][0] == outputs[1][0] != ""
    assert "waiting for another run" in outputs[0][1] + outputs[1][1]
    assert builds(tmp_path) == 2


@pytest.mark.parametrize(
    ("version", "variant", "message"),
    [
        ("1.24.1", "standard", "too old: 1.25.0"),
        ("newer", "standard", "not a MicroPython version"),
        ("1.26", "standard", "not a MicroPython version"),
        ("newest", "toaster", "no variant 'toaster'"),
    ],
)
def test_what_cannot_be_had(cache, version, variant, message):
    with pytest.raises(UsocketError, match=message):
        micropython.find(version, variant)


def test_a_version_that_is_not_packaged(cache, monkeypatch):
    monkeypatch.setattr(micropython, "packaged", lambda: {"1.25.0": "1.25.0-1"})
    with pytest.raises(UsocketError, match="1.99.0 is not packaged, only 1.25.0"):
        micropython.find("1.99.0")


def test_without_an_archive_the_newest_built_one_serves(tree, monkeypatch):
    micropython.find()
    monkeypatch.delenv("MICROPYTHON_SRC")
    monkeypatch.setattr(debian, "archives", lambda: [])
    assert micropython.newest() == "1.25.3"
    with pytest.raises(UsocketError, match="names no Debian archive"):
        micropython.packaged()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("micropython 1.26.1 True", "1.26.1"),
        ("micropython 1.24.9 True", None),
        ("micropython 1.26.1 False", None),
        ("cpython 3.13.0 False", None),
        ("oops", None),
    ],
)
def test_micropython_on_path(tmp_path, monkeypatch, answer, found):
    program = tmp_path / "micropython"
    program.write_text(f"#!/bin/sh\necho {answer}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    on_path = micropython._on_path("standard")
    assert (on_path and on_path.version) == found
    if found:
        assert micropython.find().path == micropython.find("1.26.1").path == program


@pytest.mark.parametrize("version", ["oldest", "newest"])
def test_the_versions_that_the_suite_runs_on(version):
    found = micropython.find(version)
    answer = micropython.ask(found.path)
    assert answer == (found.version, True)
    assert subprocess.run([found.path, "-c", "import asyncio, ffi, _thread"]).returncode == 0


# What apt is configured with: the mirror is read from here and stands nowhere in this tree.

DEB822 = """\
# A comment
Types: deb
URIs: http://mirror.example/debian
# Another
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
deb http://tools.example bookworm main
# deb http://comment.example/debian bookworm main
deb-src [arch=amd64 signed-by=/k.gpg] http://other.example/debian trixie main contrib # c
deb http://security.example/debian-security trixie-security main
deb https://packages.example/apt cloud-sdk-bookworm main
deb https://docker.example/linux/debian bookworm stable
"""


def apt(tmp_path: Path, sources: str = "", lines: str = "") -> list[debian.Archive]:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(sources)
    (tmp_path / "sources.list.d" / "more.list").write_text(lines)
    return debian.archives(tmp_path)


def test_deb822_sources(tmp_path):
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert apt(tmp_path, DEB822) == [debian.Archive("http://mirror.example/debian", key)]


def test_one_line_sources(tmp_path):
    assert apt(tmp_path, lines=ONE_LINE) == [
        debian.Archive("http://other.example/debian", "/k.gpg"),
        # Not told apart by its configuration; it is asked last.
        debian.Archive("http://tools.example", ""),
    ]


def test_no_sources(tmp_path):
    assert apt(tmp_path) == []
    assert debian.archives(tmp_path / "missing") == []


@pytest.mark.parametrize(
    ("package", "version"),
    [("1.26.1+ds-1", "1.26.1"), ("2:1.25.0-3", "1.25.0"), ("1.27.0~rc1+ds-1", "1.27.0")],
)
def test_upstream_version(package, version):
    assert debian.upstream(package) == version


def test_the_cache_is_not_in_the_tree():
    assert files.PACKAGE.parent not in files.cache_dir().parents
