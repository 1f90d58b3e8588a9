# SPDX-License-Identifier: MIT
"""`usocket test`: the behaviour suite on boards, its reports, and the network they join."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_serial import Bridge

from usocket_tools import wifi
from usocket_tools.boards.device import Device
from usocket_tools.errors import UsocketError
from usocket_tools.programs import tracebacks
from usocket_tools.suite import handover, joining
from usocket_tools.suite.filerun import names_in
from usocket_tools.vboard.board import Board
from usocket_tools.wifi import Wifi, wifi_of

USOCKET = [sys.executable, "-m", "usocket_tools.cli", "test"]
COMMON = Path(__file__).resolve().parents[1] / "common"
SECONDS = 100
SSID, KEY = "lab", "open sesame"


@pytest.fixture(scope="module")
def wifi_board() -> Iterator[Board]:
    with Board(wifi=f"{SSID}:{KEY}") as board:
        yield board


def usocket_test(*args: object, **environment: str) -> subprocess.CompletedProcess:
    # Without what pytest tells of this run.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "USOCKET_"))}
    return subprocess.run(
        [*USOCKET, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**clean, **environment},
    )


def cases(report: Path) -> list[xml.Element]:
    return list(xml.parse(report).getroot().iter("testcase"))


def connected(board: Board) -> bool:
    with Device(board.device) as device:
        device.prompt()
        return "True" in device.exec("import network\nprint(network.WLAN().isconnected())")


def test_two_boards_at_once(board: Board, wifi_board: Board, tmp_path: Path) -> None:
    """One here, one at another machine; both run all of it, each in a process of its own."""
    junit, html = tmp_path / "report.xml", tmp_path / "report.html"
    with Bridge(board.device, "rfc2217") as rack:
        devices = wifi_board.device, rack.url
        done = usocket_test(
            *(f"--device={device}" for device in devices),
            *("test_errors", "test_names", f"--junit={junit}", f"--html={html}"),
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 workers" in done.stdout
    wanted = [
        f"{name}[{handover.target_id(device)}]"
        for file in ("test_errors", "test_names")
        for name in names_in(COMMON / f"{file}.py")
        for device in devices
    ]
    found = cases(junit)
    assert sorted(case.get("name", "") for case in found) == sorted(wanted)
    assert not [case for case in found if len(case.findall("failure"))]
    assert all(name.partition("[")[0] in html.read_text() for name in wanted)


def test_a_board_is_unplugged() -> None:
    """What cannot be run any more is not tried test by test."""
    with Board() as board:
        process = subprocess.Popen(
            [*USOCKET, "--device", board.device, "test_threads", "test_blocking"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        for line in process.stdout:
            if line.startswith("tests/common/test_threads.py"):
                break
    rest = line + process.communicate(timeout=SECONDS)[0]
    assert process.returncode not in (0, None)
    assert f"{handover.target_id(board.device)} is gone: plug it in and repeat this" in rest
    assert re.search(r"\b[12] failed\b", rest), rest


def test_a_failure(board: Board, tmp_path: Path) -> None:
    """With what the board printed, its traceback, and the lines that this names."""
    conf = tmp_path / "other.conf"
    conf.write_text("CONFIG_NET_SOCKETS_POSIX_NAMES=n\n")
    junit, html = tmp_path / "report.xml", tmp_path / "report.html"
    done = usocket_test(
        *(f"--device={board.device}", "test_names", f"--junit={junit}", f"--html={html}"),
        USOCKET_COMPAT_CONF=str(conf),
    )
    assert done.returncode == 1
    failed = [case.find("failure") for case in cases(junit)]
    texts = [str(failure.text) for failure in failed if failure is not None]
    assert texts
    for text in texts:
        assert f"on {handover.target_id(board.device)}:" in text
        places = re.findall(r'File "(test_names\.py)", line (\d+), in \w+\n +(\S.*)\n', text)
        assert places, text
        for file, number, source in places:
            lines = (COMMON / file).read_text().splitlines()
            assert source == lines[int(number) - 1].strip()
    assert "test_names.py" in html.read_text()
    assert places[-1][2] in done.stdout


def test_chosen_tests(board: Board, tmp_path: Path) -> None:
    junit = tmp_path / "report.xml"
    name = max(names_in(COMMON / "test_zero.py"), key=len)  # part of no other
    done = usocket_test(
        "--device", board.device, COMMON / "test_zero.py", "-k", name, "--junit", junit
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [case.get("name") for case in cases(junit)] == [f"{name}[{board.device[5:]}]"]


def test_wifi(wifi_board: Board, tmp_path: Path) -> None:
    """From the environment, and again when a reset has ended it; the key is in no report."""
    wifi_board.control("reset")
    assert not connected(wifi_board)
    junit, html = tmp_path / "report.xml", tmp_path / "report.html"
    done = usocket_test(
        *(f"--device={wifi_board.device}", "test_names_off", f"--junit={junit}", f"--html={html}"),
        USOCKET_WIFI_SSID=SSID,
        USOCKET_WIFI_KEY=KEY,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert connected(wifi_board)
    for text in (done.stdout, done.stderr, junit.read_text(), html.read_text()):
        assert KEY not in text
    with Device(wifi_board.device) as device:
        device.fresh()
        files = device.exec("import os\nprint(os.listdir('/'))")
        assert "wifi" not in files, "the key is not left on the board"


def test_wifi_from_a_file(wifi_board: Board, tmp_path: Path) -> None:
    file = tmp_path / "wifi.txt"
    wifi_board.control("reset")
    file.write_text(f"{SSID}\nwrong\n")
    done = usocket_test("--device", wifi_board.device, "--wifi", file, "test_names_off")
    assert (done.returncode, done.stdout) == (1, "")
    assert SSID in done.stderr and "wrong" not in done.stderr
    assert done.stderr.startswith(f"usocket: {wifi_board.device}: ")
    file.write_text(f"{SSID}\n{KEY}\n")
    done = usocket_test("--device", wifi_board.device, "--wifi", file, "test_names_off")
    assert done.returncode == 0, done.stdout + done.stderr
    assert connected(wifi_board)


def test_wifi_joins_again(wifi_board: Board) -> None:
    """A board that has lost its network is brought back before the next file of the suite."""
    wifi = Wifi(SSID, KEY)
    with Device(wifi_board.device) as device:
        wifi_board.control("reset")
        device.fresh()
        joining.join(device, wifi)
        assert device.exec(joining._CONNECTED).strip() == "True"
        assert device.exec("import sys\nprint('usocket_compat' in sys.modules)") == "False\r\n"


def test_credentials(tmp_path: Path) -> None:
    assert wifi_of(None, {}) is None
    environment = {wifi.SSID: "lab", wifi.KEY: "k"}
    assert wifi_of(None, environment) == ("lab", "k")
    assert wifi_of(None, {wifi.SSID: "open"}) == ("open", "")
    with pytest.raises(UsocketError, match="USOCKET_WIFI_KEY is set"):
        wifi_of(None, {wifi.KEY: "k"})
    file = tmp_path / "wifi.txt"
    for text, expected in (
        ("a b\r\nk\r\n", ("a b", "k")),
        ("a", ("a", "")),
        ("a\nk\nx", ("a", "k")),
    ):
        file.write_bytes(text.encode())
        assert wifi_of(file, environment) == expected
    file.write_text("\nk\n")
    with pytest.raises(UsocketError, match="names no network"):
        wifi_of(file, {})


def test_a_committed_file(tmp_path: Path) -> None:
    file = tmp_path / "wifi.txt"
    file.write_text("lab\nk\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert wifi_of(file, {}) == ("lab", "k")
    subprocess.run(["git", "add", "wifi.txt"], cwd=tmp_path, check=True)
    with pytest.raises(UsocketError, match="is committed"):
        wifi_of(file, {})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "no board is plugged in"),
        (["--device", "/dev/nothing"], "there is no device /dev/nothing"),
        (["--device", "X", "--device", "X"], "X is named twice"),
        (["--device", "X", "test_nothing"], "there is no test_nothing in the suite"),
        (["--device", "X", __file__], f"there is no {__file__} in the suite"),
        (["--device", "X", "--wifi", "/nothing"], "cannot read /nothing: No such file"),
        (["--device", "rfc2217://127.0.0.1:1"], "nothing answers at rfc2217://127.0.0.1:1"),
        (["--device", "", "test_names"], "there is no device"),
    ],
)
def test_mistakes(args: list[str], message: str) -> None:
    done = usocket_test(*args)
    assert (done.returncode, done.stdout) == (1, "")
    wrong, hint = done.stderr.splitlines()
    assert wrong.startswith(f"usocket: {message}") and hint


def test_a_wrong_configuration(board: Board, tmp_path: Path) -> None:
    conf = tmp_path / "my.conf"
    conf.write_text("CONFIG_FLUX=y\n")
    done = usocket_test("--device", board.device, USOCKET_COMPAT_CONF=str(conf))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"usocket: {conf}:1: unknown symbol CONFIG_FLUX")


def test_help() -> None:
    done = usocket_test("--help")
    assert done.returncode == 0
    for word in ("--device", "--wifi", "--junit", "--html", "rfc2217://"):
        assert word in done.stdout


# -- source lines -----------------------------------------------------------------------------


def test_source_lines(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("one\n    two\nthree\n")
    text = (
        "printed\nTraceback (most recent call last):\n"
        '  File "test_x.py", line 2, in f\n  File "test_x.py", line 3, in g\n    three\n'
        '  File "unknown.py", line 1, in h\n  File "test_x.py", line 99\nValueError: x'
    )
    assert tracebacks.with_source(text, [tmp_path]) == text.replace("in f\n", "in f\n    two\n")


@pytest.mark.parametrize("folder", ["", "/lib/"])
def test_source_lines_of_the_layer(folder: str) -> None:
    for name in ("usocket_compat/zsock.py", "usocket_compat/port/esp32/stream.py"):
        text = tracebacks.with_source(f'  File "{folder}{name}", line 1, in f\n')
        assert text.splitlines()[1] == "    # SPDX-License-Identifier: MIT"
