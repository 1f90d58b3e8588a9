# SPDX-License-Identifier: MIT
# Where things are: in a checkout, in a pip install, in the cache.
from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path
from typing import Mapping

from .errors import UsocketError

_TOP = Path(__file__).resolve().parent.parent
CHECKOUT = (_TOP / "Kconfig").is_file()
PACKAGE = _TOP / "usocket_compat"
PORTS = _TOP / "port" if CHECKOUT else PACKAGE / "port"


def data_file(name: str) -> Path:
    """Kconfig or board_configs/..., which pip installs outside the packages."""
    if CHECKOUT:
        return _TOP / name
    for file in importlib.metadata.files("usocket-compat") or ():
        if file.as_posix().endswith("share/usocket-compat/" + name):
            return Path(str(file.locate())).resolve()
    return Path(name)


def ports() -> list[str]:
    return sorted(folder.parent.name for folder in PORTS.glob("*/__init__.py"))


def cache_dir() -> Path:
    """Where built interpreters and staged files live, outside the tree."""
    named = os.environ.get("USOCKET_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "usocket_compat"


# What a board does not need: where this symbol has this value, this file is never loaded.
_SPARED = (
    ("NET_SOCKETPAIR", False, "usocket_compat/port/esp32/memory.py"),
    ("USOCKET_THREADS", True, "usocket_compat/nothreads.py"),
)


def spared(values: Mapping[str, object]) -> tuple[str, ...]:
    """Those of the device's files that a board with this configuration does without."""
    return tuple(name for symbol, value, name in _SPARED if values[symbol] == value)


def device_files(port: str) -> dict[str, Path]:
    """Every file that a device with this port needs: path on the device -> file here."""
    if port not in ports():
        raise UsocketError(f"there is no port {port!r}", "The ports: " + ", ".join(ports()))
    found = {f"usocket_compat/{file.name}": file for file in sorted(PACKAGE.glob("*.py"))}
    found["usocket_compat/port/__init__.py"] = PORTS / "__init__.py"
    for file in sorted((PORTS / port).rglob("*.py")):
        found[f"usocket_compat/port/{file.relative_to(PORTS).as_posix()}"] = file
    return found


def stage(port: str, config: str) -> Path:
    """A folder with the device's files and this text as _config.py; kept in the cache."""
    contents = {name: file.read_bytes() for name, file in device_files(port).items()}
    contents["usocket_compat/_config.py"] = config.encode()
    digest = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()[:12]
    folder = cache_dir() / "stage" / f"{port}-{digest}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        for name, content in contents.items():
            (building / name).parent.mkdir(parents=True, exist_ok=True)
            (building / name).write_bytes(content)
        building.chmod(0o755)
        building.rename(folder)
    except OSError:
        # Another run may have finished the same folder first.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder
