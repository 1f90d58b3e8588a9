# SPDX-License-Identifier: MIT
# Source packages through apt, without root: of Debian releases newer than this machine's, where
# its mirror has these, else of its own, a derivative's. The mirror and its key come from the
# machine's own apt configuration, all state is in our cache.
from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NamedTuple

from ..errors import UsocketError
from ..files import cache_folder

# trixie holds the oldest version that is supported here, the others what came later.
_SUITES = "trixie testing unstable"
# What a derivative has of ours is not in its main.
_COMPONENTS = ("main", "universe")
_OWN_SOURCES = "MICROPYTHON_SRC, LWIP_SRC and MBEDTLS_SRC name sources of your own."
_APT_HELPER = "/usr/lib/apt/apt-helper"


class Archive(NamedTuple):
    uri: str
    signed_by: str
    trusted: str = ""
    suites: str = ""
    components: str = "main"

    def stanza(self, suites: str, components: str) -> str:
        lines = ["Types: deb-src", f"URIs: {self.uri}"]
        lines += [f"Suites: {suites}", f"Components: {components}"]
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        if self.trusted:
            lines.append(f"Trusted: {self.trusted}")
        return "\n".join(lines) + "\n"


def archives(etc: Path = Path("/etc/apt")) -> list[Archive]:
    """What apt is configured with that may be a distribution's archive, the likeliest first."""
    found = []
    for fields in _entries(etc):
        suites = fields.get("suites", "").split()
        # Security, updates and third-party suites have a dash or a slash in their names.
        plain = any(re.fullmatch(r"[a-z]+", suite) for suite in suites)
        components = fields.get("components", "").split()
        if plain and {*components} & {*_COMPONENTS}:
            ours = " ".join(each for each in components if each in _COMPONENTS)
            for uri in fields.get("uris", "").split():
                signed, trusted = fields.get("signed-by", ""), fields.get("trusted", "")
                found.append(Archive(uri, signed, trusted, fields.get("suites", ""), ours))
    found.sort(key=lambda archive: not archive.uri.rstrip("/").endswith("/debian"))
    return list(dict.fromkeys(found))


def _entries(etc: Path) -> Iterator[dict[str, str]]:
    for file in sorted(etc.glob("sources.list.d/*.sources")):
        lines = [line for line in _text(file).splitlines() if not line.startswith("#")]
        for stanza in re.split(r"\n[ \t]*\n", "\n".join(lines)):
            fields = {}
            for name, value in re.findall(r"(?m)^([\w-]+):(.*(?:\n[ \t].*)*)", stanza):
                fields[name.lower()] = value.strip()
            if fields.get("enabled", "yes").lower() not in ("no", "false", "0"):
                yield fields
    for file in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        for line in _text(file).splitlines():
            found = re.match(r"deb(?:-src)?\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]*)", line)
            if found:
                signed = re.search(r"signed-by=(\S+)", found[1] or "")
                trusted = re.search(r"trusted=(\S+)", found[1] or "")
                yield {
                    "uris": found[2],
                    "suites": found[3],
                    "components": found[4],
                    "signed-by": signed[1] if signed else "",
                    "trusted": trusted[1] if trusted else "",
                }


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class Packages:
    """The source packages of one name that the archive has."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = cache_folder("apt")

    def update(self, serves: Callable[[str], bool] = bool) -> dict[str, str]:
        """Ask the archive anew: upstream version -> package version.

        Where none of these serves, the next archive, or its own suites, are asked.
        """
        if not shutil.which("apt-get"):
            raise UsocketError(
                "this system has no apt, so there are no source packages", _OWN_SOURCES
            )
        candidates = archives()
        if not candidates:
            raise UsocketError("apt's configuration names no Debian archive", _OWN_SOURCES)
        for part in ("parts", "lists/partial", "cache/archives/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        problem = ""
        found: dict[str, str] = {}
        stanzas = [each.stanza(_SUITES, "main") for each in candidates]
        stanzas += [each.stanza(each.suites, each.components) for each in candidates]
        for stanza in stanzas:
            # A file for each package: one may be found where another is not.
            (self.folder / f"parts/{self.name}.sources").write_text(stanza)
            done = self._apt("apt-get", "update")
            shown = self._apt("apt-cache", "showsrc", "--only-source", self.name)
            versions = re.findall(r"(?m)^Version: (\d\S*)", shown.stdout)
            numbers = {upstream(version): version for version in versions}
            found = {n: v for n, v in numbers.items() if re.fullmatch(r"[\d.]*\d", n)} or found
            if any(map(serves, found)):
                return found
            said = re.findall(r"(?m)^E: (.*)", done.stderr)
            problem = problem or (said[0] if said else "")
        if found:
            return found
        raise UsocketError(
            f"apt found no source package of {self.name}" + (f": {problem}" if problem else ""),
            _OWN_SOURCES,
        )

    def digests(self) -> dict[str, str]:
        """Of the upstream archives in the lists that are here: name -> SHA-256."""
        if not shutil.which("apt-cache"):
            return {}
        shown = self._apt("apt-cache", "showsrc", "--only-source", self.name)
        found = re.findall(r"(?m)^ ([0-9a-f]{64}) \d+ (\S+\.orig\.tar\.\w+)$", shown.stdout)
        return {name: digest for digest, name in found}

    def fetch(self, package_version: str, folder: Path) -> Path:
        """Bring the upstream archive of this version into the folder."""
        source = f"{self.name}={package_version}"
        shown = self._apt("apt-get", "source", "--only-source", "--print-uris", source)
        # Only the upstream archive: a .dsc of a suite in motion may be gone already.
        found = re.search(r"'(\S+)' (\S+\.orig\.tar\.\w+) \d+ (\S+:\w+)", shown.stdout)
        if not found:
            raise UsocketError(f"apt does not know the source package {source}", _OWN_SOURCES)
        target = folder / found[2]
        done = self._apt(_APT_HELPER, "download-file", found[1], str(target), found[3])
        if done.returncode or not target.is_file():
            raise UsocketError(
                f"apt could not download {found[2]}: {done.stderr.strip()}",
                "Is there a network? If so, repeat the command.",
            )
        return target

    def _apt(self, *command: str) -> subprocess.CompletedProcess[str]:
        options = {
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self.folder / "parts",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            # As root, apt would else change to a user that may not read our cache.
            "APT::Sandbox::User": "root",
            "Acquire::Retries": 3,
            "Acquire::Languages": "none",
        }
        flags = [flag for name, value in options.items() for flag in ("-o", f"{name}={value}")]
        return subprocess.run(
            [command[0], *flags, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )


def upstream(package_version: str) -> str:
    """1.26.1+ds-1 -> 1.26.1"""
    return re.split(r"[-+~]", package_version.split(":")[-1])[0]
