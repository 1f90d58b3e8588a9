# SPDX-License-Identifier: MIT
# Virtual boards from outside: Board starts one, control talks to one. The board itself is a
# process of its own, process.py.
from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from .. import wifi
from ..errors import UsocketError
from . import network

_MORE = "+"  # between a control socket's name and what is added to it
_SECONDS = 10  # for an answer
_LINE = 1 << 16  # characters of one


class Board:
    """A virtual board that lives until `stop`, or as long as this process.

    The options are those of `usocket vboard`: Board(forward=["0:80"], loss="5%", heap=100000).
    A key in them is handed on where only this user sees it.
    """

    # The board as the host knows it, and the host as the board knows it.
    address, host, address6, host6 = network.BOARD, network.HOST, network.BOARD6, network.HOST6

    def __init__(self, wait: bool = True, **options: object) -> None:
        self.device = ""
        self.forwards: list[str] = []
        environment = dict(os.environ)
        if options.get("wifi"):
            environment.update(wifi.named(str(options["wifi"]), environment).variables())
            options["wifi"] = wifi.ENVIRONMENT
        command = [sys.executable, "-m", __package__, "--lifeline", *arguments(options)]
        # Its standard input is the lifeline: the kernel closes our end when we end, in any way.
        # Ctrl-C at a terminal is for it too: not before it can end without a traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                env=environment,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.pid = self._process.pid
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until the board runs; its firmware may have to be built first."""
        assert self._process.stdout
        try:
            for line in self._process.stdout:
                kind, _, rest = line.rstrip("\n").partition(" ")
                if kind == "ready":
                    self.device = rest
                    return
                if kind == "error":
                    raise _error(rest)
                self.forwards.append(line.rstrip("\n"))
            raise UsocketError(
                "the virtual board ended before it was ready", "`usocket vboard` may say why."
            )
        except BaseException:
            self.stop()
            raise

    def forward(self, text: str) -> int:
        """Forward one more port, such as "0:80"; the host's port."""
        return host_port(self.control(f"forward {text}"))

    def host_ports(self) -> list[int]:
        """The host's ports of the forwards it was started with, in their order."""
        return [host_port(line) for line in self.forwards]

    def control(self, text: str) -> str:
        """Send a control command; what the board says after "ok"."""
        return control(self.device, text)

    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the board; again is fine."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def arguments(options: dict[str, object]) -> list[str]:
    """{"forward": ["0:80"], "internet": True} -> ["--forward=0:80", "--internet"]"""
    words = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif value is not None and value is not False:
            values = value if isinstance(value, (list, tuple)) else [value]
            words += [f"{flag}={each}" for each in values]
    return words


def control_name(device: str) -> str:
    """The control socket of a board: an abstract one, which no crash leaves behind."""
    return f"\0usocket-vboard{device}"


def listen(device: str) -> socket.socket | None:
    """The control socket of a board's process; None: another board of this user has its name.

    Any user can have the name first. Then it is a longer one, and `control` looks for it.
    """
    listener = socket.socket(socket.AF_UNIX)
    name = control_name(device)
    try:
        listener.bind(name)
    except OSError:
        with _connected(name) as other:
            if other:
                listener.close()
                return None
        listener.bind(f"{name}{_MORE}{secrets.token_hex(8)}")
    listener.listen(8)
    listener.setblocking(False)
    return listener


@contextlib.contextmanager
def _connected(name: str) -> Iterator[socket.socket | None]:
    """A connection to the socket of that name, if this user's process has it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        try:
            connection.connect(name)
        except OSError:
            yield None
            return
        yield connection if peer_uid(connection) == os.geteuid() else None


def _names() -> list[str]:
    """Names of control sockets, anybody's: Linux lists them."""
    try:
        text = Path("/proc/net/unix").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    return sorted(set(re.findall(r"@(usocket-vboard/dev/\S+)$", text, re.M)))


def peer_uid(connection: socket.socket) -> int:
    """Whose process is at the other end: who called listen() or connect() there."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", credentials)[1])


def devices() -> list[str]:
    """Those of this user's virtual boards. What others say is not shown, their names included.

    Nor those of a container on the same network, whose devices are not here.
    """
    found = set()
    for name in _names():
        with _connected("\0" + name) as connection:
            if connection:
                found.add(name[len(control_name("")) - 1 :].partition(_MORE)[0])
    return sorted(filter(os.path.exists, found))


def control(device: str, text: str) -> str:
    """Send a command to this user's board; what it says after "ok"."""
    name = control_name(os.path.realpath(device))
    answer = _ask(device, name, text)
    if not answer:
        longer = (each for each in _names() if each.startswith(name[1:] + _MORE))
        answer = next(filter(None, (_ask(device, "\0" + each, text) for each in longer)), "")
    word, _, rest = answer.partition(" ")
    if word == "error":
        raise _error(rest)
    if word != "ok":
        raise UsocketError(
            f"there is no virtual board {device}",
            "`usocket vboard` starts one and prints its device.",
        )
    return rest


def is_virtual(device: str) -> bool:
    """Whether it is the device of one of this user's virtual boards."""
    try:
        control(device, "status")
        return True
    except UsocketError:
        return False


def _ask(device: str, name: str, text: str) -> str:
    """The answer; "" where nobody is, or another user."""
    with _connected(name) as connection:
        if not connection:
            return ""
        try:
            connection.sendall(text.encode(errors="replace") + b"\n")
            line = connection.makefile(encoding="utf-8", errors="replace").readline(_LINE)
            return line.rstrip("\n")
        except socket.timeout:
            raise UsocketError(
                f"the virtual board {device} does not answer", "End it, and start another."
            ) from None
        except OSError:
            return ""


def one_line(error: UsocketError) -> str:
    """An error for the other side, which makes an UsocketError of it again."""
    return " ".join(str(error).splitlines()) + "\t" + " ".join(error.hint.splitlines())


def _error(text: str) -> UsocketError:
    message, _, hint = text.partition("\t")
    return UsocketError(message, hint)


def host_port(line: str) -> int:
    """That of what a board says of a forward."""
    found = re.search(r":(\d+) -> ", line)
    assert found, line
    return int(found[1])
