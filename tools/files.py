# SPDX-License-Identifier: MIT
# Where things are: in a checkout, in a pip install, in the cache.
from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePath

from .errors import UsocketError

_TOP = Path(__file__).resolve().parent.parent
CHECKOUT = (_TOP / "Kconfig").is_file()
PACKAGE = _TOP / "usocket_compat"
PORTS = _TOP / "port" if CHECKOUT else PACKAGE / "port"
# Folders of a wheel's share/ that have another place in a checkout.
_ELSEWHERE = {
    "common": "tests/common",
    "quirks": "tests/vboard/quirks",
    "typings": "typings/dropin",
}
DROPIN = "dropin"  # a folder of a checkout


def version() -> str:
    """This release. Not asked of the package itself, which wants a configuration that is right."""
    text = (PACKAGE / "__init__.py").read_text()
    found = re.search(r'(?m)^__version__ = "(.+)"$', text)
    assert found
    return found[1]


def data_file(name: str) -> Path:
    """Kconfig, board_configs/..., dropin/... or the suite's, which a wheel has in share/."""
    if not CHECKOUT:
        return Path(__file__).resolve().parent / "share" / name
    folder, _, rest = name.partition("/")
    return _TOP / _ELSEWHERE.get(folder, folder) / rest


def ports() -> list[str]:
    return sorted(folder.parent.name for folder in PORTS.glob("*/__init__.py"))


def cache_dir() -> Path:
    """Where built interpreters and staged files live, outside the tree."""
    named = os.environ.get("USOCKET_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "usocket_compat"


def cache_folder(name: str) -> Path:
    """This folder in the cache, made if need be: what is in it is run, and for this user alone."""
    top = cache_dir()
    top.parent.mkdir(parents=True, exist_ok=True)
    top.mkdir(0o700, exist_ok=True)
    folder = top / name
    folder.mkdir(0o700, exist_ok=True)
    for each in (top, folder):
        state = each.stat()
        # A folder of that name, by an older version. One that the user named may have more in it.
        ours = each == folder or "USOCKET_CACHE" not in os.environ
        if ours and state.st_uid == os.geteuid() and state.st_mode & 0o077:
            each.chmod(0o700)
    return folder


# What a board does not need: where this symbol has this value, these files are never loaded.
_SPARED = (
    ("NET_SOCKETPAIR", False, "port/esp32/memory.py"),
    ("USOCKET_DROPIN", False, "so*.py"),
    ("NET_SOCKETS_SERVICE", False, "service.py"),
    ("NET_SOCKETS_SOCKOPT_TLS", False, "tls*.py"),
    ("NET_SOCKETS_ENABLE_DTLS", False, "tlsd*.py"),
)


# What a board never loads: CPython's engines, and what needs epoll.
_HOSTS = ("aiohost.py", "tlshost*.py", "zepoll.py", "zlines.py", "zunseen.py")


def spared(values: Mapping[str, object]) -> tuple[str, ...]:
    """Those of the device's files that a board with this configuration does without."""
    names = [*_HOSTS, *(name for symbol, value, name in _SPARED if values[symbol] == value)]
    return tuple(
        name
        for name in device_files("esp32")
        if any(PurePath(name).match(f"usocket_compat/{pattern}") for pattern in names)
    )


def device_files(port: str) -> dict[str, Path]:
    """Every file that a device with this port needs: path on the device -> file here."""
    if port not in ports():
        raise UsocketError(f"there is no port {port!r}", "The ports: " + ", ".join(ports()))
    found = {f"usocket_compat/{file.name}": file for file in sorted(PACKAGE.glob("*.py"))}
    found["usocket_compat/port/__init__.py"] = PORTS / "__init__.py"
    for file in sorted((PORTS / port).rglob("*.py")):
        found[f"usocket_compat/port/{file.relative_to(PORTS).as_posix()}"] = file
    return found


def dropin_files() -> dict[str, Path]:
    """The drop-in modules, by their names."""
    folder = data_file(f"{DROPIN}/socket.py").parent
    return {file.stem: file for file in sorted(folder.glob("*.py"), reverse=True)}


def stage(port: str, config: str) -> Path:
    """A folder with the device's files and this text as _config.py; kept in the cache."""
    contents = {name: file.read_bytes() for name, file in device_files(port).items()}
    contents["usocket_compat/_config.py"] = config.encode()
    digest = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()[:12]
    folder = cache_folder("stage") / f"{port}-{digest}"
    if folder.is_dir():
        return folder
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        for name, content in contents.items():
            (building / name).parent.mkdir(parents=True, exist_ok=True)
            (building / name).write_bytes(content)
        building.rename(folder)
    except OSError:
        # Another run may have finished the same folder first.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder
