# SPDX-License-Identifier: MIT
"""`usocket verify`: a board compared with the virtual one, and the file that says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from usocket_tools.files import data_file
from usocket_tools.make import verified
from usocket_tools.suite import quirks, verdict, verifying
from usocket_tools.suite.filerun import names_in
from usocket_tools.suite.verifying import About, Left, Piece
from usocket_tools.vboard.board import Board
from usocket_tools.wifi import Wifi

USOCKET = [sys.executable, "-m", "usocket_tools.cli", "verify"]
SECONDS = 110
SSID, KEY = "the lab", "open sesame"
ABOUT = About("ESP32_GENERIC", "1.26.1", "v1.26.1", "ESP32", 1000, "1.0", "192.0.2.7", False)


def verify(*args: object, **environment: str) -> subprocess.CompletedProcess:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "USOCKET_"))}
    command = [*USOCKET, *map(str, args)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, env={**clean, **environment}
    )


def parts(report: Path) -> dict[str, str]:
    """Heading -> what stands below it."""
    found = {}
    for part in report.read_text().split("\n## "):
        head, _, rest = part.partition("\n")
        found[head] = rest.strip()
    return found


def test_nothing_differs(board: Board, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    pieces = "errno_numbers", "test_names", "recvfrom_of_a_stream"
    done = verify("--device", board.device, "-o", report, *pieces)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    count = len(names_in(data_file("common/test_names.py")))
    assert done.stdout.splitlines() == [
        f"{board.device}: {count + 2} tests and quirks, all as on the virtual board",
        f"{report} has it all: attach it to an issue.",
    ]
    found = parts(report)
    assert found["Differences"] == "None: all is as on the virtual board."
    assert f"- tests: {count} run, 0 differ, 0 not run\n" in found["# usocket verify"]
    assert "- quirks: 2 run, 0 differ, 0 not run" in found["# usocket verify"]
    assert "- virtual: yes\n" in found["# usocket verify"]
    assert f"- test_names: {count}\n- quirks: 2" in found["What was run"]
    assert board.device not in report.read_text()


def test_a_board_that_differs_in_a_quirk(tmp_path: Path) -> None:
    """No stock firmware gives it an address of IPv6; this one's does."""
    name = "ipv6_out_of_reach"
    report = tmp_path / "report.md"
    with Board(ipv6=True) as board:
        done = verify("--device", board.device, "-o", report, name, "few_arguments")
        assert done.returncode == 1, done.stderr
        assert done.stdout.splitlines()[0] == f"{board.device}: quirk {name} differs"
    found = parts(report)["Differences"]
    assert found.startswith(f"### quirk {name}\n") and found.count("### ") == 1
    # lwIP finds a route for what has an address: udp_connect and the send behind it succeed.
    assert "The board:\n\n    connect None\n" in found
    assert "What is expected:\n\n    connect EHOSTUNREACH\n" in found
    assert found.endswith("A virtual board on the same machine: as expected.")


def test_a_board_without_a_network(tmp_path: Path) -> None:
    """What needs this machine is not run; with the network it is, whose names stay here."""
    report, wifi = tmp_path / "report.md", tmp_path / "wifi.txt"
    wifi.write_text(f"{SSID}\n{KEY}\n")
    pieces = "recvfrom_of_a_stream", "sockets_are_ten"
    with Board(wifi=f"{SSID}:{KEY}") as board:
        to = ("--device", board.device, "-o", report)
        done = verify(*to, *pieces)
        assert done.returncode == 0 and ", 1 not run\n" in done.stdout, done.stdout + done.stderr
        assert parts(report)["Not run"] == (
            "- quirk recvfrom_of_a_stream: the board is in no network"
        )
        assert "- network: none\n" in report.read_text()
        # sockets_are_ten begins and ends with a reset, which ends the connection.
        done = verify(*to, "--wifi", wifi, *reversed(pieces))
        assert done.returncode == 0 and "not run" not in done.stdout, done.stdout + done.stderr
    text = report.read_text()
    assert "- network: yes\n" in text
    for secret in (SSID, KEY, Board.address):
        assert secret not in text + done.stdout


