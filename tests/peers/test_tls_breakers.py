"""TLS sockets under signals, threads, and records that somebody has changed."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import secured
from targets import HostTarget
from test_tls_peers import NAME, Pki

PROGRAMS = Path(__file__).parent / "programs"
LIMIT = 90


class Echo:
    """CPython's `ssl`, a thread for each connection, until it is closed."""

    def __init__(self, version: str) -> None:
        self._context = secured.context(True, version)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        others = []
        while True:
            plain, _ = self._listener.accept()
            with contextlib.suppress(OSError):
                if plain.getpeername()[1] == self._last:
                    plain.close()
                    break
            others.append(threading.Thread(target=self._one, args=(plain,)))
            others[-1].start()
        for other in others:
            other.join()

    _last = -1

    def _one(self, plain: socket.socket) -> None:
        plain.settimeout(LIMIT)
        with plain, contextlib.suppress(OSError):
            with self._context.wrap_socket(plain, True) as peer:
                while data := peer.recv(16384):
                    peer.sendall(data)

    def close(self) -> None:
        with socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self._last = last.getsockname()[1]
            last.connect(("127.0.0.1", self.port))
            self._thread.join()
        self._listener.close()


@contextlib.contextmanager
def echo(version: str) -> Iterator[str]:
    with contextlib.closing(Echo(version)) as server:
        yield str(server.port)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_handlers_that_raise_anywhere(target: HostTarget, version: str) -> None:
    """Nothing hangs, no record is spoilt; MicroPython's unix port has no handlers of signals."""
    if target.id != "cpython":
        return
    with echo(version) as port:
        args = str(secured.COMMON), port, version, "600"
        process = target.run(PROGRAMS / "storm.py", *args)
        lines = process.rest(LIMIT)
        assert process.end() == "", lines
    assert lines == ["hits 600", "True []"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_reader_a_writer_and_who_closes(target: HostTarget, version: str) -> None:
    if version == "1.3" and target.id != "cpython":
        return
    with echo(version) as port:
        args = str(secured.COMMON), port, version, "12"
        process = target.run(PROGRAMS / "threads.py", *args)
        lines = process.rest(LIMIT)
        assert process.end() == "", lines
    assert lines == ["[] []"]


def spoil(server: str, listener: socket.socket, kind: str, at: int) -> None:
    """Carries one connection; of what comes back something is changed behind so many bytes."""
    with listener.accept()[0] as client, socket.create_connection(("127.0.0.1", server)) as there:
        for each in (client, there):
            each.settimeout(LIMIT)

        def up() -> None:
            with contextlib.suppress(OSError):
                while data := client.recv(65536):
                    there.sendall(data)
            with contextlib.suppress(OSError):
                there.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=up)
        thread.start()
        passed, changed = 0, False
        with contextlib.suppress(OSError):
            while data := there.recv(65536):
                if not changed and passed + len(data) > at:
                    i, changed = at - passed, True
                    if kind == "cut":
                        client.sendall(data[:i])
                        break
                    if kind == "flip":
                        data = data[:i] + bytes([data[i] ^ 0x55]) + data[i + 1 :]
                    if kind == "twice":
                        data = data[: i + 1] + data[max(i - 40, 0) :]
                passed += len(data)
                client.sendall(data)
        # What is still to come up is taken, so that no reset takes away what has gone down.
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
        thread.join()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_records_that_were_changed(target: HostTarget, version: str) -> None:
    """No byte of what somebody has changed comes to the program, and each ends in an error."""
    if version == "1.3" and target.id != "cpython":
        return
    cases = [(kind, at) for kind in ("flip", "cut", "twice") for at in (9, 60, 400, 5000, 20000)]
    with echo(version) as server, socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        args = str(secured.COMMON), port, version, str(len(cases))
        process = target.run(PROGRAMS / "spoilt.py", *args)
        for case in cases:
            spoil(server, listener, *case)
            line = process.line(LIMIT)
            # ECONNABORTED, with its reason, and again; EAGAIN and EINPROGRESS where a length was
            # changed and the rest of a record never comes.
            assert re.match(r"103 103 .*\w|(11|115) ", line), (case, line)
        assert process.rest(LIMIT) == ["[]"]
        assert process.end() == ""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_nothing_is_sent_before_it_is_verified(target: HostTarget, pki: Pki, version: str) -> None:
    """What the server has decrypted says what was sent; the one that is trusted got all of it."""
    if version == "1.3" and target.id != "cpython":
        return
    for who, name in (("server", NAME), ("expired", NAME), ("own", NAME), ("server", "other")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = secured.VERSIONS[version]
        context.load_cert_chain(*getattr(pki, who))
        heard = b""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            args = f"port={port}", f"ca={pki.ca[0]}", f"name={name}", f"version={version}"
            process = target.run(PROGRAMS / "secure.py", "eager", *args)
            with listener.accept()[0] as plain, contextlib.suppress(OSError):
                plain.settimeout(LIMIT)
                with context.wrap_socket(plain, True) as peer:
                    while data := peer.recv(100):
                        heard += data
        lines = process.rest(LIMIT)
        assert process.end() == ""
        if (who, name) == ("server", NAME):
            assert (lines, heard) == (["sent 6", "[]"], b"secret")
        else:
            assert lines[0].startswith("error ECONNABORTED ") and lines[1] == "[]", lines
            assert heard == b""
