# SPDX-License-Identifier: MIT
# The process that is one virtual board: it owns the pseudo-terminal, the network, the flash and
# the firmware that runs on them. One thread, one loop; whatever ends it, nothing stays behind.
from __future__ import annotations

import argparse
import collections
import ctypes
import fcntl
import os
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tty
from pathlib import Path
from typing import BinaryIO, Callable, cast

from ..errors import UsocketError
from . import board, faults, network

FLASH_SIZE = 2 * 1024 * 1024
SECTOR = 4096
# machine.reset_cause() on an ESP32 after the reset button, and after a crash.
PWRON_RESET, HARD_RESET = 1, 2
# More restarts than this within so many seconds, and it is no accident.
RESTARTS, WITHIN = 5, 10.0
# For how long another one may still hold the flash, in seconds.
LOCKED = 1.0
# Frames taken from the board before libslirp has its turn.
BATCH = 64


def run(options: argparse.Namespace) -> int:
    options.ready = False
    try:
        return _run(options)
    except UsocketError as error:
        if not options.lifeline or options.ready:
            raise
        # Who started us reads this instead of the device.
        print("error", board.one_line(error), flush=True)
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.control:
        print(board.control(options.control, " ".join(options.words) or "status"))
        return 0
    if options.words:
        raise UsocketError(
            f"vboard has no use for {' '.join(options.words)!r}",
            "Commands to a board that runs go with --control DEVICE.",
        )
    board.check(options)
    if not options.firmware:
        from . import build

        options.firmware = build.find(options.variant, options.micropython).path
    if options.count > 1:
        return _several(options)
    process = Process(options)
    try:
        process.start()
        return process.loop()
    finally:
        process.close()


def _several(options: argparse.Namespace) -> int:
    """Each board is a process of its own."""
    names = (*board.FAULTS, "forward", "internet", "dns", "heap", "wifi", "firmware")
    given = {name: getattr(options, name) for name in names}
    stopped = _Signals()
    boards = [board.Board(wait=False, **given) for _ in range(options.count)]
    try:
        for each in boards:
            each.wait_ready()
            print("\n".join([each.device, *each.forwards]), flush=True)
        while not stopped.by and all(each.running() for each in boards):
            stopped.wait()
        return 0 if stopped.by else 1
    finally:
        for each in boards:
            each.stop()


class _Signals:
    """Signals as readable bytes, so that the loop sees them like all else."""

    def __init__(self, lifeline: bool = False) -> None:
        self.by = ""
        self.interrupts = 0
        self._parent = os.getppid()
        self.reader, writer = socket.socketpair()
        self.reader.setblocking(False)
        writer.setblocking(False)
        self._writer = writer
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGTERM, self._stop)
        # Board's caller decides what Ctrl-C in its terminal means.
        signal.signal(signal.SIGINT, signal.SIG_IGN if lifeline else self._stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._stop)
            # nohup wants us to outlive the terminal; otherwise our parent's end is ours. The
            # kernel also sends this when only the thread that started us ends.
            signal.signal(signal.SIGUSR1, self._orphaned)
            ctypes.CDLL(None).prctl(1, signal.SIGUSR1, 0, 0, 0)
            self._orphaned(0, None)

    def _stop(self, number: int, frame: object) -> None:
        if number == signal.SIGINT:
            self.interrupts += 1
        else:
            self.by = signal.Signals(number).name

    def _orphaned(self, number: int, frame: object) -> None:
        if os.getppid() != self._parent:
            self.by = "orphaned"

    def wait(self) -> None:
        select.select([self.reader], [], [])
        self.drain()
        if self.interrupts:
            self.by = "SIGINT"

    def drain(self) -> None:
        try:
            while self.reader.recv(4096):
                pass
        except BlockingIOError:
            pass


