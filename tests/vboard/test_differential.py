# SPDX-License-Identifier: MIT
"""Random programs on a board and on Linux: each step gives the same.

What is left out is in docs/parity.md, or a whim of Linux's that no program counts on.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from targets import ROOT
from test_esp32 import started

from usocket_tools.vboard.board import Board

if not sys.platform.startswith("linux"):
    pytest.skip("the oracle is Linux's kernel", allow_module_level=True)

PROGRAM = Path(__file__).parent / "esp32" / "differential.py"
SEEDS = range(int(os.environ.get("USOCKET_DIFFERENTIAL_SEEDS", 60)))
AT_ONCE = 10  # programs that go to the board in one piece
STEPS = 22
SECONDS = 60
LATE = 400  # ms that a step may take longer on one than on the other


class Generator:
    """A program of steps that mostly make sense: it knows what kind of socket each name is."""

    NAMES = "abcdefg"  # two sockets of ten are spare: `pair` needs a listener for a moment

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.kinds: dict[str, str] = {}
        self.looked: set[str] = set()  # those the layer may have read ahead of
        self.polled = 0
        self.steps: list[str] = []

    def program(self) -> list[str]:
        self.make()
        self.make()
        while len(self.steps) < STEPS:
            if self.random.random() < 0.1 and len(self.kinds) < 4 or not self.kinds:
                self.make()
            else:
                self.step()
            if self.polled and self.random.random() < 0.3:
                self.steps.append(f"poll(p, {self.random.choice([0, 0, 20])})")
        return self.steps

    def make(self) -> None:
        free = [name for name in self.NAMES if name not in self.kinds]
        if len(free) < 2:
            return
        a, b = self.random.sample(free, 2)
        nonblock = self.random.choice([0, 0, 1])
        kind = self.random.choice(
            "stream stream fresh listener udp unix unix_dgram client".split()
        )
        if kind in ("stream", "unix", "unix_dgram"):
            call = {"stream": "pair()", "unix": "unix_pair()"}.get(
                kind, "unix_pair(net.SOCK_DGRAM)"
            )
            self.steps.append(f"{a},{b}={call}")
            self.kinds[b] = kind
        elif kind == "client":
            server = self.of("listener")
            if not server:
                return
            self.steps += [f"{a}=tcp({nonblock})", f"connect({a}, sockname({server}))"]
        elif kind == "listener":
            self.steps.append(f"{a}=listener({self.random.choice([1, 3])}, {nonblock})")
        else:
            self.steps.append(f"{a}={'udp' if kind == 'udp' else 'tcp'}({nonblock})")
        self.kinds[a] = kind

    def of(self, *kinds: str) -> str:
        return self.random.choice([n for n, k in self.kinds.items() if k in kinds] or [""])

    def step(self) -> None:
        pick = self.random.choice
        s = pick(list(self.kinds))
        kind = self.kinds[s]
        wait = pick(["", "", ", DONTWAIT"])
        flags = pick(["", "", "", ", DONTWAIT", ", PEEK", ", PEEK | DONTWAIT", ", WAITALL"])
        size = pick([1, 2, 3, 5, 10, 100, 700])
        data = pick(["b'x'", "b'hello'", "bytearray(b'abc')", "memoryview(b'memview')[2:]"])
        if kind in ("stream", "udp") and pick([0, 1]):
            data = pick(["bytes(300)", "b'0123456789' * 7"])
        call = pick(
            ["send"] * 4
            + ["recv", "recv_into", "recv_view"] * 2
            + ["recvfrom", "recvfrom_into", "recvmsg", "sendmsg", "sendto", "poll", "pollfds"]
            + ["want", "select", "so_error", "fionread", "peername", "sockname", "nonblock"]
            + ["listen", "accept", "connect"]
            + ["close"] * 3
        )
        if call == "send":
            step = f"send({s}, {data}{wait})"
        elif call == "sendmsg":
            step = f"sendmsg({s}, [b'ab', b'', b'cd']{wait})"
        elif call == "recvmsg":
            step = f"recvmsg({s}, {pick(['[4]', '[1, 2, 3]', '[100]', '[0, 5]'])}{wait})"
        elif call.startswith("recv"):
            step = f"{call}({s}, {size}{flags})"
        elif call == "sendto":
            to = self.of("udp")
            if not to or kind.startswith("unix"):
                return
            step = f"sendto({s}, {data}, 0, sockname({to}))"
        elif call in ("poll", "pollfds"):
            masks = "IN OUT IN|OUT 0 IN|PRI".split()
            names = [pick(list(self.kinds)) for _ in range(pick([1, 2, 3]))]
            items = ", ".join(f"({name}, {pick(masks)})" for name in names)
            step = f"poll(pollfds({items}), {pick([0, 20])})"
            if call == "pollfds":
                self.polled = len(names)
                step = f"p=pollfds({items})"
        elif call == "want":
            if not self.polled:
                return
            step = f"want(p[{self.random.randrange(self.polled)}], {pick(['IN', 'OUT', '0'])})"
        elif call == "select":
            step = f"select([{s}], [{pick(list(self.kinds))}])"
        elif call == "nonblock":
            step = f"nonblock({s}, {pick([0, 1])})"
        elif call == "listen":
            if kind == "client":
                return
            step = f"listen({s}, 2)"
        elif call == "accept":
            free = [name for name in self.NAMES if name not in self.kinds]
            if not free:
                return
            if kind == "listener":
                step = f"{free[0]},_=accept({s})"
                self.kinds[free[0]] = "stream"
            else:
                step = f"accept({s})"
        elif call == "connect":
            to = self.of("udp" if kind == "udp" else "listener")
            # A connection that was reset and a fresh socket are two stories.
            if not to or kind in ("stream", "unix", "unix_dgram"):
                return
            step = f"connect({s}, sockname({to}))"
        elif call == "close":
            if kind in ("udp", "unix_dgram"):
                return  # a refused datagram is told on Linux alone
            if s in self.looked:
                # What was read ahead is no reset any more.
                self.steps.append(f"empty({s})")
            del self.kinds[s]
            step = f"close({s})"
        else:
            step = f"{call}({s})"
        if "PEEK" in step or call in ("recvfrom", "recvfrom_into", "recvmsg", "fionread"):
            self.looked.add(s)
        self.steps.append(step)


def allowed() -> list[tuple[int, int]]:
    """Of each bit of Handle.st, those that may be there with it: the port's own table."""
    text = (ROOT / "port/esp32/conn.py").read_text()
    table = re.findall(r"^# ([A-Z]+) +\S[^;]*; beside: ([A-Z ]+|none)$", text, re.M)
    assert len(table) == 13
    bits = {name: 1 << bit for bit, (name, _) in enumerate(table)}
    others = [(bits[bit], [bits[o] for o in beside.split() if o in bits]) for bit, beside in table]
    return [(bit, bit | sum(beside)) for bit, beside in others]


