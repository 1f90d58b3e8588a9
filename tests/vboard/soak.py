# SPDX-License-Identifier: MIT
"""Many connections through a network with faults, each of which has to bring every byte.

.venv/bin/python tests/vboard/soak.py [CONNECTIONS] [BOARDS] [SEED] takes some minutes for
10,000; test_soak.py runs a short one.
"""

from __future__ import annotations

import collections
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from usocket_tools.vboard.board import Board

FAULTS = {"loss": "3%", "delay": "4ms+-3", "duplicate": "3%", "reorder": "3%"}
PROGRAM = Path(__file__).parent / "esp32" / "soak.py"
HEAD = struct.Struct("!HHHH")
PERIOD = 251
BLOCK = bytes(range(PERIOD)) * 300
# So few that lwIP, which has 12 connections, those in their last exchange included, never forgets
# one of those to make room.
SERVED, CLIENTS = 2, 1
PORT = 7000
# Whoever meets several losses one after the other waits long: TCP doubles its patience each time.
PATIENCE = 300


class Report(NamedTuple):
    connections: int
    bytes: int
    lost: list[str]


def expected(seed: int, n: int) -> bytes:
    at = seed % PERIOD
    return BLOCK[at : at + n]


class Soak:
    """One board; half of the connections come from the host, half from the board."""

    def __init__(self, connections: int, seed: int, **options: object) -> None:
        self.random = random.Random(seed)
        self.lost: list[str] = []
        self.count: collections.Counter[str] = collections.Counter()
        self.left = connections - connections // 2
        self.answering = 0
        self.lock = threading.Lock()
        self.board = Board(forward=[f"0:{PORT}"], **{**FAULTS, "seed": seed, **options})
        self.server = socket.create_server(("127.0.0.1", 0), backlog=50)
        command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", self.board.device]
        arguments = [str(PORT), str(CLIENTS), str(connections // 2)]
        self.program = subprocess.Popen(
            [*command, str(PROGRAM), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )

    def run(self) -> Report:
        try:
            self.say(str(self.server.getsockname()[1]))
            self.read_until("serving")
            threading.Thread(target=self.serve, daemon=True).start()
            clients = [threading.Thread(target=self.client) for _ in range(SERVED)]
            for each in clients:
                each.start()
            self.read_until("asked all")
            for each in clients:
                each.join()
            # What the board sent before it closed may still have to be sent again.
            deadline = time.monotonic() + PATIENCE
            while self.answering and time.monotonic() < deadline:
                time.sleep(0.05)
            self.say("end")
            self.read_until("ended")
        finally:
            self.server.close()
            self.program.kill()
            self.program.communicate()
            self.board.stop()
        return Report(self.count["connections"], self.count["bytes"], self.lost)

    def say(self, line: str) -> None:
        assert self.program.stdin
        self.program.stdin.write(line + "\n")
        self.program.stdin.flush()

    def read_until(self, wanted: str) -> None:
        assert self.program.stdout
        for line in self.program.stdout:
            if line.rstrip() == wanted:
                return
            self.lost.append("board: " + line.rstrip())
        raise AssertionError(f"the board's program ended before it said {wanted!r}: {self.lost}")

    def put(self, s: socket.socket, data: bytes, chance: random.Random) -> None:
        """In two pieces, of which the first may travel alone.

        Of more than six segments that a board has not read yet lwIP refuses some, and forgets an
        end that comes alone behind them (docs/parity.md): four full ones are its window.
        """
        n = chance.choice((1, 19, 40, 536, 3000))
        for piece in filter(None, (data[:n], data[n:])):
            s.sendall(piece)

    def take(self, s: socket.socket, seed: int, n: int, to_the_end: bool) -> None:
        got = b""
        while to_the_end or len(got) < n:
            data = s.recv(65536 if to_the_end else n - len(got))
            if not data:
                break
            got += data
        with self.lock:
            self.count["bytes"] += len(got)
        if got != expected(seed, n):
            raise ValueError(f"{len(got)} of {n} bytes")

    def connection(self, s: socket.socket) -> None:
        s.settimeout(PATIENCE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def client(self) -> None:
        while True:
            with self.lock:
                if self.left <= 0:
                    return
                self.left -= 1
                chance = random.Random(self.random.getrandbits(32))
            size = chance.choice((40, 40, 700, 5000))
            kind = chance.randrange(3)
            there, back = chance.randint(0, size), chance.randint(0, size)
            seed = chance.getrandbits(16)
            try:
                self.ask(chance, kind, there, back, seed)
                with self.lock:
                    self.count["connections"] += 1
            except (OSError, ValueError) as e:
                self.lost.append(f"host: asked {(kind, there, back, seed)} {e!r}")

    def ask(self, chance: random.Random, kind: int, there: int, back: int, seed: int) -> None:
        address = ("127.0.0.1", self.board.host_ports()[0])
        with socket.create_connection(address, PATIENCE) as s:
            self.connection(s)
            data = HEAD.pack(kind, there, back, seed) + expected(seed, there)
            self.put(s, data, chance)
            if kind == 0:
                s.shutdown(socket.SHUT_WR)
            self.take(s, seed, back, kind != 2)

    def serve(self) -> None:
        while True:
            try:
                s, _ = self.server.accept()
            except OSError:
                return
            with self.lock:
                self.answering += 1
            threading.Thread(target=self.answer, args=(s,), daemon=True).start()

    def answer(self, s: socket.socket) -> None:
        head = b""
        try:
            with s:
                self.connection(s)
                while len(head) < HEAD.size:
                    data = s.recv(HEAD.size - len(head))
                    if not data and not head:
                        return  # its connect took the board too long
                    if not data:
                        raise ValueError(f"{len(head)} bytes of a header")
                    head += data
                kind, there, back, seed = HEAD.unpack(head)
                chance = random.Random(seed)
                if kind == 3:
                    self.take(s, seed, there, False)
                    self.put(s, expected(seed, back), chance)
                else:
                    self.put(s, expected(seed, back), chance)
                    s.shutdown(socket.SHUT_WR)
                    self.take(s, seed, there, True)
            with self.lock:
                self.count["connections"] += 1
        except (OSError, ValueError) as e:
            self.lost.append(f"host: answered {head!r} {e!r}")
        finally:
            with self.lock:
                self.answering -= 1


def soak(connections: int, boards: int = 1, seed: int = 1, **options: object) -> Report:
    """Runs so many connections on so many boards; what they brought, and what was lost."""
    reports: list[Report] = []
    problems: list[BaseException] = []

    def one(number: int) -> None:
        try:
            reports.append(Soak(connections // boards, seed + number, **options).run())
        except BaseException as e:
            problems.append(e)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(boards)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    lost = [line for report in reports for line in report.lost]
    return Report(sum(r.connections for r in reports), sum(r.bytes for r in reports), lost)


if __name__ == "__main__":
    report = soak(*[int(word) for word in sys.argv[1:] or ["10000", "10"]])
    print("\n".join(report.lost))
    print(f"{report.connections} connections, {report.bytes} bytes, {len(report.lost)} lost")
    sys.exit(bool(report.lost))
