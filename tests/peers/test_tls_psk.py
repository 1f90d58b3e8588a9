"""Keys that both ends know, of CPython 3.13 and later, with OpenSSL's programs as the peer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import peers
import pytest
from targets import CPython, HostTarget

PROGRAM = Path(__file__).parent / "programs" / "psk.py"
LIMIT = 60
ASKS = "import ssl; print(hasattr(ssl.SSLContext, 'set_psk_client_callback'))"


class Newer(CPython):
    """The first that has them: the one that runs the tests, or another on this machine."""

    def command(self, conf: Path | None) -> tuple[list[str], dict[str, str]]:
        argv, env = super().command(conf)
        pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
        names = sys.executable, *(f"python3.{n}" for n in range(13, 20))
        for name in (*names, *map(str, pyenv.glob("3.*/bin/python3"))):
            found = shutil.which(name)
            if found:
                asked = subprocess.run([found, "-c", ASKS], capture_output=True, text=True)
                if asked.stdout == "True\n":
                    return [found, *argv[1:]], env
        # Debian 12 has none, and the package index neither.
        pytest.skip("no CPython 3.13 or later on this machine: ssl has no PSK before it")


def name_and_key(name: str, size: int) -> list[str]:
    return ["-psk", bytes(range(size)).hex(), "-psk_identity", name]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_as_the_client(version: str, tmp_path: Path) -> None:
    port, log = peers.free_port(), tmp_path / "log"
    argv = [peers.program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-nocert"]
    argv += [*name_and_key("me", 16), f"-tls{version.replace('.', '_')}", "-rev", "-quiet"]
    with peers.running(argv, log) as server:
        peers.wait_for_port(port, server, log)
        process = Newer().run(PROGRAM, version, "connect", str(port), "1", "2", "4", "1")
        lines = process.rest(LIMIT)
    assert process.end() == "", lines
    right, wrong, other, again, fds = lines
    assert right == again == repr(b"cba\n")
    # What the server's alert says: RFC 5246 and 8446 leave it to the server which one that is.
    alert = r"103 TLS: sslv3 alert (bad record mac|illegal parameter|handshake failure)"
    assert re.match(alert, wrong) and re.match(alert, other), lines
    assert fds == "[]"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_as_the_server(version: str) -> None:
    port = peers.free_port()
    process = Newer().run(PROGRAM, version, "serve", str(port), "4")
    assert process.line(LIMIT) == "ready"
    for name, size in (("me", 16), ("you", 24), ("me", 20), ("nobody", 16)):
        argv = [peers.program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-quiet"]
        argv += [*name_and_key(name, size), f"-tls{version.replace('.', '_')}"]
        subprocess.run(argv, input=b"hello", capture_output=True, timeout=LIMIT)
    first, second, wrong, unknown, fds = process.rest(LIMIT)
    assert process.end() == ""
    assert first == second == repr(b"hello")
    assert wrong.startswith("103 TLS: "), wrong
    assert re.search("bad record mac|binder does not verify", wrong)
    assert re.match("103 TLS: (psk identity not found|no suitable|no shared)", unknown), unknown
    assert fds == "[]"


def test_it_is_refused_before(target: HostTarget) -> None:
    """MicroPython's `tls` and CPython before 3.13 have no call for it: EOPNOTSUPP."""
    argv, _ = target.command(None)
    if target.id == "cpython":
        asked = subprocess.run([argv[0], "-c", ASKS], capture_output=True, text=True)
        if asked.stdout == "True\n":
            return
    process = target.run(PROGRAM, "1.2", "connect", "1")
    lines = process.rest(LIMIT)
    assert process.end() != ""
    assert re.search(r"\b95\b|EOPNOTSUPP|Operation not supported", lines[-1]), lines
