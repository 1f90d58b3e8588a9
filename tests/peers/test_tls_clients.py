"""TLS servers of the layer, and clients that break off, speak rubbish or are not trusted."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import peers
import pytest
import secured
from targets import HostTarget, Process
from test_tls_peers import NAME, Pki

PROGRAM = Path(__file__).parent / "programs" / "secure.py"
LIMIT = 60
RESET = struct.pack("ii", 1, 0)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@contextlib.contextmanager
def serving(target: HostTarget, pki: Pki, times: int, **more: object) -> Iterator[Process]:
    """The program, and its port as an attribute of it."""
    port = peers.free_port()
    args = {"port": port, "cert": pki.server[0], "key": pki.server[1], "times": times, **more}
    process = target.run(PROGRAM, "take", *(f"{n}={v}" for n, v in args.items()))
    try:
        assert process.line(LIMIT) == "ready"
        process.port = port  # type: ignore[attr-defined]
        yield process
    finally:
        process.stop()


def versions(target: HostTarget) -> list[str]:
    return ["1.2", "1.3"] if target.id == "cpython" else ["1.2"]


def context(pki: Pki, version: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = made.maximum_version = secured.VERSIONS[version]
    made.load_verify_locations(pki.ca[0])
    return made


class Client:
    """One that counts what it has sent, and does something else after so many bytes."""

    def __init__(self, port: int, made: ssl.SSLContext):
        self.plain = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = made.wrap_bio(self.incoming, self.outgoing, server_hostname=NAME)
        self.sent = 0

    def go(self, after: int) -> None:
        """The handshake, up to so many bytes."""
        over = False
        while not over:
            try:
                self.tls.do_handshake()
                over = True
            except ssl.SSLWantReadError:
                pass
            data = self.outgoing.read()[: after - self.sent]
            self.plain.sendall(data)
            self.sent += len(data)
            if self.sent == after or over:
                return
            got = self.plain.recv(65536)
            assert got, "it was closed"
            self.incoming.write(got)


def test_handshakes_that_break_off(target: HostTarget, pki: Pki) -> None:
    """In each message of the client: the server goes on, in time, and nothing is left open."""
    for version in versions(target):
        made = context(pki, version)
        with serving(target, pki, 27, version=version, timeout=0.5) as process:
            whole = Client(process.port, made)  # type: ignore[attr-defined]
            whole.go(1 << 20)
            whole.tls.write(b"word")
            whole.plain.sendall(whole.outgoing.read())
            assert process.line(LIMIT) == "ok b'word'"
            whole.plain.close()
            hello = 300 if whole.sent > 400 else 150
            # Within its hello, behind it, within and behind what comes after.
            places = 0, 3, 5, hello, whole.sent - 45, whole.sent - 1
            for what in ("garbage", "record", "end", "reset"):
                for after in places:
                    client = Client(process.port, made)  # type: ignore[attr-defined]
                    client.go(after)
                    if what == "garbage":
                        client.plain.sendall(os.urandom(300))
                    elif what == "record":
                        client.plain.sendall(b"\x16\3\3\x40\0" + bytes(100))
                    elif what == "reset":
                        client.plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                        client.plain.close()
                    if what != "reset":
                        with contextlib.suppress(OSError):  # it may be closed already
                            client.plain.shutdown(socket.SHUT_WR)
                    line = process.line(LIMIT)
                    assert re.match("error (ECONN|EPIPE|ETIMEDOUT)", line), (what, after, line)
                    client.plain.close()
            for after in (3, whole.sent - 1):
                client = Client(process.port, made)  # type: ignore[attr-defined]
                client.go(after)
                line = process.line(LIMIT)
                assert re.match("error (ETIMEDOUT|EAGAIN)", line), (after, line)
                client.plain.close()
            (last,) = process.rest(LIMIT)
            assert process.end() == ""
        assert re.match(r"\[\] descriptors 0 ", last), last


def test_nothing_is_left_of_clients(target: HostTarget, pki: Pki) -> None:
    made = context(pki, "1.2")
    times = 200 if target.id == "cpython" else 60  # MicroPython takes 0.1 s each
    with serving(target, pki, times, timeout=5) as process:
        for n in range(times):
            if n % 2:
                with socket.create_connection(("127.0.0.1", process.port)) as plain:  # type: ignore[attr-defined]
                    plain.sendall(b"GET / HTTP/1.0\r\n\r\n"[: 18 - n % 3])
                    with contextlib.suppress(OSError):
                        plain.shutdown(socket.SHUT_WR)
                    assert process.line(LIMIT).startswith("error ECONN")
            else:
                client = Client(process.port, made)  # type: ignore[attr-defined]
                client.go(1 << 20)
                client.tls.write(b"word")
                client.plain.sendall(client.outgoing.read())
                assert process.line(LIMIT) == "ok b'word'"
                client.plain.close()
        (last,) = process.rest(LIMIT)
        assert process.end() == ""
    assert re.match(r"\[\] descriptors 0 memory", last), last
    assert int(last.split()[-1]) < 4096, last


UNTRUSTED = (
    ("", r"peer did not return a certificate|no client certificate|certificate"),
    ("expired", "expired"),
    ("own", r"self.signed|not correctly signed|unable to get"),
    ("stranger", r"unable to get local issuer|in certificate chain|not correctly signed"),
)


@pytest.mark.parametrize(("name", "words"), UNTRUSTED)
def test_clients_that_are_not_trusted(target: HostTarget, pki: Pki, name: str, words: str) -> None:
    """The reason is named, and not a byte of theirs is given to the program."""
    pairs = {"expired": pki.expired, "own": pki.own, "stranger": pki.client}
    # Of the stranger's authority it has never heard.
    trusted, believed = (pki.other, []) if name == "stranger" else (pki.ca, [pki.client])
    presented = [*believed, pairs.get(name)]
    for version in versions(target):
        args = {"version": version, "ca": trusted[0], "verify": 2}
        with serving(target, pki, len(presented), **args) as process:
            for pair in presented:
                made = context(pki, version)
                if pair:
                    made.load_cert_chain(*pair)
                client = Client(process.port, made)  # type: ignore[attr-defined]
                with contextlib.suppress(ssl.SSLError, ConnectionError, AssertionError):
                    # In 1.3 the client is through before it is looked at, and has sent a word.
                    client.go(1 << 20)
                    client.tls.write(b"word")
                    client.plain.sendall(client.outgoing.read())
                line = process.line(LIMIT)
                client.plain.close()
                if pair in believed:
                    assert line == "ok b'word'"
            assert line.startswith("error ECONNABORTED "), line
            assert re.search(words, line, re.I), line
            (last,) = process.rest(LIMIT)
            assert last.startswith("[] ")
