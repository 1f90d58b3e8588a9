"""Files of the program are never taken for the layer's, nor for the firmware's by the layer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from targets import HostTarget

from usocket_tools.vboard.board import Board

# The layer's own names; and those of the firmware's modules that a file comes before.
OURS = "port errno names inet unix esp32 zsock fdtable caps tools typings".split()
FIRMWARE = (
    # The layer's own names; and the firmware's modules that a file of that name comes before.
    " struct time"
).split()
PROGRAM = """
import usocket_compat as net
from usocket_compat import errno

a = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
net.zsock_bind(a, ("127.0.0.1", 0))
if net.capabilities()["getsockname"]:
    to = net.zsock_getsockname(a)
    net.zsock_setsockopt(a, net.SOL_SOCKET, net.SO_RCVTIMEO, 2)
    net.zsock_sendto(a, b"x", 0, to)
    print(net.zsock_poll([net.zsock_pollfd(a, net.POLLIN)], 2000), net.zsock_recvfrom(a, 9)[0])
net.zsock_getaddrinfo("127.0.0.1", 80)
try:
    net.zsock_close(99)
except OSError as e:
    print(e.errno == errno.EBADF)
net.closeall()
"""
SAYS = ["1 b'x'", "True"]


def files(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / f"{name}.py").write_text(f"raise Exception('the program has its own {name}')\n")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    return program


def test_beside_the_program(target: HostTarget, tmp_path: Path) -> None:
    # CPython's own library would take them too.
    program = files(tmp_path, OURS if target.id == "cpython" else [*OURS, *FIRMWARE])
    process = target.run(program)
    lines = process.rest(20)
    assert process.end() == "", "\n".join(lines)
    assert lines == (SAYS[1:] if target.id == "unix-noffi" else SAYS)


def usocket(*words: object) -> list[str]:
    command = [sys.executable, "-m", "usocket_tools.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["cpython", "unix"])
def test_usocket_run(name: str, tmp_path: Path) -> None:
    assert usocket("run", "--target", name, files(tmp_path, OURS)) == SAYS


# Without those that the host's tools ask the board for.
ON_BOARD = [name for name in FIRMWARE if name not in ("os", "io", "hashlib", "binascii")]


@pytest.mark.parametrize("names", [OURS, ON_BOARD], ids=["ours", "firmware"])
def test_on_a_board(names: list[str], tmp_path: Path) -> None:
    program = files(tmp_path, names)
    beside = [file for file in tmp_path.iterdir() if file != program]
    # Alone, or it would take those beside it along.
    alone = tmp_path / "alone"
    alone.mkdir()
    program = program.rename(alone / program.name)
    with Board() as board:
        mpremote = [sys.executable, "-m", "mpremote", "connect", board.device]
        subprocess.run([*mpremote, "cp", *beside, ":"], check=True, capture_output=True)
        assert usocket("run", "--device", board.device, program) == SAYS
