# SPDX-License-Identifier: MIT
# Every public name: for `from usocket_compat import *`, and for hosts, which load all at once.

from . import _config


def public(zsock, plain, found):
    """The names, given the two tables of the package, and what it has already."""
    if _config.USOCKET_LAZY and not hasattr(public, "__doc__"):
        # MicroPython asks from 1.28 on, and loads what it is told: a board has no room for all.
        return [name for name in found if name[0] != "_"]
    from .extra import public as extras
    from .zbase import p

    names = []
    for calls in zsock.split("|"):
        names += ["zsock_" + call for call in calls.split()[1:]]
    for calls in plain.split("|"):
        names += calls.split()[1:]
    if _config.NET_SOCKETS_POSIX_NAMES:
        names += [name.split("_", 1)[1] for name in names if name[0] == "z"]
    # errnos, but not EAI_X and EFD_X, are in usocket_compat.errno
    names += [name for name in p.names() if name[0] != "E" or name[3:4] == "_"]
    return names + ["gaierror", "errno"] + extras()


def complete(found):
    """Where all has been loaded, adds Zephyr's names: a board finds each when it is asked for."""
    from .zephyr import public, spelled

    names = found["__all__"]
    constants = [name for name in names if name.upper() == name]
    names += public(constants)
    for name in constants:
        for other in spelled(name):
            found[other] = found[name]
    for name in names:
        if name not in found:
            found["__getattr__"](name)
    _describe(found)


def _describe(found):
    """Gives a port's own calls the docstrings of the layer's, where there are any (CPython)."""
    if not hasattr(_describe, "__doc__"):
        return
    from . import zio, zrepoll

    for module in zio, zrepoll:
        for name in dir(module):
            if name[:6] == "zsock_" and not found[name].__doc__:
                found[name].__doc__ = getattr(module, name).__doc__
