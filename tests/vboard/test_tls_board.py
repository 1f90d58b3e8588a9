# SPDX-License-Identifier: MIT
"""TLS sockets of a board with what a bare ESP32 has of memory, to a server on this machine.

The server is CPython's ssl, in a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from test_esp32 import SECONDS, started

from usocket_tools.boards import filesystem
from usocket_tools.boards.device import Device
from usocket_tools.vboard.board import Board

sys.path.append(str(Path(__file__).parents[1] / "common"))
sys.path.append(str(Path(__file__).parents[1] / "peers"))
import certs
import peers

PROGRAM = Path(__file__).parent / "esp32" / "tls.py"
MEGABYTE = 1 << 20


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    """What a server here shows: that it is server.test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain = tmp_path / "server.pem"
    text = ssl.DER_cert_to_PEM_cert(certs.SERVER)
    key = ssl.DER_cert_to_PEM_cert(certs.SERVER_KEY).replace("CERTIFICATE", "PRIVATE KEY")
    chain.write_text(key + text)
    context.load_cert_chain(chain)
    return context


@pytest.fixture
def server(listener: socket.socket, context: ssl.SSLContext) -> Iterator[Callable[..., int]]:
    """Serves one connection by a function of its socket; the port."""
    threads = []

    def start(serve: Callable[[ssl.SSLSocket], None], daemon: bool = False) -> int:
        def one() -> None:
            try:
                s, _ = listener.accept()
                s.settimeout(10 * SECONDS)
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with context.wrap_socket(s, server_side=True) as secure:
                    serve(secure)
            except OSError:
                if not daemon:  # of one that may never have a client
                    raise

        thread = threading.Thread(target=one, daemon=daemon)
        thread.start()
        if not daemon:
            threads.append(thread)
        return listener.getsockname()[1]

    yield start
    for thread in threads:
        thread.join(SECONDS)


def with_ca(board: Board) -> None:
    device = Device(board.device)
    device.fresh()
    for name, data in ("ca.der", certs.CA), ("other.der", certs.OTHER_CA):
        device.exec(f"with open({name!r}, 'wb') as f:\n    f.write({data!r})\n")
    device.close()