@pytest.mark.parametrize("first", SEEDS[::AT_ONCE])
def test_random_programs(board: Board, tmp_path: Path, first: int) -> None:
    programs = [Generator(seed).program() for seed in range(first, first + AT_ONCE)]
    (tmp_path / "steps.py").write_text(f"PROGRAMS = {programs!r}\nSTATES = {allowed()!r}\n")
    program = Path(shutil.copy(PROGRAM, tmp_path))
    with ThreadPoolExecutor() as pool:
        linux = pool.submit(on_linux, program)
        with started(board, program) as running:
            found = running.rest(SECONDS)
            assert running.end() == "", "\n".join(found)
    expected = linux.result()
    differ = [
        f"seed {first + number}:\n" + "\n".join(difference)
        for number, (ours, theirs) in enumerate(zip(split(found), split(expected)))
        if (difference := first_difference(ours, theirs))
    ]
    assert differ == [], "\n".join(differ)
    assert len(found) == len(expected)


def on_linux(program: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def split(lines: list[str]) -> list[list[str]]:
    """The lines of each program."""
    text = "\n".join(lines)
    return [part.strip().splitlines() for part in text.split("-- program")[1:]]


def first_difference(ours: list[str], theirs: list[str]) -> list[str]:
    """The program until there, then what the board gave and what Linux gave."""
    for number, (mine, its) in enumerate(zip(ours, theirs)):
        if not same(mine, its):
            return [*theirs[:number], f"board: {mine}", f"Linux: {its}"]
    return []


def same(mine: str, its: str) -> bool:
    (a, ms), (b, other_ms) = (re.fullmatch(r"(.*) @(\d+)", line).groups() for line in (mine, its))
    return a == b and abs(int(ms) - int(other_ms)) < LATE
