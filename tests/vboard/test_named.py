# SPDX-License-Identifier: MIT
"""Boards with names in devices.toml; one that hangs, whose power is cycled."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from usocket_tools.boards import device, named
from usocket_tools.boards.device import Device
from usocket_tools.errors import UsocketError
from usocket_tools.suite.filerun import FileRun, names_in
from usocket_tools.suite.onboard import Serial
from usocket_tools.vboard.board import Board

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
RUNNER = Path(__file__).parent / "plain" / "run.py"
SECONDS = 100
DEAF = "import micropython\nmicropython.kbd_intr(-1)\nprint('deaf')\nwhile True:\n    pass\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "devices.toml"
    monkeypatch.setenv(named.NAMED, str(path))
    monkeypatch.setattr(named, "_hopeless", set())
    monkeypatch.setattr(device, "ENTRY_SECONDS", 2)  # until a board counts as one that hangs
    return path


def power(board: Board, log: Path, last: str = "") -> str:
    """A command that does to the virtual board what cutting its power does to another."""
    line = f"{shlex.join(USOCKET)} vboard --control {board.device} reset && echo cycled >> {log}"
    return f"sh -c {shlex.quote(line + last)}"


def write(file: Path, on: Board, **more: str) -> None:
    values = {"serial": on.device, **more}
    lines = [f"{key} = {value!r}" for key, value in values.items()]
    file.write_text("\n".join(["[desk]", *lines, ""]))


def usocket(*args: object, **more) -> subprocess.CompletedProcess:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    command = [*USOCKET, *map(str, args)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, env=clean, **more
    )


def test_found_where_it_is_looked_for(file, tmp_path, monkeypatch) -> None:
    """Of the environment, of the current folder, of the user."""
    home = tmp_path / "home" / "usocket_compat"
    home.mkdir(parents=True)
    for path, serial in ((home / "devices.toml", "/dev/home"), (tmp_path / "x", "/dev/x")):
        path.write_text(f'[desk]\nserial = "{serial}"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(named.NAMED)
    assert named.find("desk") == ("desk", "/dev/home", "", None, "")
    file.write_text('[desk]\nserial = "rfc2217://rack:4000"\nwifi = "lab.txt"\nboard = "B"\n')
    assert named.find("desk") == ("desk", "rfc2217://rack:4000", "B", tmp_path / "lab.txt", "")
    monkeypatch.setenv(named.NAMED, "x")
    assert named.find("desk").serial == "/dev/x"
    # What is no name stays what it is.
    for text in ("/dev/desk", "socket://desk:1", "loop://"):
        assert named.find(text) == (text, text, "", None, "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[desk\n", "{} is no TOML"),
        ("desk = 3\n", "{}: desk stands outside of a board's table"),
        ('[desk]\nserial = ""\n', "{}: serial of desk is not a text"),
        ("[desk]\nserial = 3\n", "{}: serial of desk is not a text"),
        ('[desk]\nboard = "x"\n', "{}: desk has no serial"),
        ('[desk]\nserail = "x"\n', "{}: desk has no use for 'serail'\nDid you mean serial?"),
        ('[desk]\nkey = "x"\n', "{}: desk has no use for 'key'\nThere are serial, board,"),
        ('["a b"]\nserial = "x"\n', "{}: 'a b' is no name for a board"),
        ('[rack]\nserial = "x"\n', "{} names no board 'desk'\nIt has rack."),
        ("", "{} names no board 'desk'\nIt has none."),
    ],
)
def test_mistakes(file, text, message) -> None:
    file.write_text(text)
    done = usocket("run", "--device", "desk", __file__)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("usocket: " + message.format(file))
    assert len(done.stderr.splitlines()) == 2


def test_a_file_that_others_can_write(file) -> None:
    """Its commands would run as this user."""
    file.write_text('[desk]\nserial = "x"\n')
    for mode in (0o622, 0o662):
        file.chmod(mode)
        with pytest.raises(UsocketError, match="can be written by others"):
            named.find("desk")
    file.unlink()
    with pytest.raises(UsocketError, match="cannot read .*: No such file"):
        named.find("desk")


def test_a_name_in_the_place_of_a_device(file, board, tmp_path) -> None:
    program = tmp_path / "program.py"
    program.write_text("print('here')\n")
    write(file, board, board="ESP32_VBOARD")
    done = usocket("run", "--device", "desk", program)
    kind = done.stderr.partition("desk is ")[2].partition(",")[0]
    assert (done.returncode, done.stdout) == (1, "") and kind, done.stderr
    assert done.stderr.startswith(f"usocket: desk is {kind}, and not ESP32_VBOARD\n")
    write(file, board, board=kind)
    done = usocket("run", "--device", "desk", program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "here\n", "")
    done = usocket("doctor", "--device", "desk")
    assert f"ok    desk: {kind}, MicroPython" in done.stdout
    assert f"note  desk: {board.device}, by {file}\n" in usocket("doctor").stdout
    done = usocket("test", "--device", "desk", "--device", board.device)
    assert done.stderr.startswith("usocket: desk is named twice\n")


def hang(board: Board) -> None:
    """Nothing but a reset ends it."""
    with Device(board.device) as opened:
        opened.fresh()
        opened.transport.exec_raw_no_follow(DEAF)
        opened.transport.read_until(1, b"deaf")


def test_a_board_that_hangs(file, board, tmp_path, capsys) -> None:
    """Its power is cycled once, and that is said."""
    log = tmp_path / "log"
    write(file, board, power=power(board, log))
    hang(board)
    for cycled in (True, False):
        with Device("desk") as opened:
            opened.fresh()
            assert opened.exec("print('here')") == "here\r\n"
            assert opened.cycled == cycled
        said = "usocket: desk did not answer; its power was cycled\n" if cycled else ""
        assert capsys.readouterr().err == said
        assert log.read_text() == "cycled\n"


def test_power_that_does_not_help(file, board, tmp_path, capsys) -> None:
    log = tmp_path / "log"
    write(file, board, power=f"sh -c 'echo cycled >> {log}'")
    hang(board)
    with pytest.raises(UsocketError, match="does not answer as MicroPython does"):
        with Device("desk") as opened:
            opened.fresh()
    assert capsys.readouterr().err.count("its power was cycled") == 1
    assert not named.cycle(named.find("desk")), "not a second time"
    assert log.read_text() == "cycled\n"
    board.control("reset")
    with Device("desk") as opened:
        opened.fresh()
    assert named.cycle(named.find("desk")), "it has answered since"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sh -c 'echo no such hub >&2; exit 3'", "sh: no such hub"),
        ("sh -c 'exit 3'", "sh: status 3"),
        ("/no/such/command", "/no/such/command: No such file"),
    ],
)
def test_power_that_cannot_be_cycled(file, command, words) -> None:
    file.write_text(f'[desk]\nserial = "x"\npower = "{command}"\n')
    with pytest.raises(UsocketError, match=f"its power could not be cycled: {words}"):
        named.cycle(named.find("desk"))


TESTS = """
def test_hangs_and_is_deaf():
    import micropython
    micropython.kbd_intr(-1)
    while True:
        pass

