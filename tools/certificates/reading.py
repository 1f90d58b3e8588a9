# SPDX-License-Identifier: MIT
# Certificates and keys out of files, PEM or DER. What is damaged or encrypted is refused here.
from __future__ import annotations

import base64
import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Union

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ..errors import UsocketError

Key = Union[rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey]

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n(.*?)-----END \1-----", re.S)
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")
_MOST = 16 << 20  # a whole system's authorities are a quarter of a megabyte
_AGAIN = (
    "Copy it again: a file ends with the line -----END ...-----, and nothing in it is changed."
)
_KINDS = "A board's mbedTLS takes RSA keys and those of elliptic curves such as P-256."


def certificates(file: Path) -> list[x509.Certificate]:
    """Those of a file, in its order; UsocketError where there is none, or one is damaged."""
    data = _read(file)
    if b"-----BEGIN" not in data:
        one = from_der(data)
        if one:
            return [one]
        raise UsocketError(
            f"{file} is not a certificate, neither PEM nor DER",
            "A PEM file has the line -----BEGIN CERTIFICATE-----.",
        )
    blocks = _blocks(file, data)
    found = pem(data)
    if None in found:
        raise UsocketError(f"certificate {found.index(None) + 1} of {file} is damaged", _AGAIN)
    if not found:
        kinds = ", ".join(sorted({kind.decode().lower() for kind, _ in blocks}))
        raise UsocketError(
            f"{file} has no certificate, but: {kinds}",
            "Keys are given by --key; a request becomes a certificate when an authority signs it.",
        )
    return [each for each in found if each is not None]


def pem(data: bytes) -> list[x509.Certificate | None]:
    """The certificates among the blocks of a text; None for one that is damaged."""
    found: list[x509.Certificate | None] = []
    for block in _BLOCK.finditer(data):
        if block[1] in _CERTIFICATES:
            try:
                found.append(from_der(base64.b64decode(b"".join(block[2].split()), validate=True)))
            except ValueError:  # not base64
                found.append(None)
    return found


def from_der(data: bytes) -> x509.Certificate | None:
    """The certificate, of which all that is asked for later can be read; else None."""
    with unwarned():
        try:
            found = x509.load_der_x509_certificate(data)
            _ = found.subject, found.issuer, found.not_valid_after_utc, found.not_valid_before_utc
            found.subject.rfc4514_string(), found.issuer.rfc4514_string()
        except (ValueError, x509.InvalidVersion):
            return None
    return found


@contextlib.contextmanager
def unwarned() -> Iterator[None]:
    """For old roots that are not quite as they should be: nobody here can mend those."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def key(file: Path) -> Key:
    """The private key of a file; UsocketError if it is encrypted, damaged, or not for a board."""
    data = _read(file)
    try:
        if b"-----BEGIN" in data:
            blocks = _blocks(file, data)
            mine = [block for kind, block in blocks if kind.endswith(b"PRIVATE KEY")]
            if not mine:
                raise UsocketError(
                    f"{file} has no private key", "Certificates are given without --key."
                )
            if len(mine) > 1:
                raise UsocketError(
                    f"{file} has {len(mine)} private keys",
                    "Give the one for this board, in a file of its own.",
                )
            found = serialization.load_pem_private_key(mine[0], None)
        else:
            found = serialization.load_der_private_key(data, None)
    except TypeError:  # a password was not given
        raise UsocketError(
            f"{file} is encrypted, and a board cannot ask for its password",
            f"`openssl pkey -in {file} -out plain.key` makes one that is not.",
        ) from None
    except UnsupportedAlgorithm:
        raise UsocketError(f"{file} has a key of a kind that is not known", _KINDS) from None
    except ValueError:
        raise UsocketError(f"{file} is damaged, or not a private key", _AGAIN) from None
    if not isinstance(found, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise UsocketError(f"{file} has {kind_of(found)}", _KINDS)
    return found


def check_kind(certificate: x509.Certificate, what: str) -> None:
    """UsocketError if no board could use it."""
    try:
        public = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise UsocketError(f"{what} has a key of a kind that is not known", _KINDS) from None
    if not isinstance(public, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        raise UsocketError(f"{what} has {kind_of(public)}", _KINDS)


def kind_of(key: object) -> str:
    """RSA of 2048 bits; whether public or private."""
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return f"RSA of {key.key_size} bits"
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return f"the curve {key.curve.name}"
    name = re.sub(r"(Public|Private)Key$", "", type(key).__name__.lstrip("_"))
    return f"a key of the kind {name}"


def der(key: Key) -> bytes:
    """As mbedTLS reads it: PKCS #8, in the clear."""
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def belongs(key: Key, certificate: x509.Certificate) -> bool:
    """Whether the certificate is for this key."""
    try:
        return key.public_key() == certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False


def _blocks(file: Path, data: bytes) -> list[tuple[bytes, bytes]]:
    found = [(block[1], block[0]) for block in _BLOCK.finditer(data)]
    if len(found) != data.count(b"-----BEGIN") or len(found) != data.count(b"-----END"):
        raise UsocketError(f"{file} is damaged: a part of it does not end", _AGAIN)
    return found


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as open_file:
            data = open_file.read(_MOST + 1)
    except OSError as error:
        raise UsocketError(
            f"cannot read {file}: {error.strerror}",
            "Name a server with its port, such as example.com:443.",
        ) from None
    if len(data) > _MOST:
        raise UsocketError(
            f"{file} is too large: no list of certificates has {_MOST >> 20} MB",
            "Is it the file that was meant?",
        )
    return data
