"""What only another process can do: be killed as a peer, interrupt a blocked call."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import peers
import pytest
from targets import HostTarget

PROGRAMS = Path(__file__).parent / "programs"
START_SECONDS = 10
BLOCKED = 0.3  # seconds for a program to reach the call that blocks
INTERRUPTED = 2.0  # and to end after SIGINT

PEER = """
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
if sys.argv[2] == "read":
    s.recv(100)
s.sendall(bytes(1234))
print("sent", flush=True)
time.sleep(60)
"""


def kill_a_peer(port: int, reads: str) -> None:
    argv = [sys.executable, "-c", PEER, str(port), reads]
    peer = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert peer.stdout and peer.stdout.readline() == b"sent\n"
    time.sleep(BLOCKED)
    peer.kill()
    peer.wait()
    peer.stdout.close()


def test_killed_peer(target: HostTarget) -> None:
    port = peers.free_port()
    process = target.run(PROGRAMS / "survive.py", str(port))
    try:
        first = process.line(START_SECONDS)
        assert first == "ready", "\n".join([str(first), *process.rest(5)])
        # A killed process is closed by its kernel: a reset where it had not read everything.
        kill_a_peer(port, "read")
        assert process.line(START_SECONDS) == "1234 EOF EPIPE 1"
        kill_a_peer(port, "leave")
        assert process.line(START_SECONDS) == "1234 ECONNRESET EPIPE 1"
        with socket.create_connection(("127.0.0.1", port)) as s:
            assert s.recv(5) == b"hello"
        assert process.line(START_SECONDS) == "0 EOF EPIPE 1"
    finally:
        process.stop()


def test_too_few_descriptors(target: HostTarget) -> None:
    """The process runs out before the table does."""
    prefix = ["sh", "-c", 'ulimit -n 30; exec "$@"', "sh"]
    process = target.run(PROGRAMS / "limit.py", prefix=prefix)
    lines = process.rest(START_SECONDS)
    assert process.end() == "", "\n".join(lines)
    assert lines == ["True True"] * 6 + ["b'late'", "0"]


@pytest.mark.parametrize(
    "call", ["recv", "recv_into", "recvfrom", "send", "accept", "poll", "select"]
)
def test_interrupt(target: HostTarget, call: str) -> None:
    """Ctrl-C ends a blocked call with KeyboardInterrupt."""
    process = target.run(PROGRAMS / "block.py", call)
    try:
        assert process.line(START_SECONDS) == "ready"
        time.sleep(BLOCKED)
        start = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        lines = process.rest(INTERRUPTED)
        assert any("KeyboardInterrupt" in line for line in lines), "\n".join(lines)
        assert time.monotonic() - start < INTERRUPTED
    finally:
        process.stop()
