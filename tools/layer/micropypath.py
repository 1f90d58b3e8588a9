# SPDX-License-Identifier: MIT
# Where MicroPython's unix port finds the layer.
from __future__ import annotations

import os
from pathlib import Path

from .. import files
from . import kconfig

# What MicroPython searches when MICROPYPATH is not set.
_DEFAULT_PATH = ".frozen:~/.micropython/lib:/usr/lib/micropython"


def search_path(conf: Path | None = None) -> str:
    """MICROPYPATH for a program: the layer's folders before those of the user."""
    return f"{unix_path(conf)}:{os.environ.get('MICROPYPATH', _DEFAULT_PATH)}"


def unix_path(conf: Path | None = None) -> str:
    """The folders from which MicroPython's unix port imports the layer, so configured; in the form
    of MICROPYPATH.
    """
    staged = conf is not None or not files.CHECKOUT
    conf = conf or kconfig.board_file("UNIX")
    values = kconfig.load(conf)
    folder = files.PACKAGE.parent
    if staged:
        folder = files.stage("unix", kconfig.generate(values, conf.name))
    if not values["USOCKET_DROPIN"]:
        return str(folder)
    # Before what is frozen into the interpreter.
    return f"{files.dropin_files()['socket'].parent}:{folder}"
