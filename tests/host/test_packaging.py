# SPDX-License-Identifier: MIT
"""What users install: wheel, sdist, package.json for mip, manifest.py for frozen firmware."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import xml.etree.ElementTree as xml
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from usocket_tools import files
from usocket_tools.builds import building, interpreters
from usocket_tools.layer import kconfig
from usocket_tools.make import generate, release
from usocket_tools.vboard.board import Board

ROOT = Path(__file__).resolve().parents[2]
VERSION = files.version()
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
    assert generate.stale(ROOT) == [], "run `make generate`"


def test_generating_what_is_there_changes_nothing(monkeypatch, capsys):
    monkeypatch.setattr(generate, "stale", lambda top: [])
    assert generate.main([]) == 0
    assert capsys.readouterr().out == ""


def test_what_is_out_of_step_is_named(monkeypatch, capsys):
    monkeypatch.setitem(generate.GENERATED, "package.json", lambda: "{}")
    assert generate.main(["--check"]) == 1
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
    # In packages, and not in the environment's share/, which `--target` does not have.
    share = "usocket_tools/share/"
    expected = {share + "Kconfig"}
    expected |= {f"{share}board_configs/{f.name}" for f in ROOT.glob("board_configs/*.conf")}
    # Where no import of CPython finds them.
    expected |= {f"{share}dropin/{name}.py" for name in ("socket", "select")}
    expected |= {f"{share}common/{f.name}" for f in ROOT.glob("tests/common/*.*")}
    expected |= {f"{share}quirks/{f.name}" for f in ROOT.glob("tests/vboard/quirks/*.py")}
    expected |= {name for port in files.ports() for name in files.device_files(port)}
    expected.add("usocket_compat/port/interface.py")  # for whoever writes a port
    stubs = ROOT / "typings"
    expected |= {f"usocket_compat-stubs/{f.name}" for f in stubs.glob("usocket_compat/*.pyi")}
    # Where they do not stand before CPython's own.
    expected |= {f"{share}typings/{f.name}" for f in stubs.glob("dropin/*.pyi")}
    for file in (ROOT / "tools").rglob("*"):
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
        "print(net.zbase.p.__name__, net.__version__)\n"
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


def test_installed_into_a_folder(built, installed, tmp_path):
    """`pip install --target` brings what the commands read, too."""
    folder = tmp_path / "target"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q")
    run(*pip, "--no-deps", "--no-index", "--target", folder, *built.glob("*.whl"))
    environment = borrowed(installed)
    environment["PYTHONPATH"] = f"{folder}:{environment['PYTHONPATH']}"
    more = {"cwd": tmp_path, "env": environment}
    usocket = (installed.parent.joinpath("bin/python"), "-S", "-m", "usocket_tools.cli")
    assert len(run(*usocket, "config", "boards", **more).splitlines()) == len(kconfig.boards())
    echo = ROOT / "examples" / "echo.py"
    assert run(*usocket, "run", "--target", "unix", echo, **more).splitlines() == ECHO_SAYS


def test_installed_drop_in(installed, tmp_path):
    """The modules come out of the wheel; CPython has its own."""
    conf = tmp_path / "mine.conf"
    conf.write_text("CONFIG_USOCKET_DROPIN=y\n")
    program = tmp_path / "program.py"
    program.write_text("import socket, select\nprint(socket.__file__)\nsocket.socket().close()\n")
    more = {"cwd": tmp_path, "env": {**borrowed(installed), "USOCKET_COMPAT_CONF": str(conf)}}
    run_on = (installed / "usocket", "run", "--target")
    where = "import usocket_tools.files as f; print(f.data_file('dropin/socket.py'))"
    assert run(*run_on, "unix", program, **more) == run(installed / "python", "-c", where, **more)
    assert run(*run_on, "vboard", program, **more) == "/lib/socket.mpy\n"
    assert str(installed.parent) not in run(*run_on, "cpython", program, **more)


def test_installed_command_and_a_board(installed, tmp_path):
    """The firmware's sources, the board's configuration and the layer come out of the wheel."""
    more = {"cwd": tmp_path, "env": borrowed(installed)}
    echo = ROOT / "examples" / "echo.py"
    said = run(installed / "usocket", "run", "--target", "vboard", echo, **more)
    assert said.splitlines() == ECHO_SAYS


# Tests of a user's own


PROJECT = ROOT / "examples" / "project"


def pytest_of(installed: Path, folder: Path, *args: object) -> subprocess.CompletedProcess[str]:
    """pytest of the installed package, which finds the plugin by itself."""
    environment = borrowed(installed)
    clean = {k: v for k, v in environment.items() if not k.startswith("PYTEST_")}
    command = [installed / "python", "-m", "pytest", "-v", "-p", "no:cacheprovider", *args]
    return subprocess.run(
        list(map(str, command)), cwd=folder, env=clean, capture_output=True, text=True, timeout=110
    )


def test_template_project(installed, tmp_path):
    """As a user copies it: on each target, and on a board that is named."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder)
    assert len((PROJECT / "test_server.py").read_text().splitlines()) <= 10
    junit = tmp_path / "report.xml"
    with Board() as desk:
        (folder / "devices.toml").write_text(f'[desk]\nserial = "{desk.device}"\n')
        done = pytest_of(installed, folder, "--usocket-device=desk", f"--junit-xml={junit}")
    assert done.returncode == 0, done.stdout + done.stderr
    cases = [case.get("name") for case in xml.parse(junit).getroot().iter("testcase")]
    places = ("cpython", "unix", "vboard", "desk")
    assert cases == [f"test_it_answers[{place}]" for place in places]
    assert "4 passed" in done.stdout and "warning" not in done.stdout


