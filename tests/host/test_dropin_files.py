# SPDX-License-Identifier: MIT
"""The drop-in off the board: on the unix target and on CPython, and what is known as ours."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from usocket_tools import files
from usocket_tools.builds import interpreters
from usocket_tools.errors import UsocketError
from usocket_tools.findings import finding, of_import
from usocket_tools.layer import bundle, dropin, install, kconfig, micropypath

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
WHERE = """\
import socket, select, sys
for m in (socket, select):
    print(getattr(m, "__file__", ""), sys.modules.get("u" + m.__name__) is m)
"""


def usocket(*args: object, conf: Path | None = None, **more: str):
    environment = {k: v for k, v in os.environ.items() if k != "USOCKET_COMPAT_CONF"}
    if conf:
        environment["USOCKET_COMPAT_CONF"] = str(conf)
    return subprocess.run(
        [*USOCKET, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**environment, **more},
    )


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    file = tmp_path / "mine.conf"
    file.write_text("CONFIG_ZVFS_OPEN_MAX=64\nCONFIG_USOCKET_DROPIN=y\n")
    return file


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(WHERE)
    return file


# -- where programs run -----------------------------------------------------------------------


@pytest.mark.parametrize("version", ["oldest", "newest"])
def test_unix(conf: Path, program: Path, version: str) -> None:
    run = ("run", "--target", "unix", "--micropython", version, program)
    assert usocket(*run).stdout == " False\n False\n"
    done = usocket(*run, conf=conf)
    ours = files.dropin_files()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{ours['socket']} True\n{ours['select']} True\n"


def test_unix_with_asyncio(conf: Path, tmp_path: Path) -> None:
    """What is frozen into the interpreter has it too, and the configuration is the file's."""
    program = tmp_path / "program.py"
    program.write_text(
        "import select\nfrom asyncio import core\nfrom usocket_compat import _config\n"
        "print(core.select is select, hasattr(select, '__file__'), _config.ZVFS_OPEN_MAX)\n"
    )
    done = usocket("run", "--target", "unix", program, conf=conf)
    assert (done.returncode, done.stdout) == (0, "True True 64\n")


def test_a_programs_own_comes_first(conf: Path, program: Path) -> None:
    (program.parent / "socket.py").write_text("mine = 1\n")
    done = usocket("run", "--target", "unix", program, conf=conf)
    assert done.stdout.splitlines()[0] == f"{program.parent}/socket.py False"


def test_cpython_says_nothing(conf: Path, program: Path) -> None:
    """Its own modules are what the drop-in is shaped after."""
    done = usocket("run", "--target", "cpython", program, conf=conf)
    assert (done.returncode, done.stderr) == (0, "")
    socket, _select = done.stdout.splitlines()
    assert Path(socket.split()[0]) == Path(os.__file__).with_name("socket.py")
    assert not any(str(file) in done.stdout for file in files.dropin_files().values())


def test_the_board_file_of_unix_counts(monkeypatch: pytest.MonkeyPatch, conf: Path) -> None:
    assert micropypath.unix_path() == str(files.PACKAGE.parent)
    folder = str(files.dropin_files()["socket"].parent)
    monkeypatch.setattr(kconfig, "board_file", lambda board: conf)
    assert micropypath.unix_path() == f"{folder}:{files.PACKAGE.parent}"
    assert micropypath.unix_path(conf).startswith(f"{folder}:{files.cache_dir()}")


# -- whose a file is --------------------------------------------------------------------------

MPY = b"M\6\0\x1f\5\0\x12us/socket\0"
SPDX = b"# SPDX-License-Identifier: MIT\n"


def place(content: bytes) -> dropin.Place:
    return dropin.Place(hashlib.sha256(content).hexdigest(), content[:256])


def test_the_sources_are_ours() -> None:
    """By what they begin with: a change of that would make a user's files of them."""
    assert dropin.modules() == ["socket", "select"]
    for name, file in files.dropin_files().items():
        assert dropin.ours(f"{name}.py", place(file.read_bytes())), file


def test_what_stands_in_is_ours() -> None:
    for name in dropin.modules():
        found = place(dropin.stand_in(name))
        assert dropin.ours(f"{name}.py", found) and dropin.stands_in(f"{name}.py", found)
        assert not dropin.stands_in(f"{name}.mpy", place(b"M\6\0\x1f"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("socket.py", b""),
        ("socket.py", b"import usocket\n"),
        ("socket.py", SPDX + b"import usocket_compat\n"),
        ("socket.py", b"# `import socket`\n"),
        ("select.py", SPDX + b'"""`import socket`"""\n'),
        ("socket.mpy", b""),
        ("socket.mpy", b"M\6\0\x1f\5\0\x12socket.py\0us/socket\1"),
        ("socket.mpy", b"M\6\0\x1f\5\0\x16us/socketry\0"),
        ("socket.mpy", MPY[:5]),
        ("select.mpy", MPY),
        ("socket", b""),
    ],
)
def test_what_is_not(name: str, content: bytes) -> None:
    assert not dropin.ours(name, place(content))


