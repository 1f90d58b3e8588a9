"""Certificates, made by openssl: an authority, what it vouches for, and what it does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import peers

NAME = "test.local"
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
RSA = ("-newkey", "rsa:2048")


class Certificates:
    """NAME.pem, NAME.key and their DER in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: dict[str, object] = {}  # what servers with them were told
        for authority in ("ca", "other"):
            self._openssl("req", "-x509", *EC, *self._files(authority), "-days", "30")
        self.issue("server")
        self.issue("client", names="")
        self.issue("expired", days=-1)
        self.issue("rsa", kind=RSA)
        subject = f"/CN={NAME}"
        self._openssl("req", "-x509", *EC, *self._files("self", subject), "-days", "30")

    def issue(
        self, name: str, days: int = 30, kind: tuple[str, ...] = EC, names: str = f"DNS:{NAME}"
    ) -> None:
        request = self.folder / f"{name}.csr"
        files = ["-keyout", self.pem_key(name), "-out", request, "-nodes", "-subj", f"/CN={name}"]
        self._openssl("req", *kind, *files)
        by = ["-CA", self.pem("ca"), "-CAkey", self.pem_key("ca"), "-CAcreateserial"]
        extensions = self.folder / "extensions"
        extensions.write_text(f"subjectAltName={names}\n" if names else "")
        self._openssl(
            "x509", "-req", "-in", request, *by, "-days", days, "-extfile", extensions,
            "-out", self.pem(name),
        )  # fmt: skip

    def pem(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def pem_key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def der(self, name: str) -> list[str]:
        """As arguments of a program: hex, since MicroPython's are short, and "-" behind it."""
        target = self.folder / f"{name}.der"
        self._openssl("x509", "-in", self.pem(name), "-outform", "der", "-out", target)
        return _words(target)

    def der_key(self, name: str) -> list[str]:
        target = self.folder / f"{name}.key.der"
        self._openssl("pkey", "-in", self.pem_key(name), "-outform", "der", "-out", target)
        return _words(target)

    def _files(self, name: str, subject: str = "") -> list[object]:
        return [
            "-nodes", "-subj", subject or f"/CN={name}",
            "-keyout", self.pem_key(name), "-out", self.pem(name),
        ]  # fmt: skip

    def _openssl(self, *words: object) -> None:
        command = [peers.program("openssl"), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def _words(file: Path) -> list[str]:
    text = file.read_bytes().hex()
    return [*(text[at : at + 200] for at in range(0, len(text), 200)), "-"]