def open_flash(file: Path | None) -> BinaryIO:
    """The flash: a file of ours alone, erased if it is new."""
    if file is None:
        flash = cast(BinaryIO, tempfile.TemporaryFile(buffering=0))
    else:
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            flash = open(descriptor, "r+b", buffering=0)
            _lock(flash)
        except BlockingIOError:
            raise UsocketError(
                f"the flash {file} belongs to another board that runs",
                "End that one, or name another file.",
            ) from None
        except OSError as error:
            raise UsocketError(
                f"cannot use the flash {file}: {error.strerror}",
                "It has to be a file that you may read and write, or a new name.",
            ) from error
    size = os.fstat(flash.fileno()).st_size
    if not stat.S_ISREG(os.fstat(flash.fileno()).st_mode):
        raise UsocketError(f"cannot use the flash {file}: it is no regular file", "Name another.")
    if not size:
        flash.write(b"\xff" * FLASH_SIZE)
    elif size % SECTOR or size < 16 * SECTOR:
        raise UsocketError(
            f"{file} is no flash image: its size is {size} bytes",
            f"A flash is whole sectors of {SECTOR} bytes, 16 at least; a new name makes one.",
        )
    return flash


def _lock(flash: BinaryIO) -> None:
    # The firmware shares the lock with the descriptor, and may outlive a killed board by a moment.
    deadline = time.monotonic() + LOCKED
    while True:
        try:
            return fcntl.flock(flash, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


class Process:
    """One board and its loop."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.signals = _Signals(options.lifeline)
        self.flash = open_flash(options.flash)
        self.trace = network.Trace(options.trace) if options.trace else None
        internet, resolver = options.internet, options.internet or options.dns == "host"
        self.network = network.Network(self._from_network, internet, resolver)
        self.forwards: list[network.Forward] = []
        self.firmware: subprocess.Popen[bytes] | None = None
        self.script: subprocess.Popen[bytes] | None = None
        self.restarts: collections.deque[float] = collections.deque()
        self.ended = False
        self.link = True
        self.lines: tuple[faults.Line[bytes], faults.Line[bytes]] | None = None
        self.faults = faults.Faults()
        self.set_faults(board.fault_settings(options))
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
        self.listener = socket.socket(socket.AF_UNIX)
        while True:
            self.master, self.slave = os.openpty()
            self.device = os.ttyname(self.slave)
            try:
                self.listener.bind(board.control_name(self.device))
                break
            except OSError:
                # A board of another container may have a device of that name: take the next, and
                # keep this one open so that it is another.
                if self.master > 100:
                    raise
        # The slave stays open with us, so that no program that closes it hangs up the line.
        tty.setraw(self.slave)
        self.listener.listen(8)
        self.listener.setblocking(False)

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
        out = sys.stderr if self.options.script else sys.stdout
        print("\n".join([self.device, *lines]), file=out, flush=True)
        if self.options.script:
            command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", self.device]
            self.script = subprocess.Popen([*command, str(self.options.script)])
        elif sys.stderr.isatty():
            print(f"Try: mpremote connect {self.device}   (Ctrl-C here ends it)", file=sys.stderr)

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
        try:
            self.net.send(b"L\1" if up else b"L\0", socket.MSG_DONTWAIT)
        except OSError:
            raise UsocketError(
                "the board does not take the news of its link", "It hangs; reset it."
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
        settings = {"heap": options.heap, "wifi": options.wifi, "mac": options.mac}
        settings.update({"dns": board.dns_server(options) or None, "reset_cause": cause})
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
        print(f"usocket: the firmware ended with {how}; restarting it", file=sys.stderr)
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
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("3i", credentials)[1] != os.geteuid():
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
            return f"error {board.one_line(error)}"

    def do_link(self, words: list[str]) -> str:
        if words not in (["up"], ["down"]):
            raise UsocketError("a link goes up or down", "link up, or link down")
        self.set_link(words == ["up"])
        return f"link {words[0]}"

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


if __name__ == "__main__":
    from ..cli import main

    sys.exit(main(["vboard", *sys.argv[1:]]))
