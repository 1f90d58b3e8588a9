# SPDX-License-Identifier: MIT
"""MicroPython's own multi_net tests, unchanged, and ours: one side on the board, one on the host.

Right is what both sides print when both are on this machine.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import placed
import pytest
from runner import Host, OnBoard, TwoSided

from usocket_tools.boards.device import Device
from usocket_tools.builds import interpreters
from usocket_tools.vboard.board import Board

OURS = sorted(Path(__file__).parent.glob("net_*.py"))
THEIRS = """
asyncio_tcp_client_rst asyncio_tcp_close_write asyncio_tcp_readall asyncio_tcp_readexactly
asyncio_tcp_readinto asyncio_tcp_server_client tcp_accept_recv tcp_client_rst tcp_data
tcp_recv_peek udp_data udp_data_multi udp_recv_dontwait udp_recv_peek
""".split()
TLS = """
asyncio_tls_server_client asyncio_tls_server_client_cert_required_error
asyncio_tls_server_client_readline asyncio_tls_server_client_verify_error ssl_cert_ec ssl_cert_rsa
sslcontext_check_hostname_error sslcontext_getpeercert sslcontext_server_client
sslcontext_server_client_ciphers sslcontext_server_client_files sslcontext_verify_callback
sslcontext_verify_error sslcontext_verify_time_error tls_dtls_server_client
""".split()
KEEPS_THE_CERTIFICATE = "sslcontext_getpeercert"
BOTH = ["board serves", "host serves"]
NO_LINGER = "a client on the ESP32 has no SO_LINGER to reset a connection with"
# As the file itself says, lwIP raises after the reset; and the port never reports POLLERR, nor a
# POLLHUP that it was not asked for (ports/esp32/modsocket.c).
ON_LWIP = [
    *("[1]", "b'GET / HTTP'", "[1]", "b'/1.0\\r\\n\\r\\n'", "[1]", "104", "[1]"),
    *("Traceback (most recent call last):", "OSError: [Errno 128] ENOTCONN"),
]


@pytest.fixture(scope="module")
def their_tests(tmp_path_factory) -> Path:
    """tests/multi_net of the source that the board was built from."""
    folder = tmp_path_factory.mktemp("micropython") / "src"
    return interpreters.tree(interpreters.source("newest"), folder) / "tests" / "multi_net"


# One board for each way: a port of the board, once forwarded, is in the way of the host's.
TLS_BOARDS = [f"{kind}, {way}" for kind in ("native", "dropin", "32bit dropin") for way in BOTH]


@pytest.fixture(scope="module", params=TLS_BOARDS)
def tls_board(request, their_tests) -> Iterator[tuple[Board, str]]:
    """One that has the certificates that they open, and knows what day it is."""
    kind, way = request.param.split(", ")
    with Board(**({"variant": "32bit"} if "32bit" in kind else {})) as board:
        if "dropin" in kind:
            placed.on_board(board.device)
        with Device(board.device) as device:
            device.fresh()
            for file in sorted(their_tests.glob("*.der")):
                device.exec(f"with open({file.name!r}, 'wb') as f: f.write({file.read_bytes()!r})")
            year, month, day, *_ = time.gmtime()
            now = (year, month, day, 0, 12, 0, 0, 0)
            device.exec(f"import machine; machine.RTC().datetime({now})")
        yield board, way


@pytest.fixture
def board() -> Iterator[Board]:
    with Board() as board:
        yield board


def on_board(board: Board, file: Path, way: str, *host: str) -> TwoSided:
    sides = [OnBoard(board), Host(*host, address=Board.host)]
    return TwoSided(file, sides if way == "board serves" else sides[::-1])


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize("name", THEIRS)
def test_theirs(board, their_tests, name, way):
    file = their_tests / f"{name}.py"
    interpreter = str(interpreters.find("newest").path)
    # The first to run: a port of the board, once forwarded, is in the way.
    expected = TwoSided(file, [Host(interpreter), Host(interpreter)])
    run = on_board(board, file, way, interpreter)
    if name in ("tcp_client_rst", "asyncio_tcp_client_rst") and way == "host serves":
        assert run.skipped, NO_LINGER
        return
    if name == "tcp_client_rst":
        expected.output[0] = ON_LWIP
    assert not run.skipped
    assert run.output == expected.output


def written(file: Path) -> list[list[str]]:
    """What each side prints, by the file beside it."""
    text = Path(f"{file}.exp").read_text()
    return [part.splitlines()[1:] for part in text.split("--- instance")[1:]]


def steady(file: Path, output: list[list[str]]) -> list[list[str]]:
    """Without the line that is printed only if the answer comes after the client's first look."""
    late = "drain" if file.stem == "asyncio_tls_server_client_verify_error" else None
    return [[line for line in side if line != late] for side in output]


def where_they_are(folder: Path) -> list[str]:
    """MicroPython unix there: they open the certificates beside them."""
    start = 'cd "$0" && exec "$@"'
    return ["/bin/sh", "-c", start, str(folder), str(interpreters.find("newest").path)]


def no_peer_certificate(their_tests: Path) -> None:
    """The unix port's mbedTLS does not keep it, and the client of that test waits for nothing."""
    said = subprocess.run(
        [*where_they_are(their_tests), "../net_hosted/ssl_getpeercert.py"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert said.stdout == "SKIP\n", said


@pytest.mark.parametrize("name", TLS)
@pytest.mark.parametrize("modules", ["native", "dropin"])
def test_theirs_with_tls_on_unix(their_tests, name, modules):
    if name == KEEPS_THE_CERTIFICATE:
        return no_peer_certificate(their_tests)
    file = their_tests / f"{name}.py"
    path = placed.unix_environment()["MICROPYPATH"]
    environment = {"MICROPYPATH": path} if modules == "dropin" else {}
    command = where_they_are(their_tests)
    run = TwoSided(file, [Host(*command, environment=environment) for _ in range(2)])
    assert steady(file, run.output) == steady(file, written(file))


@pytest.mark.parametrize("name", TLS)
def test_theirs_with_tls(tls_board, their_tests, name):
    file = their_tests / f"{name}.py"
    board, way = tls_board
    if name == KEEPS_THE_CERTIFICATE and way == "board serves":
        return no_peer_certificate(their_tests)
    run = on_board(board, file, way, *where_they_are(their_tests))
    assert steady(file, run.output) == steady(file, written(file))


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize("file", OURS, ids=[file.stem for file in OURS])
def test_ours(board, file, way):
    expected = TwoSided(file, [Host(sys.executable), Host(sys.executable)])
    run = on_board(board, file, way, sys.executable)
    assert any(expected.output)
    assert run.output == expected.output


def test_there_are_ours():
    assert OURS


FAILS = """
def instance0():
    multitest.globals(IP=multitest.get_network_ip())
    multitest.next()
    print("zero")

def instance1():
    multitest.next()
    {}
"""


@pytest.mark.parametrize("way", BOTH)
def test_a_side_that_fails(board, tmp_path, way):
    file = tmp_path / "fails.py"
    file.write_text(FAILS.format("raise ValueError(IP)"))
    run = on_board(board, file, way, sys.executable)
    assert run.output[0] == ["zero"]
    assert run.output[1][-1].startswith("ValueError: 1")


@pytest.mark.parametrize("way", BOTH)
def test_a_side_that_hangs(board, tmp_path, way, monkeypatch):
    monkeypatch.setattr("runner.SECONDS", 2)
    file = tmp_path / "hangs.py"
    file.write_text(FAILS.format("while True: pass"))
    with pytest.raises(AssertionError, match="instance1 hangs"):
        on_board(board, file, way, sys.executable)
