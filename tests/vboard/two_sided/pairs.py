# SPDX-License-Identifier: MIT
"""Runs tests of two sides in many pairings, in a network of its own; a program of test_pairs.py.

    unshare --net pairs.py JOBS OUTPUT

JOBS is a file of JSON: the folder of the tests, and for each run its test and the two sides. A
side is unix or a virtual board, its version or variant, and the modules: "unix newest dropin".
What each run printed is written as a line of JSON.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import struct
import sys
from pathlib import Path
from typing import TextIO

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "harness"))

import placed  # noqa: E402
from runner import Host, OnBoard, TwoSided  # noqa: E402

from usocket_tools.builds import interpreters  # noqa: E402
from usocket_tools.vboard.board import Board  # noqa: E402

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


class Served(OnBoard):
    """A board whose ports appear on 127.0.0.1, so that other boards reach them by the gateway."""

    def __init__(self, board: Board):
        super().__init__(board)
        self.address = "127.0.0.1"


class Pairs:
    def __init__(self) -> None:
        self._boards: dict[str, Board] = {}
        self._places: dict[str, Served] = {}

    def _on_board(self, kind: str, modules: str, which: int) -> Served:
        # The one that serves is another board than the one that does not.
        key = f"{kind} {modules} {which}"
        if key not in self._places:
            options = {"variant": "32bit"} if kind == "32bit" else {"micropython": kind}
            self._boards[key] = board = Board(**options)
            if modules == "dropin":
                placed.on_board(board.device)
            self._places[key] = Served(board)
        return self._places[key]

    def place(self, side: str, which: int) -> Host | OnBoard:
        where, version, modules = side.split()
        if where == "vboard":
            return self._on_board(version, modules, which)
        interpreter = str(interpreters.find(version).path)
        environment = placed.unix_environment() if modules == "dropin" else {}
        return Host(interpreter, environment=environment)

    def stop(self) -> None:
        for board in self._boards.values():
            board.stop()


# A test that looks at the clock, and how it says that the time was too long: on a machine that is
# busy it is, and the test is run again.
TIMED = {"udp_recv_dontwait": r"[0-9]{2,}"}
TRIES = 4


def best(pairs: Pairs, file: Path, sides: list[str]) -> list[list[str]] | None:
    for _ in range(TRIES):
        output = one(pairs, file, sides)
        late = TIMED.get(file.stem)
        if not (output and late and any(re.fullmatch(late, line) for line in output[0])):
            break
    return output


def one(pairs: Pairs, file: Path, sides: list[str]) -> list[list[str]] | None:
    places = [pairs.place(side, n) for n, side in enumerate(sides)]
    # Where the other one finds it: a board finds what is on this machine by its gateway.
    addresses = [
        Board.host if isinstance(other, OnBoard) else "127.0.0.1" for other in reversed(places)
    ]
    run = TwoSided(file, places, addresses)
    return None if run.skipped else run.output


def run(jobs: list, folder: Path, out: TextIO) -> None:
    pairs = Pairs()
    # A port that a board serves is in the way of a host that does.
    jobs = sorted(jobs, key=lambda job: job[1].startswith("vboard"))
    try:
        for name, *sides in jobs:
            try:
                said: object = best(pairs, folder / f"{name}.py", sides)
            except Exception as e:
                said = f"{type(e).__name__}: {e}"
            print(json.dumps([name, *sides, said]), file=out, flush=True)
    finally:
        pairs.stop()


def main() -> None:
    loopback_up()
    given = json.loads(Path(sys.argv[1]).read_text())
    with open(sys.argv[2], "w") as out:
        run(given["jobs"], Path(given["folder"]), out)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
