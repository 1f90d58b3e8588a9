"""Random programs on a board, on the firmware's own sockets and on the drop-in's: the same.

But for what is mended, which is listed here, each with what it was and what it is.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import placed
import pytest

from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "programs" / "differential.py"
SEEDS = range(int(os.environ.get("USOCKET_DROPIN_SEEDS", 60)))
AT_ONCE = 6
STEPS = 16

# (step, what the firmware says, what the drop-in says, why)
MENDED = (
    (r"\w\.send\(b''\)", r"errno (11|116)", r"0|errno \d+", "nothing to send is sent at once"),
    (r"\w\.sendto\(b''.*", r"errno (11|116)", r"0", "an empty datagram"),
    (r"\w\.connect\(.*", r"errno 104", r"errno 111", "a refused connect"),
    (r"\w\.connect\(.*", r"errno 128", r"errno (120|111)", "a connect that is pending, or was"),
    (r"\w\.(write|send|sendall|read|recv)\(.*", r"errno 104", r"errno 111", "a refused connect"),
    (r"\w\.recv(from)?\(.*", r"errno 128", r"errno 9", "a closed socket"),
    (r"\w\.setblocking\(.*|\w\.settimeout\(.*", r"None", r"errno 9", "a closed socket"),
    (r"\w\.recv\(.*(PEEK|DONTWAIT).*", r"errno 128", r"errno 104", "a reset, after others"),
    (r"\w\.(write|send|sendall)\(.*", r"errno 104", r"errno 32", "a reset that was seen before"),
)


class Generator:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.steps: list[str] = []
        self.kinds: dict[str, str] = {}

    def program(self) -> list[str]:
        pick = self.random.choice
        mode = pick([0, 0, 0.25])
        self.steps.append(f"w.pair('a','b',{mode})")
        self.kinds = {"a": "stream", "b": "stream"}
        if pick([0, 1]):
            self.steps += ["u=udp(1)", "v=udp(2)"]
            self.kinds |= {"u": "udp", "v": "udp"}
        if pick([0, 1]):
            self.steps += ["f=fresh()", "f.setblocking(False)"]
            self.kinds["f"] = "fresh"
        while len(self.steps) < STEPS:
            self.step()
        return self.steps

    def step(self) -> None:
        pick = self.random.choice
        s = pick(list(self.kinds))
        kind = self.kinds[s]
        data = pick(["b'x'", "b'hello'", "bytearray(b'abc')", "b'two\\nlines\\n'", "bytes(900)"])
        n = pick([1, 2, 5, 100, 2000])
        calls = ["w", "poll", "poll", "mode", "option"]
        if kind == "stream":
            calls += ["send", "send", "write", "write", "recv", "recv", "read", "readinto"]
            calls += ["readline", "flags", "nothing", "sendall", "close"]
        elif kind == "udp":
            calls += ["sendto", "sendto", "sendto", "recvfrom", "recvfrom", "recv", "empty"]
        else:
            calls += ["recv", "send", "write", "read", "connect", "close"]
        call = pick(calls)
        flags = pick([", PEEK", ", DONTWAIT", ", PEEK | DONTWAIT"])
        other = pick([k for k in self.kinds if self.kinds[k] == kind])
        lines = {
            "send": f"{s}.send({data})",
            "nothing": f"{s}.send(b'')",
            "sendall": f"{s}.sendall({data})",
            "write": f"{s}.write({data})",
            "recv": f"{s}.recv({n})",
            "flags": f"{s}.recv({n}{flags})",
            "read": f"{s}.read({n})",
            "readinto": f"{s}.readinto(bytearray({n}))",
            "readline": f"{s}.readline()",
            "recvfrom": f"{s}.recvfrom({n})",
            "sendto": f"{s}.sendto({data}, ('127.0.0.1', w.port + {pick([1, 2])}))",
            "empty": f"{s}.sendto(b'', ('127.0.0.1', w.port + {pick([1, 2])}))",
            "connect": f"{s}.connect(('127.0.0.1', w.port + 3))",
            "close": f"{s}.close()",
            "mode": f"{s}.setblocking(False)",
            "option": f"{s}.setsockopt(*{pick(['REUSE', 'NODELAY'])})",
            "poll": f"poll({s}, {other})" if other != s else f"poll({s})",
        }
        if kind == "stream" and pick([0] * 4 + [1]):
            lines["mode"] = f"{s}.settimeout({pick([0, 0.25])})"
        if kind != "stream" and call == "option":
            return
        if call in lines:
            self.steps.append(lines[call])


def mended(step: str, native: str, dropin: str) -> bool:
    if "PEEK" in step and native[:2] == dropin[:2] == "b'":
        return dropin.startswith(native[:-1])  # more than lwIP's first segment
    return any(
        re.fullmatch(pattern, step) and re.fullmatch(was, native) and re.fullmatch(now, dropin)
        for pattern, was, now, _ in MENDED
    )


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with Board() as board:
        placed.on_board(board.device)
        yield board


def outcomes(board: Board, folder: Path, programs: list[list[str]]) -> dict[tuple, str]:
    (folder / "differential.py").write_text(PROGRAM.read_text())
    (folder / "steps.py").write_text(f"PROGRAMS = {programs!r}\n")
    text = placed.run(board.device, folder / "differential.py").replace("\r", "")
    assert text.endswith("end\n"), text
    found = re.findall(r"^(\d+) (\d+) (native|dropin): (.*)$", text, re.M)
    return {(int(n), int(at), which): said for n, at, which, said in found}


@pytest.mark.parametrize("first", SEEDS[::AT_ONCE])
def test_as_the_firmware(board: Board, tmp_path: Path, first: int) -> None:
    seeds = [seed for seed in SEEDS if first <= seed < first + AT_ONCE]
    programs = [Generator(seed).program() for seed in seeds]
    said = outcomes(board, tmp_path, programs)
    wrong = []
    for number, steps in enumerate(programs):
        for at, step in enumerate(steps):
            native, dropin = said[number, at, "native"], said[number, at, "dropin"]
            if native != dropin:
                if not mended(step, native, dropin):
                    before = "; ".join(steps[:at])
                    wrong.append(f"seed {seeds[number]}: {before}; {step}: {native} not {dropin}")
                # From here on they are in other states.
                break
    assert not wrong, "\n".join(wrong)


def test_a_difference_would_be_found() -> None:
    assert not mended("a.recv(5)", "b'x'", "b''")
    assert mended("a.send(b'')", "errno 11", "0")
