"""usocket certs: what it makes is what openssl makes of the same, and what a board takes.

The certificates and their servers are openssl's; SSL_CERT_FILE is the machine's authorities.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

for part in ("libs", "peers"):
    sys.path.append(str(Path(__file__).parents[1] / part))

import peers  # noqa: E402
from certificates import NAME, Certificates  # noqa: E402

from usocket_tools.certificates import chains  # noqa: E402

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
SECONDS = 60
NO_FOLDER = "/nonexistent"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Certificates:
    """Those of the other tests, and a server's with an authority between it and the root."""
    made = Certificates(tmp_path_factory.mktemp("certs"))
    openssl("req", *EC, "-keyout", made.pem_key("middle"), "-out", made.folder / "middle.csr",
            "-nodes", "-subj", "/CN=middle")  # fmt: skip
    sign(made, "middle", "ca", "basicConstraints=critical,CA:TRUE")
    openssl("req", *EC, "-keyout", made.pem_key("below"), "-out", made.folder / "below.csr",
            "-nodes", "-subj", "/CN=below")  # fmt: skip
    sign(made, "below", "middle", f"subjectAltName=DNS:{NAME}")
    return made


EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def sign(made: Certificates, name: str, by: str, extension: str) -> None:
    (made.folder / "more").write_text(extension + "\n")
    openssl("x509", "-req", "-in", made.folder / f"{name}.csr", "-CA", made.pem(by),
            "-CAkey", made.pem_key(by), "-CAcreateserial", "-days", 30,
            "-extfile", made.folder / "more", "-out", made.pem(name))  # fmt: skip


def openssl(*words: object, data: bytes | None = None) -> bytes:
    command = [peers.program("openssl"), *map(str, words)]
    done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def der(file: Path) -> bytes:
    return openssl("x509", "-in", file, "-outform", "der")


