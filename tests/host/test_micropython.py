"""Finding and building MicroPython, with sources that build in no time; Debian's archive."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from usocket_tools import files
from usocket_tools.builds import building, debian, interpreters, mbedtls
from usocket_tools.errors import UsocketError

# A MicroPython of shell script: it answers what interpreters.ask asks.
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
    monkeypatch.setattr(interpreters, "_on_path", lambda variant: None)
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
    errors = tree / "lib/mbedtls_errors/mp_mbedtls_errors.c"
    errors.parent.mkdir(parents=True)
    errors.write_text("")
    (tree / "mpy-cross/Makefile").write_text("PROG = mpy-cross" + MAKEFILE)
    (tree / "ports/unix/Makefile").write_text("PROG = micropython" + MAKEFILE)
    monkeypatch.setenv("MICROPYTHON_SRC", str(tree))
    monkeypatch.setenv("MBEDTLS_SRC", str(mbedtls_tree(tmp_path / "mbedtls")))
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    return tree


def mbedtls_tree(tree: Path, version: str = "3.6.9") -> Path:
    """An mbedTLS of one function."""
    (tree / "include/mbedtls").mkdir(parents=True)
    (tree / "library").mkdir()
    numbers = zip(mbedtls.PROJECT.numbers, version.split("."))
    header = "".join(f"#define {name} {number}\n" for name, number in numbers)
    (tree / "include/mbedtls/build_info.h").write_text(header)
    (tree / "library/ssl_tls.c").write_text("int mbedtls_ssl_setup(void) { return 0; }\n")
    return tree


def builds(tmp_path: Path) -> int:
    """How often one of the two makefiles ran."""
    count = tmp_path / "count"
    return len(count.read_text().splitlines()) if count.exists() else 0


def test_own_source_is_built_once(tree, tmp_path, cache):
    found = interpreters.find()
    assert found.version == "1.25.3"
    assert found.path.is_file() and found.mpy_cross.is_file()
    assert cache in found.path.parents
    assert interpreters.find("newest") == interpreters.find("1.25.3") == found
    assert builds(tmp_path) == 2
    assert not list(cache.glob("micropython/.building-*"))
    # Another variant and other sources are other builds.
    assert interpreters.find(variant="noffi").path != found.path
    (tree / "py/new.c").write_text("")
    assert interpreters.find().path != found.path
    assert builds(tmp_path) == 6


def libraries(cache: Path) -> list[str]:
    return sorted(folder.name[:-9] for folder in cache.glob("mbedtls/*"))


def test_mbedtls_is_built_once_for_a_size_of_words(tree, tmp_path, cache, monkeypatch):
    interpreters.find()
    interpreters.find(variant="noffi")
    assert libraries(cache) == ["3.6.9-unix64"]
    # Another mbedTLS is another build, of MicroPython too.
    before = interpreters.find().path
    monkeypatch.setenv("MBEDTLS_SRC", str(mbedtls_tree(tmp_path / "newer", "3.7.0")))
    assert interpreters.find().path != before
    assert libraries(cache) == ["3.6.9-unix64", "3.7.0-unix64"]


def test_mbedtls_of_a_release_archive(tree, tmp_path, cache, monkeypatch):
    """These have it in them, and then no other is asked for."""
    monkeypatch.delenv("MBEDTLS_SRC")
    mbedtls_tree(tree / "lib/mbedtls", "3.6.8")
    interpreters.find()
    assert libraries(cache) == ["3.6.8-unix64"]


@pytest.mark.parametrize("version", ["2.28.3", "3.5.9", "4.0.0"])
def test_mbedtls_that_does_not_serve(tree, tmp_path, monkeypatch, version):
    monkeypatch.setenv("MBEDTLS_SRC", str(mbedtls_tree(tmp_path / "other", version)))
    with pytest.raises(UsocketError, match=f"mbedTLS {version} does not serve: 3.6.0"):
        interpreters.find()


def test_the_newest_mbedtls_3_is_taken(tree, cache, monkeypatch):
    monkeypatch.delenv("MBEDTLS_SRC")
    known = {"3.6.6": "3.6.6-1", "3.6.10": "3.6.10-1", "4.0.1": "4.0.1-1"}
    monkeypatch.setattr(building, "packaged", lambda project: known)
    source = interpreters.source("newest")
    assert mbedtls.source(source) == ("3.6.10", None)
    known.clear()
    with pytest.raises(UsocketError, match="no mbedTLS 3"):
        mbedtls.source(source)


def test_own_source_as_an_archive(tree, tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "micropython-1.25.3.tar.xz", "w:xz") as archive:
        archive.add(tree, "micropython-1.25.3")
    monkeypatch.setenv("MICROPYTHON_SRC", str(tmp_path / "micropython-1.25.3.tar.xz"))
    assert interpreters.find().version == "1.25.3"


def test_own_source_as_a_zip(tree, tmp_path, monkeypatch):
    """As lwIP's releases are; mbedTLS lies in it."""
    monkeypatch.delenv("MBEDTLS_SRC")
    mbedtls_tree(tree / "lib/mbedtls", "3.6.8")
    made = shutil.make_archive(str(tmp_path / "release"), "zip", tmp_path, "tree")
    monkeypatch.setenv("MICROPYTHON_SRC", made)
    source = interpreters.source("newest")
    assert source == ("1.25.3", Path(made))
    inside = mbedtls.source(source)
    assert inside.version == "3.6.8" and (inside.where / "library/ssl_tls.c").is_file()
    assert interpreters.find().version == "1.25.3"


