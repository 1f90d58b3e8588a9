"""What the rules act on: one socket of the layer and its plain counterpart; what calls give."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from typing import Any, Callable

import kernel
from drawn import OOB

from usocket_compat import errno, zbase

# Allowances.
SETTLE = 2.0  # s, for loopback to deliver and for both worlds to show the same
HELD = 0.3  # s, after which TCP that holds bytes back is taken as settled
EARLY = 3  # ms by which a timeout may end early
LATE = 500  # ms by which it may end late on a busy machine
STUCK = 5.0  # s, after which a call of the layer hangs


class Stuck(AssertionError):
    """A call of the layer did not come back."""


class Watchdog:
    """Ends a hanging call in this thread; SIGALRM belongs to pytest-timeout."""

    def __init__(self) -> None:
        self.begin = 0.0
        self._main = threading.get_ident()
        self._old = signal.signal(signal.SIGUSR1, self._raise)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _raise(self, *_: object) -> None:
        if self.begin:
            raise Stuck(f"the layer's call has not come back for {STUCK} s")

    def _watch(self) -> None:
        while not self._end.wait(0.25):
            if self.begin and time.monotonic() - self.begin > STUCK:
                signal.pthread_kill(self._main, signal.SIGUSR1)

    def stop(self) -> None:
        self._end.set()
        self._thread.join()
        signal.signal(signal.SIGUSR1, self._old)


class Twin:
    """One socket of the layer and its plain counterpart."""

    def __init__(self, fd: int, plain: socket.socket, number: int):
        self.fd = fd
        self.plain = plain
        self.number = number
        # The layer's handle: for looking at the kernel's state alone.
        self.handle = zbase.tab[fd].h
        self.family = plain.family
        self.stream = plain.type == socket.SOCK_STREAM
        self.tcp = self.stream and plain.family != socket.AF_UNIX
        self.open = True
        self.nonblock = False
        self.rcvtimeo = 0
        self.sndtimeo = 0
        self.peer: Twin | None = None
        # Of a listener: how many wait, how many may.
        self.pending = 0
        self.backlog: int | None = None
        # Something was done that makes a plain stream of bytes out of the question.
        self.odd = False
        # The open file is another twin's too.
        self.shared = False
        # Which socket gets what is sent to its port is up to the kernel.
        self.ambiguous = False
        self.ports = (0, 0)
        # It was bound, and did nothing that gives a port up.
        self.held = False
        # Options that were set.
        self.set: set[tuple] = set()

    def __repr__(self) -> str:
        return f"#{self.number}"

    def paired(self) -> bool:
        return self.open and self.peer is not None and self.peer.open

    def is_ready(self, event: int) -> bool:
        return bool(kernel.revents(self.plain.fileno(), event))


def never_waits(twin: Twin, flags: int) -> bool:
    """Urgent data and queued errors are there or not, even for a blocking recv."""
    if twin.family == socket.AF_UNIX:
        return bool(flags & OOB)
    return bool(flags & socket.MSG_ERRQUEUE) or twin.tcp and bool(flags & OOB)


def outcome(call: Callable[[], Any]) -> tuple:
    try:
        return ("gave", call())
    except Stuck:
        raise
    except socket.gaierror as e:
        return ("gaierror", e.errno)
    except OSError as e:
        # CPython's own refusals (a path too long) have no errno; the layer says EINVAL.
        return ("errno", errno.EINVAL if e.errno is None else e.errno)
    except (TypeError, ValueError, OverflowError) as e:
        return (type(e).__name__, None)


def show(result: tuple) -> str:
    if result[0] == "errno":
        return os.strerror(result[1])
    return f"{result[0]} {result[1]!r}"


class Port:
    """A port number as far as it means the same in both worlds."""

    def __init__(self, number: int, twins: frozenset[int]):
        self.number = number
        self.twins = twins

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Port):
            return NotImplemented
        if not self.twins or not other.twins:
            known = self.twins or other.twins
            return not known and (self.number == other.number or 0 < self.number < 65536)
        return bool(self.twins & other.twins)

    def __repr__(self) -> str:
        return f"port {self.number} of {sorted(self.twins)}"
