# SPDX-License-Identifier: MIT
# MicroPython prints most errors as bare numbers, each platform its own ones (`OSError: 109`). Here
# the name is put beside the number; and to a certificate that a board does not believe yet, why.
from __future__ import annotations

import contextlib
import functools
import os
import re
import signal

from ..files import PORTS, ports

# With a reason behind the number, too.
_LINE = re.compile(r"^OSError: (?:(-?\d+)|\((-?\d+), ['\"].*\))$", re.M)
_BEGUN = re.compile(rb"OSError: (?:-?\d*|\((?:-?\d*|-?\d+,(?: .{0,200})?))")
# As the firmware's ssl says it, in a line of its own, and as a TLS socket of the layer does.
_FUTURE = re.compile(
    r"^(?:OSError: \[Errno \d+\] ECONNABORTED: )?The certificate validity starts in the future$",
    re.M,
)
_CLOCK = (
    " (is the board's clock set? It begins with the year 2000: `mpremote rtc --set`, or ntptime)"
)
_WORD = b"OSError: "
# Of what starts a program on the unix port (start.py), in its tracebacks.
_STARTER = re.compile(rb'  File "<stdin>", line \d+, in <module>')
_STARTED = b'  File "<stdin>", line '
# What ends a program at a terminal, and not the process that passes on what it still says.
_ENDS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)


def named(text: str, port: str) -> str:
    """The text, where a line is an error's, with its name. The numbers are that port's."""
    names = _names(port)
    if port == "esp32":
        text = _FUTURE.sub(lambda found: found[0] + _CLOCK, text)

    def with_name(found: re.Match[str]) -> str:
        name = names.get(found[1] or found[2])
        return found[0] + (f" ({name})" if name else "")

    return _LINE.sub(with_name, text)


@functools.cache
def _names(port: str) -> dict[str, str]:
    """Number -> name, of two names the first."""
    file = PORTS / port / "numbers.py"
    if port not in ports() or not file.is_file():
        return {}
    text = file.read_text(encoding="utf-8")
    names = re.findall(r"\b(E[A-Z0-9]+)=(\d+)", text)
    if port == "esp32":
        # The firmware's own getaddrinfo raises OSError with an EAI code, made negative.
        names += [(name, f"-{n}") for name, n in re.findall(r"\b(EAI_[A-Z]+)=(\d+)", text)]
    return {number: name for name, number in reversed(names)}


def name_errors(port: str) -> None:
    """Put the names into what this process writes to its stderr from now on, and what takes its
    place. All else goes on at once and unchanged.
    """
    try:
        sink = os.dup(2)
    except OSError:
        return  # it has none
    source, write = os.pipe()
    # None of these comes in between before the new process ignores them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    # A grandchild does it: a child of ours would be the program's, which may wait for its own.
    child = os.fork()
    if not child:
        if not os.fork():
            os.dup2(sink, 1)
            for fd in (0, 2, sink, write):
                os.close(fd)
            with contextlib.suppress(OSError):
                _pass_on(source, 1, port)
        os._exit(0)
    os.dup2(write, 2)
    for fd in (sink, source, write):
        os.close(fd)
    os.waitpid(child, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _pass_on(source: int, sink: int, port: str) -> None:
    # It ends with the last that writes there, whatever ends that.
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
    names = Names(port)
    while data := os.read(source, 65536):
        _write(sink, names.feed(data))
    _write(sink, names.end())


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


class Names:
    """A stream of bytes, piece by piece. Only what may still become an error's line is held."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._held = b""
        self._within = False  # a line, whose beginning has gone on already

    def feed(self, data: bytes) -> bytes:
        *lines, rest = data.split(b"\n")
        out = b"".join(self._line(line) for line in lines)
        self._held += rest
        if self._within or not _may_be(self._held):
            self._within = self._within or self._held != b""
            out += self.end()
        return out

    def _line(self, line: bytes) -> bytes:
        """A whole line, as it goes on."""
        line = self._held + line
        self._held = b""
        within, self._within = self._within, False
        if not within and _STARTER.fullmatch(line):
            return b""
        if not within and line.startswith(_WORD):
            line = named(line.decode(errors="surrogateescape"), self._port).encode(
                errors="surrogateescape"
            )
        return line + b"\n"

    def end(self) -> bytes:
        held, self._held = self._held, b""
        return held


def _may_be(line: bytes) -> bool:
    if _STARTED.startswith(line) or line.startswith(_STARTED):
        return len(line) < 100
    return _WORD.startswith(line) or _BEGUN.fullmatch(line) is not None