def test_not_a_source(tmp_path, monkeypatch, cache):
    (tmp_path / "text").write_text("no archive")
    (tmp_path / "other.zip").write_bytes(b"PK\5\6" + bytes(18))
    for name in (tmp_path, tmp_path / "text", tmp_path / "other.zip", tmp_path / "missing"):
        monkeypatch.setenv("MICROPYTHON_SRC", str(name))
        with pytest.raises(UsocketError, match="not a source tree or archive"):
            interpreters.find()


def test_a_failed_build_names_its_log(tree, monkeypatch, cache):
    monkeypatch.setenv("SLOW", "@echo this compiler is on fire; false")
    with pytest.raises(UsocketError, match="building MicroPython 1.25.3") as caught:
        interpreters.find()
    log = Path(caught.value.hint.split()[-1])
    assert "this compiler is on fire" in log.read_text()
    assert not list(cache.glob("micropython/*"))
    monkeypatch.delenv("SLOW")
    assert interpreters.find().version == "1.25.3"


def test_a_build_that_does_not_run(tree, cache):
    makefile = tree / "ports/unix/Makefile"
    makefile.write_text(makefile.read_text().replace("1.25.3", "1.25.4"))
    with pytest.raises(UsocketError, match="does not run"):
        interpreters.find()


class Archive:
    """Debian's, with one package in one file."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self.file = folder / "micropython_1.25.3+ds.orig.tar.xz"
        with tarfile.open(self.file, "w:xz") as archive:
            archive.add(tree, "micropython-1.25.3")
        self.known = {self.file.name: hashlib.sha256(self.file.read_bytes()).hexdigest()}
        self.fetched = 0

    def __call__(self, name: str) -> Archive:
        return self

    def digests(self) -> dict[str, str]:
        return self.known

    def fetch(self, version: str, folder: Path) -> Path:
        self.fetched += 1
        return Path(shutil.copy(self.file, folder))


@pytest.fixture
def archive(tree, tmp_path, cache, monkeypatch):
    """Where the sources come from, and the file that is kept of it."""
    archive = Archive(tree, tmp_path)
    monkeypatch.delenv("MICROPYTHON_SRC")
    monkeypatch.setattr(building, "Packages", archive)
    monkeypatch.setattr(interpreters, "packaged", lambda: {"1.25.3": "1.25.3+ds-1"})
    assert interpreters.find("1.25.3").version == "1.25.3"
    assert archive.fetched == 1
    return archive, cache / "sources" / archive.file.name


def build_again(cache: Path) -> None:
    shutil.rmtree(cache / "micropython")
    assert interpreters.find("1.25.3").version == "1.25.3"


def test_an_archive_is_fetched_once(archive, cache):
    build_again(cache)
    assert archive[0].fetched == 1


@pytest.mark.parametrize("how", ["one bit", "cut", "empty", "replaced"])
def test_an_archive_that_was_changed_is_fetched_again(archive, cache, tmp_path, how, capfd):
    debian, kept = archive
    whole = kept.read_bytes()
    if how == "replaced":
        with tarfile.open(kept, "w:xz") as other:
            (tmp_path / "Makefile").write_text("all:\n\ttouch $(COUNT).evil\n")
            other.add(tmp_path / "tree", "micropython-1.25.3")
            other.add(tmp_path / "Makefile", "micropython-1.25.3/ports/unix/Makefile")
    else:
        middle = len(whole) // 2
        changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        kept.write_bytes({"one bit": changed, "cut": whole[:middle], "empty": b""}[how])
    build_again(cache)
    assert debian.fetched == 2
    assert kept.read_bytes() == whole
    assert f"{kept} is not what was fetched; fetching it again" in capfd.readouterr().err
    assert not (tmp_path / "count.evil").exists()


def test_an_archive_of_which_nothing_is_recorded(archive, cache):
    """Apt's lists know it; where they do not, it is fetched again."""
    debian, kept = archive
    record = kept.with_name(f".{kept.name}.sha256")
    assert record.read_text() == debian.known[kept.name]
    record.unlink()
    build_again(cache)
    assert debian.fetched == 1 and record.read_text() == debian.known[kept.name]
    record.unlink()
    debian.known = {}
    build_again(cache)
    assert debian.fetched == 2


def test_an_archive_that_was_changed_is_not_used(archive, cache, monkeypatch):
    debian, kept = archive
    kept.write_bytes(kept.read_bytes()[:-1])

    def fail(version: str, folder: Path) -> Path:
        raise UsocketError("apt could not download it", "Is there a network?")

    monkeypatch.setattr(debian, "fetch", fail)
    with pytest.raises(UsocketError, match="could not download"):
        build_again(cache)


def test_apt_knows_what_is_kept(tmp_path, monkeypatch):
    """Of the archives that the suite itself is built from."""
    monkeypatch.delenv("MICROPYTHON_SRC", raising=False)
    interpreters.tree(interpreters.source("newest"), tmp_path / "src")
    kept = sorted((files.cache_dir() / "sources").glob("micropython_*.orig.tar.*"))
    known = debian.Packages("micropython").digests()
    digests = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in kept}
    assert digests.items() & known.items()


def test_the_cache_is_for_this_user(archive, cache, monkeypatch, tmp_path):
    """The default one too where an older version made it."""
    assert modes(cache) == {0o700}
    home = tmp_path / "home/.cache/usocket_compat"
    (home / "stage").mkdir(parents=True)
    os.chmod(home, 0o755)
    monkeypatch.delenv("USOCKET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home.parent))
    files.stage("unix", "")
    assert modes(home) == {0o700}
    # One that the user made may hold more.
    named = tmp_path / "named"
    named.mkdir()
    os.chmod(named, 0o755)
    monkeypatch.setenv("USOCKET_CACHE", str(named))
    files.stage("unix", "")
    assert stat.S_IMODE(named.stat().st_mode) == 0o755
    assert modes(named / "stage") == {0o700}


def modes(folder: Path) -> set[int]:
    """Of the folder and those right in it."""
    folders = [folder, *(each for each in folder.iterdir() if each.is_dir())]
    return {stat.S_IMODE(each.stat().st_mode) for each in folders}


FIND = "from usocket_tools.builds import interpreters; print(interpreters.find().path)"


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
    assert interpreters.find().path.is_file()
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
        ("1.26.1.2", "standard", "not a MicroPython version"),
        ("1", "standard", "not a MicroPython version"),
        ("1.19", "standard", "MicroPython 1.19 is too old: 1.25.0"),
        ("newest", "toaster", "no variant 'toaster'"),
    ],
)
def test_what_cannot_be_had(cache, version, variant, message):
    with pytest.raises(UsocketError, match=message):
        interpreters.find(version, variant)


def test_a_version_that_is_not_packaged(cache, monkeypatch):
    monkeypatch.setattr(interpreters, "packaged", lambda: {"1.25.0": "1.25.0-1"})
    with pytest.raises(UsocketError, match="1.99.0 is not packaged, only 1.25.0"):
        interpreters.find("1.99.0")


