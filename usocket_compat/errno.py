# SPDX-License-Identifier: MIT
# errno names of POSIX, with the numbers of the platform beneath: `errno.EISCONN`, and back:
# `errno.errorcode[e.errno]`, a dict that is made when it is asked for.

from . import _config
from .zbase import p


def __getattr__(name):
    if name[:1] == "E":
        try:
            value = globals()[name] = p.number(name)
            return value
        except KeyError:
            pass
    elif name == "errorcode":
        from .errtext import errorcode

        return errorcode()
    raise AttributeError(name)


if not _config.USOCKET_LAZY:
    # At once: a dict that grows while another thread looks into it needs a GIL.
    for _name in p.names():
        if _name[0] == "E" and _name[3:4] != "_":
            globals()[_name] = p.number(_name)
    errorcode = __getattr__("errorcode")
