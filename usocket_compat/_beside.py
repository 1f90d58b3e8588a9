# SPDX-License-Identifier: MIT
# Finds the port in a source tree and in a frozen firmware, where port/ is beside this package.
# It is looked for there alone: a program may have a port.py of its own.

import sys

_package = sys.modules[__name__.rpartition(".")[0]]


def load(name):
    inside = _package.__path__
    text = inside.__class__ is str  # MicroPython
    folder = (inside if text else inside[0]).rpartition("/")[0] or "."
    _package.__path__ = folder if text else [folder]
    try:
        port = __import__(_package.__name__ + ".port", None, None, ("load",))
    finally:
        _package.__path__ = inside
    return port.load(name)
