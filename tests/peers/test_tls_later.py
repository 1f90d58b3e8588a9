"""What comes after the handshake of TLS and is no data: tickets, new keys, another handshake."""

from __future__ import annotations

import subprocess
from pathlib import Path

import peers
import pytest
from targets import HostTarget
from test_tls_peers import NAME, Pki

PROGRAM = Path(__file__).parent / "programs" / "secure.py"
LIMIT = 60
# What s_server is told by its standard input: openssl-s_server(1).
ASKED = {"1.2": "rR", "1.3": "kKkK"}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_poll_is_not_told_of_what_is_no_data(
    target: HostTarget, pki: Pki, tmp_path: Path, version: str
) -> None:
    if target.id != "cpython":
        pytest.skip("mbedTLS as firmware has it knows none of these")
    port = peers.free_port()
    argv = [peers.program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}"]
    argv += ["-cert", pki.server[0], "-key", pki.server[1], f"-tls{version.replace('.', '_')}"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=log, stderr=log)
        assert server.stdin
        try:
            while b"ACCEPT" not in (tmp_path / "log").read_bytes():
                assert server.poll() is None
            args = f"port={port}", f"ca={pki.ca[0]}", f"name={NAME}", f"version={version}"
            process = target.run(PROGRAM, "later", *args, f"times={len(ASKED[version])}")
            assert process.line(LIMIT) == "nothing"
            for letter in ASKED[version]:
                server.stdin.write(f"{letter}\n".encode())
                server.stdin.flush()
                assert process.line(LIMIT) == "nothing"
                server.stdin.write(b"data\n")
                server.stdin.flush()
                assert process.line(LIMIT) == "b'data\\n'"
            assert process.rest(LIMIT) == ["[]"]
            assert process.end() == ""
        finally:
            server.kill()
            server.wait()
            server.stdin.close()
    heard = (tmp_path / "log").read_bytes()
    assert heard.count(b"word") == len(ASKED[version])
