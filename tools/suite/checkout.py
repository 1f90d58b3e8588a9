# SPDX-License-Identifier: MIT
# The behaviour suite, where it is: in a checkout alone.
from __future__ import annotations

import importlib.util
from pathlib import Path

from .. import files
from ..errors import UsocketError


def suite(command: str) -> Path:
    """The folder tests/, for a command that needs it."""
    found = files.PACKAGE.parent / "tests"
    if not files.CHECKOUT or not found.is_dir():
        raise UsocketError(
            "the behaviour suite is not here: pip does not install it",
            f"Run `usocket {command}` of a checkout of the project.",
        )
    return found


def need(*packages: str) -> None:
    missing = [name for name in packages if not importlib.util.find_spec(_module(name))]
    if missing:
        raise UsocketError(
            "the suite needs " + ", ".join(missing), "pip install 'usocket-compat[test]'"
        )


def _module(package: str) -> str:
    return "xdist" if package == "pytest-xdist" else package.replace("-", "_")