def test_two_numbers_are_the_newest_of_a_series(tree, monkeypatch):
    known = {"1.25.0": "1.25.0-1", "1.26.2": "1.26.2-1", "1.26.10": "1.26.10-1"}
    monkeypatch.setattr(interpreters, "packaged", lambda: known)
    assert interpreters.source("1.26") == ("1.26.10", None)
    # MICROPYTHON_SRC's comes first, as everywhere.
    assert interpreters.source("1.25") == ("1.25.3", tree)
    monkeypatch.delenv("MICROPYTHON_SRC")
    assert interpreters.source("1.25") == ("1.25.0", None)
    with pytest.raises(UsocketError, match="MicroPython 1.27 is not packaged, only 1.25.0, 1.26"):
        interpreters.tree(interpreters.source("1.27"), tree / "src")


def test_without_an_archive_the_newest_built_one_serves(tree, monkeypatch):
    interpreters.find()
    monkeypatch.delenv("MICROPYTHON_SRC")
    monkeypatch.setattr(debian, "archives", list)
    assert interpreters.newest() == "1.25.3"
    with pytest.raises(UsocketError, match="names no Debian archive"):
        interpreters.packaged()


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
    on_path = interpreters._on_path("standard")
    assert (on_path and on_path.version) == found
    if found:
        assert interpreters.find().path == interpreters.find("1.26.1").path == program


@pytest.mark.parametrize("version", ["oldest", "newest"])
def test_the_versions_that_the_suite_runs_on(version):
    found = interpreters.find(version)
    answer = interpreters.ask(found.path)
    assert answer == (found.version, True)
    assert subprocess.run([found.path, "-c", "import asyncio, ffi, _thread"]).returncode == 0
    program = (
        "import ssl, tls; ssl.SSLContext(tls.PROTOCOL_TLS_CLIENT); print(tls.MBEDTLS_VERSION)"
    )
    done = subprocess.run([found.path, "-c", program], capture_output=True, text=True)
    assert done.stdout.startswith("Mbed TLS 3."), done.stderr


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
    suites = "bookworm bookworm-updates"
    expected = debian.Archive("http://mirror.example/debian", key, suites=suites)
    assert apt(tmp_path, DEB822) == [expected]


def test_one_line_sources(tmp_path):
    assert apt(tmp_path, lines=ONE_LINE) == [
        debian.Archive("http://other.example/debian", "/k.gpg", suites="trixie"),
        # Not told apart by its configuration; it is asked last.
        debian.Archive("http://tools.example", "", suites="bookworm"),
    ]


def test_no_sources(tmp_path):
    assert apt(tmp_path) == []
    assert debian.archives(tmp_path / "missing") == []


DERIVATIVE = """\
Types: deb
URIs: http://archive.example/ubuntu
Suites: noble noble-updates noble-backports
Components: main universe restricted multiverse
Signed-By: /k.gpg
"""


def test_a_derivatives_sources(tmp_path):
    suites = "noble noble-updates noble-backports"
    (found,) = apt(tmp_path, DERIVATIVE)
    assert found == ("http://archive.example/ubuntu", "/k.gpg", "", suites, "main universe")
    assert found.stanza(found.suites, found.components) == (
        "Types: deb-src\nURIs: http://archive.example/ubuntu\n"
        f"Suites: {suites}\nComponents: main universe\nSigned-By: /k.gpg\n"
    )


SOURCES = """\
Package: micropython
Format: 3.0 (quilt)
Binary: micropython
Version: {version}-1
Directory: pool
Checksums-Sha256:
 {digest} {size} micropython_{version}.orig.tar.xz
Section: universe/python

"""


