# SPDX-License-Identifier: MIT
"""MicroPython's own socket tests, unchanged, on the virtual board and its plain socket module.

Right is the .exp file beside a test, or else what CPython prints for it, as in MicroPython's
run-tests.py. Its multi_net tests, which have two sides, are run in two_sided/.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

from usocket_tools import building, micropython
from usocket_tools.device import Device, Execution
from usocket_tools.files import cache_dir
from usocket_tools.vboard.board import Board

SECONDS = 20
PATTERNS = ("extmod/socket_*.py", "extmod/select_*.py", "net_hosted/*.py")
ALONE = """
extmod/select_ipoll extmod/select_poll_basic extmod/select_poll_custom extmod/select_poll_eintr
extmod/select_poll_udp extmod/socket_tcp_basic extmod/socket_udp_nonblock
net_hosted/accept_nonblock net_hosted/accept_timeout net_hosted/asyncio_loopback
net_hosted/asyncio_start_server
""".split()
# Run as programs these go to the internet; imported they offer test(address, ...).
WITH_PEER = {
    "net_hosted/connect_nonblock": "test({answers})",
    "net_hosted/connect_poll": "test({answers})",
    "net_hosted/connect_timeout": (
        "test({silent}, 0, (errno.EINPROGRESS,));"
        " test({silent}, 1, (errno.ETIMEDOUT, 'timed out'))"
    ),
}
LEFT_OUT = {
    "extmod/select_poll_fd": "polls file descriptors by number, which only the unix port can",
    "net_hosted/connect_nonblock_xfer": "needs ssl, unittest and micropython.org",
    "net_hosted/ssl_getpeercert": "needs ssl and micropython.org",
    "net_hosted/ssl_verify_callback": "needs ssl and micropython.org",
}
VERSIONS = ("newest", "oldest")


@pytest.fixture(scope="module", params=VERSIONS)
def version(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(version) -> Path:
    """tests/ of the source that the board is built from, unpacked once into the cache."""
    source = micropython.source(version)
    if source.where is not None and source.where.is_dir():
        return source.where / "tests"
    identity = repr(building.identity(source, ("tests",)))
    name = f"{source.version}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    kept = cache_dir() / "micropython-tests" / name

    def unpack(work: Path, done: Path) -> None:
        tests = micropython.tree(source, work / "src") / "tests"
        for part in ("extmod", "net_hosted"):
            shutil.copytree(tests / part, done / part)

    building.kept(kept, unpack)
    return kept


@pytest.fixture(scope="module")
def board(version) -> Iterator[Board]:
    with Board(micropython=version) as board:
        yield board


def on_board(board: Board, program: str) -> str:
    with Device(board.device) as device:
        device.fresh()
        execution = Execution(device, program)
        output = b""
        while not execution.done:
            data = execution.read(SECONDS)
            output += data
            if not data and not execution.done:
                output += b"\nhung: " + execution.interrupt()
                break
    return output.decode().replace("\r\n", "\n") + execution.error


def on_host(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        timeout=SECONDS,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("name", ALONE)
def test_alone(board, folder, name):
    file = folder / f"{name}.py"
    program = file.read_text()
    written = Path(f"{file}.exp")
    expected = written.read_text() if written.exists() else on_host(program, file.parent)
    assert expected not in ("", "SKIP\n")
    assert on_board(board, program) == expected


@pytest.fixture(scope="module")
def peers() -> Iterator[dict[str, int]]:
    """Ports of this machine's loopback: one that answers, one whose queue is full."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(2)]
        for listener, backlog in zip(listeners, (20, 0)):
            listener.bind(("127.0.0.1", 0))
            listener.listen(backlog)
        ports = [listener.getsockname()[1] for listener in listeners]
        # Linux drops every further SYN when the queue is full.
        with pytest.raises(socket.timeout):
            for _ in range(10):
                client = stack.enter_context(socket.socket())
                client.settimeout(0.5)
                client.connect(("127.0.0.1", ports[1]))
        yield dict(zip(("answers", "silent"), ports))


@pytest.mark.parametrize("name", WITH_PEER)
def test_with_peer(board, folder, peers, name):
    file = folder / f"{name}.py"

    def imported(host: str) -> str:
        addresses = {peer: repr((host, port)) for peer, port in peers.items()}
        call = WITH_PEER[name].format(**addresses)
        return f"__name__ = {file.stem!r}\n{file.read_text()}\n{call}\n"

    written = Path(f"{file}.exp")
    if written.exists():
        expected = written.read_text()
    else:
        expected = on_host(imported("127.0.0.1"), file.parent)
    assert "True" in expected or "1 4" in expected
    assert on_board(board, imported(Board.host)) == expected


def test_none_is_forgotten(folder):
    found = {
        file.relative_to(folder).with_suffix("").as_posix()
        for pattern in PATTERNS
        for file in folder.glob(pattern)
    }
    assert found == {*ALONE, *WITH_PEER, *LEFT_OUT}


def test_left_out_for_a_reason(board, folder):
    """What a test needs and the board lacks; when it has it, the test is to be run."""
    for name, reason in LEFT_OUT.items():
        said = on_board(board, (folder / f"{name}.py").read_text())
        if "ssl" in reason:
            assert "ImportError: no module named" in said
        else:
            assert said == "SKIP\n"
