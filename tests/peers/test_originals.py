"""The conveniences beside what they come from, LuaSocket and node's libuv: one scenario, and the
outputs of both are the same.
"""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import peers
import pytest
from targets import HostTarget

PROGRAMS = Path(__file__).parent / "programs"
LIMIT = 60


class Server:
    """Answers connections in turn, each by `answer`, in a thread of its own."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen: list[str] = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(LIMIT)
                try:
                    self.answer(connection)
                except OSError as e:
                    self.seen.append(type(e).__name__)

    def answer(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(LIMIT)


class Lua(Server):
    """What the client asks for, by lines."""

    def answer(self, connection: socket.socket) -> None:
        answers = {b"part": b"par", b"line": b"un\rfinished", b"whole": b"-whole"}
        connection.sendall(b"a\rb\r\n\n0123456789\n")
        for line in connection.makefile("rb"):
            connection.sendall(answers[line.strip()])
        connection.sendall(b"the\r\ntail")


def printed(process) -> list[str]:
    lines = process.rest(LIMIT)
    assert process.end() == "", "\n".join(lines)
    return lines


@pytest.fixture(scope="module")
def luasocket() -> list[str]:
    """What LuaSocket itself prints."""
    with Lua() as server:
        done = subprocess.run(
            [
                peers.program("lua5.4"),
                str(PROGRAMS / "original.lua"),
                str(server.port),
                str(peers.free_port()),
            ],
            capture_output=True,
            timeout=LIMIT,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().split("\n")[:-1]  # a line may end in CR


def test_luasocket(target: HostTarget, luasocket: list[str]) -> None:
    with Lua() as server:
        ports = str(server.port), str(peers.free_port())
        ours = printed(target.run(PROGRAMS / "original_lua.py", *ports))
    assert len(luasocket) == 46
    if target.id == "unix-noffi":
        # It has no shutdown: up to there.
        at = [line.split("\t")[0] for line in luasocket].index("shutdown")
        ours, luasocket = ours[:at], luasocket[:at]
    assert ours == luasocket


class Libuv(Server):
    """Writes down what comes, by the first line."""

    def answer(self, connection: socket.socket) -> None:
        first = b""
        while not first.endswith(b"\n"):
            first += connection.recv(1)
        what = first.decode().strip()
        if what == "keepalive":
            # The kernel's timer of the client's end: 02 is that of keepalive.
            timer, hundredths = self.timer(connection.getpeername()[1])
            self.seen.append(f"{what}: timer {timer}, {round(hundredths / 500) * 5} s")
            connection.sendall(b"seen")
            return
        digest = hashlib.sha256()
        count = 0
        try:
            while data := connection.recv(65536):
                digest.update(data)
                count += len(data)
        except ConnectionResetError:
            self.seen.append(f"{what}: reset after {count}")
            return
        self.seen.append(f"{what}: {count} {digest.hexdigest()[:16]}")
        if what == "half":
            connection.sendall(b"late data")

    def timer(self, port: int) -> tuple[int, int]:
        """Of the local end with this port: what timer runs, and for how long, in 1/100 s."""
        deadline = time.monotonic() + 5
        while True:
            table = Path("/proc/net/tcp").read_text()
            row = re.search(
                rf"0100007F:{port:04X} 0100007F:{self.port:04X} 01 \S+ (\S+):(\S+)", table
            )
            # That of what is not yet acknowledged comes first.
            if row and int(row[1], 16) == 2 or time.monotonic() > deadline:
                assert row, table
                return int(row[1], 16), int(row[2], 16)
            time.sleep(0.05)


@pytest.fixture(scope="module")
def libuv() -> Iterator[tuple[list[str], list[str]]]:
    """What node prints, and what its peer saw."""
    with Libuv() as server:
        done = subprocess.run(
            [peers.program("node"), str(PROGRAMS / "original.js"), str(server.port)],
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), server.seen


def test_libuv(target: HostTarget, libuv: tuple[list[str], list[str]]) -> None:
    with Libuv() as server:
        process = target.run(PROGRAMS / "original_uv.py", str(server.port))
        if target.id == "unix-noffi":
            # It has no shutdown, and says so.
            assert "EOPNOTSUPP" in process.rest(LIMIT)[-1]
            process.end()
            assert server.seen[:2] == libuv[1][:2]
            return
        ours = printed(process)
    assert (ours, server.seen) == libuv
    assert [line.split(":")[0] for line in server.seen] == ["reset", "keepalive", "half", "order"]
    assert server.seen[0] == "reset: reset after 0"