USERS = """
import pytest

def test_run(usocket_target):
    done = usocket_target.run("program.py", "3")
    assert (done.status, done.output) == (3, f"on {usocket_target.id} []\\n".replace("[]", "3"))

def test_ends_too_early(usocket_target):
    with usocket_target.start("program.py", "1") as program:
        words = "ended with the exit status 1, and has not printed 'never'"
        with pytest.raises(AssertionError, match=words):
            program.wait_for("never")

def test_does_not_end(usocket_target):
    with usocket_target.start("program.py", "wait") as program:
        assert program.wait_for("on ") == f"on {usocket_target.id} wait"
        with pytest.raises(AssertionError, match="did not end within 0.2 s"):
            program.wait(0.2)

def test_no_such_program(usocket_target):
    with pytest.raises(FileNotFoundError, match="there is no program.*/missing.py"):
        usocket_target.run("missing.py")

def test_faults(vboard):
    assert vboard.board.control("link down")
    assert vboard.run("program.py", "0").status == 0

def test_on_the_desk(board):
    raise AssertionError("no board is named")
"""

USERS_PROGRAM = """
import sys, time
name = {"linux": "unix" if sys.implementation.name == "micropython" else "cpython"}
print("on", name.get(sys.platform, "vboard"), sys.argv[1])
if sys.argv[1] == "wait":
    time.sleep(100)
sys.exit(int(sys.argv[1]))
"""


def test_fixtures_of_the_plugin(installed, tmp_path):
    """Programs lie beside the test."""
    (tmp_path / "test_mine.py").write_text(USERS)
    (tmp_path / "program.py").write_text(USERS_PROGRAM)
    ini = tmp_path / "pytest.ini"
    ini.write_text("[pytest]\nusocket_targets = unix vboard\nfilterwarnings = error\n")
    done = pytest_of(installed, tmp_path, "-rs")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed, 1 skipped" in done.stdout and "cpython" not in done.stdout
    assert "no board is named: --usocket-device" in done.stdout
    done = pytest_of(installed, tmp_path, "--usocket-target=cpython", "-k", "test_run")
    assert "1 passed" in done.stdout and "test_run[cpython]" in done.stdout
    # A board that cannot be reached: what to do, and nothing of the plugin's own files.
    done = pytest_of(installed, tmp_path, "--usocket-device=/dev/none", "-k", "test_on_the_desk")
    assert "1 error" in done.stdout and "Traceback" not in done.stdout + done.stderr
    assert "there is no device /dev/none\n`usocket doctor` lists" in done.stdout
    assert "line.py" not in done.stdout
    ini.write_text("[pytest]\nusocket_targets = toaster\n")
    done = pytest_of(installed, tmp_path)
    assert done.returncode == 4
    assert "usocket_targets: there is no 'toaster'; there are cpython, unix, vboard" in done.stderr


