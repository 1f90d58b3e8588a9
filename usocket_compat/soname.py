# SPDX-License-Identifier: MIT
# getaddrinfo of the drop-in, but for what is in numbers. On a board the firmware looks names up,
# unless the layer asks the servers itself.

from sys import modules

from usocket_compat import _config

_usocket = modules["usocket"]
_KINDS = ((1, 6), (2, 17), (3, 0))


def getaddrinfo(host, port, family, type, proto, flags):
    if (
        _usocket.packs
        or getattr(_config, "USOCKET_DNS", False)
        or flags
        or proto
        or family & ~2
        or not host
        or host.__class__ is not str
        or port.__class__ is not int
        or not 0 <= port <= 65535
        or not 0 <= type < 4
    ):
        from usocket_compat import zsock_getaddrinfo

        return zsock_getaddrinfo(host, port, family, type, proto, flags)
    try:
        addr = _usocket.native.getaddrinfo(host, port, 2, type or 1)[0][4]
    except OSError:
        from usocket_compat.zbase import p

        raise p.gaierror(p.number("EAI_NONAME"), "EAI_NONAME")
    return [(2, kind, number, "", addr) for kind, number in _KINDS if type in (0, kind)]
