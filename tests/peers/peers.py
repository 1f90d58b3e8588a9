"""Starts real programs to talk to, each on a free loopback port, and stops them by their pid."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 10  # for a server to answer

# In the foreground, with all that it writes in {folder}; its servers and a brace follow.
NGINX_HEAD = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
"""
NGINX = (
    NGINX_HEAD
    + """\
    keepalive_timeout 30;
    server {{
        listen 127.0.0.1:{port};
        listen unix:{folder}/nginx.sock;
        root {root};
        location /slow/ {{ alias {root}/; limit_rate 200k; }}
    }}
}}
"""
)


def program(name: str) -> str:
    """The program's path; a missing one is a failure, with the reason."""
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin:/usr/local/bin:/bin")
    assert found, f"{name} is not installed: run `make setup`"
    return found


def free_port() -> int:
    """Of TCP and of UDP, of which some other test may have thousands."""
    while True:
        with socket.socket() as s, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            s.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                datagrams.bind(s.getsockname())
                return s.getsockname()[1]


@contextlib.contextmanager
def running(argv: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, f"it ended: {log.read_text()}"
            assert time.monotonic() < deadline, f"nobody answers: {log.read_text()}"
            time.sleep(0.05)


@contextlib.contextmanager
def nginx(folder: Path, root: Path) -> Iterator[int]:
    """An nginx that serves `root`; its port."""
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(folder=folder, root=root, port=port))
    log = folder / "nginx.log"
    argv = [program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(conf)]
    with running(argv, log) as process:
        wait_for_port(port, process, log)
        yield port