def test_a_test_that_fails(board: Board, tmp_path: Path) -> None:
    """With its traceback, and what the virtual board gives under the same configuration."""
    conf, report = tmp_path / "other.conf", tmp_path / "report.md"
    conf.write_text("CONFIG_NET_SOCKETS_POSIX_NAMES=n\n")
    more = {"USOCKET_COMPAT_CONF": str(conf)}
    done = verify("--device", board.device, "--alone", "-o", report, "test_names", **more)
    assert done.returncode == 1
    first = done.stdout.splitlines()[0]
    name = first.removeprefix(f"{board.device}: ").removesuffix(" differs")
    assert name.startswith("test_names::test_")
    found = parts(report)["Differences"]
    assert found.startswith(f"### {name}\n") and 'File "test_names.py", line ' in found
    assert "A virtual board" not in found


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "no board is plugged in\n"),
        (["--device", "/dev/nothing"], "there is no device /dev/nothing\n"),
        (["test_nothing"], "there is no test_nothing in the suite, and no such quirk\nThere are"),
        ([quirks.IPV6], f"there is no {quirks.IPV6} in the suite, and no such quirk\n"),
        (["--device", "X", "--wifi", "/nothing"], "cannot read /nothing: No such file"),
    ],
)
def test_mistakes(args: list[str], message: str) -> None:
    done = verify(*args)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("usocket: " + message)
    assert len(done.stderr.splitlines()) == 2


def test_a_report_that_cannot_be_written(board: Board, tmp_path: Path) -> None:
    """Found out before the tests are run."""
    done = verify("--device", board.device, "-o", tmp_path / "no" / "report.md")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"usocket: cannot write {tmp_path}/no/report.md: No such file")


# -- the report -------------------------------------------------------------------------------


def report(*pieces: Piece, wifi: Wifi | None = None, left: tuple[Left, ...] = ()) -> str:
    hidden = verdict.secrets(wifi, ["192.0.2.7", "192.0.2.1"])
    return verdict.text(ABOUT, pieces, left, hidden)


def test_no_keys_no_names_of_networks() -> None:
    for ssid, key in (("lab", "secret99"), ("b\xfc\xdf\x1b", "k'e\\y\"12"), ("e", "x")):
        found = f"{ssid} {ssid!r} {key} ({key!r}) 192.0.2.7:80 192.0.2.1 over{key}"
        wifi = Wifi(ssid, key)
        text = report(Piece("test_x::test_y", False, found, note=f"{key}"), wifi=wifi)
        assert "192.0.2" not in text
        line = next(line for line in text.splitlines() if "<network>" in line)
        assert line.count("<network>") == 2 and line.count("<address>") == 2
        whole = len(key) >= 8
        assert line.count("<key>") == (3 if whole else 2)
        assert f"over{'<key>' if whole else key}" in line
        assert "- test_x::test_y: <key>\n" in text
        assert "# usocket verify\n" in text, "the words of the report itself stay"


def test_what_a_board_says_is_text() -> None:
    """It neither drives a terminal nor ends the block that it stands in."""
    text = report(
        Piece("quirk q", False, "\x1b[2J\n```\n# heading\n", "x\n", "says"),
        Piece("test_x::test_y", False, "y" * 10000),
    )
    assert "\x1b" not in text and "    \\x1b[2J\n    ```\n    # heading\n" in text
    assert "... 6000 characters more" in text and len(text) < 6000


def test_a_page_of_reports(tmp_path: Path) -> None:
    """ "None yet" until there is one; one of a virtual board is none."""
    assert "None yet" in verified.table(tmp_path)
    (tmp_path / "one.md").write_text(report(Piece("quirk q", True), Piece("test_x::y", False)))
    (tmp_path / "other.md").write_text(
        report(Piece("quirk q", True)).replace("- chip: ESP32", "- chip: <b>|`x` ESP32")
    )
    rows = verified.table(tmp_path).splitlines()
    assert "None yet" not in "".join(rows) and len(rows) == 4
    assert "ESP32_GENERIC" in rows[2] and "1 run, 1 differ" in rows[2]
    assert "(verified/one.md)" in rows[2]
    assert "<b>" not in rows[3] and rows[3].count("|") == rows[2].count("|")
    virtual = verdict.text(ABOUT._replace(virtual=True), [Piece("quirk q", True)], [], [])
    (tmp_path / "virtual.md").write_text(virtual)
    with pytest.raises(ValueError, match=r"virtual\.md is of a virtual board"):
        verified.table(tmp_path)
    (tmp_path / "virtual.md").write_text("# something\n")
    with pytest.raises(ValueError, match=r"virtual\.md is no report"):
        verified.table(tmp_path)


def test_every_quirk_and_every_file_is_run() -> None:
    assert len(verifying.known()) == len(quirks.QUIRKS) - 1
    there = {file.stem for file in data_file("common/run.py").parent.glob("test_*.py")}
    assert set(verifying.files()) == there
