# SPDX-License-Identifier: MIT
"""What other users of the machine see of a key: no argument of a process, and no file."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_board import FAKE, VBOARD, Serial, fake, firmware_pid, wait_until

from usocket_tools.vboard.board import Board, control

SSID = "lab"
KEY = f"a-key-of-{os.getpid()}"


def shown() -> list[str]:
    """The command lines with the key in them, of all processes."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended
            continue
        if KEY in line:
            found.append(line)
    return found


def wifi(serial: Serial) -> str:
    """What the firmware knows."""
    serial.line("up")
    serial.send(b"k")
    return serial.line("wifi")


def check(device: str) -> None:
    """The firmware knows the network, and no process shows its key; after a reset too."""
    serial = Serial(device)
    try:
        assert wifi(serial) == f"wifi {SSID} {KEY}"
        assert shown() == []
        control(device, "reset")
        assert wifi(serial) == f"wifi {SSID} {KEY}"
        assert shown() == []
    finally:
        serial.close()


def test_shown_finds_one():
    with subprocess.Popen(["sh", "-c", "read x", KEY], stdin=subprocess.PIPE):
        wait_until(lambda: shown() == [f"sh -c read x {KEY} "])


def test_board():
    with fake(wifi=f"{SSID}:{KEY}") as (board, serial):
        assert wifi(serial) == f"wifi {SSID} {KEY}"
        assert shown() == []
        assert Path(f"/proc/{firmware_pid(board)}/environ").stat().st_mode & 0o077 == 0


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[list[str]]:
    """The devices that the command prints."""
    process = subprocess.Popen(
        [*VBOARD, "--firmware", str(FAKE), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    count = 2 if "--count" in arguments else 1
    try:
        assert process.stdout
        yield [process.stdout.readline().strip() for _ in range(count)]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


@pytest.mark.parametrize("count", [[], ["--count", "2"]])
def test_a_file(tmp_path, count):
    file = tmp_path / "wifi.txt"
    file.write_text(f"{SSID}\n{KEY}\n")
    with started("--wifi", f"@{file}", *count) as devices:
        for device in devices:
            check(device)


@pytest.mark.parametrize("count", [[], ["--count", "2"]])
def test_the_environment(count):
    words = {"USOCKET_WIFI_SSID": SSID, "USOCKET_WIFI_KEY": KEY}
    with started("--wifi", "env", *count, **words) as devices:
        for device in devices:
            check(device)


def test_the_environment_of_others_is_not_ours(monkeypatch):
    """What is for `usocket test`, and what another firmware was given."""
    monkeypatch.setenv("USOCKET_WIFI_SSID", "other")
    monkeypatch.setenv("USOCKET_WIFI_KEY", "other")
    monkeypatch.setenv("VBOARD_SSID", "other")
    with fake() as (_board, serial):
        assert wifi(serial) == "wifi None None"


@pytest.mark.parametrize(
    ("text", "environment", "message"),
    [
        ("env", {}, "USOCKET_WIFI_SSID is not set"),
        ("env", {"USOCKET_WIFI_KEY": KEY}, "USOCKET_WIFI_KEY is set"),
        ("@/no/file", {}, "cannot read /no/file"),
        (KEY, {}, "--wifi is not SSID:KEY"),
        ("\u00e4" * 17 + ":key", {}, "no Wi-Fi network has such a long name"),
    ],
    # The key is another in each process, and the tests' names are to be the same.
    ids=["no SSID", "no SSID but a key", "no file", "a key alone", "a long name"],
)
def test_mistakes(text, environment, message):
    """None of the sentences has the key in it."""
    done = subprocess.run(
        [*VBOARD, "--firmware", str(FAKE), "--wifi", text],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"usocket: {message}")
    assert KEY not in done.stderr


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_files_are_for_this_user(tmp_path, mask):
    before = os.umask(mask)
    try:
        with Board(firmware=FAKE, flash=tmp_path / "flash", trace=tmp_path / "trace"):
            pass
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"flash": 0o600, "trace": 0o600}