@pytest.fixture
def derivative(tree, tmp_path, cache, monkeypatch):
    """A mirror that has one suite of its own, and none of Debian's; call it with versions."""
    monkeypatch.delenv("MICROPYTHON_SRC")
    mirror = tmp_path / "ubuntu"
    (mirror / "pool").mkdir(parents=True)
    line = f"deb [trusted=yes] file:{mirror} noble main universe\n"

    def publish(*versions: str) -> None:
        text = ""
        for version in versions:
            file = mirror / f"pool/micropython_{version}.orig.tar.xz"
            with tarfile.open(file, "w:xz") as archive:
                archive.add(tree, f"micropython-{version}")
            data = file.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            text += SOURCES.format(version=version, digest=digest, size=len(data))
        for part, content in ("universe", text), ("main", ""):
            folder = mirror / f"dists/noble/{part}/source"
            folder.mkdir(parents=True)
            (folder / "Sources").write_text(content)
        hashes = "".join(
            f" {hashlib.sha256(file.read_bytes()).hexdigest()} {file.stat().st_size}"
            f" {file.relative_to(mirror / 'dists/noble')}\n"
            for file in sorted(mirror.glob("dists/noble/*/source/Sources"))
        )
        (mirror / "dists/noble/Release").write_text(
            "Suite: noble\nCodename: noble\nComponents: main universe\n"
            f"Date: Thu, 25 Apr 2024 15:10:33 UTC\nSHA256:\n{hashes}"
        )

    found = apt(tmp_path, lines=line)
    monkeypatch.setattr(debian, "archives", lambda: found)
    return publish


def test_a_derivatives_own_version_is_taken(derivative, tmp_path):
    """Real apt, of a mirror where all that is asked first is missing."""
    derivative("1.22.1", "1.25.3")
    found = interpreters.find()
    assert found.version == "1.25.3" and found.path.is_file()
    assert interpreters.packaged() == {"1.25.3": "1.25.3-1"}


def test_a_derivative_that_is_too_old(derivative):
    derivative("1.22.1")
    with pytest.raises(UsocketError, match=r"no MicroPython of 1.25.0 or later, only 1.22.1") as e:
        interpreters.find()
    assert "micropython-1.26.1.tar.xz" in e.value.hint and "MICROPYTHON_SRC" in e.value.hint


def test_a_binary_without_ffi_serves_where_nothing_can_be_built(derivative, monkeypatch):
    derivative("1.22.1")
    binary = interpreters.Interpreter(Path("/binary"), "1.29.0", None)
    monkeypatch.setattr(interpreters, "_on_path", {"standard": None, "noffi": binary}.get)
    assert interpreters.find() == binary
    with pytest.raises(UsocketError, match="only 1.22.1"):
        interpreters.find("newest")


@pytest.mark.parametrize(
    ("package", "version"),
    [("1.26.1+ds-1", "1.26.1"), ("2:1.25.0-3", "1.25.0"), ("1.27.0~rc1+ds-1", "1.27.0")],
)
def test_upstream_version(package, version):
    assert debian.upstream(package) == version


def test_the_cache_is_not_in_the_tree():
    assert files.PACKAGE.parent not in files.cache_dir().parents


def test_a_build_says_how_long_it_took(tree, cache, capfd):
    interpreters.find()
    said = capfd.readouterr().err
    assert "building MicroPython 1.25.3 (standard), about 40 s on two idle cores" in said
    assert "usocket: built MicroPython 1.25.3 (standard) in " in said
    interpreters.find(variant="noffi")
    (tree / "py/new.c").write_text("")
    interpreters.find()
    assert "(standard), about " in capfd.readouterr().err


# Lines of a log appear; the bar and what is left follow them.
ON_A_TERMINAL = """
import pathlib, sys, threading, time
from usocket_tools.builds import progress
log = pathlib.Path(sys.argv[1])
def build(name, lines):
    with progress.building(name, name, log, 10):
        log.write_text("x\\n" * lines)
        time.sleep(1)
with progress.waiting("asking"):
    both = [threading.Thread(target=build, args=(n, 5)) for n in ("one", "two")]
    for each in both: each.start()
    for each in both: each.join()
"""


def test_bars_of_builds_side_by_side(tmp_path, cache):
    controller, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, str(tmp_path / "log")],
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"},
    )
    os.close(terminal)
    said = b""
    with contextlib.suppress(OSError):  # how a terminal ends
        while piece := os.read(controller, 4096):
            said += piece
    os.close(controller)
    assert process.wait() == 0
    text = said.decode()
    for words in ("asking", "building one", "building two", "about ", " s left", "done"):
        assert words in text


def test_a_compiler_without_a_c_library(tree, tmp_path, monkeypatch):
    compiler = tmp_path / "gcc"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(UsocketError, match="building MicroPython needs libc6-dev"):
        interpreters.find()
