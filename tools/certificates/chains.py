# SPDX-License-Identifier: MIT
# Who signed what, and the authority that a board has to have. Servers do not send it: what they
# send ends below the root, which this machine's own list of authorities has.
from __future__ import annotations

import datetime
import importlib
import importlib.util
import ipaddress
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from ..errors import UsocketError
from . import reading

SECONDS = 20  # for a server to send its chain


def server(host: str, port: int) -> list[x509.Certificate]:
    """What it sends, its own certificate first. Nothing of it is verified.

    openssl's client, since Python's `ssl` has the chain from 3.13 on only.
    """
    where = f"{host}:{port}"
    openssl = shutil.which("openssl")
    if not openssl:
        raise UsocketError(
            "there is no openssl command, which asks a server for its chain",
            "On Debian: apt-get install openssl. Or give the authority's file.",
        )
    bare = host.strip("[]")
    command = [openssl, "s_client", "-connect", where, "-showcerts"]
    if not _is_address(bare):
        command += ["-servername", host]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise UsocketError(
            f"{where} sent no certificate within {SECONDS} s",
            "It may begin TLS later: ask those who run it for the authority's file.",
        ) from None
    found = reading.pem(done.stdout)
    if not found:
        raise _silent(bare, port, where)
    if None in found:
        raise UsocketError(
            f"certificate {found.index(None) + 1} that {where} sends cannot be read",
            "Ask whoever runs it for the authority's file.",
        )
    return [each for each in found if each is not None]


def system() -> list[x509.Certificate]:
    """The authorities that this machine trusts; certifi's where it has none, as on macOS."""
    context = ssl.create_default_context()
    found = set(context.get_ca_certs(binary_form=True))
    paths = ssl.get_default_verify_paths()
    if paths.capath:  # OpenSSL reads these when it needs them
        for file in sorted(Path(paths.capath).glob("*.[0-9]")):
            with_it = reading.pem(file.read_bytes()) if file.is_file() else []
            found |= {_der(each) for each in with_it if each}
    if not found and importlib.util.find_spec("certifi"):
        bundle = Path(importlib.import_module("certifi").where())
        found = {_der(each) for each in reading.pem(bundle.read_bytes()) if each}
    return [each for each in map(reading.from_der, sorted(found)) if each]


def path(first: x509.Certificate, others: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    """From this one upwards, as far as the others go."""
    chain = [first]
    rest = list(others)
    while not issued(chain[-1], chain[-1]):
        above = next((each for each in rest if issued(chain[-1], each)), None)
        if above is None or above in chain:
            break
        chain.append(above)
    return chain


def authority(
    chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    """The trusted one that signed some certificate of the chain, the lowest first.

    The lowest, since a chain may go on to another root than the one that is known here.
    """
    for each in chain:
        signers = [other for other in trusted if issued(each, other)]
        if signers:
            return max(signers, key=lambda signer: signer.not_valid_after_utc)
    return None


def tops(pool: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The roots, and those that no other one here has signed."""
    return [
        each
        for each in pool
        if issued(each, each) or not any(issued(each, other) for other in pool)
    ]


def issued(child: x509.Certificate, by: x509.Certificate) -> bool:
    """Whether it is signed by the other's key.

    A root's own signature proves nothing, and may be of a kind that nobody looks at (SHA-1).
    """
    if child.issuer != by.subject:
        return False
    try:
        child.verify_directly_issued_by(by)
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, TypeError, ValueError):
        return child == by
    return True


def is_root(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may sign others; the oldest do not say so, and are roots."""
    try:
        with reading.unwarned():
            found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return is_root(certificate)
    return found.value.ca


def wrong_time(certificate: x509.Certificate) -> str:
    """What is wrong with its time now; empty if nothing is."""
    now = datetime.datetime.now(datetime.timezone.utc)
    if certificate.not_valid_after_utc < now:
        return "it is no longer valid"
    return "it is not valid yet" if certificate.not_valid_before_utc > now else ""


def name(certificate: x509.Certificate) -> str:
    return shown(certificate.subject)


def shown(subject: x509.Name) -> str:
    """A name as a terminal may have it: whoever made it may have written anything into it."""
    text = subject.rfc4514_string() or "(no name)"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def split(text: str) -> tuple[str, int] | None:
    """HOST:PORT, also [::1]:PORT, or a page's address; None if it is nothing like that."""
    page = re.match(r"https://([^/?#]+)", text)
    if page:
        text = page[1] if re.search(r":\d+$", page[1]) else f"{page[1]}:443"
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.%\w]+\]|[^:/\s-][^:/\s]*):(\d{1,5})", text)
    if not found or not 0 < int(found[2]) < 65536:
        return None
    return found[1], int(found[2])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _silent(host: str, port: int, where: str) -> UsocketError:
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError as error:
        return UsocketError(
            f"nothing answers at {where}: {error.strerror or error}",
            "Is its name right, and does this machine reach it? It is asked over TCP: of a DTLS"
            " server, give the file of its authority.",
        )
    return UsocketError(
        f"{where} answers, and not with TLS",
        "HTTPS has port 443 and MQTT over TLS 8883; or it wants something else first.",
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