def certs(*words: object, known: Path | None = None, folder: Path) -> subprocess.CompletedProcess:
    """On a machine that trusts the authorities in a file, or none."""
    trusted = {"SSL_CERT_FILE": str(known or NO_FOLDER), "SSL_CERT_DIR": NO_FOLDER}
    # certifi is among what the tests need, and would be taken where there are none.
    (folder / "certifi.py").write_text(f"def where(): return {str(folder / 'none.pem')!r}\n")
    (folder / "none.pem").write_text("")
    return subprocess.run(
        [*USOCKET, "certs", *map(str, words)],
        cwd=folder,
        env={**os.environ, **trusted, "PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def refused(done: subprocess.CompletedProcess, words: str, hint: str, folder: Path) -> None:
    """In a sentence and a next step, and nothing is written."""
    assert (done.returncode, done.stderr.count("\n")) == (1, 2), done.stdout + done.stderr
    first, second = done.stderr.splitlines()
    assert first.startswith("usocket: ") and words in first
    assert hint in second
    assert not list(folder.glob("*.der"))


@contextlib.contextmanager
def server(made: Certificates, name: str, chain: list[str], *more: str) -> Iterator[str]:
    """openssl's, with what it sends beyond its own certificate; HOST:PORT."""
    port = peers.free_port()
    above = made.folder / "above.pem"
    above.write_text("".join(made.pem(each).read_text() for each in chain))
    argv = [peers.program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-quiet"]
    argv += ["-cert", str(made.pem(name)), "-key", str(made.pem_key(name)), *more]
    argv += ["-cert_chain", str(above)] if chain else []
    log = made.folder / "server.log"
    with peers.running(argv, log) as process:
        peers.wait_for_port(port, process, log)
        yield f"127.0.0.1:{port}"


# Files


def test_each_file_is_to_be_brought(made, tmp_path):
    words = (made.pem("ca"), made.pem("middle"), made.pem("below"), "--key", made.pem_key("below"))
    done = certs(*words, "-o", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    brought = re.findall(r"^`mpremote fs cp out/(\S+) :(\S+)` ", done.stdout, re.M)
    written = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert len(written) == 3 and sorted(brought) == [(name, name) for name in written]


def test_an_authority(made, tmp_path):
    done = certs(made.pem("ca"), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    wanted = der(made.pem("ca"))
    assert (tmp_path / "ca.der").read_bytes() == wanted
    assert [file.name for file in tmp_path.glob("*.der")] == ["ca.der"]
    end = openssl("x509", "-in", made.pem("ca"), "-noout", "-enddate", "-dateopt", "iso_8601")
    until = end.decode().partition("=")[2].split()[0]
    line = done.stdout.splitlines()[0]
    assert line.startswith(f"ca.der: the root CN=ca, valid until {until}, the curve secp256r1")
    assert line.endswith(f", {len(wanted)} bytes")


def test_a_chain_gives_its_root(made, tmp_path):
    """In whichever order, with texts in between, and as several files."""
    chain = tmp_path / "chain.pem"
    texts = [made.pem(each).read_text() for each in ("ca", "below", "middle")]
    chain.write_text("# a comment\n" + "Between: two\n".join(texts))
    for sources in ([chain], [made.pem(each) for each in ("below", "middle", "ca")]):
        done = certs(*sources, "-o", "there", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert [file.name for file in (tmp_path / "there").iterdir()] == ["ca.der"]
        assert (tmp_path / "there/ca.der").read_bytes() == der(made.pem("ca"))


def test_the_root_of_a_file_that_lacks_it(made, tmp_path):
    """It is this machine's; else the topmost there is, with a word about it."""
    done = certs(made.pem("middle"), known=made.pem("ca"), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the root CN=ca" in done.stdout and "of this machine's authorities" in done.stdout
    assert (tmp_path / "ca.der").read_bytes() == der(made.pem("ca"))
    done = certs(made.pem("below"), made.pem("middle"), folder=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "ca.der").read_bytes() == der(made.pem("middle"))
    assert done.stderr.startswith("warning: CN=middle is not the root: that, CN=ca, is neither")


def test_several_authorities(made, tmp_path):
    done = certs(made.pem("ca"), made.pem("other"), made.pem("ca"), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "ca.der").read_bytes() == der(made.pem("ca"))
    assert (tmp_path / "ca-2.der").read_bytes() == der(made.pem("other"))
    assert len(list(tmp_path.glob("*.der"))) == 2


def test_der_is_read_too(made, tmp_path):
    file = tmp_path / "given"
    file.write_bytes(der(made.pem("ca")))
    assert certs(file, folder=tmp_path).returncode == 0
    assert (tmp_path / "ca.der").read_bytes() == file.read_bytes()


def test_every_authority_of_this_machine(tmp_path):
    """Old ones too, whose own signature is of a kind that nobody accepts any more."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    packed = openssl("crl2pkcs7", "-nocrl", "-certfile", bundle)
    listed = openssl("pkcs7", "-print_certs", "-noout", data=packed).decode()
    pairs = re.findall(r"subject=(.*)\nissuer=(.*)\n", listed)
    roots = [subject for subject, issuer in pairs if subject == issuer]
    done = certs(bundle, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines())
    assert done.stdout.count(": the root ") == len(roots) > 50


def test_what_is_expired(made, tmp_path):
    done = certs(made.pem("expired"), "--key", made.pem_key("expired"), folder=tmp_path)
    assert done.returncode == 0
    assert "warning: CN=expired: it is no longer valid\n" in done.stderr


# Keys


def test_a_key_whose_certificate_has_a_chain(made, tmp_path):
    chain = tmp_path / "chain.pem"
    chain.write_text(made.pem("below").read_text() + made.pem("middle").read_text())
    words = made.pem("ca"), "--key", made.pem_key("below")
    done = certs(chain, *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "peers need CN=middle too, which has signed it" in done.stderr.replace("\n", " ")
    assert f"bring {chain} itself" in done.stderr.replace("\n", " ")
    done = certs(made.pem("server"), made.pem("ca"), "--key", made.pem_key("server"),
                 folder=tmp_path)  # fmt: skip
    assert done.returncode == 0 and "which has signed it" not in done.stderr


@pytest.mark.parametrize("name", ["server", "rsa"])
def test_a_key(made, tmp_path, name):
    done = certs(made.pem(name), "--key", made.pem_key(name), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("warning: the key is not encrypted in the board's flash")
    assert {file.name for file in tmp_path.glob("*.der")} == {f"{name}.der", f"{name}.key.der"}
    assert (tmp_path / f"{name}.der").read_bytes() == der(made.pem(name))
    key = tmp_path / f"{name}.key.der"
    assert key.stat().st_mode & 0o777 == 0o600
    # The same key, by what openssl makes of both.
    same = openssl("pkey", "-in", made.pem_key(name))
    assert openssl("pkey", "-inform", "der", "-in", key) == same


@pytest.mark.parametrize("way", [[], ["-traditional"], ["-outform", "der"]], ids=str)
def test_ways_to_write_a_key(made, tmp_path, way):
    file = tmp_path / "it.key"
    openssl("pkey", "-in", made.pem_key("server"), *way, "-out", file)
    if not way:  # as `openssl ecparam -genkey` writes it
        parameters = openssl("ecparam", "-name", "prime256v1")
        file.write_bytes(parameters + file.read_bytes())
    assert certs("--key", file, folder=tmp_path).returncode == 0
    made_of_it = openssl("pkey", "-inform", "der", "-in", tmp_path / "it.key.der")
    assert made_of_it == openssl("pkey", "-in", made.pem_key("server"))


def test_a_key_that_others_could_read_before(made, tmp_path):
    (tmp_path / "server.key.der").write_text("old")
    (tmp_path / "server.key.der").chmod(0o644)
    assert certs("--key", made.pem_key("server"), folder=tmp_path).returncode == 0
    assert (tmp_path / "server.key.der").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("way", [["-aes128"], ["-aes128", "-traditional"]], ids=str)
@pytest.mark.parametrize("form", ["pem", "der"])
def test_an_encrypted_key(made, tmp_path, way, form):
    file = tmp_path / "secret.key"
    words = ["-in", made.pem_key("rsa"), "-passout", "pass:secret", "-out", file]
    if form == "der":
        openssl("pkcs8", "-topk8", "-outform", "der", *words)
    else:
        openssl("pkey", *way, *words)
    done = certs("--key", file, folder=tmp_path)
    refused(done, f"{file} is encrypted", f"`openssl pkey -in {file} -out", tmp_path)


def test_a_key_of_another_certificate(made, tmp_path):
    done = certs(made.pem("server"), "--key", made.pem_key("client"), folder=tmp_path)
    refused(done, "belongs to no certificate in", "made with it", tmp_path)


def test_a_key_that_does_not_belong_to_an_authority(made, tmp_path):
    """Which may be given for its own sake: a server's that vouches for itself is one too."""
    done = certs(made.pem("self"), "--key", made.pem_key("server"), folder=tmp_path)
    assert done.returncode == 0
    said = f"warning: the key of {made.pem_key('server')} belongs to none of these certificates"
    assert said in done.stderr
    assert {file.name for file in tmp_path.glob("*.der")} == {"ca.der", "server.key.der"}
    done = certs(made.pem("self"), "--key", made.pem_key("self"), folder=tmp_path)
    assert done.returncode == 0 and "none of these" not in done.stderr


def test_a_file_of_two_keys(made, tmp_path):
    both = tmp_path / "both.key"
    both.write_bytes(made.pem_key("server").read_bytes() + made.pem_key("client").read_bytes())
    done = certs(made.pem("server"), "--key", both, folder=tmp_path)
    refused(done, "has 2 private keys", "in a file of its own", tmp_path)


@pytest.mark.parametrize("way", [[], ["--key"]], ids=str)
def test_a_file_without_end(tmp_path, way):
    done = certs(*way, "/dev/zero", folder=tmp_path)
    refused(done, "/dev/zero is too large", "Is it the file", tmp_path)


def test_a_key_that_no_board_takes(tmp_path):
    file = tmp_path / "new.key"
    openssl("genpkey", "-algorithm", "ed25519", "-out", file)
    done = certs("--key", file, folder=tmp_path)
    refused(done, f"{file} has a key of the kind Ed25519", "RSA", tmp_path)
    openssl("req", "-x509", "-new", "-key", file, "-subj", "/CN=new", "-out", tmp_path / "new.pem")
    done = certs(tmp_path / "new.pem", folder=tmp_path)
    refused(done, "CN=new has a key of the kind Ed25519", "RSA", tmp_path)


# What is not as it should be


def cut(text: bytes) -> bytes:
    return text[: len(text) // 2]


def other_letter(text: bytes) -> bytes:
    at = text.index(b"\n", 40) - 8
    return text[:at] + b"!" + text[at + 1 :]


def without_a_line(text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    return b"".join(lines[:3] + lines[4:])


@pytest.mark.parametrize("damage", [cut, other_letter, without_a_line])
@pytest.mark.parametrize("kind", ["certificate", "key"])
def test_a_damaged_file(made, tmp_path, damage, kind):
    file = tmp_path / "given"
    good = made.pem("rsa") if kind == "certificate" else made.pem_key("rsa")
    file.write_bytes(damage(good.read_bytes()))
    words = [file] if kind == "certificate" else ["--key", file]
    refused(certs(*words, folder=tmp_path), "damaged", "Copy it again", tmp_path)


def test_a_damaged_signature(made, tmp_path):
    good = der(made.pem("ca"))
    (tmp_path / "given").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    done = certs(tmp_path / "given", folder=tmp_path)
    refused(done, "the signature of CN=ca", "copy it again", tmp_path)


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("", "is not a certificate", "-----BEGIN CERTIFICATE-----"),
        ("just words", "is not a certificate", "-----BEGIN CERTIFICATE-----"),
        ("KEY", "has no certificate, but: private key", "--key"),
    ],
)
def test_no_certificate(made, tmp_path, text, words, hint):
    file = tmp_path / "given"
    file.write_text(made.pem_key("server").read_text() if text == "KEY" else text)
    refused(certs(file, folder=tmp_path), words, hint, tmp_path)
    if text != "KEY":
        refused(certs("--key", file, folder=tmp_path), "or not a private key", "", tmp_path)
    else:
        done = certs("--key", made.pem("server"), folder=tmp_path)
        refused(done, "has no private key", "without --key", tmp_path)


def test_no_authority(made, tmp_path):
    done = certs(made.pem("server"), folder=tmp_path)
    refused(done, "CN=server, and not its authority, CN=ca,", "the authority's own", tmp_path)


def test_nothing_is_there(tmp_path):
    refused(certs(folder=tmp_path), "neither a file nor a server", "--help", tmp_path)
    for name in ("none.crt", "example.com", "example.com:0", "example.com:99999", "a:b:1"):
        done = certs(name, folder=tmp_path)
        refused(done, f"cannot read {name}: No such file", "example.com:443", tmp_path)


# Servers


def test_the_root_of_a_server(made, tmp_path):
    """It is found here; what is sent ends below it, and is said."""
    with server(made, "below", ["middle"]) as where:
        done = certs(where, known=made.pem("ca"), folder=tmp_path)
        asked = openssl("s_client", "-connect", where, "-showcerts", data=b"").decode()
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.splitlines()
    assert said[0] == f"{where} sends"
    # As openssl's own client tells the chain.
    sent = re.findall(r" \d s:CN = (\w+)\n   i:CN = (\w+)", asked)
    assert sent == [("below", "middle"), ("middle", "ca")]
    for line, (subject, issuer) in zip(said[1:], sent):
        assert line.startswith(f"  CN={subject}, valid until ")
        assert line.endswith(f", signed by CN={issuer}")
    assert said[3].startswith("ca.der: the root CN=ca, ")
    assert ", of this machine's authorities, " in said[3]
    assert (tmp_path / "ca.der").read_bytes() == der(made.pem("ca"))


def test_the_root_of_a_server_in_a_file(made, tmp_path):
    with server(made, "below", ["middle"]) as where:
        done = certs(where, made.pem("other"), made.pem("ca"), folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "the root CN=ca" in done.stdout and ", of the files given, " in done.stdout
        assert [file.name for file in tmp_path.glob("*.der")] == ["ca.der"]
        assert (tmp_path / "ca.der").read_bytes() == der(made.pem("ca"))
        # A server that forgot the one in between: the files have it.
        with server(made, "below", []) as alone:
            done = certs(alone, made.pem("middle"), made.pem("ca"), folder=tmp_path)
            assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("where", ["folder", "certifi"])
def test_where_this_machine_has_authorities(made, tmp_path, monkeypatch, where):
    """A folder as c_rehash makes it; certifi's where there is nothing else."""
    monkeypatch.setenv("SSL_CERT_FILE", NO_FOLDER)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path if where == "folder" else NO_FOLDER))
    (tmp_path / "certifi.py").write_text(f"def where(): return {str(made.pem('other'))!r}\n")
    monkeypatch.delitem(sys.modules, "certifi", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    hashed = openssl("x509", "-in", made.pem("ca"), "-noout", "-hash").decode().strip()
    (tmp_path / f"{hashed}.0").symlink_to(made.pem("ca"))
    found = [each.public_bytes(Encoding.DER) for each in chains.system()]
    assert found == [der(made.pem("ca" if where == "folder" else "other"))]


def test_a_server_whose_authority_is_not_known(made, tmp_path):
    with server(made, "below", ["middle"]) as where:
        done = certs(where, known=made.pem("other"), folder=tmp_path)
        refused(done, f"the authority of {where}, CN=ca, is not known", f"certs {where}", tmp_path)


@pytest.mark.parametrize(("name", "chain"), [("self", []), ("below", ["middle", "ca"])])
def test_a_root_that_the_server_sends_itself(made, tmp_path, name, chain):
    """It may be anybody's: so it is said, with what it can be compared by."""
    root = chain[-1] if chain else name
    with server(made, name, chain) as where:
        done = certs(where, known=made.pem("other"), folder=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "ca.der").read_bytes() == der(made.pem(root))
    said = openssl("x509", "-in", made.pem(root), "-noout", "-fingerprint", "-sha256").decode()
    assert done.stderr.startswith("warning: this machine does not know CN=")
    assert done.stderr.strip().endswith(said.partition("=")[2].strip())
    assert ", sent by the server itself, " in done.stdout


def test_a_server_and_the_boards_own(made, tmp_path):
    """A broker that wants a certificate of the board."""
    with server(made, "server", [], "-Verify", "1", "-CAfile", str(made.pem("ca"))) as where:
        words = [where, made.pem("client"), "--key", made.pem_key("client")]
        done = certs(*words, known=made.pem("ca"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    names = {file.name for file in tmp_path.glob("*.der")}
    assert names == {"ca.der", "client.der", "client.key.der"}


def test_what_is_no_server(tmp_path):
    port = peers.free_port()
    done = certs(f"127.0.0.1:{port}", folder=tmp_path)
    said = f"nothing answers at 127.0.0.1:{port}: Connection refused"
    refused(done, said, "over TCP: of a DTLS server", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            for _ in range(2):
                with listener.accept()[0] as s:
                    s.sendall(b"220 hello\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        done = certs(f"127.0.0.1:{port}", folder=tmp_path)
        thread.join()
    refused(done, f"127.0.0.1:{port} answers, and not with TLS", "8883", tmp_path)


def test_a_server_that_says_nothing(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(chains, "SECONDS", 1)
        with pytest.raises(chains.UsocketError, match="sent no certificate within 1 s"):
            chains.server("127.0.0.1", listener.getsockname()[1])


def test_without_openssl(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(chains.UsocketError, match="there is no openssl command"):
        chains.server("127.0.0.1", 443)


def test_a_name_does_not_reach_the_terminal_raw(made, tmp_path):
    subject = "/CN=a\x1b[2Jb"
    words = ["-nodes", "-keyout", tmp_path / "x.key", "-out", tmp_path / "x.pem"]
    openssl("req", "-x509", *EC, "-subj", subject, *words)
    done = certs(tmp_path / "x.pem", folder=tmp_path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout and r"a\x1b[2Jb" in done.stdout


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("example.com:443", ("example.com", 443)),
        ("[::1]:8883", ("[::1]", 8883)),
        ("127.0.0.1:1", ("127.0.0.1", 1)),
        ("::1:443", None),
        ("-x:443", None),
        ("example.com:65536", None),
        ("https://example.com", ("example.com", 443)),
        ("https://example.com:8443/a:b?c", ("example.com", 8443)),
        ("https://[::1]:8443/", ("[::1]", 8443)),
        ("https://", None),
        ("http://example.com/", None),
        ("C:/x", None),
    ],
)
def test_hosts_and_ports(text, parts):
    assert chains.split(text) == parts


# A board's own TLS takes them

CLIENT = """\
import socket, ssl
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
c.verify_mode = ssl.CERT_REQUIRED
c.load_verify_locations(cafile="ca.der")
c.load_cert_chain("{name}.der", "{name}.key.der")
s = socket.socket()
s.connect(socket.getaddrinfo("127.0.0.1", {port})[0][-1])
s = c.wrap_socket(s, server_hostname="{host}")
s.write(b"hello")
print("done")
"""


@pytest.mark.parametrize(("name", "chain"), [("below", ["middle"]), ("rsa", [])])
def test_micropython_takes_them(made, tmp_path, name, chain):
    """A server that asks for the board's certificate, verified with the authority's."""
    with server(made, name, chain, "-Verify", "2", "-CAfile", str(made.pem("ca"))) as where:
        own = "client" if name == "below" else "rsa"
        words = [where, made.pem(own), "--key", made.pem_key(own)]
        assert certs(*words, known=made.pem("ca"), folder=tmp_path).returncode == 0
        port = where.partition(":")[2]
        program = tmp_path / "program.py"
        program.write_text(CLIENT.format(name=own, port=port, host=NAME))
        done = subprocess.run(
            [*USOCKET, "run", "--target", "unix", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