def test_after_hanging():
    pass
"""


def test_the_suite_goes_on_and_says_so(file, board, tmp_path) -> None:
    log, tests = tmp_path / "log", tmp_path / "test_deaf.py"
    tests.write_text(TESTS)
    write(file, board, power=power(board, log))
    run = FileRun(Serial("desk", "desk", RUNNER), tests, names_in(tests), 3)
    result = run.result("test_hangs_and_is_deaf")
    assert not result.passed
    assert result.output.splitlines()[-2:] == [
        "it does not end on Ctrl-C; its power was cycled",
        "hung: no result within 3 s",
    ]
    assert run.result("test_after_hanging").passed
    assert log.read_text() == "cycled\n"
    run.stop()
    hang(board)
    run = FileRun(Serial("desk", "desk", RUNNER), tests, ["test_after_hanging"])
    result = run.result("test_after_hanging")
    assert result.passed and "its power was cycled" in result.output


def test_the_suite_by_name(file, board, tmp_path) -> None:
    """The file is found from the suite's folder too."""
    junit = tmp_path / "report.xml"
    write(file, board)
    done = usocket("test", "--device", "desk", "test_names_off", "--junit", junit)
    assert done.returncode == 0, done.stdout + done.stderr
    cases = list(xml.parse(junit).getroot().iter("testcase"))
    assert cases and all(str(case.get("name")).endswith("[desk]") for case in cases)
