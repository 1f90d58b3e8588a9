# SPDX-License-Identifier: MIT
# A board on a serial line, with deadlines, and one sentence for each way in which it does not
# answer or goes away.
from __future__ import annotations

import contextlib
import io
import math
import re
import select
import struct
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Callable

import serial
from mpremote.transport import TransportError

from ..errors import UsocketError
from . import named
from .line import SILENCE, opened

BACK_SECONDS = 20  # for a board to be there again when its power was cycled
NOTICE_SECONDS = 0.5  # for a program to say that it ended
INTERRUPT_SECONDS = 5  # for a program to end on Ctrl-C
ENTRY_SECONDS = 6  # for one attempt to reach the raw REPL
EXEC_SILENCE = 10  # for code that ends soon, which may take three times as long with output
KEPT = 1 << 16  # bytes of what a program says without end
MOST = 1 << 20  # bytes of an answer; what is more comes from no code of ours
CHUNK = 1024  # bytes of a file that go to the board in one piece of code

_EOT = b"\x04"
# The end of what a board prints after a reset, and then for Ctrl-C that came too late.
_BANNER = re.compile(rb"MicroPython v[^\r\n]*\r\n(Type [^\r\n]*\r\n)?>>> (\r\n>>> ){0,2}$")
_TAIL = 300
_ERROR = 500  # bytes of what the board says of an error


class Unplugged(UsocketError):
    """The serial line is gone."""


class BoardReset(UsocketError):
    """The board started anew while a program ran."""


class Device:
    """A board in the raw REPL.

    `name` is a path, an URL such as rfc2217://HOST:PORT, or a name of devices.toml.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.board = named.find(name)
        self._started = False  # its own program
        self.cycled = False  # whether its power was, since it hung
        self.transport = opened(self.board.serial)
        self.serial = self.transport.serial

    def fresh(self) -> None:
        """End what runs, and begin with an empty heap and no sockets: a soft reset.

        The power of a board that hangs is cycled, if devices.toml says how.
        """
        # Without one where boot.py does not end.
        attempts = True, True, False
        try:
            self._enter(*attempts)
        except Unplugged:
            raise
        except UsocketError:
            self.close()
            if not named.cycle(self.board):
                raise
            self._again()
            self._enter(*attempts)
            self.cycled = True
        named.answers(self.board)

    def _again(self) -> None:
        """Open the line, which may be gone for as long as the board takes to start."""
        deadline = time.monotonic() + BACK_SECONDS
        while True:
            try:
                self.transport = opened(self.board.serial)
                self.serial = self.transport.serial
                return
            except UsocketError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.2)

    def end_program(self) -> str:
        """Ctrl-C to what runs; what is said of its end, "" where nothing did."""
        said = b""
        with self.guarded():
            self.serial.write(b"\r\x03")
            deadline = time.monotonic() + NOTICE_SECONDS
            while _wait(self.serial, deadline - time.monotonic(), ()):
                said = (said + self.serial.read(self.serial.in_waiting or 1))[-KEPT:]
                if b"KeyboardInterrupt: \r\n" in said or time.monotonic() >= deadline:
                    break
        text = said.decode(errors="replace")
        return text if "KeyboardInterrupt" in text else ""

    def restart(self) -> None:
        """Leave it as it starts: with boot.py and main.py, which nothing ends then."""
        self.leave()
        with self.guarded():
            self.serial.write(b"\x04")
        with contextlib.suppress(TransportError, OSError):
            self.transport.read_until(1, b"soft reboot", timeout_overall=SILENCE)
        self._started = True

    def prompt(self) -> None:
        """Be ready for `exec` after an Execution; input that it did not take is forgotten."""
        self._enter(False, False)

    def _enter(self, *attempts: bool) -> None:
        for number, soft_reset in enumerate(attempts):
            try:
                with self._asking(ENTRY_SECONDS):
                    # One for the program, one for what catches the first.
                    self.serial.write(b"\r\x03\x03")
                    if number and not self._quiet():
                        raise UsocketError(
                            f"{self.name} sends without end, and does not stop at Ctrl-C",
                            "Press the board's reset button. Or this is another board's device,"
                            " or one with another speed than MicroPython's.",
                        )
                    self.serial.reset_input_buffer()
                    self.transport.enter_raw_repl(soft_reset, timeout_overall=SILENCE)
                return
            except TransportError:
                pass
        raise UsocketError(
            f"{self.name} does not answer as MicroPython does",
            "A program on it may ignore Ctrl-C: press the board's reset button. Or there is no"
            " MicroPython on it, or this is another board's device.",
        )

    def _quiet(self) -> bool:
        """Wait until it sends nothing more."""
        deadline = time.monotonic() + SILENCE
        while _wait(self.serial, 0.1, ()):
            if time.monotonic() >= deadline:
                return False
            self.serial.read(self.serial.in_waiting or 1)
        return True

    def exec(self, code: str, silence: float = EXEC_SILENCE) -> str:
        """Run code that ends soon; what it printed."""
        printed = bytearray()

        def take(data: bytes) -> None:
            printed.extend(data)
            if len(printed) > MOST:
                raise UsocketError(
                    f"{self.name} answers without end", "Press the board's reset button."
                )
            # Instead of waiting for more.
            if data == b" " and _BANNER.search(printed[-_TAIL:]):
                raise self._reset()

        # Of an answer and an error.
        with self._asking(3 * silence, 3 * MOST):
            try:
                _, error = self.transport.exec_raw(code, timeout=silence, data_consumer=take)
            except (TransportError, struct.error) as cause:
                if b"MicroPython v" in self.transport.last:
                    raise self._reset() from cause
                raise UsocketError(
                    f"{self.name} stopped answering",
                    "Press the board's reset button and repeat the command.",
                ) from cause
        if error:
            last = error[-_ERROR:].decode(errors="replace").strip().split("\n")[-1]
            raise UsocketError(
                f"{self.name}: the board says {last.strip()}", "`usocket doctor` looks at it."
            )
        return printed.rstrip(_EOT).decode(errors="replace")

    def _reset(self) -> BoardReset:
        return BoardReset(f"{self.name}: the board was reset", "Repeat the command.")

    def leave(self) -> None:
        """A clean board at its prompt, if it still can."""
        with contextlib.suppress(UsocketError, TransportError, OSError):
            self.fresh()
            self.transport.exit_raw_repl()
            self.transport.read_until(1, b">>> ", timeout_overall=SILENCE)

    def close(self) -> None:
        # Whatever state an error left the board in: out of raw paste, then out of the raw REPL.
        with contextlib.suppress(OSError):
            if not self._started:
                self.serial.write(b"\r\x03\x03\r\x02")
        with contextlib.suppress(OSError):
            self.transport.close()

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _asking(self, seconds: float, most: float = math.inf) -> Iterator[None]:
        """Around what mpremote does, which prints what it does not expect."""
        silent = contextlib.redirect_stdout(io.StringIO())
        with self.guarded(), self.transport.within(seconds, most), silent:
            yield

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Errors of the line become the one sentence."""
        try:
            yield
        except serial.SerialTimeoutException as error:
            raise UsocketError(
                f"{self.name} takes no input",
                "Nothing reads at its other end, or the board hangs: press its reset button.",
            ) from error
        except OSError as error:
            raise Unplugged(
                f"{self.name} is gone: the board was unplugged, or its program ended the line",
                "Plug it in again and repeat the command.",
            ) from error


