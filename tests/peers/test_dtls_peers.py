"""DTLS sockets against OpenSSL."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import peers
import pytest
from targets import HostTarget
from test_tls_peers import NAME, WRONG, Pki

PROGRAM = Path(__file__).parent / "programs" / "datagrams.py"
LIMIT = 60


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


class OpenSSL:
    """A running openssl: what it prints, what it is told to send."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path):
        self.process, self.log = process, log

    def wait(self, word: str, times: int = 1) -> None:
        deadline = time.monotonic() + 20
        while self.log.read_text(errors="replace").count(word) < times:
            assert time.monotonic() < deadline, self.log.read_text(errors="replace")
            time.sleep(0.02)

    def say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def openssl(log: Path, *argv: str) -> Iterator[OpenSSL]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [peers.program("openssl"), *argv], stdin=subprocess.PIPE, stdout=output, stderr=output
        )
        try:
            yield OpenSSL(process, log)
        finally:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def s_server(folder: Path, pair: tuple[str, str], *options: str) -> Iterator[tuple[OpenSSL, int]]:
    argv = ["s_server", "-dtls1_2", "-accept", "127.0.0.1:0", "-cert", pair[0], "-key", pair[1]]
    with openssl(folder / "server.log", *argv, *options) as running:
        running.wait("ACCEPT 127.0.0.1:")
        port = re.search(r"ACCEPT 127\.0\.0\.1:(\d+)\n", running.log.read_text())
        assert port
        yield running, int(port[1])


def has(target: HostTarget, server: bool = False) -> bool:
    return target.id != "cpython" and not (server and target.id == "unix-1.25.0")


def refused(target: HostTarget, pki: Pki, what: str) -> None:
    """CPython's ssl has no DTLS; MicroPython 1.25 no cookies, and so no server here."""
    process = target.run(PROGRAM, what, "port=1", "lines=1", "times=1", f"ca={pki.ca[0]}")
    said = "\n".join(process.rest(LIMIT)) + process.end()
    words = "93|EPROTONOSUPPORT" if target.id == "cpython" else "92|ENOPROTOOPT"
    assert re.search(words, said), said


def connect(target: HostTarget, port: int, **args: object) -> list[str]:
    words = {"port": port, "lines": 1, **args}
    process = target.run(PROGRAM, "connect", *(f"{name}={value}" for name, value in words.items()))
    lines = process.rest(LIMIT)
    assert process.end() == "", "\n".join(lines)
    assert lines[-1] == "[]", lines
    return lines


@pytest.mark.parametrize("options", [(), ("-listen",), ("-mtu", "400"), ("-Verify", "1")])
@pytest.mark.parametrize("kind", ["server", "rsa"])
def test_openssl_as_the_server(
    target: HostTarget, pki: Pki, tmp_path: Path, kind: str, options: tuple[str, ...]
) -> None:
    """-listen asks for a cookie, -mtu sends the handshake in pieces."""
    if not has(target):
        return refused(target, pki, "connect")
    own = {"cert": pki.client[0], "key": pki.client[1]} if "-Verify" in options else {}
    if own:
        options = (*options, "-verify_return_error", "-CAfile", pki.ca[0])
    with s_server(tmp_path, getattr(pki, kind), *options) as (server, port):
        words = {"port": port, "lines": 3, "timeout": 2, "ca": pki.ca[0], "name": NAME, **own}
        process = target.run(PROGRAM, "connect", *(f"{k}={v}" for k, v in words.items()))
        server.wait("line 2")
        server.say("typed")
        server.wait("seen")
        server.say("more")
        server.wait("seen", 2)
        lines = process.rest(LIMIT)
        assert process.end() == ""
    assert lines[:3] == ["connected", "b'typed\\n' True", "b'more\\n' True"], lines
    assert lines[3:] == ["error EAGAIN ", "[]"], lines


