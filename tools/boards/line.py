# SPDX-License-Identifier: MIT
# A serial line: mpremote's transport on pyserial, with deadlines, and one sentence for each way in
# which it cannot be opened.
from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import time
from collections.abc import Iterator
from typing import Any, Callable

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from ..errors import UsocketError
from . import named

SILENCE = 3  # seconds that a board may take for its next byte, where it has to answer
_URLS = "Give a path, or socket://HOST:PORT or rfc2217://HOST:PORT."


class Transport(SerialTransport):  # type: ignore[misc]
    """Waits no longer than SILENCE for what a board sends at once, and knows what it sent."""

    last = b""
    _deadline = math.inf
    _left = math.inf  # bytes that may come

    def __init__(self, name: str) -> None:
        super().__init__(name, timeout=SILENCE)
        # mpremote's loops end when the line is silent, and some lines never are.
        line = self.serial
        line.read, line.inWaiting = self._bounded(line.read), self._bounded(line.inWaiting)

    def _bounded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def bounded(*args: int) -> Any:
            if time.monotonic() >= self._deadline:
                raise TransportError("out of time")
            result = call(*args)
            if isinstance(result, bytes):
                self._left -= len(result)
                if self._left < 0:
                    raise TransportError("too much")
            return result

        return bounded

    @contextlib.contextmanager
    def within(self, seconds: float, most: float = math.inf) -> Iterator[None]:
        """Reading ends with a TransportError when they are over, or so many bytes came."""
        before = self._deadline, self._left
        self._deadline = min(self._deadline, time.monotonic() + seconds)
        self._left = min(self._left, most)
        try:
            yield
        finally:
            self._deadline, self._left = before

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


def opened(name: str) -> Transport:
    try:
        transport = Transport(name)
    except (TransportError, ValueError):
        # It does not say why; the second attempt does.
        raise _refusal(name) from None
    with contextlib.suppress(NotImplementedError):  # RFC 2217 has none
        transport.serial.write_timeout = SILENCE
    return transport


def check(name: str) -> None:
    """Refuse what cannot be opened."""
    transport = opened(named.find(name).serial)
    with contextlib.suppress(OSError):
        transport.close()


def _refusal(name: str) -> UsocketError:
    url = "://" in name
    if not url and not os.path.exists(name):
        return UsocketError(
            f"there is no device {name}",
            "`usocket doctor` lists the boards that it finds; devices.toml has names for boards.",
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
                "Is the server running on that machine, and is this its port?",
            )
        if url and "Could not open port" not in str(error):
            return UsocketError(
                f"what answers at {name} does not speak RFC 2217",
                "socket://HOST:PORT is for a server that passes bytes on unchanged.",
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
