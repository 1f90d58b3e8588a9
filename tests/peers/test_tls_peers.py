"""TLS sockets against OpenSSL, nginx, mosquitto and curl, and against peers that misbehave."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import peers
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from targets import HostTarget

PROGRAM = Path(__file__).parent / "programs" / "secure.py"
LIMIT = 60
NAME = "server.test"
PEM = serialization.Encoding.PEM
SITE = 3_000_000


class Pki:
    """A certificate authority and what it signs, each a pair of files."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self.make("ca", ca=True)
        self.server = self.make(NAME, san=NAME)
        self.second = self.make("second.test", san="second.test")
        self.expired = self.make("expired", san=NAME, days=-1)
        self.client = self.make("client.test")
        self.rsa = self.make("rsa", san=NAME, key=rsa.generate_private_key(65537, 2048))
        self.own = self.make("own", san=NAME, signed=False)
        self.other = self.make("other", ca=True, signed=False)

    def make(self, name, ca=False, san="", days=30, signed=True, key=None) -> tuple[str, str]:
        mine = self.key if name == "ca" else key or ec.generate_private_key(ec.SECP256R1())
        issuer = "ca" if signed else name
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name(name))
            .issuer_name(self.name(issuer))
            .public_key(mine.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(40))
            .not_valid_after(now + datetime.timedelta(days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if san:
            names = x509.SubjectAlternativeName([x509.DNSName(san)])
            builder = builder.add_extension(names, critical=False)
        made = builder.sign(self.key if signed else mine, hashes.SHA256())
        files = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        files[0].write_bytes(made.public_bytes(PEM))
        files[1].write_bytes(
            mine.private_bytes(
                PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(files[0]), str(files[1])

    @staticmethod
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    folder.chmod(0o755)
    return Pki(folder)


def run(target: HostTarget, what: str, **args: object) -> list[str]:
    process = target.run(PROGRAM, what, *(f"{name}={value}" for name, value in args.items()))
    lines = process.rest(LIMIT)
    assert process.end() == "", "\n".join(lines)
    return lines


def has(target: HostTarget, version: str) -> bool:
    """TLS 1.3, ALPN, sessions, close_notify: CPython's alone."""
    return version == "1.2" or target.id == "cpython"


@pytest.fixture
def openssl(pki: Pki, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Starts `openssl s_server` with these options; its port."""
    with_end = []

    def start(pair: tuple[str, str], *options: str) -> int:
        port = peers.free_port()
        log = tmp_path / f"{port}.log"
        argv = [peers.program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-quiet"]
        argv += ["-cert", pair[0], "-key", pair[1], *options]
        running = peers.running(argv, log)
        process = running.__enter__()
        with_end.append(running)
        start.log = log  # type: ignore[attr-defined]
        peers.wait_for_port(port, process, log)
        return port

    yield start
    for running in with_end:
        running.__exit__(None, None, None)


VERSIONS = ("1.2", "1.3")


@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_as_the_server(target: HostTarget, pki: Pki, openssl, version: str) -> None:
    if not has(target, version):
        return refused(target, pki)
    for pair in (pki.server, pki.rsa):
        port = openssl(pair, "-www")
        lines = run(target, "fetch", port=port, ca=pki.ca[0], name=NAME, version=version, path="")
        assert lines[0].startswith("HTTP/1.0 200 ok"), lines


def refused(target: HostTarget, pki: Pki) -> None:
    process = target.run(PROGRAM, "connect", "port=1", f"ca={pki.ca[0]}", "version=1.3")
    lines = process.rest(LIMIT)
    assert "EPROTONOSUPPORT" in "".join(lines) or "93" in "".join(lines), lines
    process.end()


def test_sni(target: HostTarget, pki: Pki, openssl) -> None:
    """The server has two names, and shows the certificate of the one that it is called by."""
    port = openssl(
        pki.server, "-servername", "second.test", "-cert2", pki.second[0], "-key2", pki.second[1]
    )
    for name in (NAME, "second.test"):
        assert run(target, "connect", port=port, ca=pki.ca[0], name=name)[0] == "connected"


WRONG = (
    ("server", "ca", "wrong.test", r"mismatch|does not match"),
    ("expired", "ca", NAME, r"expired"),
    ("own", "ca", NAME, r"self.signed|not correctly signed"),
    ("server", "other", NAME, r"unable to get local issuer|not correctly signed"),
)


@pytest.mark.parametrize(("server", "trusted", "name", "words"), WRONG)
def test_who_is_not_trusted(
    target: HostTarget, pki: Pki, openssl, server: str, trusted: str, name: str, words: str
) -> None:
    port = openssl(getattr(pki, server))
    lines = run(target, "connect", port=port, ca=getattr(pki, trusted)[0], name=name)
    assert lines[0].startswith("error ECONNABORTED "), lines
    assert re.search(words, lines[0], re.I), lines
    assert lines[1] == "[]"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("levels", ["0-1-020", "-0-"])
def test_each_client_as_it_was_told(
    target: HostTarget, pki: Pki, openssl, version: str, levels: str
) -> None:
    """One that does not verify its peer changes nothing for the next of the same tags."""
    if not has(target, version):
        return refused(target, pki)
    port = openssl(pki.server)
    lines = run(
        target, "told", port=port, ca=pki.other[0], name=NAME, version=version, levels=levels
    )
    for level, line in zip(levels, lines):
        wanted = "connected" if level in "01" else "error ECONNABORTED"
        assert line.startswith(wanted), (level, lines)
    assert len(lines) == len(levels)


def test_a_key_of_another_certificate(target: HostTarget, pki: Pki, openssl) -> None:
    port = openssl(pki.server, "-Verify", "1", "-CAfile", pki.ca[0])
    lines = run(
        target,
        "connect",
        port=port,
        ca=pki.ca[0],
        name=NAME,
        cert=pki.client[0],
        key=pki.server[1],
    )
    # mbedTLS does not compare them: the server finds the signature wrong.
    assert lines[0].startswith(("error EINVAL", "error ECONNABORTED")), lines


def test_client_certificates(target: HostTarget, pki: Pki, openssl) -> None:
    port = openssl(pki.server, "-Verify", "1", "-verify_return_error", "-CAfile", pki.ca[0])
    args = {"port": port, "ca": pki.ca[0], "name": NAME}
    own = {"cert": pki.client[0], "key": pki.client[1]}
    assert run(target, "connect", **args, **own)[0] == "connected"
    assert run(target, "connect", **args)[0].startswith("error E")


def test_alpn_and_the_cipher_suite(target: HostTarget, pki: Pki, openssl) -> None:
    port = openssl(pki.server, "-alpn", "h2,http/1.1", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384")
    args = {"port": port, "ca": pki.ca[0], "name": NAME}
    if has(target, "alpn"):
        lines = run(target, "connect", **args, alpn="x,http/1.1", used=1)
        assert lines[:3] == ["connected", "[b'http/1.1']", "0xc02c"]  # RFC 5289
    else:
        assert run(target, "connect", **args)[0] == "connected"


# rows: TLS_SESSION_CACHE; on cpython
def test_sessions(target: HostTarget, pki: Pki, openssl) -> None:
    if not has(target, "sessions"):
        pytest.skip("MicroPython's tls has no sessions; test_each_name.py sees the refusal")
    for version in VERSIONS:
        port = openssl(pki.server, "-www")
        lines = run(
            target,
            "fetch",
            port=port,
            ca=pki.ca[0],
            name=NAME,
            version=version,
            path="",
            times=2,
            cache=1,
        )
        sizes = [line.split()[3] for line in lines]
        assert len(lines) == 2 and sizes[0] != sizes[1], lines  # "Reused" is another word


CONF = """
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        root {root};
    }}
}}
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_nginx(target: HostTarget, pki: Pki, tmp_path: Path, version: str) -> None:
    if not has(target, version):
        return refused(target, pki)
    root = tmp_path / "root"
    root.mkdir()
    for folder in (tmp_path, tmp_path.parent, root):
        folder.chmod(0o755)
    content = os.urandom(SITE)
    (root / "big").write_bytes(content)
    plain, port = peers.free_port(), peers.free_port()
    text = peers.NGINX.format(folder=tmp_path, root=root, port=plain).rstrip()
    assert text.endswith("}")
    text = text[:-1] + CONF.format(port=port, root=root, cert=pki.server[0], key=pki.server[1])
    conf, log = tmp_path / "nginx.conf", tmp_path / "log"
    conf.write_text(text)
    argv = [peers.program("nginx"), "-p", str(tmp_path), "-e", "stderr", "-c", str(conf)]
    with peers.running(argv, log) as process:
        peers.wait_for_port(port, process, log)
        lines = run(
            target, "fetch", port=port, ca=pki.ca[0], name=NAME, version=version, path="big"
        )
    assert lines[0] == f"HTTP/1.1 200 OK {SITE} {hashlib.sha256(content).hexdigest()}", (
        log.read_text()
    )


def test_mosquitto(target: HostTarget, pki: Pki, tmp_path: Path) -> None:
    port = peers.free_port()
    conf, log = tmp_path / "mosquitto.conf", tmp_path / "log"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\ncafile {pki.ca[0]}\n"
        f"certfile {pki.server[0]}\nkeyfile {pki.server[1]}\nrequire_certificate true\n"
    )
    with peers.running([peers.program("mosquitto"), "-c", str(conf)], log) as process:
        peers.wait_for_port(port, process, log)
        args = {"port": port, "ca": pki.ca[0], "name": NAME}
        own = {"cert": pki.client[0], "key": pki.client[1]}
        assert run(target, "mqtt", **args, **own) == [
            repr(b"\x20\x02\0\0"),
            repr(b"\xd0\0"),
        ], log.read_text()
        assert "error E" in run(target, "mqtt", **args)[0]


