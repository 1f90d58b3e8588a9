# SPDX-License-Identifier: MIT
# The files for a board: which, what is said of each, and how they are written.
from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from ..errors import UsocketError
from ..shown import say
from . import chains, reading

CA = "ca"  # the file's name, without .der


class _Files:
    """What is to be written: a name -> its bytes, and what is said of it."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.secret: set[str] = set()
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def add(self, name: str, ending: str, data: bytes, text: str) -> None:
        at = 1
        chosen = f"{name}{ending}"
        while self.contents.get(chosen, data) != data:
            at += 1
            chosen = f"{name}-{at}{ending}"
        self.contents[chosen] = data
        line = f"{chosen}: {text}, {len(data)} bytes"
        if line not in self.lines:
            self.lines.append(line)
        if ending.startswith(".key"):
            self.secret.add(chosen)

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.contents.items():
            _write(folder / name, data, 0o600 if name in self.secret else 0o644)


def make(sources: list[str], key_files: list[Path], folder: Path) -> int:
    """Look at the sources, write the files, and say what they are."""
    if not sources and not key_files:
        raise UsocketError(
            "neither a file nor a server is given", "`usocket certs --help` shows what may be."
        )
    files = _Files()
    servers = []
    here: dict[Path, list[x509.Certificate]] = {}
    for source in sources:
        where = None if Path(source).exists() else chains.split(source)
        if where:
            servers.append(where)
        else:
            here[Path(source)] = reading.certificates(Path(source))
    own = _keys(files, key_files, here)
    pool = [each for found in here.values() for each in found if each not in own]
    for host, port in servers:
        _of_server(files, f"{host}:{port}", chains.server(host, port), pool)
    # Beside a server they are what it may be signed by, and used if it is.
    if not servers:
        for top in chains.tops(pool) or pool[-1:]:  # two may have signed each other
            _of_file(files, top, here)
    files.write(folder)
    for line in files.lines:
        say(line)
    for each in files.warnings:
        say(f"warning: {each}", err=True)
    for name in files.contents:
        say(f"`mpremote fs cp {folder / name} :{name}` brings it to a board.")
    return 0


def _keys(
    files: _Files, key_files: list[Path], here: dict[Path, list[x509.Certificate]]
) -> list[x509.Certificate]:
    """The keys' files, and those of the certificates that belong to them, which are returned."""
    own = []
    for file in key_files:
        key = reading.key(file)
        files.add(file.stem, ".key.der", reading.der(key), f"a key, {reading.kind_of(key)}")
        mine = [
            (source, each)
            for source, found in here.items()
            for each in found
            if reading.belongs(key, each)
        ]
        others = [each for found in here.values() for each in found]
        if not mine and not all(map(chains.is_authority, others)):
            raise UsocketError(
                f"the key of {file} belongs to no certificate in {', '.join(map(str, here))}",
                "Give the certificate that was made with it.",
            )
        if others and not mine:
            files.warnings.append(
                f"the key of {file} belongs to none of these certificates: there is none to use"
                " with it"
            )
        for source, certificate in mine:
            _add(files, source.stem, certificate, "for this key")
            own.append(certificate)
            between = [
                each
                for each in others
                if not chains.is_root(each) and chains.issued(certificate, each)
            ]
            if between:
                files.warnings.append(
                    f"{source.stem}.der is that one certificate, and peers need"
                    f" {chains.name(between[0])} too, which has signed it: where they do not know"
                    f" it, bring {source} itself to the board, which takes a chain as PEM"
                )
    if key_files:
        files.warnings.append(
            "the key is not encrypted in the board's flash, and anyone who holds the board can"
            " read it: give each board its own key, which can be revoked"
        )
    # One that vouches for itself is the authority of whoever talks to it.
    return [each for each in own if not chains.issued(each, each)]


def _of_server(
    files: _Files, where: str, sent: list[x509.Certificate], pool: list[x509.Certificate]
) -> None:
    chain = chains.path(sent[0], [*sent[1:], *pool])
    say(f"{where} sends")
    for each in sent:
        say(f"  {_about(each)}, signed by {chains.shown(each.issuer)}")
    here = [each for each in pool if chains.is_authority(each)]
    trusted = chains.authority(chain, here)
    whence = "of the files given"
    if trusted is None:
        trusted = chains.authority(chain, chains.system())
        whence = "of this machine's authorities"
    if trusted is None:
        trusted = chain[-1]
        if not chains.issued(trusted, trusted):
            raise UsocketError(
                f"the authority of {where}, {chains.shown(trusted.issuer)}, is not known here",
                f"Ask those who run it for its file: `usocket certs {where} THE_FILE`.",
            )
        whence = "sent by the server itself"
        print_ = ":".join(f"{byte:02X}" for byte in trusted.fingerprint(hashes.SHA256()))
        files.warnings.append(
            f"this machine does not know {chains.name(trusted)}, and somebody in between may have"
            f" sent it: ask those who run the server for its SHA-256, and compare: {print_}"
        )
    _add(files, CA, trusted, whence)


def _of_file(
    files: _Files, top: x509.Certificate, here: dict[Path, list[x509.Certificate]]
) -> None:
    file = next(file for file, found in here.items() if top in found)
    if chains.is_root(top):
        if chains.is_authority(top) and not chains.issued(top, top):
            raise UsocketError(
                f"the signature of {chains.name(top)} in {file} is not its own",
                "The file is damaged: copy it again.",
            )
        _add(files, CA, top, f"of {file}")
        return
    above = chains.authority([top], chains.system())
    if above:
        _add(files, CA, above, "of this machine's authorities")
    elif chains.is_authority(top):
        files.warnings.append(
            f"{chains.name(top)} is not the root: that, {chains.shown(top.issuer)}, is neither in"
            " the files nor known here. MicroPython trusts it anyway; servers change such"
            " certificates more often"
        )
        _add(files, CA, top, f"of {file}")
    else:
        raise UsocketError(
            f"{file} has the certificate of {chains.name(top)}, and not its authority,"
            f" {chains.shown(top.issuer)}, which is not known here either",
            "Give the authority's own file; a board's own certificate goes with --key.",
        )


def _add(files: _Files, name: str, certificate: x509.Certificate, whence: str) -> None:
    reading.check_kind(certificate, chains.name(certificate))
    what = ""
    if name == CA:
        what = "the root " if chains.is_root(certificate) else "the topmost there is, "
        if not chains.is_authority(certificate):
            what = "vouches for itself, "
    kind = reading.kind_of(certificate.public_key())
    text = f"{what}{_about(certificate)}, {kind}, {whence}"
    files.add(name, ".der", certificate.public_bytes(Encoding.DER), text)
    wrong = chains.wrong_time(certificate)
    if wrong:
        files.warnings.append(f"{chains.name(certificate)}: {wrong}")


def _about(certificate: x509.Certificate) -> str:
    until = certificate.not_valid_after_utc.date().isoformat()
    wrong = chains.wrong_time(certificate)
    return f"{chains.name(certificate)}, valid until {until}" + (f" ({wrong})" if wrong else "")


def _write(file: Path, data: bytes, mode: int) -> None:
    """At once and whole, and never readable by others for a moment where that matters."""
    number, temporary = tempfile.mkstemp(dir=file.parent, prefix=".certs-")
    try:
        with os.fdopen(number, "wb") as open_file:
            open_file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise
