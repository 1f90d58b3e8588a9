"""DTLS sockets of a board with what a bare ESP32 has of memory, against OpenSSL.

The suite's sessions (tests/common/test_dtls_*.py) have both ends in one program, for which such a
board has no room.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from test_dtls_peers import PROGRAM, openssl, s_server
from test_tls_peers import NAME

from usocket_tools.boards import filesystem
from usocket_tools.boards.device import Device
from usocket_tools.suite.started import Process
from usocket_tools.vboard.board import Board

sys.path.append(str(Path(__file__).parents[1] / "common"))
import certs

LIMIT = 60
DERS = {
    "ca.der": certs.CA,
    "other.der": certs.OTHER_CA,
    "server.der": certs.SERVER,
    "server.key": certs.SERVER_KEY,
    "client.der": certs.CLIENT,
    "client.key": certs.CLIENT_KEY,
}
# mbedTLS takes and gives 4096 bytes; lwIP reassembles nothing: what comes has room in a packet of
# 1500 bytes, beside 28 of UDP and 37 of DTLS.
OUT = 2, 100, 512, 513, 1435, 4096
IN = 2, 100, 512, 513, 1000, 1435


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with Board(variant="32bit") as board:
        with Device(board.device) as device:
            device.fresh()
            for name, data in DERS.items():
                filesystem.write(device, f"/{name}", data)
            device.leave()
        yield board


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """The same for OpenSSL: a certificate and its key."""
    folder = tmp_path_factory.mktemp("pems")
    for name, data in DERS.items():
        text = ssl.DER_cert_to_PEM_cert(data)
        if name.endswith(".key"):
            text = text.replace("CERTIFICATE", "PRIVATE KEY")
        (folder / name).write_text(text)
    names = {name.partition(".")[0] for name in DERS}
    return {name: (str(folder / f"{name}.der"), str(folder / f"{name}.key")) for name in names}


@pytest.fixture
def run(board: Board, started: list) -> Callable[..., Process]:
    def run(what: str, **args: object) -> Process:
        command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device]
        words = [f"{name}={value}" for name, value in args.items()]
        started.append(Process([*command, str(PROGRAM), what, *words], dict(os.environ)))
        return started[-1]

    return run


def lines(process: Process) -> list[str]:
    """All that it still says; it ends well."""
    said = process.rest(LIMIT)
    assert process.end() == "", "\n".join(said)
    return said


def line(n: int) -> str:
    """As the program's."""
    text = f"{n}:"
    return (text + "".join(chr(97 + (n + i) % 23) for i in range(len(text), n)))[: n - 1] + "\n"


@pytest.mark.parametrize("own", [False, True])
def test_datagrams_both_ways(board: Board, run, pems, tmp_path: Path, own: bool) -> None:
    """own: the server wants the board's certificate too."""
    options = ("-Verify", "1", "-verify_return_error", "-CAfile", pems["ca"][0]) if own else ()
    with s_server(tmp_path, pems["server"], *options) as (server, port):
        words = {"host": board.host, "port": port, "ca": "ca.der", "name": NAME}
        if own:
            words.update(cert="client.der", key="client.key")
        process = run("exchange", **words, sizes=",".join(map(str, OUT)), times=len(IN))
        assert process.line(LIMIT) == "connected"
        for n in OUT:
            assert process.line(LIMIT) == f"sent {n}"
            server.wait(line(n))
        for n in IN:
            # One after the other: OpenSSL sends what it finds in its pipe as one.
            server.say(line(n)[:-1])
            assert process.line(LIMIT) == f"came {n} True"
        assert lines(process) == ["[]"]


@pytest.mark.parametrize(
    ("trusted", "name", "words"),
    [("other.der", NAME, "not correctly signed"), ("ca.der", "wrong.test", "does not match")],
)
def test_who_is_not_trusted(
    board: Board, run, pems, tmp_path: Path, trusted: str, name: str, words: str
) -> None:
    with s_server(tmp_path, pems["server"]) as (server, port):
        process = run("connect", host=board.host, port=port, ca=trusted, name=name, lines=1)
        error, left = lines(process)
        assert "line" not in server.log.read_text(errors="replace")
    assert error.startswith("error ECONNABORTED ") and words in error
    assert left == "[]"


def test_a_server(board: Board, run, pems, tmp_path: Path) -> None:
    """Two sessions one after the other, each of which says that it ends."""
    host_port = board.forward("udp:0:4433")
    sizes = 100, 512, 1400
    own = {"cert": "server.der", "key": "server.key"}
    process = run("serve", host="0.0.0.0", port=4433, times=2 * len(sizes), **own)
    assert process.line(LIMIT) == "ready"
    for n in range(2):
        argv = ["s_client", "-dtls1_2", "-connect", f"127.0.0.1:{host_port}"]
        argv += ["-CAfile", pems["ca"][0], "-verify_return_error", "-verify_hostname", NAME]
        with openssl(tmp_path / f"{n}.log", *argv) as client:
            client.wait("Verify return code: 0")
            for size in sizes:
                client.say(line(size)[:-1])
                assert process.line(LIMIT) == repr(line(size).encode())
                client.wait(line(size).upper())
            client.say("Q")
            client.process.wait(10)
    assert lines(process) == ["[]"]
