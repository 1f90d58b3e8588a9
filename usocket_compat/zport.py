# SPDX-License-Identifier: MIT
# Another port beneath the layer: all that was loaded upon the one before is forgotten. And what
# the port is told of the platform.

from sys import modules

from . import _config
from .zbase import closed, fail, op, tab

_PACKAGE = __name__.rpartition(".")[0]
_CONFIG = _PACKAGE + "._config"


def use(port):
    """Puts another port beneath the layer, such as one that makes faults; returns the one before.

    port: a module or another object with what port/interface.py tells, or the name of one of the
    layer's own ("": this machine's). What is returned may be given back. Names that a program took
    from usocket_compat before, `errno` too, stay those of the port before.
    Raises OSError EBUSY while an fd is open; ValueError for a name that no port has; TypeError for
    anything else. Then nothing has changed.
    """
    for sock in tab:
        if sock is not closed:
            fail("EBUSY")
    if not isinstance(port, str) and not hasattr(port, "CLOSED"):
        raise TypeError("no port: it has no CLOSED (docs/adding-a-port.md)")
    before = _config.USOCKET_PORT
    _begin(port)
    try:
        modules[_PACKAGE].zsock_socket  # loads it
    except BaseException:
        _begin(before)
        raise
    return before


def use_interface(nic):
    """Names a network interface of the board, for good: its addresses are the board's own.

    nic: an object of MicroPython's module network, such as network.PPP(...). For getsockname, and
    for bind to one address. Ethernet is known once network.LAN(...) is there; Wi-Fi as long as no
    other interface is: beside one, name it with network.WLAN() too.
    Raises TypeError for another object; OSError EOPNOTSUPP on hosts, which know their own.
    """
    op("use_interface")(nic)


def _begin(port):
    _config.USOCKET_PORT = port
    for name in list(modules):
        if name.startswith(_PACKAGE + ".") and name != _CONFIG:
            modules.pop(name)
    package = modules[_PACKAGE]
    # Public names there are only what was found and loaded.
    for name in list(package.__dict__):
        if name[:1] != "_":
            delattr(package, name)