# -- the layer as the server ------------------------------------------------------------


def test_curl_and_openssl_as_clients(target: HostTarget, pki: Pki, tmp_path: Path) -> None:
    port = peers.free_port()
    args = {"port": port, "cert": pki.server[0], "key": pki.server[1], "times": 3}
    process = target.run(PROGRAM, "serve", *(f"{n}={v}" for n, v in args.items()))
    assert process.line(LIMIT) == "ready"
    url = [f"https://{NAME}:{port}/", "--resolve", f"{NAME}:{port}:127.0.0.1", "-sS"]
    curl = [peers.program("curl"), "--max-time", "30", "--cacert", pki.ca[0], "--http1.0", *url]
    got = subprocess.run(curl, capture_output=True, timeout=LIMIT)
    assert got.stdout == b"0123456789" * 20000, got.stderr
    # Who does not trust it is told of, and the next is served.
    got = subprocess.run(
        [each if each != pki.ca[0] else pki.other[0] for each in curl],
        capture_output=True,
        timeout=LIMIT,
    )
    assert got.returncode == 60, got
    client = [peers.program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-quiet"]
    client += ["-CAfile", pki.ca[0], "-verify_hostname", NAME, "-verify_return_error"]
    got = subprocess.run(client, input=b"GET /\r\n\r\n", capture_output=True, timeout=LIMIT)
    assert b"200 OK" in got.stdout, got.stderr
    lines = process.rest(LIMIT)
    assert process.end() == ""
    assert lines[0].startswith("served"), lines
    assert re.match("error ECONN(ABORTED|RESET)", lines[1]), lines
    assert lines[2].startswith("served") and lines[3] == "[]", lines


def test_a_server_with_its_chain(target: HostTarget, pki: Pki, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(Path(pki.server[0]).read_bytes() + Path(pki.ca[0]).read_bytes())
    port = peers.free_port()
    args = {"port": port, "cert": chain, "key": pki.server[1], "times": 1}
    process = target.run(PROGRAM, "serve", *(f"{n}={v}" for n, v in args.items()))
    assert process.line(LIMIT) == "ready"
    client = [peers.program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-showcerts"]
    got = subprocess.run(client, input=b"word\n", capture_output=True, timeout=LIMIT)
    line = process.line(LIMIT)
    rest = process.rest(LIMIT)
    assert process.end() == "" and rest == ["[]"], rest
    if target.id == "cpython":
        assert got.stdout.count(b"BEGIN CERTIFICATE") == 2, got.stdout
        assert line == "served b'word\\n'"
    else:  # its port to unix reads no PEM
        assert re.match("error EINVAL .*takes a firmware whose tls reads PEM", line), line


# -- peers that misbehave ---------------------------------------------------------------


class Between:
    """Between a client and a server: after so many bytes from the server it does something."""

    def __init__(self, port: int, after: int, what: str):
        self.port, self.after, self.what = port, after, what
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.own = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            self._open += [client, server]
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(65536):
                self.heard += data
                server.sendall(data)
        except OSError:
            pass

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        left = self.after
        try:
            while left:
                data = server.recv(left)
                if not data:
                    break
                client.sendall(data)
                left -= len(data)
            if self.what == "garbage":
                client.sendall(os.urandom(300))
            elif self.what == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
            elif self.what == "end":
                client.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()
        for each in self._open:
            each.close()


GONE = 5
AFTER = {
    "end": "error ECONNABORTED the connection ended without close_notify",
    "close_notify": "b''",
    "data": "b'bye'",
    "reset": "error ECONNRESET",
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", AFTER)
def test_a_server_that_goes_at_once(target: HostTarget, pki: Pki, how: str, version: str) -> None:
    """The handshake has gone well, which connect says; what follows is for the first receive."""
    if not has(target, version):
        return refused(target, pki)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*pki.server)

    def serve(listener: socket.socket) -> None:
        for _ in range(GONE):
            plain = listener.accept()[0]
            plain.settimeout(LIMIT)
            # All leaves at once; a reset would lose what has not left.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, how != "reset")
            with made.wrap_socket(plain, True, do_handshake_on_connect=False) as peer:
                peer.do_handshake()
                if how == "data":
                    peer.sendall(b"bye")
                elif how == "reset":
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                elif how == "close_notify":
                    peer.setblocking(False)
                    with contextlib.suppress(ssl.SSLError):
                        peer.unwrap()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        port = listener.getsockname()[1]
        lines = run(
            target, "gone", port=port, ca=pki.ca[0], name=NAME, version=version, times=GONE
        )
        thread.join(LIMIT)
    assert lines[::2] == ["connected"] * GONE, lines
    assert len(lines) == 2 * GONE
    # CPython's ssl takes a reset for the end.
    wanted = AFTER["end" if target.id == "cpython" and how == "reset" else how]
    assert all(line.startswith(wanted) for line in lines[1::2]), lines


@pytest.mark.parametrize("what", ["stop", "garbage", "reset", "end"])
def test_a_handshake_that_breaks_off(target: HostTarget, pki: Pki, openssl, what: str) -> None:
    port = openssl(pki.server)
    for version in VERSIONS:
        if not has(target, version):
            continue
        # In and behind each of the server's messages: ServerHello, Certificate, its signature ...
        for after in (0, 3, 5, 60, 120, 400, 600):
            between = Between(port, after, what)
            begin = time.monotonic()
            lines = run(
                target,
                "connect",
                port=between.own,
                ca=pki.ca[0],
                name=NAME,
                version=version,
                timeout=0.5,
            )
            took = time.monotonic() - begin
            between.close()
            assert re.match("error (ECONN|ETIMEDOUT|EINPROGRESS|EAGAIN)", lines[0]), (after, lines)
            assert lines[1] == "[]" and took < 10
            assert b"word" not in between.heard


def test_nothing_is_left_of_handshakes(target: HostTarget, pki: Pki, openssl) -> None:
    good, bad = openssl(pki.server), openssl(pki.own)
    lines = run(
        target,
        "many",
        port=good,
        ports=f"{good},{bad}",
        times=200,
        ca=pki.ca[0],
        name=NAME,
        timeout=5,
    )
    assert lines[0] == "good 100 bad 100 fds [] descriptors 0", lines
    assert int(lines[1].split()[1]) < 4096, lines
