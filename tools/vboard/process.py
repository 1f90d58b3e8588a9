# SPDX-License-Identifier: MIT
# The process that is one virtual board: it owns the pseudo-terminal, the network, the flash and
# the firmware that runs on them. One thread, one loop; whatever ends it, nothing stays behind.
from __future__ import annotations

import argparse
import collections
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import tty
from typing import Callable

from ..errors import UsocketError
from ..shown import say
from . import faults, network
from .board import listen, one_line, peer_uid
from .flashfile import open_flash
from .options import dns_server, fault_settings, network_of
from .signals import Signals
from .trace import Trace

# machine.reset_cause() on an ESP32 after the reset button, and after a crash.
PWRON_RESET, HARD_RESET = 1, 2
# More restarts than this within so many seconds, and it is no accident.
RESTARTS, WITHIN = 5, 10.0
# For how long the firmware may take to answer, in seconds.
ANSWERS = 5.0
HANGS = "It hangs; reset it."
# Frames taken from the board before libslirp has its turn.
BATCH = 64
# How the firmware is told of the access point.
FIRMWARE_WIFI = ("VBOARD_SSID", "VBOARD_KEY")
# Devices that are tried for a name that no other board has.
BOARDS = 50


class Process:
    """One board and its loop."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.signals = Signals(options.lifeline)
        self.flash = open_flash(options.flash)
        self.trace = Trace(options.trace) if options.trace else None
        internet, resolver = options.internet, options.internet or options.dns == "host"
        self.network = network.Network(self._from_network, internet, resolver, options.ipv6)
        self.forwards: list[network.Forward] = []
        self.firmware: subprocess.Popen[bytes] | None = None
        self.script: subprocess.Popen[bytes] | None = None
        self.restarts: collections.deque[float] = collections.deque()
        self.ended = False
        self.link = True
        self.memory = b""
        self.lines: tuple[faults.Line[bytes], faults.Line[bytes]] | None = None
        self.faults = faults.Faults()
        self.set_faults(fault_settings(options))
        # The firmware's. Everybody sees the arguments of a process, and its environment nobody.
        self.environment = {k: v for k, v in os.environ.items() if k not in FIRMWARE_WIFI}
        self.environment.update(zip(FIRMWARE_WIFI, network_of(options) or ()))
        # Ours and the firmware's end. We keep both: a restarted firmware gets the same.
        self.net, self.net_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._open_terminal()
        self.poller = select.poll()
        self.polled: dict[int, int] = {}
        self.handlers: dict[int, Callable[[], None]] = {
            self.net.fileno(): self._from_board,
            self.signals.reader.fileno(): self._on_signal,
            self.listener.fileno(): self._on_control,
        }
        if options.lifeline:
            self.handlers[0] = self._on_lifeline
        self.connections: dict[int, tuple[socket.socket, bytearray]] = {}

    def _open_terminal(self) -> None:
        for _ in range(BOARDS):
            self.master, self.slave = os.openpty()
            self.device = os.ttyname(self.slave)
            listener = listen(self.device)
            if listener:
                break
            # A board of another container has a device of that name: take the next, and keep this
            # one open so that it is another.
        else:
            raise UsocketError(
                "no device is left whose name is not another virtual board's", "End some of them."
            )
        self.listener = listener
        # The slave stays open with us, so that no program that closes it hangs up the line.
        tty.setraw(self.slave)

    def start(self) -> None:
        for text in self.options.forward:
            self.forwards.append(self.network.forward(network.parse_forward(text)))
        self._start_firmware(PWRON_RESET)
        lines = [str(each) for each in self.forwards]
        if self.options.lifeline:
            print("\n".join([*lines, f"ready {self.device}"]), flush=True)
            self.options.ready = True
            return
        # With a script, standard output is the script's.
        say(self.device, *lines, err=bool(self.options.script))
        if self.options.script:
            command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", self.device]
            self.script = subprocess.Popen([*command, str(self.options.script)])
        elif sys.stderr.isatty():
            say(f"Try: mpremote connect {self.device}   (Ctrl-C here ends it)", err=True)

    def loop(self) -> int:
        while not (self.ended or self.signals.by):
            self._step()
            if self.script and self.script.poll() is not None:
                return self.script.returncode if self.script.returncode >= 0 else 1
            # With a script, the first Ctrl-C is the script's, which got it from the terminal too.
            if self.signals.interrupts > (1 if self.script else 0):
                break
        return 0

    def _step(self) -> None:
        wanted, wait = self.network.wants(-1)
        for fd in self.handlers:
            wanted[fd] = select.POLLIN
        polled = self.polled
        if wanted != polled:
            for fd in polled:
                if fd not in wanted:
                    self.poller.unregister(fd)
            for fd, events in wanted.items():
                if polled.get(fd) != events:
                    self.poller.register(fd, events)
            self.polled = wanted
        if self.lines:
            for line in self.lines:
                due = line.due()
                if due is not None:
                    left = max(0, int((due - time.monotonic()) * 1000) + 1)
                    wait = left if wait < 0 else min(wait, left)
        ready = dict(self.poller.poll(wait if wait >= 0 else None))
        # Frames first: they may make libslirp close what poll has just reported, not the reverse.
        for fd in ready:
            handler = self.handlers.get(fd)
            if handler:
                handler()
        self.network.polled(ready)
        if self.lines:
            out, back = self.lines
            now = time.monotonic()
            for frame in out.take(now):
                self.network.input(frame)
            for frame in back.take(now):
                self._to_board(frame)

    # Frames.

    def _from_board(self) -> None:
        for _ in range(BATCH):
            try:
                message = self.net.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if message[:1] == b"M":
                self.memory = message
            if message[:1] != b"F" or not self.link:
                continue
            frame = message[1:]
            if self.trace:
                self.trace.frame(frame)
            if self.lines:
                self.lines[0].push(time.monotonic(), frame)
            else:
                self.network.input(frame)

    def _from_network(self, frame: bytes) -> None:
        if self.lines:
            self.lines[1].push(time.monotonic(), frame)
        else:
            self._to_board(frame)

    def _to_board(self, frame: bytes) -> None:
        if not self.link:
            return
        try:
            self.net.send(b"F" + frame, socket.MSG_DONTWAIT)
        except OSError:
            # Its queue is full, as a slow board's is: the frame is lost.
            return
        if self.trace:
            self.trace.frame(frame)

    def set_faults(self, settings: faults.Faults) -> None:
        self.faults = settings
        for line, deliver in zip(self.lines or (), (self.network.input, self._to_board)):
            for frame in line.take(float("inf")):
                deliver(frame)
        both = (faults.Line[bytes](settings, "out"), faults.Line[bytes](settings, "back"))
        self.lines = both if settings.any() else None

    def set_link(self, up: bool) -> None:
        self.link = up
        for line in self.lines or ():
            line.clear()
        self._tell(b"L\1" if up else b"L\0", "link")

    def _tell(self, news: bytes, of: str) -> None:
        try:
            self.net.send(news, socket.MSG_DONTWAIT)
        except OSError:
            raise UsocketError(
                f"the board does not accept the change of its {of}", HANGS
            ) from None

    # The firmware's life.

    def _start_firmware(self, cause: int) -> None:
        try:
            # What was on the wire for the one before.
            while self.net_end.recv(65536, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            pass
        descriptors = {"serial": self.master, "net": self.net_end.fileno()}
        descriptors["flash"] = self.flash.fileno()
        options = self.options
        settings = {"heap": options.heap, "tls_memory": options.tls_memory}
        settings["mac"] = options.mac
        if options.ethernet:
            settings["ethernet"] = 1
        if options.ipv6:
            settings.update({"ip6": f"{network.BOARD6}/64", "gateway6": network.HOST6})
        settings.update({"dns": dns_server(options) or None, "reset_cause": cause})
        words = [word for pair in descriptors.items() for word in (f"--{pair[0]}", str(pair[1]))]
        for name, value in settings.items():
            if value is not None:
                words += ["--" + name.replace("_", "-"), str(value)]
        try:
            self.firmware = subprocess.Popen(
                [str(options.firmware.absolute()), *words],
                pass_fds=list(descriptors.values()),
                stdin=subprocess.DEVNULL,
                stdout=2,
                env=self.environment,
                # Ctrl-C in our terminal is not the board's.
                start_new_session=True,
            )
        except OSError as error:
            raise UsocketError(
                f"cannot start the firmware {options.firmware}: {error.strerror}",
                "Without --firmware one is built.",
            ) from error
        if not self.link:
            self.set_link(False)

    def _stop_firmware(self) -> None:
        if self.firmware:
            self.firmware.kill()
            self.firmware.wait()
            self.firmware = None

    def reset(self) -> None:
        """The reset button."""
        self._stop_firmware()
        termios.tcflush(self.slave, termios.TCOFLUSH)
        self._start_firmware(PWRON_RESET)

    def _on_signal(self) -> None:
        self.signals.drain()
        status = self.firmware.poll() if self.firmware else None
        if status is None:
            return
        if status == 2:
            raise UsocketError("the firmware does not take its arguments", "It says why, above.")
        how = f"status {status}" if status >= 0 else signal.Signals(-status).name
        now = time.monotonic()
        self.restarts.append(now)
        while self.restarts[0] < now - WITHIN:
            self.restarts.popleft()
        if len(self.restarts) > RESTARTS:
            raise UsocketError(
                f"the firmware ended with {how}, {len(self.restarts)} times in {WITHIN:g} seconds",
                "Its flash may hold a program that crashes it: try without --flash.",
            )
        say(f"usocket: the firmware ended with {how}; restarting it", err=True)
        self._start_firmware(HARD_RESET)

    def _on_lifeline(self) -> None:
        if not os.read(0, 4096):
            self.ended = True

    def close(self) -> None:
        if self.script and self.script.poll() is None:
            self.script.terminate()
            self.script.wait()
        self._stop_firmware()
        self.network.close()
        if self.trace:
            self.trace.close()

    # Control.

    def _on_control(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        if peer_uid(connection) != os.geteuid():
            connection.close()
            return
        connection.setblocking(False)
        fd = connection.fileno()
        self.connections[fd] = (connection, bytearray())
        self.handlers[fd] = lambda: self._on_connection(fd)

    def _on_connection(self, fd: int) -> None:
        connection, received = self.connections[fd]
        try:
            data = connection.recv(4096)
            received += data
            while b"\n" in received:
                line, _, rest = bytes(received).partition(b"\n")
                received[:] = rest
                answer = self.answer(line.decode(errors="replace").split())
                connection.send(answer.encode() + b"\n")
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or len(received) > 4096:
            del self.connections[fd], self.handlers[fd]
            connection.close()

    def answer(self, words: list[str]) -> str:
        commands = {name[3:]: getattr(self, name) for name in dir(self) if name[:3] == "do_"}
        try:
            if not words or words[0] not in commands:
                raise UsocketError(
                    f"there is no command {' '.join(words)!r}",
                    "The commands: " + ", ".join(commands),
                )
            return f"ok {commands[words[0]](words[1:])}"
        except UsocketError as error:
            return f"error {one_line(error)}"

    def do_link(self, words: list[str]) -> str:
        if words not in (["up"], ["down"]):
            raise UsocketError("a link goes up or down", "link up, or link down")
        self.set_link(words == ["up"])
        return f"link {words[0]}"

    def do_memory(self, words: list[str]) -> str:
        """The largest block that lwIP finds; 0 for any."""
        if len(words) != 1 or not words[0].isdecimal() or int(words[0]) > 65535:
            raise UsocketError("lwIP's memory is a number of bytes", "memory 200, or memory 0")
        news = b"M" + int(words[0]).to_bytes(2, "little")
        self.memory = b""
        self._tell(news, "memory")
        # It says so when it holds: its program may go on before that.
        deadline = time.monotonic() + ANSWERS
        while self.memory != news:
            left = deadline - time.monotonic()
            if left < 0:
                raise UsocketError("the board does not say what memory lwIP has", HANGS)
            select.select([self.net], [], [], left)
            self._from_board()
        return f"memory {words[0]}"

    def do_faults(self, words: list[str]) -> str:
        pairs = dict(word.partition("=")[::2] for word in words if word != "off")
        self.set_faults(faults.parse(pairs))
        return str(self.faults)

    def do_reset(self, words: list[str]) -> str:
        self.reset()
        return "reset"

    def do_forward(self, words: list[str]) -> str:
        if len(words) != 1:
            raise UsocketError("a forward has one argument", "Such as forward 0:80")
        self.forwards.append(self.network.forward(network.parse_forward(words[0])))
        return str(self.forwards[-1])

    def do_status(self, words: list[str]) -> str:
        firmware = self.firmware.pid if self.firmware else 0
        state = f"device={self.device} pid={os.getpid()} firmware={firmware}"
        state += f" link={'up' if self.link else 'down'} {self.faults}"
        return "; ".join([state, *map(str, self.forwards)])
