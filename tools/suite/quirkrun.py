# SPDX-License-Identifier: MIT
# The programs of quirks/ on a board, and what of this machine they talk to.
from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from ..boards.device import Device, Execution
from ..files import data_file
from ..programs import remote
from . import quirks

SECONDS = 20
EXHAUSTION_SECONDS = 60
_FULL_SECONDS = 0.5


def _echo(listener: socket.socket) -> None:
    """Serve every connection until the listener is shut down."""

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(100):
                connection.sendall(data)

    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


@contextlib.contextmanager
def servers(address: str = "127.0.0.1") -> Iterator[list[str]]:
    """Their ports at this address of ours, in the order of quirks/common.py."""
    with contextlib.ExitStack() as stack:

        def bound(backlog: int = -1, family: int = socket.AF_INET) -> socket.socket:
            s = stack.enter_context(socket.socket(family))
            s.bind(("::1" if family == socket.AF_INET6 else address, 0))
            if backlog >= 0:
                s.listen(backlog)
            return s

        served = [bound(50), bound(50), bound(50, socket.AF_INET6)]
        held, silent, closed = bound(50), bound(0), bound()
        threads = [threading.Thread(target=_echo, args=(s,), daemon=True) for s in served]
        for thread in threads:
            thread.start()
        # Linux drops every further SYN when the queue is full.
        with contextlib.suppress(socket.timeout):
            while True:
                client = stack.enter_context(socket.socket())
                client.settimeout(_FULL_SECONDS)
                client.connect(silent.getsockname())
        try:
            yield [str(s.getsockname()[1]) for s in (*served, held, silent, closed)]
        finally:
            for s in served:
                s.shutdown(socket.SHUT_RD)
            for thread in threads:
                thread.join()


def start(device: Device, name: str, host: str, ports: list[str]) -> Execution:
    """The program of this quirk, on a board to which this machine is `host`."""
    device.fresh()
    program = data_file(f"quirks/{name}.py")
    return remote.start(device, program, remote.Options(name, [host, *ports]))


def output(execution: Execution, name: str) -> str:
    """What it prints, with the traceback that ends it."""
    deadline = time.monotonic() + (EXHAUSTION_SECONDS if name == quirks.EXHAUSTED else SECONDS)
    text = b""
    while not execution.done:
        text += execution.read(deadline - time.monotonic())
        if time.monotonic() >= deadline:
            text += b"hung: " + execution.interrupt()
            break
    return text.decode(errors="replace").replace("\r\n", "\n") + execution.error
