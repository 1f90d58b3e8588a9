# SPDX-License-Identifier: MIT
# Virtual boards from outside: Board starts one, control talks to one, and the options of both
# this and the command. The board itself is a process of its own, __main__.py.
from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import UsocketError
from . import faults, network


class Board:
    """A virtual board that lives until `stop`, or as long as this process.

    The options are those of `usocket vboard`: Board(forward=["0:80"], loss="5%", heap=100000).
    """

    # The board as the host knows it, and the host as the board knows it.
    address, host, address6, host6 = network.BOARD, network.HOST, network.BOARD6, network.HOST6

    def __init__(self, wait: bool = True, **options: object) -> None:
        self.device = ""
        self.forwards: list[str] = []
        command = [sys.executable, "-m", __package__, "--lifeline", *arguments(options)]
        # Its standard input is the lifeline: the kernel closes our end when we end, in any way.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
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
        return _host_port(self.control(f"forward {text}"))

    def host_ports(self) -> list[int]:
        """The host's ports of the forwards it was started with, in their order."""
        return [_host_port(line) for line in self.forwards]

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


def control(device: str, text: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        try:
            connection.connect(control_name(os.path.realpath(device)))
            connection.sendall(text.encode() + b"\n")
            answer = connection.makefile(encoding="utf-8").readline().rstrip("\n")
        except socket.timeout:
            raise UsocketError(
                f"the virtual board {device} does not answer", "End it, and start another."
            ) from None
        except OSError:
            answer = ""
    word, _, rest = answer.partition(" ")
    if word == "error":
        raise _error(rest)
    if word != "ok":
        raise UsocketError(
            f"there is no virtual board {device}",
            "`usocket vboard` starts one and prints its device.",
        )
    return rest


def one_line(error: UsocketError) -> str:
    """An error for the other side, which makes an UsocketError of it again."""
    return " ".join(str(error).splitlines()) + "\t" + " ".join(error.hint.splitlines())


def _error(text: str) -> UsocketError:
    message, _, hint = text.partition("\t")
    return UsocketError(message, hint)


def _host_port(line: str) -> int:
    found = re.search(r":(\d+) -> ", line)
    assert found, line
    return int(found[1])


# The options, of the command and of Board.

FAULTS = ("loss", "delay", "duplicate", "reorder", "seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Start a virtual ESP32: MicroPython's esp32 socket module on lwIP, behind the device that"
        " is printed, for mpremote, pyserial and `usocket run --device`. The board is"
        f" {network.BOARD}, this machine's loopback is {network.HOST} to it. Ctrl-C ends it."
    )
    for flag, settings in ARGUMENTS.items():
        parser.add_argument(flag, **settings)
    parser.add_argument("words", nargs="*", metavar="COMMAND", help="with --control")


ARGUMENTS: dict[str, Any] = {
    "--forward": {
        "action": "append",
        "default": [],
        "metavar": "[udp:][ADDRESS:]PORT:BOARDPORT",
        "help": "a port of this machine that leads to the board; 0 takes a free one, and it is"
        " printed",
    },
    "--internet": {"action": "store_true", "help": "let the board reach more than this machine"},
    "--dns": {
        "metavar": "ADDRESS[:PORT]|host",
        "help": "the board's DNS server: one on this machine's loopback, or the one that this"
        " machine uses (default: none)",
    },
    "--flash": {
        "type": Path,
        "metavar": "FILE",
        "help": "keep the flash in FILE, made if missing",
    },
    "--heap": {
        "type": int,
        "metavar": "BYTES",
        "help": "the heap in all (default: a bare ESP32's)",
    },
    "--wifi": {
        "metavar": "SSID:KEY",
        "help": "start without a connection; the access point has this name and key",
    },
    "--mac": {"metavar": "XX:XX:XX:XX:XX:XX", "help": "the board's Ethernet address"},
    "--loss": {"metavar": "5%", "help": "how many packets get lost, in each direction"},
    "--delay": {
        "metavar": "20ms+-10",
        "help": "how long a packet is on its way, and by how much that varies",
    },
    "--duplicate": {"metavar": "1%", "help": "how many packets arrive twice"},
    "--reorder": {"metavar": "1%", "help": "how many packets the next one overtakes"},
    "--seed": {"metavar": "7", "help": "decides which packets those are (default: 0)"},
    "--trace": {"type": Path, "metavar": "FILE", "help": "record the packets in FILE, as pcap"},
    "--variant": {
        "default": "standard",
        "metavar": "VARIANT",
        "help": "32bit has an ESP32's object sizes (default: %(default)s)",
    },
    "--micropython": {
        "default": "newest",
        "metavar": "VERSION",
        "help": "the firmware's version (default: the newest that is packaged)",
    },
    "--firmware": {"type": Path, "metavar": "FILE", "help": "a firmware that is built already"},
    "--count": {"type": int, "default": 1, "metavar": "N", "help": "start N boards"},
    "--script": {
        "type": Path,
        "metavar": "FILE",
        "help": "run this program on the board and end with its status",
    },
    "--control": {
        "metavar": "DEVICE",
        "help": "send COMMAND to a board that runs: link down|up, faults [loss=5%% ...|off],"
        " reset, forward 0:80, status",
    },
    # How Board starts it: standard input is open as long as the board is wanted.
    "--lifeline": {"action": "store_true", "help": argparse.SUPPRESS},
}


def check(options: argparse.Namespace) -> None:
    """What can be wrong about the options, before anything is built or opened."""
    for text in options.forward:
        if network.parse_forward(text).host_port and options.count > 1:
            raise UsocketError(
                f"several boards cannot share the port of {text!r}",
                "Port 0 takes a free one for each.",
            )
    fault_settings(options)
    dns_server(options)
    if options.count < 1:
        raise UsocketError("--count is the number of boards, 1 or more", "Such as --count 2.")
    for name in ("flash", "trace", "script"):
        if options.count > 1 and getattr(options, name):
            raise UsocketError(f"several boards cannot share one --{name}", "Start them singly.")
    if options.wifi and not re.fullmatch(r"[^:]{1,32}:.{0,64}", options.wifi):
        raise UsocketError("--wifi is not SSID:KEY", "Such as --wifi lab:secret99.")
    if options.mac and not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", options.mac):
        raise UsocketError(f"{options.mac!r} is no Ethernet address", "Such as 52:54:00:12:34:57.")
    if options.heap is not None and options.heap < 16384:
        raise UsocketError(
            "a heap of less than 16384 bytes does not start MicroPython", "Such as --heap 100000."
        )
    for name in ("script", "firmware"):
        file = getattr(options, name)
        if file and not file.is_file():
            raise UsocketError(f"there is no file {file}", f"--{name} names one that is there.")


def fault_settings(options: argparse.Namespace) -> faults.Faults:
    given = {name: getattr(options, name) for name in FAULTS}
    return faults.parse({name: text for name, text in given.items() if text is not None})


def dns_server(options: argparse.Namespace) -> str:
    """The firmware's --dns, "" for none."""
    if not options.dns:
        return ""
    if options.dns == "host":
        return f"{network.RESOLVER}:53"
    address, _, port = options.dns.partition(":")
    address = "127.0.0.1" if address == "localhost" else address
    try:
        packed = socket.inet_pton(socket.AF_INET, address)
        number = int(port or 53)
        if not 1 <= number <= 65535:
            raise ValueError
    except (OSError, ValueError):
        raise UsocketError(
            f"{options.dns!r} is no DNS server", "Such as --dns 127.0.0.1:5353, or --dns host."
        ) from None
    if address == "127.0.0.1":
        return f"{network.HOST}:{number}"
    if packed[0] == 127:
        raise UsocketError(
            f"the board does not reach {address}", "Of the loopback network it has 127.0.0.1 only."
        )
    if not options.internet:
        raise UsocketError(
            f"the board does not reach the DNS server {address}", "With --internet it does."
        )
    return f"{address}:{number}"
