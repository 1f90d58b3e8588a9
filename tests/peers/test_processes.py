"""What only another process can do: be killed as a peer, interrupt a blocked call."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
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


def test_descriptors_that_are_no_sockets(target: HostTarget, tmp_path: Path) -> None:
    """They come back as they were sent, and an eventfd blocks as its program has it."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    sent = [read_end, write_end, file]
    received: list[int] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        listener.settimeout(START_SECONDS)
        process = target.run(PROGRAMS / "passed.py", str(tmp_path / "socket"))
        try:
            if target.id == "unix-noffi":
                assert process.rest(START_SECONDS) == ["refused"]
                return
            peer = listener.accept()[0]
            with peer:
                socket.send_fds(peer, [b"x"], sent)
                assert process.line(START_SECONDS) == "3 0"
                assert process.line(START_SECONDS) == "[False, True, False]"
                assert [process.line(START_SECONDS) for _ in range(6)] == ["True"] * 6
                received = socket.recv_fds(peer, 1, 5)[1]
                blocking = [os.get_blocking(fd) for fd in received]
                assert blocking == [True, False, True, True, False]
                assert [os.get_blocking(fd) for fd in sent] == blocking[:3]
                for fd, other in zip(sent, received):
                    assert os.path.samestat(os.fstat(fd), os.fstat(other))
                os.write(received[1], b"through")
                assert os.read(read_end, 9) == b"through"
                time.sleep(BLOCKED)
                os.write(received[3], struct.pack("Q", 5))
                assert process.line(START_SECONDS) == "5"
                while not select.select([received[3]], [], [], START_SECONDS)[0]:
                    pass
                assert struct.unpack("Q", os.read(received[3], 8)) == (7,)
                peer.sendall(b"x")
                lines = process.rest(START_SECONDS)
                assert (lines, process.end()) == (["True", "[]"], "")
        finally:
            process.stop()
            for fd in sent + received:
                os.close(fd)
