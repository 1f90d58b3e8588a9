# SPDX-License-Identifier: MIT
"""What users install: wheel, sdist, package.json for mip, manifest.py for frozen firmware."""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import venv
import zipfile
from pathlib import Path
from typing import Iterator

import pytest

from usocket_tools import building, files, kconfig, micropython, packaging
from usocket_tools.vboard.board import Board

ROOT = Path(__file__).resolve().parents[2]
VERSION = packaging.version()
NOT_COPIED = (".git", ".venv", "build", "*.egg-info", "__pycache__", ".hypothesis", ".*_cache")

ECHO_SAYS = ["accepted True", "echoed b'hello, board'", "nothing more True"]


def run(*command: object, **more) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=110, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# Generated files


def test_generated_files_are_in_step():
    assert packaging.stale(ROOT) == [], "run `make generate`"


def test_generating_what_is_there_changes_nothing(monkeypatch, capsys):
    monkeypatch.setattr(packaging, "stale", lambda top: [])
    assert packaging.main([]) == 0
    assert capsys.readouterr().out == ""


def test_what_is_out_of_step_is_named(monkeypatch, capsys):
    monkeypatch.setitem(packaging.GENERATED, "package.json", lambda: "{}")
    assert packaging.main(["--check"]) == 1
    assert "out of step: package.json\nRun `make generate`" in capsys.readouterr().err


def test_the_configuration_page_has_every_symbol():
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert set(re.findall(r"^### CONFIG_(\w+)$", text, re.M)) == set(kconfig.load())
    for board in kconfig.boards():
        assert f"| `{board}` |" in text


# Wheel and sdist


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sdist of this tree, and the wheel that was built from that."""
    folder = tmp_path_factory.mktemp("dist")
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_COPIED))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, tree]
    done = subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    output = done.stdout
    assert done.returncode == 0, output
    # setuptools says so when it packs more, or less, than it was told to.
    assert "absent from the `packages`" not in output and "DeprecationWarning" not in output
    return folder


def names_in_wheel(built: Path) -> set[str]:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_has_what_it_should(built):
    data = f"usocket_compat-{VERSION}.data/data/share/usocket-compat/"
    expected = {data + "Kconfig"}
    expected |= {f"{data}board_configs/{f.name}" for f in (ROOT / "board_configs").glob("*.conf")}
    expected |= {name for port in files.ports() for name in files.device_files(port)}
    expected |= {f"usocket_tools/{f.name}" for f in (ROOT / "tools").glob("*.py")}
    expected |= {f"usocket_compat-stubs/{f.name}" for f in (ROOT / "typings").rglob("*.pyi")}
    for file in (ROOT / "tools" / "vboard").rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            expected.add(f"usocket_tools/{file.relative_to(ROOT / 'tools').as_posix()}")
    found = {name for name in names_in_wheel(built) if ".dist-info/" not in name}
    assert found == expected


def test_sdist_is_the_checkout(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        found = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    tree = built / "tree"
    expected = {f.relative_to(tree).as_posix() for f in tree.rglob("*") if f.is_file()}
    made = {name for name in found if name.startswith("usocket_compat.egg-info/")}
    made |= {"PKG-INFO", "setup.cfg"}
    assert found - made == {name for name in expected if ".egg-info/" not in name}


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """The bin folder of a fresh environment with the wheel; what it needs is our .venv's."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    (wheel,) = built.glob("*.whl")
    run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check"),
        *("--python", folder / "bin" / "python"),
        *("install", "-q", "--no-deps", "--no-index", wheel),
    )
    return folder / "bin"


def borrowed(installed: Path) -> dict[str, str]:
    """The environment in which the installed command finds kconfiglib, rich and the others."""
    packages = installed.parent / "borrowed"
    if not packages.exists():
        packages.mkdir()
        for entry in Path(kconfig.kconfiglib.__file__).parent.iterdir():
            # All but this project.
            if not re.match(r"_*(editable___?)?usocket", entry.name) and entry.suffix != ".pth":
                (packages / entry.name).symlink_to(entry)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("USOCKET_COMPAT")}
    return {**clean, "PYTHONPATH": str(packages)}


def test_installed_layer(installed, tmp_path):
    """The layer and its port, with nothing around them, and no common name taken."""
    program = (
        "import importlib.util as u\n"
        "print([n for n in ('port', 'tools', 'typings', 'tests') if u.find_spec(n)])\n"
        "import usocket_compat as net\n"
        "net.zsock_close(net.zsock_socket())\n"
        "print(net._port.backend.__name__, net.__version__)\n"
    )
    python = installed / "python"
    assert run(python, "-c", program, cwd=tmp_path).splitlines() == [
        "[]",
        f"usocket_compat.port.unix.cpython {VERSION}",
    ]


def test_installed_command(installed, tmp_path):
    more = {"cwd": tmp_path, "env": borrowed(installed)}
    usocket = installed / "usocket"
    where = run(installed / "python", "-c", "import usocket_tools as t; print(t.__file__)", **more)
    assert where.startswith(str(installed.parent / "lib"))
    assert "usage: usocket" in run(usocket, "--help", **more)
    assert len(run(usocket, "config", "boards", **more).splitlines()) == len(kconfig.boards())
    echo = ROOT / "examples" / "echo.py"
    for target in ("cpython", "unix"):
        assert run(usocket, "run", "--target", target, echo, **more).splitlines() == ECHO_SAYS


