"""curl against a server written with the layer."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import peers
import pytest
from targets import HostTarget

from usocket_tools.suite.started import Process

SERVER = Path(__file__).parent / "programs" / "serve.py"
SIZE = 2_000_003
CONTENT = (bytes(range(251)) * (SIZE // 251 + 1))[:SIZE]
LIMIT = 30  # seconds for all that curl does


class Server:
    def __init__(self, target: HostTarget) -> None:
        self.port = peers.free_port()
        self.process: Process = target.run(SERVER, str(SIZE), str(self.port))
        first = self.process.line(peers.START_SECONDS)
        assert first == f"port {self.port}", "\n".join([str(first), *self.process.rest(5)])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def curl(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        argv = [peers.program("curl"), "--silent", "--show-error", "--noproxy", "*", *args]
        return subprocess.run(argv, capture_output=True, timeout=LIMIT)

    def stop(self) -> int:
        """How many requests were served."""
        assert self.curl(self.url("/stop")).returncode == 0
        lines = self.process.rest(10)
        assert self.process.end() == "", "\n".join(lines)
        assert lines[-1].startswith("served "), "\n".join(lines)
        return int(lines[-1].split()[1])


@pytest.fixture
def server(target: HostTarget):
    started = Server(target)
    yield started
    started.process.stop()


def test_download(server: Server) -> None:
    done = server.curl("--fail", server.url("/file"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == CONTENT
    assert server.stop() == 2


def test_keep_alive(server: Server) -> None:
    """Many requests over one connection, a HEAD among them."""
    urls = [server.url("/file")] * 5
    done = server.curl("--write-out", "%{num_connects}\n", "--output", "/dev/null", urls[0])
    assert done.stdout == b"1\n"
    outputs = [arg for url in urls for arg in ("--output", "/dev/null", url)]
    done = server.curl("--write-out", "%{num_connects} %{size_download}\n", *outputs)
    assert done.stdout.decode().split("\n")[:-1] == [f"1 {SIZE}"] + [f"0 {SIZE}"] * 4
    done = server.curl("--head", server.url("/file"))
    assert f"Content-Length: {SIZE}".encode() in done.stdout
    assert server.stop() == 8


def test_parallel(server: Server, tmp_path: Path) -> None:
    count = 20
    args = ["--parallel", "--parallel-immediate", "--parallel-max", str(count), "--fail"]
    for i in range(count):
        args += ["--output", str(tmp_path / str(i)), server.url("/file")]
    assert server.curl(*args).returncode == 0
    wanted = hashlib.sha256(CONTENT).hexdigest()
    for i in range(count):
        assert hashlib.sha256((tmp_path / str(i)).read_bytes()).hexdigest() == wanted
    assert server.stop() == count + 1


def test_clients_that_go_away(server: Server) -> None:
    for _ in range(5):
        done = server.curl("--max-time", "0.05", "--limit-rate", "10k", server.url("/file"))
        assert done.returncode == 28, "curl gave up in the middle"
    assert server.curl("--fail", server.url("/none")).returncode == 22
    done = server.curl("--fail", server.url("/file"))
    assert done.stdout == CONTENT
    server.stop()
