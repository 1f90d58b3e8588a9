"""Names of control sockets that other users have. Anybody can have an abstract name first."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from usocket_tools.commands import flash
from usocket_tools.errors import UsocketError
from usocket_tools.vboard import board as vboard
from usocket_tools.vboard.board import Board, control

FAKE = Path(__file__).parent / "fake_firmware.py"
OTHER = 65534  # nobody
CLONE_NEWNET = 0x40000000  # sched.h
USOCKET = [sys.executable, "-m", "usocket_tools.cli"]

# Its arguments: a user, what is done with a connection, and names.
SQUATTER = """
import os, socket, sys, threading
user, how, names = int(sys.argv[1]), sys.argv[2], sys.stdin.buffer.read().split(b"\\0")
if user != os.geteuid():
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
sockets = []
for name in names:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(b"\\0" + name)
    if how != "bound":
        listener.listen(0 if how == "full" else 8)
    sockets.append(listener)
if how == "full":
    for name in names:
        for _ in range(2):
            more = socket.socket(socket.AF_UNIX)
            more.setblocking(False)
            try:
                more.connect(b"\\0" + name)
            except BlockingIOError:
                pass
            sockets.append(more)
ANSWERS = {"ok": b"ok device=x \\x1b]0;owned\\x07\\n", "error": b"error \\x1b[31mlies\\tdo\\n"}
def serve(listener):
    while True:
        connection, _ = listener.accept()
        sockets.append(connection)
        try:
            connection.sendall(ANSWERS.get(how, b""))
        except BrokenPipeError:
            pass
if how in ("ok", "error", "silent"):
    for listener in sockets:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""

HOWS = ["ok", "error", "silent", "bound", "full"]


@pytest.fixture(autouse=True)
def own_network() -> Iterator[None]:
    """Abstract names are a network namespace's: here nobody's boards are in the way, nor we in
    theirs. Without root the names that are squatted on are those of terminals of our own.
    """
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(before.fileno(), CLONE_NEWNET) == 0


@pytest.fixture
def squatter() -> Iterator:
    """Starts processes that have the names of these devices."""
    with contextlib.ExitStack() as stack:

        def start(how: str, devices: list[str], user: int = OTHER) -> None:
            names = b"\0".join(vboard.control_name(d)[1:].encode() for d in devices)
            process = subprocess.Popen(
                [sys.executable, "-c", SQUATTER, str(user), how],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            process.stdin.write(names)
            process.stdin.close()
            assert process.stdout.readline() == b"ready\n"
            process.stdout.close()

        yield start


@pytest.fixture
def other_user(monkeypatch):
    """Without root nobody can be somebody else: then the kernel's word is what is changed."""
    if os.geteuid() == 0:
        return OTHER
    monkeypatch.setattr(vboard, "peer_uid", lambda connection: OTHER)
    return os.geteuid()


@pytest.fixture
def terminal() -> Iterator[str]:
    """A serial device, as a real board's."""
    controller, opened = os.openpty()
    yield os.ttyname(opened)
    os.close(controller)
    os.close(opened)


@pytest.mark.parametrize("how", HOWS)
def test_a_squatter_is_not_believed(squatter, other_user, terminal, how):
    squatter(how, [terminal], other_user)
    begin = time.monotonic()
    with pytest.raises(UsocketError, match="there is no virtual board") as caught:
        control(terminal, "status")
    assert "lies" not in str(caught.value)
    # `flash` goes on to a real board.
    flash._check_device(terminal)
    assert terminal not in vboard.devices()
    assert time.monotonic() - begin < 5


def test_one_of_the_same_user_is_believed(squatter, terminal):
    """The test itself: the same answers, of a process that may give them."""
    squatter("ok", [terminal], os.geteuid())
    assert control(terminal, "status").startswith("device=x ")
    assert terminal in vboard.devices()
    with pytest.raises(UsocketError, match="is a virtual board"):
        flash._check_device(terminal)
    # Of a container on the same network.
    squatter("ok", ["/dev/elsewhere"], os.geteuid())
    assert "/dev/elsewhere" not in vboard.devices()
    done = subprocess.run(
        [*USOCKET, "vboard", "--control", terminal], capture_output=True, text=True
    )
    assert done.stdout == "device=x \\x1b]0;owned\\x07\n"


def test_names_of_others_are_not_shown(squatter, other_user):
    """/proc/net/unix lists everybody's, with whatever characters."""
    evil = ["/dev/\x1b]0;owned\x07", "/dev/ttyUSB0", "/dev/\u202egnp"]
    squatter("ok", evil, other_user)
    done = subprocess.run([*USOCKET, "doctor"], capture_output=True, text=True, timeout=60)
    if other_user == OTHER:
        assert "owned" not in done.stdout and "ttyUSB0: a virtual" not in done.stdout
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout
    assert not {*evil} & {*vboard.devices()}


@pytest.mark.skipif(os.geteuid() != 0, reason="a board is a process: only root has two users here")
@pytest.mark.parametrize("how", HOWS)
def test_a_board_where_another_user_has_every_name(squatter, how):
    squatter(how, [f"/dev/pts/{number}" for number in range(300)])
    with Board(firmware=FAKE) as board:
        assert board.control("link down") == "link down"
        assert f"device={board.device} " in board.control("status")
        assert vboard.devices() == [board.device]
        with pytest.raises(UsocketError, match="is a virtual board"):
            flash._check_device(board.device)
        with Board(firmware=FAKE) as second:
            assert second.device != board.device
            assert f"device={second.device} " in second.control("status")
            assert " link=down " in board.control("status")
    with pytest.raises(UsocketError, match="there is no virtual board"):
        control(board.device, "status")


def test_names_of_other_boards_of_this_user(squatter):
    """As boards of another container are: the next device is taken."""
    squatter("silent", [f"/dev/pts/{number}" for number in range(30)], os.geteuid())
    with Board(firmware=FAKE) as board:
        assert int(board.device.rpartition("/")[2]) >= 30
        assert f"device={board.device} " in board.control("status")