def test_a_megabyte_both_ways(server) -> None:
    """Through a network that loses 3 % of all packets; every byte comes."""
    received = hashlib.sha256()
    content = random.Random(5).randbytes(MEGABYTE)
    done = threading.Event()

    def serve(s: ssl.SSLSocket) -> None:
        # Two threads on one SSLSocket: CPython's lock is held over its waits, so short ones.
        s.settimeout(0.02)
        at = left = 0
        left = MEGABYTE
        rng = random.Random(6)
        piece = b""
        while at < MEGABYTE or left:
            if at < MEGABYTE:
                piece = piece or content[at : at + rng.randint(1, 16384)]
                try:
                    n = s.send(piece)
                    at += n
                    piece = piece[n:]
                except (TimeoutError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    pass
            try:
                while left:
                    part = s.recv(16384)
                    if not part:
                        return
                    received.update(part)
                    left -= len(part)
                    if at < MEGABYTE:
                        break
            except (TimeoutError, ssl.SSLWantReadError):
                pass
        done.set()
        s.settimeout(SECONDS)
        s.recv(1)  # the board is done

    with Board(loss="3%", seed=3) as board:
        with_ca(board)
        port = server(serve)
        with started(board, PROGRAM, "both", port, MEGABYTE) as program:
            assert program.expect("left ", 240) == "0"
            # The board is through when all is in its buffers.
            assert done.wait(SECONDS)
            assert program.expect("digest ") == received.hexdigest()
            assert program.expect("digest ") == hashlib.sha256(content).hexdigest()
            assert program.expect("fds ") == "[]"


def test_no_memory_for_another(server, board: Board) -> None:
    """What an ESP32 has no memory for is ENOMEM; the connections that are there go on."""

    def echo(s: ssl.SSLSocket) -> None:
        s.sendall(s.recv(5))

    with_ca(board)
    for _ in range(8):
        port = server(echo, daemon=True)
    with started(board, PROGRAM, "full", port) as program:
        assert program.expect("error ", 60) == "ENOMEM"
        n = int(program.expect("connections "))
        assert 1 <= n < 5
        for _ in range(n):
            program.expect("b'hello'")
        program.expect("fds []")


def test_each_client_as_it_was_told(server, board: Board) -> None:
    """One that does not verify its peer changes nothing for the next of the same tags."""

    def end(s: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            s.recv(1)

    with_ca(board)
    levels = "0-1-020"
    for _ in levels:
        port = server(end, daemon=True)
    with started(board, PROGRAM, "told", port, levels) as program:
        for level in levels:
            words = "connected" if level in "01" else "The certificate is not correctly signed"
            assert program.expect(level, 20).startswith(words)
        assert program.end_of_it() == ""


@pytest.mark.parametrize("data", [b"", b"bye"])
def test_a_server_that_goes_at_once(server, board: Board, data: bytes) -> None:
    """The handshake has gone well, which connect says; what follows is for the first receive."""
    with_ca(board)
    for _ in range(3):
        port = server(lambda s: s.sendall(data), daemon=True)
    with started(board, PROGRAM, "gone", port, 3) as program:
        for _ in range(3):
            wanted = "b'bye'" if data else "the connection ended without close_notify"
            assert program.expect("got ", 20) == wanted
        assert program.end_of_it() == ""


def test_a_client_that_wants_short_records(board: Board, tmp_path: Path) -> None:
    """Each byte that a send took comes, and no other (RFC 6066, max_fragment_length)."""
    with Device(board.device) as device:
        device.fresh()
        for name, data in ("server.der", certs.SERVER), ("server.key", certs.SERVER_KEY):
            filesystem.write(device, f"/{name}", data)
        device.leave()
    port = board.forward("0:4433")
    argv = [peers.program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-quiet"]
    argv += ["-maxfraglen", "512"]
    got = b""
    with started(board, PROGRAM.with_name("short.py"), 4433) as program:
        program.expect("ready")
        with (
            (tmp_path / "log").open("w+b") as log,
            subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0
            ) as client,
        ):
            while not got.endswith(b"!"):
                part = client.stdout.read(700)
                assert part, (got, (log.seek(0), log.read()))
                got += part
                time.sleep(0.004)  # so that it is full again and again
            client.stdin.close()
            client.terminate()
        assert program.expect("told ") == str([got.count(letter) for letter in b"abcdefgh"])
        assert program.end_of_it() == ""


MANY = 200
# What looks like a pointer keeps a little; a leak is kept by each.
LEFT = 2000


def test_nothing_is_left_of_many(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Half of them fail. An ESP32 has 40 KB for TLS: a leak of 100 bytes each would end it."""

    def serve() -> None:
        for _ in range(MANY):
            s, _ = listener.accept()
            with s, contextlib.suppress(OSError):
                s.settimeout(SECONDS)
                with context.wrap_socket(s, server_side=True) as secure:
                    secure.recv(1)

    with Board(variant="32bit") as board:
        with_ca(board)
        thread = threading.Thread(target=serve)
        thread.start()
        with started(board, PROGRAM, "many", listener.getsockname()[1], MANY) as program:
            assert program.expect("made ", 5 * SECONDS) == f"[{MANY // 2}, 0] []"
            assert int(program.expect("bytes ")) < LEFT
        thread.join(SECONDS)


# A connection's calls and objects, and what it takes that Ctrl-C loses nothing.
ABOVE = 4096
# What looks like a pointer keeps what is there, which is different each time.
TIMES = 3


def test_what_a_client_keeps_of_the_heap(server, listener: socket.socket) -> None:
    """At most 4 KB above the layer's own TCP client and the platform's ssl."""

    def echo(s: socket.socket) -> None:
        s.sendall(s.recv(5))
        s.recv(1)

    def plain() -> None:
        s, _ = listener.accept()
        with s:
            echo(s)

    def heap(how: str, port: int) -> int:
        with started(board, PROGRAM, "heap", port, how) as program:
            program.expect("b'hello'")
            return int(program.expect("bytes "))

    kept: dict[str, list[int]] = {}
    with Board(variant="32bit") as board:
        with_ca(board)
        for how in ("native", "tcp") * TIMES:
            thread = threading.Thread(target=plain)
            thread.start()
            kept.setdefault(how, []).append(heap(how, listener.getsockname()[1]))
            thread.join(SECONDS)
        for how in ("native-tls", "tls") * TIMES:
            kept.setdefault(how, []).append(heap(how, server(echo)))
    least = {how: min(found) for how, found in kept.items()}
    above = least["tls"] - least["tcp"] - (least["native-tls"] - least["native"])
    print(kept, "above", above)
    assert above <= ABOVE
