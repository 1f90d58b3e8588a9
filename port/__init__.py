# SPDX-License-Identifier: MIT
# Which port this machine has. What a port gives to the layer is in interface.py, which no board
# needs. This file imports only sys, so that an ImportError here can only mean "not there".

import sys


def load(name=""):
    """The port of that name, or, where Kconfig leaves it open, this machine's."""
    if name.__class__ is not str:
        return name  # a port itself (usocket_compat.use)
    if not name:
        name = "esp32" if sys.platform == "esp32" else "unix"
    if name == "unix":
        from .unix import backend

        return backend()
    if name == "esp32":
        from . import esp32

        return esp32
    raise ValueError("CONFIG_USOCKET_PORT names no port: " + repr(name))
