# SPDX-License-Identifier: MIT
# The signals of a process that is a virtual board, or several.
from __future__ import annotations

import ctypes
import os
import select
import signal
import socket


class Signals:
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