def test_installed_suite(installed, tmp_path):
    """`usocket test` and `usocket verify` out of the wheel, and no settings of a project's."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    report = tmp_path / "report.md"
    more = {"cwd": tmp_path, "env": borrowed(installed)}
    with Board() as board:
        to = ("--device", board.device)
        said = run(installed / "usocket", "test", *to, "test_names_off", **more)
        assert re.search(r"\b\d+ passed\b", said)
        pieces = ("errno_numbers", "test_names_off")
        said = run(installed / "usocket", "verify", *to, "-o", report, *pieces, **more)
    assert "all as on the virtual board" in said
    assert "- quirks: 1 run, 0 differ, 0 not run\n" in report.read_text()


# mip


@pytest.fixture
def board() -> Iterator[Board]:
    with Board() as board:
        yield board


def mpremote(board: Board, *words: object, **more) -> str:
    return run(sys.executable, "-m", "mpremote", "connect", board.device, *words, **more)


@pytest.fixture
def web() -> Iterator[str]:
    with release.served(ROOT) as address:
        yield address


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
        "from usocket_compat.zbase import p;"
        "print(net.__file__, p.__name__, net.__version__, _config.ZVFS_OPEN_MAX)"
    )
    assert mpremote(board, "exec", program).split() == [
        "/lib/usocket_compat/__init__.py",
        "usocket_compat.port.esp32",
        VERSION,
        "10",
    ]
    said = mpremote(board, "run", ROOT / "examples" / "echo.py")
    assert said.splitlines() == ECHO_SAYS


@pytest.mark.parametrize(
    ("name", "more"), [("package", []), ("package-dropin", ["socket.py", "select.py"])]
)
def test_every_file_of_the_package_is_there(name, more):
    package = json.loads((ROOT / f"{name}.json").read_text())
    assert package["version"] == VERSION
    targets = [target for target, _ in package["urls"]]
    # The drop-in comes at last: until then programs have the firmware's own.
    assert targets == [*files.device_files("esp32"), *more] and len(set(targets)) == len(targets)
    assert all((ROOT / url).is_file() for _, url in package["urls"])


def test_mip_of_the_drop_in(board, web, tmp_path):
    mpremote(board, "mip", "install", f"{web}/package-dropin.json", cwd=tmp_path)
    program = (
        "import select, socket, usocket; from asyncio import core;"
        "print(socket.__file__, select.__file__, usocket is socket, core.select is select)"
    )
    said = mpremote(board, "exec", program).split()
    assert said == ["/lib/socket.py", "/lib/select.py", "True", "True"]
    said = mpremote(board, "run", ROOT / "examples" / "echo.py")
    assert said.splitlines() == ECHO_SAYS


# Frozen


@pytest.fixture(scope="module")
def frozen() -> Path:
    """MicroPython's unix port with the layer frozen into it, built anew where that changed."""
    source = interpreters.source("newest")
    folder = files.cache_dir() / "frozen-test" / source.version
    with building.locked(f"frozen-test-{source.version}"):
        sources = folder / "src"
        if source.where and source.where.is_dir():
            sources = source.where
        elif not sources.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            interpreters.tree(source, sources)
        (folder / "manifest.py").write_text(f"include({str(ROOT)!r}, port='unix', dropin=True)\n")
        log = building.Log("frozen-test", "MicroPython with the layer frozen")
        interpreter = interpreters.find("newest")
        assert interpreter.mpy_cross
        log.make(
            sources / "ports/unix",
            folder / "unix",
            *interpreters._COMMON,
            f"CFLAGS_EXTRA={interpreters._WARNINGS}",
            f"MICROPY_MPYCROSS={interpreter.mpy_cross}",
            f"FROZEN_MANIFEST={folder / 'manifest.py'}",
            f"MPY_LIB_DIR={sources}",
        )
    return folder / "unix" / "micropython"


def test_frozen_layer_runs(frozen, tmp_path):
    """From nothing but the interpreter: an empty folder, an empty path."""
    more = {"cwd": tmp_path, "env": {"MICROPYPATH": ".frozen"}}
    for name in ("port", "errno", "socket", "select", "zsock"):
        (tmp_path / f"{name}.py").write_text("raise Exception('a file of the program')\n")
    program = (
        "import usocket_compat as net; fd = net.socket(); net.close(fd);"
        "print(net.__file__, net.zbase.p.__name__)"
    )
    assert run(frozen, "-c", program, **more).split() == [
        "usocket_compat/__init__.py",
        "usocket_compat.port.unix.libc",
    ]
    echo = shutil.copy(ROOT / "examples" / "echo.py", tmp_path)
    assert run(frozen, echo, **more).splitlines() == ECHO_SAYS


def test_frozen_drop_in(frozen, tmp_path):
    """Before the built-in modules, and before a file that is looked for after what is frozen."""
    program = (
        "import select, socket, usocket, uselect;"
        "print(socket.__file__, select.__file__, usocket is socket, uselect is select)"
    )
    after = tmp_path / "after"
    after.mkdir()
    (after / "socket.py").write_text("mine = 1\n")
    said = ["socket.py", "select.py", "True", "True"]
    for path in (".frozen", f".frozen:{after}"):
        more = {"cwd": tmp_path, "env": {"MICROPYPATH": path}}
        assert run(frozen, "-c", program, **more).split() == said
    # What comes before it wins.
    more["env"] = {"MICROPYPATH": f"{after}:.frozen"}
    assert run(frozen, "-c", "import socket; print(socket.mine)", **more) == "1\n"


def test_manifest_with_the_drop_in(frozen, tmp_path):
    found = frozen_files(", dropin=True", tmp_path)
    assert set(found) - set(frozen_files("", tmp_path)) == {"socket.py", "select.py"}
    for name in ("socket.py", "select.py"):
        assert Path(found[name]).samefile(ROOT / "dropin" / name)


def frozen_files(options: str, tmp_path: Path) -> dict[str, str]:
    """What MicroPython's own manifest reader takes: name in the firmware -> file."""
    source = interpreters.source("newest")
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
