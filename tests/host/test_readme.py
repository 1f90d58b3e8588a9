# SPDX-License-Identifier: MIT
"""The program that README shows is the example, and says the same on every target; its session
is what the commands say today, and its first table what each interpreter does."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from usocket_tools.builds import interpreters
from usocket_tools.make import readme
from usocket_tools.vboard.board import Board

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples" / "echo.py"


def test_shown_program_is_the_example() -> None:
    shown = (ROOT / "README.md").read_text().split("```python\n")[1].split("```")[0]
    assert shown == PROGRAM.read_text()


@pytest.mark.parametrize("where", ["cpython", "unix"])
def test_shown_program_runs(where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "usocket_tools.cli", "run", "--target", where, str(PROGRAM)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "accepted True",
        "echoed b'hello, board'",
        "nothing more True",
    ]


# Its session


def test_session_is_of_the_four_commands() -> None:
    commands = re.findall(r"^\$ usocket (\w+)", readme.shown(), re.M)
    assert commands == ["doctor", "deploy", "run", "test"]


def test_session_is_what_the_commands_say() -> None:
    assert readme.stable(readme.session()) == readme.stable(readme.shown()), "run `make readme`"


@pytest.mark.parametrize("change", [("nothing is wrong", "all is well"), ("True\n", "False\n")])
def test_a_session_of_yesterday_is_seen(change: tuple[str, str]) -> None:
    assert readme.stable(readme.shown().replace(*change)) != readme.stable(readme.shown())


# Its first table: what the same call does on each interpreter


@dataclass
class Row:
    call: str
    plain: dict[str, str]  # interpreter -> outcome
    ours: str
    outcome: str


def rows() -> list[Row]:
    table = (ROOT / "README.md").read_text().split("<!-- Why -->")[1].split("<!--")[0]
    found = []
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if line.startswith("| `"):
            code = [cell.split("`")[1] for cell in (cells[0], cells[4])]
            plain = dict(zip(("cpython", "unix", "esp32"), cells[1:4]))
            found.append(Row(code[0], plain, code[1], cells[4].rpartition("`: ")[2]))
    return found


# What the calls find: nobody at port 9, a bound socket, its own datagram, or none in time.
BEFORE = {
    "connect": "",
    "getsockname": "bind()",
    "recv": "bind(); limit()",
    "recv_into": "bind(); to_itself()",
}
PLAIN = """\
import errno
import socket

def bind():
    global here
    # The one form that each of the three takes.
    here = socket.getaddrinfo("127.0.0.1", 17093)[0][-1]
    s.bind(here)

def limit():
    s.settimeout(0.2)

def to_itself():
    s.sendto(b"x", here)

def new(stream):
    global s
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)

def close():
    s.close()
"""
OURS = """\
import usocket_compat as net
from usocket_compat import errno

def bind():
    net.bind(fd, ("127.0.0.1", 17093))

def limit():
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.2)

def to_itself():
    net.sendto(fd, b"x", 0, net.getsockname(fd))

def new(stream):
    global fd
    fd = net.socket(net.AF_INET, net.SOCK_STREAM if stream else net.SOCK_DGRAM)

def close():
    net.close(fd)
"""
OUTCOMES = """
addr = ("127.0.0.1", 9)
NAMES = "ECONNREFUSED ECONNRESET EAGAIN ETIMEDOUT".split()
for before, call in {calls}:
    new(not before)
    buffer = bytearray(9)
    exec(before)
    try:
        eval(call)
        print("works")
    except AttributeError:
        print("missing")
    except Exception as e:
        number = getattr(e, "errno", None)
        named = [name for name in NAMES if getattr(errno, name) == number]
        print(named[0] if named else type(e).__name__)
    close()
"""


def program(begin: str, calls: list[str]) -> str:
    before = [BEFORE[row.call[len("s.") : row.call.index("(")]] for row in rows()]
    return begin + OUTCOMES.format(calls=list(zip(before, calls)))


def said(*command: object) -> list[str]:
    done = subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def test_what_the_interpreters_have_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "plain.py"
    file.write_text(program(PLAIN, [row.call for row in rows()]))
    assert len(rows()) == 4
    plain = [row.plain for row in rows()]
    assert said(sys.executable, file) == [each["cpython"] for each in plain]
    assert said(interpreters.find("newest").path, file) == [each["unix"] for each in plain]
    with Board() as board:
        ran = said(sys.executable, "-m", "mpremote", "connect", board.device, "run", file)
        assert ran == [each["esp32"] for each in plain]


@pytest.mark.parametrize("where", ["cpython", "unix", "vboard"])
def test_the_one_form_here(where: str, tmp_path: Path) -> None:
    file = tmp_path / "ours.py"
    file.write_text(program(OURS, [row.ours for row in rows()]))
    ran = said(sys.executable, "-m", "usocket_tools.cli", "run", "--target", where, file)
    assert ran == [row.outcome for row in rows()]
