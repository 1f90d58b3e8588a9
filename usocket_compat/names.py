# SPDX-License-Identifier: MIT
# Every public name, for `from usocket_compat import *` on CPython.

from . import _config
from ._port import load


def public(loaded, prefixed, plain):
    names = [name for name in loaded if name[:6] == "zsock_"]
    for calls in prefixed.split("|"):
        names += ["zsock_" + call for call in calls.split()[1:]]
    for calls in plain.split("|"):
        names += calls.split()[1:]
    names = sorted(set(names))
    if _config.NET_SOCKETS_POSIX_NAMES:
        names += [name.split("_", 1)[1] for name in names if name[0] == "z"]
    names += [name for name in load().names() if name[0] != "E" or name[3:4] == "_"]
    return names + ["gaierror", "errno"]
