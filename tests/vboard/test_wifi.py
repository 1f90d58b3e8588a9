# SPDX-License-Identifier: MIT
"""usocket_compat.wifi on boards that start without a connection, and where there is no Wi-Fi."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from targets import HostTarget

from usocket_tools.boards import filesystem
from usocket_tools.boards.device import Device
from usocket_tools.vboard.board import Board

SSID, KEY = "the lab", "secret 99"
SECONDS = 60
BEGIN = """
import network, os, time
from usocket_compat import errno, wifi

def up(*args, **more):
    try:
        print(wifi.up(*args, **more))
    except OSError as e:
        print([n for n in NAMES if getattr(errno, n) == e.errno], e)

def write(text):
    with open("/wifi.txt", "w") as f:
        f.write(text)

NAMES = "ECONNREFUSED EHOSTUNREACH ETIMEDOUT ENOENT EINVAL ENODEV".split()
wlan = network.WLAN()
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[str], list[str]]]:
    with Board(wifi=f"{SSID}:{KEY}") as board:

        def run(code: str, board: Board = board) -> list[str]:
            file = tmp_path / "program.py"
            file.write_text(BEGIN + code)
            done = subprocess.run(
                [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device, file],
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stdout
            return done.stdout.splitlines()

        run.board = board
        yield run


def said(line: str, name: str, *words: str) -> None:
    """The line is that errno and one sentence with the words in it."""
    assert line.startswith(f"['{name}'] [Errno "), line
    for word in words:
        assert word in line, line


def test_right(run) -> None:
    assert run(f"up({SSID!r}, {KEY!r})\nprint(wlan.isconnected())") == [Board.address, "True"]


def test_reaches_the_network(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert run(
            f"import usocket_compat as net\nup({SSID!r}, {KEY!r})\nfd = net.zsock_socket()\n"
            f"net.zsock_connect(fd, ({Board.host!r}, {port}))\nnet.zsock_send(fd, b'over the air')"
        ) == [Board.address]
        with listener.accept()[0] as peer:
            assert peer.recv(100) == b"over the air"


def test_wrong_key_then_the_right_one(run) -> None:
    wrong, again, right = run(
        f"up({SSID!r}, 'guessed')\nup({SSID!r}, None)\nup({SSID!r}, {KEY!r})"
    )
    said(wrong, "ECONNREFUSED", repr(SSID), "key")
    said(again, "ECONNREFUSED", repr(SSID), "key")
    assert right == Board.address


def test_no_such_network_then_the_right_one(run) -> None:
    absent, state, right = run(
        f"up('elsewhere', {KEY!r})\nprint(wlan.isconnected(), wlan.active())\n"
        f"up({SSID!r}, {KEY!r})"
    )
    said(absent, "EHOSTUNREACH", "'elsewhere'")
    assert (state, right) == ("False True", Board.address)


def test_another_network_than_the_one_it_is_on(run) -> None:
    first, absent, state = run(
        f"up({SSID!r}, {KEY!r})\nup('elsewhere', 'x')\nprint(wlan.isconnected())"
    )
    assert first == Board.address
    said(absent, "EHOSTUNREACH", "'elsewhere'")
    assert state == "False"


def test_already_connected(run) -> None:
    """At once, whatever the key: there is nothing to do."""
    lines = run(
        f"up({SSID!r}, {KEY!r})\nbegin = time.ticks_ms()\nup()\nup({SSID!r})\nup({SSID!r}, 'x')\n"
        "print(time.ticks_diff(time.ticks_ms(), begin) < 50)"
    )
    assert lines == [Board.address] * 4 + ["True"]


def test_a_program_s_own_attempt_is_under_way(run) -> None:
    """The firmware refuses another one as long as it tries (Wifi Internal State Error)."""
    assert run(
        f"wlan.active(True)\nwlan.connect('elsewhere', 'x')\nup({SSID!r}, {KEY!r}, timeout_s=15)"
    ) == [Board.address]


def test_no_time(run) -> None:
    line, idle = run(
        f"up({SSID!r}, {KEY!r}, timeout_s=0.05)\n"
        "time.sleep(1)\nprint(wlan.isconnected(), wlan.status() == network.STAT_IDLE)"
    )
    said(line, "ETIMEDOUT", "no connection", repr(SSID), "0.05 s")
    assert idle == "False True", "it does not go on behind the program's back"


def test_no_network_within_little_time(run) -> None:
    _begin, line = run("b = time.ticks_ms()\nprint(b)\nup('elsewhere', 'x', timeout_s=1)")
    assert "'elsewhere'" in line
    said(line, "ETIMEDOUT")


def test_link_down(run) -> None:
    run.board.control("link down")
    said(*run(f"up({SSID!r}, {KEY!r})"), "EHOSTUNREACH", repr(SSID))
    run.board.control("link up")
    assert run(f"up({SSID!r}, {KEY!r})") == [Board.address]


def test_what_the_user_set_stays(run) -> None:
    """The number of reconnects, after success and failure, and the firmware's own default."""
    assert [line for line in run(
        f"wlan.active(True)\nup({SSID!r}, {KEY!r})\nprint('n', wlan.config('reconnects'))\n"
        f"wlan.config(reconnects=7)\nup('elsewhere', 'x', timeout_s=0.5)\n"
        "print('n', wlan.config('reconnects'))"
    ) if line[0] == "n"] == ["n -1", "n 7"]  # fmt: skip


def test_the_connection_comes_back_by_itself(run) -> None:
    """As without this helper: the number of attempts is limited for the call alone."""
    assert run(f"up({SSID!r}, {KEY!r}, hostname='door')\nprint(network.hostname())") == [
        Board.address,
        "door",
    ]
    run.board.control("link down")
    with Device(run.board.device) as device:
        device.prompt()
        # Long enough for more attempts than the helper allows: each is a scan.
        device.exec("import time, network\nwhile network.WLAN().isconnected(): time.sleep(0.1)")
        device.exec("time.sleep(2)")
        run.board.control("link up")
        assert "True" in device.exec(
            "for i in range(100):\n if network.WLAN().isconnected(): break\n time.sleep(0.1)\n"
            "print(network.WLAN().isconnected())"
        )


@pytest.mark.parametrize(
    "text",
    [f"{SSID}\n{KEY}\n", f"{SSID}\r\n{KEY}\r\n", f"{SSID}\n{KEY}", f"{SSID}\n{KEY}\n# more\n"],
)
def test_file(run, text: str) -> None:
    with Device(run.board.device) as device:
        device.fresh()
        filesystem.write(device, "/wifi.txt", text.encode())
    assert run("up()") == [Board.address]
    run.board.control("reset")
    assert run("up()") == [Board.address], "the file outlives a reset"


def test_file_is_missing_or_wrong(run) -> None:
    missing, empty, nameless, keyless, given = run(
        f"up()\nwrite('')\nup()\nwrite('\\n{KEY}\\n')\nup()\nwrite('{SSID}\\n')\nup()\n"
        f"up({SSID!r}, {KEY!r})"
    )
    said(missing, "ENOENT", "/wifi.txt")
    said(empty, "EINVAL", "/wifi.txt")
    said(nameless, "EINVAL", "/wifi.txt")
    said(keyless, "ECONNREFUSED", repr(SSID))
    assert given == Board.address, "arguments go first"


LAN = "wifi.lan(mdc=23, mdio=18, phy_addr=0, phy_type=network.PHY_LAN8720{})"


def test_no_ethernet(run) -> None:
    code = f"try:\n {LAN.format('')}\nexcept OSError as e:\n print(e.errno == errno.ENODEV, e)"
    (line,) = run(code)
    assert line.startswith("True ") and "no Ethernet at these pins" in line


def test_ethernet(run) -> None:
    with Board(ethernet=True) as board:
        code = f"print({LAN.format('')}, network.LAN().isconnected())\nup('x', timeout_s=5)"
        up, no_wifi = run(code, board)
        assert up == f"{Board.address} True" and "EHOSTUNREACH" in no_wifi
        board.control("link down")
        code = "while network.LAN().isconnected():\n time.sleep(0.01)\n"
        code += f"try:\n {LAN.format(', timeout_s=0.3')}\nexcept OSError as e:\n"
        code += " print(e.errno == errno.ETIMEDOUT, e)"
        (line,) = run(code, board)
        assert line.startswith("True ") and "is the cable in" in line


def output(target: HostTarget, *command) -> list[str]:
    process = target.run(*command)
    lines = process.rest(SECONDS)
    assert process.end() == "", lines
    return lines


def test_where_there_is_no_wifi(target: HostTarget, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(
        "from usocket_compat import errno, wifi\nimport usocket_compat as net\n"
        "for call in (net.wifi.up, wifi.lan):\n try:\n  call()\n except OSError as e:\n"
        "  print(e.errno == errno.ENODEV, e)\n"
    )
    lines = output(target, file)
    assert [re.sub(r"\[Errno \d+\] (ENODEV: )?", "", line) for line in lines] == [
        f"True this interpreter has no {what}: it takes a board that has"
        for what in ("Wi-Fi", "Ethernet")
    ]


# What the virtual board has not: a `network` as the firmware documents it, on other interpreters.
NETWORK = """
ETH_CONNECTED = 3
STATUS, CONNECTED, RSSI = {status}
calls = []

class NIC:
    def __init__(self, **settings):
        calls.append(settings)
    def active(self, on):
        calls.append(on)
    def isconnected(self):
        return CONNECTED
    def ipconfig(self, what):
        assert what == "addr4"
        return "192.0.2.7", "255.255.255.0"
    def connect(self, ssid, key):
        calls.append(ssid)
    def disconnect(self):
        calls.append("disconnect")
    def config(self, what=None, reconnects=None):
        return -1
    def status(self, what=None):
        if what == "rssi":
            if RSSI:
                return RSSI
            raise OSError(22)
        return STATUS

def hostname(name):
    calls.append(name)

LAN = WLAN = NIC
"""
CASES = {
    "address": ("wifi.lan(hostname='door', mdc=23, timeout_s=1)", (5, True, 0), "192.0.2.7"),
    "no cable": (
        "wifi.lan(timeout_s=0.1)",
        (4, False, 0),
        "ETIMEDOUT no Ethernet link within 0.1 s",
    ),
    "no lease": ("wifi.lan(timeout_s=0.1)", (3, False, 0), "ETIMEDOUT no address from the Eth"),
    "no address": ("wifi.up('x', timeout_s=0.1)", (1001, False, -40), "ETIMEDOUT no address from"),
    "handshake": ("wifi.up('x', 'y')", (15, False, 0), "ECONNREFUSED the Wi-Fi network 'x' does"),
    "handshake 2": ("wifi.up('x', 'y')", (204, False, 0), "ECONNREFUSED the Wi-Fi network 'x' do"),
    "security": ("wifi.up('x', 'y', None, 1)", (210, False, 0), "ECONNREFUSED the Wi-Fi network"),
    "other": ("wifi.up('x', 'y')", (203, False, 0), "ECONNREFUSED the Wi-Fi network 'x' fails w"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_firmware_may_say(target: HostTarget, tmp_path: Path, case: str) -> None:
    call, status, expected = CASES[case]
    (tmp_path / "network.py").write_text(NETWORK.format(status=status))
    file = tmp_path / "program.py"
    file.write_text(
        "import sys\nsys.path.insert(0, sys.argv[1])\nimport network\n"
        "from usocket_compat import errno, wifi\n"
        f"try:\n print({call})\nexcept OSError as e:\n"
        " for n in ('ECONNREFUSED', 'ETIMEDOUT'):\n"
        "  if getattr(errno, n) == e.errno:\n   print(n, e.args[1])\n"
        "print(network.calls)\n"
    )
    line, calls = output(target, file, str(tmp_path))
    assert line.startswith(expected)
    if case == "address":
        assert calls == "['door', {'mdc': 23}, True]"
