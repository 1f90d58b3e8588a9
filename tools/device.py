# SPDX-License-Identifier: MIT
# A board on a serial line: mpremote's transport on pyserial, with deadlines, and with one sentence
# for each way in which a board is not there, does not answer or goes away.
from __future__ import annotations

import contextlib
import errno
import io
import math
import os
import re
import select
import struct
import time
from types import TracebackType
from typing import Any, Callable, Iterator

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from .errors import UsocketError

SILENCE = 3  # seconds that a board may take for its next byte, where it has to answer
INTERRUPT_SECONDS = 5  # for a program to end on Ctrl-C
ENTRY_SECONDS = 6  # for one attempt to reach the raw REPL
EXEC_SILENCE = 10  # for code that ends soon, which may take three times as long with output
CHUNK = 1024  # bytes of a file that go to the board in one piece of code

_EOT = b"\x04"
_URLS = "Give a path, or socket://HOST:PORT or rfc2217://HOST:PORT."
# The end of what a board prints after a reset.
_BANNER = re.compile(rb"MicroPython v[^\r\n]*\r\n(Type [^\r\n]*\r\n)?>>> $")
_TAIL = 300


class Unplugged(UsocketError):
    """The serial line is gone."""


class BoardReset(UsocketError):
    """The board started anew while a program ran."""


class _Transport(SerialTransport):  # type: ignore[misc]
    """Waits no longer than SILENCE for what a board sends at once, and knows what it sent."""

    last = b""
    _deadline = math.inf

    def __init__(self, name: str) -> None:
        super().__init__(name, timeout=SILENCE)
        # mpremote's loops end when the line is silent, and some lines never are.
        line = self.serial
        line.read, line.inWaiting = self._bounded(line.read), self._bounded(line.inWaiting)

    def _bounded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def bounded(*args: int) -> Any:
            if time.monotonic() >= self._deadline:
                raise TransportError("out of time")
            return call(*args)

        return bounded

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Reading ends with a TransportError when they are over."""
        before = self._deadline
        self._deadline = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._deadline = before

    def read_until(
        self,
        count: int,
        ending: bytes,
        timeout: float | None = SILENCE,
        timeout_overall: float | None = None,
        **more: Any,
    ) -> bytes:
        with self.within(math.inf if timeout_overall is None else timeout_overall):
            self.last = super().read_until(count, ending, timeout=timeout, **more)
        return self.last


class Device:
    """A board in the raw REPL. `name` is a path, or an URL such as rfc2217://HOST:PORT."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.transport = _opened(name)
        self.serial = self.transport.serial

    def fresh(self) -> None:
        """End what runs, and begin with an empty heap and no sockets: a soft reset."""
        # Without one where boot.py does not end.
        self._enter(True, True, False)

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
            # Instead of waiting for more.
            if data == b" " and _BANNER.search(printed[-_TAIL:]):
                raise self._reset()

        with self._asking(3 * silence):
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
            last = error.decode(errors="replace").strip().splitlines()[-1:]
            raise UsocketError(
                f"{self.name}: the board says {' '.join(last)}", "`usocket doctor` looks at it."
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
    def _asking(self, seconds: float) -> Iterator[None]:
        """Around what mpremote does, which prints what it does not expect."""
        with self.guarded(), self.transport.within(seconds):
            with contextlib.redirect_stdout(io.StringIO()):
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

    def __init__(self, device: Device, code: str) -> None:
        self.device = device
        self.done = False
        self.reset = False  # it ended with the board
        self._parts = [bytearray(), bytearray()]  # output not yet read, the traceback
        self._part = 0
        self._tail = b""
        with device.guarded(), device.transport.within(3 * EXEC_SILENCE):
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
        data = bytes(self._parts[0])
        self._parts[0].clear()
        return data

    def write(self, data: bytes) -> None:
        with self.device.guarded():
            self.device.serial.write(data)

    def interrupt(self, seconds: float = INTERRUPT_SECONDS) -> bytes:
        """Ctrl-C; what it still prints. `done` tells whether it ended."""
        self.write(b"\x03")
        data = b""
        deadline = time.monotonic() + seconds
        while not self.done and time.monotonic() < deadline:
            data += self.read(deadline - time.monotonic())
        return data

    def _take(self, data: bytes) -> None:
        while data and not self.done:
            piece, end, data = data.partition(_EOT)
            self._parts[self._part] += piece
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


def _opened(name: str) -> _Transport:
    try:
        transport = _Transport(name)
    except (TransportError, ValueError):
        # It does not say why; the second attempt does.
        raise _refusal(name) from None
    with contextlib.suppress(NotImplementedError):  # RFC 2217 has none
        transport.serial.write_timeout = SILENCE
    return transport


def check(name: str) -> None:
    """Refuse what cannot be opened."""
    transport = _opened(name)
    with contextlib.suppress(OSError):
        transport.close()


def _refusal(name: str) -> UsocketError:
    url = "://" in name
    if not url and not os.path.exists(name):
        return UsocketError(
            f"there is no device {name}", "`usocket doctor` lists the boards that it finds."
        )
    try:
        serial.serial_for_url(name, exclusive=True, timeout=SILENCE).close()
    except ValueError as error:
        return UsocketError(f"{name} is not a device: {error}", _URLS)
    except OSError as error:
        if error.errno == errno.EACCES:
            return UsocketError(
                f"no permission to open {name}",
                "Add yourself to the group that owns it (`ls -l` shows it), and log in again.",
            )
        if error.errno in (errno.EAGAIN, errno.EBUSY):
            return _in_use(name)
        reason = re.search(r"\[Errno -?\d+\] (.*)", str(error))
        if url and reason:
            return UsocketError(
                f"nothing answers at {name}: {reason[1]}",
                "Is the server started at that machine, and is this its port?",
            )
        if url and "Could not open port" not in str(error):
            return UsocketError(
                f"what answers at {name} does not speak RFC 2217",
                "socket://HOST:PORT is for a server that passes on bytes as they are.",
            )
        if url:
            return UsocketError(f"{name} is not the URL of a device", _URLS)
        return UsocketError(
            f"{name} is not a serial device", "`usocket doctor` lists the boards that it finds."
        )
    return _in_use(name)


def _in_use(name: str) -> UsocketError:
    return UsocketError(
        f"{name} is in use by another program",
        "End that one: mpremote, a terminal program or another `usocket run`.",
    )