@pytest.mark.parametrize(("server", "trusted", "name", "words"), WRONG)
def test_who_is_not_trusted(
    target: HostTarget, pki: Pki, tmp_path: Path, server: str, trusted: str, name: str, words: str
) -> None:
    if not has(target):
        return refused(target, pki, "connect")
    with s_server(tmp_path, getattr(pki, server)) as (running, port):
        lines = connect(target, port, ca=getattr(pki, trusted)[0], name=name)
        assert "line" not in running.log.read_text(errors="replace")
    assert lines[0].startswith("error ECONNABORTED "), lines
    assert re.search(words, lines[0], re.I), lines


def test_a_server_that_wants_a_certificate(target: HostTarget, pki: Pki, tmp_path: Path) -> None:
    if not has(target):
        return refused(target, pki, "connect")
    options = "-Verify", "1", "-verify_return_error", "-CAfile", pki.ca[0]
    with s_server(tmp_path, pki.server, *options) as (_, port):
        lines = connect(target, port, ca=pki.ca[0], name=NAME)
    assert lines[0].startswith("error ECONNABORTED "), lines


LIBSSL = Path(__file__).parent / "programs" / "dtls_server.py"


def test_the_end_that_the_peer_tells(target: HostTarget, pki: Pki, tmp_path: Path) -> None:
    """`openssl s_server` tells nobody: a server on its library."""
    if not has(target):
        return refused(target, pki, "connect")
    port = peers.free_port()
    log = tmp_path / "log"
    argv = [sys.executable, str(LIBSSL), str(port), *pki.server]
    with peers.running(argv, log):
        deadline = time.monotonic() + 10
        while "ready" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        lines = connect(target, port, ca=pki.ca[0], name=NAME)
    assert lines[:2] == ["connected", "b'last' True"], (lines, log.read_text())
    assert lines[2].startswith("error ENOTCONN"), lines


def test_openssl_as_the_client(target: HostTarget, pki: Pki, tmp_path: Path) -> None:
    """One after the other, each of which says that it ends."""
    if not has(target, server=True):
        return refused(target, pki, "connect" if target.id == "cpython" else "serve")
    port = peers.free_port()
    words = {"port": port, "times": 6, "cert": pki.server[0], "key": pki.server[1]}
    process = target.run(PROGRAM, "serve", *(f"{name}={value}" for name, value in words.items()))
    assert process.line(LIMIT) == "ready"
    for n in range(3):
        argv = ["s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-CAfile", pki.ca[0]]
        argv += ["-verify_return_error", "-verify_hostname", NAME]
        with openssl(tmp_path / f"{n}.log", *argv) as client:
            client.wait("Verify return code: 0")
            client.say("abc")
            # A line of its own: its sessions' numbers are in hexadecimal.
            client.wait("\nABC\n")
            client.say("def")
            client.wait("\nDEF\n")
            client.say("Q")
            client.process.wait(10)
    lines = process.rest(LIMIT)
    assert process.end() == ""
    assert lines == ["b'abc\\n'", "b'def\\n'"] * 3 + ["[]"], lines


def test_a_client_certificate_is_asked_for(target: HostTarget, pki: Pki, tmp_path: Path) -> None:
    if not has(target, server=True):
        return refused(target, pki, "connect" if target.id == "cpython" else "serve")
    port = peers.free_port()
    words = {"port": port, "times": 1, "cert": pki.server[0], "key": pki.server[1]}
    words.update(ca=pki.ca[0], verify=2)
    process = target.run(PROGRAM, "serve", *(f"{name}={value}" for name, value in words.items()))
    assert process.line(LIMIT) == "ready"
    argv = ["s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-CAfile", pki.ca[0]]
    with openssl(tmp_path / "none.log", *argv) as client:
        client.process.wait(20)
        client.wait("alert")
    own = ["-cert", pki.client[0], "-key", pki.client[1]]
    with openssl(tmp_path / "own.log", *argv, *own) as client:
        client.wait("Verify return code: 0")
        client.say("abc")
        client.wait("\nABC\n")
    assert process.rest(LIMIT) == ["b'abc\\n'", "[]"]
    assert process.end() == ""
