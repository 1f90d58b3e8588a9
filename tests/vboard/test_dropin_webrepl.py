# SPDX-License-Identifier: MIT
"""WebREPL's way to use sockets on the drop-in: callbacks, a terminal, soft resets in between."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from usocket_tools.boards import identity
from usocket_tools.boards.device import Device
from usocket_tools.layer import bundle, install
from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "esp32" / "webrepl.py"
DROPIN = "CONFIG_ZVFS_OPEN_MAX=10\nCONFIG_ZVFS_POLL_MAX=10\nCONFIG_USOCKET_DROPIN=y\n"
PORT = 8266
# Each of them leaves six sockets of the board's ten to the reset.
ROUNDS = 4
SECONDS = 20
ALL = "import socket; a = [socket.socket() for _ in range(10)]; print(len(a))"


def mpremote(device: str, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", device, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def until(s: socket.socket, wanted: bytes) -> bytes:
    text = b""
    end = time.monotonic() + SECONDS
    while wanted not in text:
        assert time.monotonic() < end, text
        part = s.recv(1000)
        assert part, text
        text += part
    return text


def ended(s: socket.socket) -> bool:
    """Whether the peer has ended or reset the connection."""
    try:
        while s.recv(1000):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize("variant", ["standard", "32bit"])
def test_callbacks_and_soft_resets(variant: str, tmp_path: Path) -> None:
    conf = tmp_path / "dropin.conf"
    conf.write_text(DROPIN)
    with Board(variant=variant) as board:
        with Device(board.device) as device:
            device.fresh()
            install.install(device, bundle.version(identity.ask(device), conf))
            device.leave()
        port = board.forward(f"0:{PORT}")
        for _ in range(ROUNDS):
            assert mpremote(board.device, "run", PROGRAM) == "ready /lib/socket.mpy\n"
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as s:
                # The prompt, which is on both terminals.
                s.sendall(b"\r\n")
                until(s, b">>> ")
                for n in (6, 7):
                    s.sendall(b"print('a' + str(%d * 7))\r\n" % n)
                    until(s, b"\r\na%d\r\n" % (n * 7))
                # A byte at a time.
                for byte in b"print(seen)\r\n":
                    s.sendall(bytes((byte,)))
                    time.sleep(0.02)
                assert b"['10.0.2.2']" in until(s, b"']\r\n")
                mpremote(board.device, "soft-reset")
                assert ended(s)
            assert mpremote(board.device, "exec", ALL) == "10\n"