class Execution:
    """Code that runs on the board, for as long as it likes."""

    def __init__(self, device: Device, code: str, platform: str = "") -> None:
        self.device = device
        self.platform = platform  # sys.platform there
        self.done = False
        self.reset = False  # it ended with the board
        self._parts = [bytearray(), bytearray()]  # output not yet read, the traceback
        self._part = 0
        self._tail = b""
        # mpremote prints what it does not expect.
        silent = contextlib.redirect_stdout(io.StringIO())
        with device.guarded(), device.transport.within(3 * EXEC_SILENCE), silent:
            try:
                device.transport.exec_raw_no_follow(code)
            except (TransportError, struct.error) as error:
                raise UsocketError(
                    f"{device.name} stopped answering",
                    "Press the board's reset button and repeat the command.",
                ) from error

    @property
    def error(self) -> str:
        """The traceback, when it is done."""
        return self._parts[1].decode(errors="replace").replace("\r\n", "\n")

    def read(self, seconds: float, *also: int) -> bytes:
        """What it printed; b"" when nothing came in time, or one of the fds `also` is readable."""
        deadline = time.monotonic() + seconds
        while not self._parts[0] and not self.done:
            with self.device.guarded():
                if not _wait(self.device.serial, deadline - time.monotonic(), also):
                    break
                self._take(self.device.serial.read(self.device.serial.in_waiting or 1))
            if time.monotonic() >= deadline:
                break  # also where what comes has no end, and none of it is output
        data = bytes(self._parts[0])
        self._parts[0].clear()
        return data

    def write(self, data: bytes) -> None:
        with self.device.guarded():
            self.device.serial.write(data)

    def interrupt(
        self, seconds: float = INTERRUPT_SECONDS, take: Callable[[bytes], object] | None = None
    ) -> bytes:
        """Ctrl-C; what it still prints, which `take` is given as it comes, or else the last of it.

        `done` tells whether it ended.
        """
        self._make_room()
        self.write(b"\x03")
        kept = bytearray()
        deadline = time.monotonic() + seconds
        while True:
            data = self.read(deadline - time.monotonic())
            if take:
                take(data)
            else:
                kept += data
                del kept[:-KEPT]
            if self.done or time.monotonic() >= deadline:
                break
        return bytes(kept)

    def _make_room(self) -> None:
        """Read what stands in the line: a board drops what a full one does not take, its end too.

        No more than a line holds, since the program may print on.
        """
        left, line = KEPT, self.device.serial
        with self.device.guarded():
            while left > 0 and not self.done and _wait(line, 0, ()):
                data = line.read(line.in_waiting or 1)
                left -= len(data)
                self._take(data)

    def _take(self, data: bytes) -> None:
        while data and not self.done:
            piece, end, data = data.partition(_EOT)
            self._parts[self._part] += piece
            # What was raised stands at its end; of output the reader gets all.
            del self._parts[1][:-KEPT]
            if end:
                self._part += 1
                self.done = self._part == 2
            elif self._part == 0:
                self._tail = (self._tail + piece)[-_TAIL:]
                if _BANNER.search(self._tail):
                    self.reset = True
                    raise BoardReset(
                        f"{self.device.name}: the board was reset while the program ran",
                        "If the program did not do it itself: its power may be too weak.",
                    )


def _wait(line: serial.SerialBase, seconds: float, also: tuple[int, ...]) -> bool:
    """Wait for input on the line, which may have no fd; False: out of time, or `also` has some."""
    try:
        fd = line.fileno()
    except OSError:
        return _poll(lambda: line.in_waiting > 0, seconds, also)
    return fd in select.select([fd, *also], [], [], max(seconds, 0))[0]


def _poll(ready: Callable[[], bool], seconds: float, also: tuple[int, ...]) -> bool:
    deadline = time.monotonic() + seconds
    while not ready():
        left = deadline - time.monotonic()
        if left <= 0 or select.select(also, [], [], min(left, 0.01))[0]:
            return False
    return True
