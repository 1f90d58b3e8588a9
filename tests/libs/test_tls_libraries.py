"""Plain `ssl`, and what is built on it, with servers and clients of other makers.

The words of a refusal are mbedTLS's; that there is one is what openssl's, nginx's, mosquitto's and
curl's certificates ask for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import peers
import pytest
from certificates import NAME, Certificates
from places import Place, expect, finished
from servers import Mosquitto
from tls_servers import SIZES, nginx, now, site


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return site(tmp_path_factory.mktemp("tls"))


class Recorder:
    """A server of CPython's `ssl` with this certificate, and all that anybody ever told it."""

    def __init__(self, made: Certificates, name: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(made.pem(name), made.pem_key(name))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heard = b""
        self.handshakes = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(10)
                self.handshakes += 1
                with self._context.wrap_socket(client, server_side=True) as wrapped:
                    while data := wrapped.recv(1000):
                        self.heard += data

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def sites(made: Certificates) -> Iterator[dict[str, int]]:
    with contextlib.ExitStack() as stack:
        found = {name: stack.enter_context(nginx(made, name)) for name in ("server", "rsa")}
        for name in ("expired", "self"):
            recorder = stack.enter_context(contextlib.closing(Recorder(made, name)))
            found[name], made.heard[name] = recorder.port, recorder
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        found["silent"] = silent.getsockname()[1]
        yield found


def test_client(place: Place, made: Certificates, sites: dict[str, int]) -> None:
    ports = [sites[name] for name in ("server", "expired", "self", "rsa", "silent")]
    lines = place.lines("tls_client", place.host, *made.der("ca"), now(), *ports)
    if place.board:
        future = lines.pop(0) if "future" in lines[0] else ""
        # Only after the first program has the board known what time it is.
        assert re.fullmatch(
            "(The certificate validity starts in the future The clock says 2000: set it, .*)?",
            future,
        )
    content = (made.folder / "root/big").read_bytes()
    whole = f"HTTP/1.1 200 OK {len(content)} {hashlib.sha256(content).hexdigest()}"
    untrusted = "The certificate is not correctly signed by the trusted CA"
    *said, in_time, timed_out = lines
    assert said == [
        whole,
        whole,
        whole,
        "believed",
        "The certificate Common Name (CN) does not match with the expected CN",
        "CERT_REQUIRED requires server_hostname",
        "The certificate validity has expired",
        untrusted,
        untrusted,
    ]
    # Nothing was sent to whom it does not believe.
    for recorder in made.heard.values():
        assert recorder.handshakes and recorder.heard == b""
    assert in_time == "True", timed_out


def test_asyncio(place: Place, made: Certificates, sites: dict[str, int]) -> None:
    port = 8443 if place.board else peers.free_port()
    words = [*made.der("ca"), *made.der("server"), *made.der_key("server"), now()]
    program = place.run("tls_asyncio", place.host, sites["server"], port, *words)
    expect(program, str(SIZES["small"]), f"[{SIZES['small']}]")
    expect(program, "The certificate Common Name (CN) does not match with the expected CN")
    expect(program, "ready")
    there = place.reach(port)
    body = "0123456789" * 50 * 20
    assert curl(made, there, "/") == body
    assert s_client(made, there).endswith(body)
    # One who does not like our certificate, and then one who does.
    with pytest.raises(AssertionError, match="SSL certificate problem"):
        curl(made, there, "/", authority="other")
    assert curl(made, there, "/") == body
    said = finished(program)
    assert said[-1] == "done"
    assert len(said) == 2 and said[0].startswith("server "), said


def curl(made: Certificates, port: int, path: str, *more: str, authority: str = "ca") -> str:
    url = f"https://{NAME}:{port}{path}"
    argv = [peers.program("curl"), "-sS", "--max-time", "20", "--cacert", made.pem(authority)]
    argv += ["--resolve", f"{NAME}:{port}:127.0.0.1", "--http1.0", *more, url]
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def s_client(made: Certificates, port: int) -> str:
    """What openssl's client is sent by a server that it has verified."""
    argv = [peers.program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-quiet"]
    argv += ["-verify_return_error", "-verify_hostname", NAME, "-CAfile", str(made.pem("ca"))]
    done = subprocess.run(
        [*argv, "-ign_eof"],
        input="GET / HTTP/1.0\r\n\r\n",
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.stdout


def test_microdot(place: Place, made: Certificates) -> None:
    port = 8444 if place.board else peers.free_port()
    words = [*made.der("server"), *made.der_key("server")]
    program = place.run("microdot_tls", port, *words, use=["microdot"])
    expect(program, "ready")
    there = place.reach(port)
    assert curl(made, there, "/", "--retry", "5", "--retry-connrefused") == "Hello, world!"
    assert curl(made, there, "/long") == "0123456789" * 1000
    assert curl(made, there, "/count", "--data-binary", "x" * 5000) == "5000 bytes"
    assert curl(made, there, "/shutdown") == "down"
    assert finished(program) == ["done"]


def test_urequests(place: Place, made: Certificates, sites: dict[str, int]) -> None:
    url = f"https://{place.host}:{sites['server']}"
    lines = place.lines("urequests_tls", url, use=["micropython-urequests"])
    assert lines == [f"200 {SIZES['small']}", "12 forgotten"]


class WithCertificates(Mosquitto):
    def __init__(self, folder: Path, made: Certificates) -> None:
        files = {"cafile": "ca.pem", "certfile": "server.pem", "keyfile": "server.key"}
        lines = [f"{name} {made.folder / file}\n" for name, file in files.items()]
        self.CONF = "".join([Mosquitto.CONF, *lines, "require_certificate true\nuser root\n"])
        super().__init__(folder)
        self._made = made
        for key in made.folder.glob("*.key"):
            os.chmod(key, 0o644)

    def publish(self, topic: str, message: str, qos: int = 0) -> None:
        argv = [peers.program("mosquitto_pub"), "-p", str(self.port), "-t", topic, "-m", message]
        argv += ["--cafile", str(self._made.pem("ca")), "--insecure", "-h", "127.0.0.1"]
        argv += [
            "--cert",
            str(self._made.pem("client")),
            "--key",
            str(self._made.pem_key("client")),
        ]
        subprocess.run(argv, check=True, timeout=10)


def test_umqtt(place: Place, made: Certificates, tmp_path: Path) -> None:
    broker = WithCertificates(tmp_path, made)
    broker.start()
    try:
        words = [*made.der("ca"), *made.der("client"), *made.der_key("client"), now()]
        use = ["micropython-umqtt-simple"]
        program = place.run("mqtt_tls", place.host, broker.port, *words, use=use)
        expect(program, "ready")
        broker.publish("to/tls", "hello")
        expect(program, "to/tls hello")
        (said,) = finished(program)
        assert said.startswith("refused ")
    finally:
        broker.stop()
    assert "peer did not return a certificate" in (tmp_path / "mosquitto.log").read_text()


class Echo:
    """A server of CPython's `ssl` that sends back what comes; or one that breaks off."""

    def __init__(self, made: Certificates, ends: str = "") -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(made.pem("server"), made.pem_key("server"))
        self._ends = ends
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(60)
            if not self._ends:
                with self._context.wrap_socket(client, server_side=True) as wrapped:
                    while data := wrapped.recv(16384):
                        wrapped.sendall(data)
                return
            client.recv(1)  # of its hello
            if self._ends == "garbage":
                client.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n" * 20)
            elif self._ends == "record":
                client.sendall(b"\x16\x03\x03\x40\x00" + bytes(100))
            elif self._ends == "alert":
                client.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
            if self._ends == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self._listener.close()


@pytest.mark.timeout(300)
def test_many_handshakes(place: Place, made: Certificates) -> None:
    """200, half of which fail, each in its way: neither descriptors nor memory are lost."""
    with contextlib.ExitStack() as stack:
        kinds = ["", "garbage", "record", "alert", "reset", "end"]
        servers = [stack.enter_context(contextlib.closing(Echo(made, kind))) for kind in kinds]
        ports = [server.port for server in servers]
        lines = place.lines("tls_many", place.host, 200, *ports, seconds=250)
    assert lines == ["100 True 0"]


@pytest.mark.timeout(300)
@pytest.mark.places("unix", "vboard", "vboard-32bit")
def test_both_ways_at_once(place: Place, made: Certificates) -> None:
    size = 1 << 20
    with contextlib.closing(Echo(made)) as server:
        if place.board:
            place.control("faults loss=3% seed=5")
        try:
            lines = place.lines("tls_bulk", place.host, server.port, size, seconds=250)
        finally:
            if place.board:
                place.control("faults off")
    assert lines == ["True"]
