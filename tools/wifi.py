# SPDX-License-Identifier: MIT
# A network's name and its key, of a file or the environment: arguments are in everybody's `ps`.
from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .errors import UsocketError

# Names of environment variables.
SSID, KEY = "USOCKET_WIFI_SSID", "USOCKET_WIFI_KEY"
ENVIRONMENT = "env"


class Wifi(NamedTuple):
    ssid: str
    key: str

    def variables(self) -> dict[str, str]:
        """For the environment of a process of ours, which takes them by ENVIRONMENT."""
        return {SSID: self.ssid, KEY: self.key}


def wifi_of(file: Path | None, environment: Mapping[str, str]) -> Wifi | None:
    """The network of this file, or of the environment; None if that names none."""
    if file is None:
        ssid = environment.get(SSID, "")
        if not ssid and environment.get(KEY):
            raise UsocketError(f"{KEY} is set, and {SSID} is not", "Set both, or neither.")
        return Wifi(ssid, environment.get(KEY, "")) if ssid else None
    try:
        ssid, _, rest = file.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise UsocketError(
            f"cannot read {file}: {reason}",
            "It is a text file: the network's name in the first line, the key in the second.",
        ) from error
    if not ssid.strip():
        raise UsocketError(
            f"{file} names no network",
            "The network's name belongs into the first line, the key into the second.",
        )
    if _committed(file):
        raise UsocketError(
            f"{file} is committed: the key of the network is there for all to read",
            "`git rm --cached` takes it out, .gitignore keeps it out; and change the key.",
        )
    return Wifi(ssid.strip(), rest.partition("\n")[0].strip())


def _committed(file: Path) -> bool:
    command = ["git", "ls-files", "--error-unmatch", file.name]
    try:
        return not subprocess.run(command, cwd=file.parent, capture_output=True).returncode
    except OSError:
        return False


def named(text: str, environment: Mapping[str, str]) -> Wifi:
    """The network of an option: SSID:KEY, @FILE, or ENVIRONMENT."""
    if text == ENVIRONMENT:
        wifi = wifi_of(None, environment)
        if wifi is None:
            raise UsocketError(f"{SSID} is not set", f"It names the network, and {KEY} its key.")
    elif text.startswith("@"):
        wifi = wifi_of(Path(text[1:]), environment)
        assert wifi
    else:
        if not re.fullmatch(r"[^:]{1,32}:.{0,64}", text):
            raise UsocketError(
                "--wifi is not SSID:KEY", f"Such as --wifi lab:secret99; @FILE, or {ENVIRONMENT}."
            )
        ssid, _, key = text.partition(":")
        wifi = Wifi(ssid, key)
    if len(wifi.ssid.encode()) > 32 or len(wifi.key.encode()) > 64:
        raise UsocketError(
            "no Wi-Fi network has such a long name or key", "32 bytes, and a key of 64 at most."
        )
    return wifi