def test_a_users_own_compiled_file_is_not(tmp_path: Path) -> None:
    """The real compiler's: of another source of the same name, with our modules' names in it."""
    source = tmp_path / "socket.py"
    source.write_text("import usocket_compat\nname = 'us/socket'\n")
    program = interpreters.find("newest").mpy_cross
    assert program
    for shown in ("us/socket", "dropin/socket.py"):
        subprocess.run([program, "-s", shown, "socket.py"], cwd=tmp_path, check=True)
        assert dropin.ours("socket.mpy", place((tmp_path / "socket.mpy").read_bytes()))
    subprocess.run([program, "socket.py"], cwd=tmp_path, check=True)
    assert not dropin.ours("socket.mpy", place((tmp_path / "socket.mpy").read_bytes()))


def test_what_an_import_finds() -> None:
    there = {name: place(b"") for name in ("select.mpy", "socket.mpy", "socket.py", "socket")}
    assert dropin.effective("socket", there) == "socket"
    del there["socket"]
    assert dropin.effective("socket", there) == "socket.py"
    assert dropin.effective("select", there) == "select.mpy"
    assert dropin.effective("select", {}) == ""


# -- a board that writes wrongly --------------------------------------------------------------


class Board:
    """A device whose /lib is a dict, which knows what dropin.py asks of it."""

    name = "BOARD"

    def __init__(self, **there: bytes):
        self.files = {name.replace("_", "."): content for name, content in there.items()}
        self.done: list[str] = []

    def exec(self, code: str, silence: float = 0) -> str:
        if "def places" in code:
            folder = code.rpartition("print(places(")[2].split(",")[0].strip("'")
            inside = self.files if folder == "/lib" else {}
            return repr({name: place(content)[:] for name, content in inside.items()})
        self.done.append(code)
        return ""


def test_what_is_copied_wrongly() -> None:
    """It does not come into its place."""
    board = Board()
    version = bundle.Version("01234567", "__init__.mpy", (), (), (("socket.mpy", b"M"),))
    with pytest.raises(UsocketError, match="does not hold what was written to it: socket.mpy"):
        dropin.finish(board, bundle.LAYER, version)  # type: ignore[arg-type]
    assert not [code for code in board.done if "rename" in code]


def test_install_asks_first() -> None:
    """Before a byte is sent."""
    board = Board(socket_py=b"mine = 1\n")
    version = bundle.Version("01234567", "__init__.mpy", (), (), (("socket.mpy", b"M"),))
    with pytest.raises(UsocketError, match="has a /lib/socket.py that is not of this project"):
        install.install(board, version)  # type: ignore[arg-type]
    assert board.done == []


def test_only_ours_is_removed() -> None:
    ours = SPDX + b'"""`import socket`"""\n'
    board = Board(socket_py=ours, socket_mpy=MPY, select_py=b"mine")
    dropin.finish(board, install.ASIDE, None)  # type: ignore[arg-type]
    # What an import finds goes last: what stands in for the other.
    assert board.done == [
        f"import os; os.remove('/lib/socket{suffix}')" for suffix in (".mpy", ".py")
    ]


# -- what doctor says -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "stands", "kind"),
    [
        ("", False, of_import._FIRMWARE),
        ("socket.py", True, of_import._OURS),  # frozen
        ("/rom/lib/socket.mpy", True, of_import._OURS),
        ("socket.py", False, of_import._OTHER),
    ],
)
def test_whose_module_it_is(path: str, stands: bool, kind: str) -> None:
    """Of one that is not in /lib."""
    assert of_import._kind("socket", path, stands, {}, {"socket": set()}) == kind


def test_doctor_of_a_frozen_one() -> None:
    kinds = {"socket": of_import._OURS, "select": of_import._OURS}
    seen = {"socket": ("socket.py", "", True), "select": ("select.py", "", True)}
    layer = "0.0.7", ".frozen/usocket_compat"
    for wanted in (True, False):  # no deploy takes it away
        assert of_import._verdict(
            "BOARD", kinds, layer, seen, {"USOCKET_DROPIN": wanted}, "mine.conf"
        ) == (
            "ok",
            "BOARD: `import socket`, asyncio and WebREPL have the drop-in of usocket_compat"
            " 0.0.7, frozen into its firmware",
            "",
        )


# -- of the unix target ------------------------------------------------------


def test_doctor_of_unix(conf: Path) -> None:
    what = f"MicroPython {interpreters.newest()} by `usocket run --target unix`: `import socket`"
    assert f"ok    {what} and asyncio have its own socket\n" in usocket("doctor").stdout
    said = usocket("doctor", conf=conf).stdout
    assert f"ok    {what} and asyncio have the drop-in of usocket_compat 0." in said


def test_doctor_of_a_users_own_on_unix(conf: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "select.py").write_text("from uselect import *\n")
    done = usocket("doctor", MICROPYPATH=str(own))
    assert f"`import select` finds {own}/select.py\n      -> MICROPYPATH leads" in done.stdout
    # The drop-in goes before it.
    assert str(own) not in usocket("doctor", conf=conf, MICROPYPATH=str(own)).stdout
    (own / "select.py").write_text("1 / 0\n")
    done = usocket("doctor", MICROPYPATH=str(own))
    assert done.returncode == 1
    assert "`import select` does not work: ZeroDivisionError" in done.stdout


def test_doctor_of_what_is_no_interpreter(tmp_path: Path) -> None:
    program = tmp_path / "micropython"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    broken = interpreters.Interpreter(program, "1.26.1", None)
    found = of_import.unix(broken)
    assert found.state == finding.WRONG and "cannot be tried" in found.text