def test_installed_command_and_a_board(installed, tmp_path):
    """The firmware's sources, the board's configuration and the layer come out of the wheel."""
    more = {"cwd": tmp_path, "env": borrowed(installed)}
    echo = ROOT / "examples" / "echo.py"
    said = run(installed / "usocket", "run", "--target", "vboard", echo, **more)
    assert said.splitlines() == ECHO_SAYS


# mip


@pytest.fixture
def board() -> Iterator[Board]:
    with Board() as board:
        yield board


def mpremote(board: Board, *words: object, **more) -> str:
    return run(sys.executable, "-m", "mpremote", "connect", board.device, *words, **more)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[str]:
    handler = functools.partial(Handler, directory=str(ROOT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("where", ["path", "checkout", "web"])
def test_mip(where, board, web, tmp_path):
    package = {
        "path": ROOT / "package.json",
        "checkout": "package.json",
        "web": f"{web}/package.json",
    }[where]
    mpremote(board, "mip", "install", package, cwd=ROOT if where == "checkout" else tmp_path)
    program = (
        "import usocket_compat as net; from usocket_compat import _config;"
        "print(net.__file__, net._port.load().__name__, net.__version__, _config.ZVFS_OPEN_MAX)"
    )
    assert mpremote(board, "exec", program).split() == [
        "/lib/usocket_compat/__init__.py",
        "usocket_compat.port.esp32",
        VERSION,
        "10",
    ]
    said = mpremote(board, "run", ROOT / "examples" / "echo.py")
    assert said.splitlines() == ECHO_SAYS


def test_every_file_of_the_package_is_there():
    package = json.loads((ROOT / "package.json").read_text())
    assert package["version"] == VERSION
    targets = [target for target, _ in package["urls"]]
    assert set(targets) == set(files.device_files("esp32")) and len(set(targets)) == len(targets)
    assert all((ROOT / url).is_file() for _, url in package["urls"])


# Frozen


@pytest.fixture(scope="module")
def frozen() -> Path:
    """MicroPython's unix port with the layer frozen into it, built anew where that changed."""
    source = micropython.source("newest")
    folder = files.cache_dir() / "frozen-test" / source.version
    with building.locked(f"frozen-test-{source.version}"):
        sources = folder / "src"
        if source.where and source.where.is_dir():
            sources = source.where
        elif not sources.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            micropython.tree(source, sources)
        (folder / "manifest.py").write_text(f"include({str(ROOT)!r}, port='unix')\n")
        log = building.Log("frozen-test", "MicroPython with the layer frozen")
        interpreter = micropython.find("newest")
        assert interpreter.mpy_cross
        log.make(
            sources / "ports/unix",
            folder / "unix",
            *micropython._COMMON,
            f"MICROPY_MPYCROSS={interpreter.mpy_cross}",
            f"FROZEN_MANIFEST={folder / 'manifest.py'}",
            f"MPY_LIB_DIR={sources}",
        )
    return folder / "unix" / "micropython"


def test_frozen_layer_runs(frozen, tmp_path):
    """From nothing but the interpreter: an empty folder, an empty path."""
    more = {"cwd": tmp_path, "env": {"MICROPYPATH": ".frozen"}}
    program = (
        "import usocket_compat as net; fd = net.socket(); net.close(fd);"
        "print(net.__file__, net._port.backend.__name__)"
    )
    assert run(frozen, "-c", program, **more).split() == [
        "usocket_compat/__init__.py",
        "port.unix.libc",
    ]
    echo = shutil.copy(ROOT / "examples" / "echo.py", tmp_path)
    assert run(frozen, echo, **more).splitlines() == ECHO_SAYS


def frozen_files(options: str, tmp_path: Path) -> dict[str, str]:
    """What MicroPython's own manifest reader takes: name in the firmware -> file."""
    source = micropython.source("newest")
    tools = files.cache_dir() / "frozen-test" / source.version / "src" / "tools"
    if source.where and source.where.is_dir():
        tools = source.where / "tools"
    program = (
        "import manifestfile as m, json, sys\n"
        "f = m.ManifestFile(m.MODE_FREEZE, {'MPY_LIB_DIR': ''})\n"
        "f.execute(sys.argv[1])\n"
        "print(json.dumps({e.target_path: e.full_path for e in f.files()}))\n"
    )
    outer = tmp_path / "manifest.py"
    outer.write_text(f"include({str(ROOT)!r}{options})\n")
    environment = {**os.environ, "PYTHONPATH": str(tools)}
    found: dict[str, str] = json.loads(
        run(sys.executable, "-c", program, outer, env=environment, cwd=tmp_path)
    )
    return found


def test_manifest_for_a_board(frozen, tmp_path):
    found = frozen_files("", tmp_path)
    expected = {name.replace("usocket_compat/port/", "port/") for name in package_names()}
    assert set(found) == expected
    assert "ZVFS_OPEN_MAX = 10\n" in Path(found["usocket_compat/_config.py"]).read_text()


def package_names() -> set[str]:
    return set(files.device_files("esp32"))


def test_manifest_with_a_configuration(frozen, tmp_path):
    config = tmp_path / "mine" / "usocket_compat" / "_config.py"
    config.parent.mkdir(parents=True)
    config.write_text("ZVFS_OPEN_MAX = 3\n")
    found = frozen_files(f", config={str(tmp_path / 'mine')!r}", tmp_path)
    assert found["usocket_compat/_config.py"] == str(config)


def test_manifest_for_no_port(frozen, tmp_path):
    with pytest.raises(AssertionError, match="port is one of esp32, unix"):
        frozen_files(", port='toaster'", tmp_path)
