# SPDX-License-Identifier: MIT
"""Runs a test that has two sides, each on an interpreter of its own.

The form is that of MicroPython's multi_net tests: instance0() and instance1() in one file, with
`multitest` to pass globals on and to wait for each other. The harness tells each side under which
address the other one reaches it, and forwards the ports on which a board serves.
"""

from __future__ import annotations

import ast
import queue
import random
import re
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Union

from usocket_tools.boards.device import Device, Execution
from usocket_tools.suite.started import BoardProgram, Hung, Process
from usocket_tools.vboard.board import Board

SECONDS = 20  # longest that both sides may be silent
BEHIND = 4  # ports after a file's PORT that it may use too

MULTITEST = """
import sys
class multitest:
    @staticmethod
    def _say(*words):
        print(*words)
        if hasattr(sys.stdout, "flush"):
            sys.stdout.flush()
    @staticmethod
    def flush():
        pass
    @staticmethod
    def skip():
        multitest._say("@@ skip")
        raise SystemExit
    @staticmethod
    def next():
        multitest._say("@@ next")
    @staticmethod
    def broadcast(text):
        multitest._say("@@ tell", text)
    @staticmethod
    def wait(text):
        while sys.stdin.readline().strip() != "@@ tell " + text:
            pass
    @staticmethod
    def globals(**values):
        for name in values:
            multitest._say("@@ set %s = %r" % (name, values[name]))
    @staticmethod
    def get_network_ip():
        return {address!r}
    @staticmethod
    def output_metric(text):
        pass
"""


class HostProcess(Process):
    """A side on this machine. One that has an input, which a Process has not."""

    stdin = subprocess.PIPE

    def write(self, text: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def stop(self) -> None:
        super().stop()
        if self._process.stdin:
            self._process.stdin.close()


class BoardSide(BoardProgram):
    def write(self, text: str) -> None:
        self._execution.write(text.encode())


Side = Union[HostProcess, BoardSide]


class Host:
    """An interpreter on this machine; `address` is where the other side finds it."""

    def __init__(
        self,
        *argv: str,
        address: str = "127.0.0.1",
        environment: dict[str, str] | None = None,
    ):
        self._argv = list(map(str, argv))
        self._environment = environment or {}
        self.address = address

    def start(self, script: str) -> Side:
        return HostProcess([*self._argv, "-c", script], self._environment)

    def serve(self, port: int) -> None:
        pass


class OnBoard:
    """A virtual board. Its ports appear on a loopback address of its own, by the same numbers."""

    def __init__(self, board: Board):
        self._board = board
        self._served: set[int] = set()
        self.address = ".".join(["127", *(str(random.randrange(1, 255)) for _ in range(3))])

    def start(self, script: str) -> Side:
        device = Device(self._board.device)
        try:
            device.fresh()
            execution = Execution(device, script)
        except BaseException:
            device.close()
            raise
        return BoardSide(device, execution, lambda: self._board.control("reset"))

    def serve(self, port: int) -> None:
        if port not in self._served:
            for kind in ("tcp", "udp"):
                self._board.forward(f"{kind}:{self.address}:{port}:{port}")
            self._served.add(port)


class TwoSided:
    """One run: what each side printed, or `skipped`."""

    def __init__(
        self,
        file: Path,
        sides: Sequence[Host | OnBoard],
        addresses: list[str] | None = None,  # where the other side finds each
    ):
        self.output: list[list[str]] = [[] for _ in sides]
        self.skipped = False
        self._source = file.read_text()
        self._globals: list[str] = []
        self._places = sides
        self._addresses = addresses or [side.address for side in sides]
        self._running: list[Side] = []
        try:
            self._run()
        finally:
            for side in self._running:
                side.stop()

    def _run(self) -> None:
        for port in ports(self._source):
            self._places[0].serve(port)
        # Every side gets ready on its own, in their order.
        for number, place in enumerate(self._places):
            side = place.start(self._script(number, self._addresses[number]))
            self._running.append(side)
            while not self.skipped:
                line = self._line(number)
                if line is None or line == "@@ next":
                    break
                self._handle(number, line)
        if not self.skipped:
            self._to_the_end()

    def _script(self, number: int, address: str) -> str:
        parts = [MULTITEST.replace("{address!r}", repr(address)), self._source, *self._globals]
        return "\n".join([*parts, f"instance{number}()"]) + "\n"

    def _line(self, number: int) -> str | None:
        try:
            return self._running[number].line(SECONDS)
        except Hung:
            self.output[number] += ["hung:", *self._running[number].interrupt()]
            raise AssertionError(f"instance{number} hangs: {self.output}") from None

    def _handle(self, number: int, line: str) -> None:
        word, _, rest = line.partition(" ")[2].partition(" ")
        if not line.startswith("@@ "):
            self.output[number].append(line)
        elif word == "set":
            self._globals.append(rest)
            if found := re.fullmatch(r"PORT = (\d+)", rest):
                self._places[number].serve(int(found[1]))
        elif word == "skip":
            self.skipped = True
        elif word == "tell":
            for other in self._running[:number] + self._running[number + 1 :]:
                other.write(f"@@ tell {rest}\n")

    def _to_the_end(self) -> None:
        events: queue.Queue[tuple[int, str | BaseException | None]] = queue.Queue()

        def read(number: int) -> None:
            line: str | None = ""
            try:
                while line is not None:
                    line = self._line(number)
                    events.put((number, line))
            except BaseException as error:
                events.put((number, error))

        threads = [threading.Thread(target=read, args=(n,)) for n in range(len(self._running))]
        for thread in threads:
            thread.start()
        left = len(threads)
        failure: BaseException | None = None
        while left:
            number, line = events.get()
            if isinstance(line, str):
                self._handle(number, line)
            else:
                left -= 1
                failure = failure or line
        for thread in threads:
            thread.join()
        if failure:
            raise failure


def ports(source: str) -> list[int]:
    """Those that the file names: its PORT, and some behind it."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PORT":
            first = int(ast.literal_eval(node.value))
            return list(range(first, first + BEHIND))
    return []
