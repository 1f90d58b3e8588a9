# SPDX-License-Identifier: MIT
# getaddrinfo and getnameinfo of libc (POSIX netdb.h).

import sys

from uctypes import bytes_at

from .clib import gaierror, libc
from .firmware import os, struct
from .sockaddr import pack, unpack

_ADDRINFO = "iiiiIPPP"
_EAI_SYSTEM = -11
_EAI_FAMILY = -6


def _fail(code):
    if code == _EAI_SYSTEM:
        raise OSError(os.errno())
    text = libc("gai_strerror", "s", "i")(code)
    raise gaierror(code, text)


def _text(value):
    """A C string that outlives the call, or NULL."""
    if value is None:
        return None
    return value if isinstance(value, str) else str(value)


def _string(address):
    if not address:
        return ""
    n = 0
    while bytes_at(address + n, 1) != b"\0":
        n += 1
    return bytes_at(address, n).decode()


def getaddrinfo(host, service, family, type, proto, flags):
    hints = struct.pack(_ADDRINFO, flags, family, type, proto, 0, 0, 0, 0)
    found = []
    result = bytearray(struct.calcsize("P"))
    free = libc("freeaddrinfo", "v", "P")
    code = libc("getaddrinfo", "i", "PPPP")(_text(host), _text(service), hints, result)
    if code:
        _fail(code)
    first = at = int.from_bytes(result, sys.byteorder)
    try:
        while at:
            item = struct.unpack(_ADDRINFO, bytes_at(at, struct.calcsize(_ADDRINFO)))
            _, family, type, proto, size, addr, name, at = item
            found.append((family, type, proto, _string(name), unpack(bytes_at(addr, size))))
    finally:
        free(first)  # without memory too
    return found


def getnameinfo(addr, flags):
    if isinstance(addr, (bytes, bytearray)):
        raw = bytes(addr)
    else:
        # The host part must be numeric; it says which family is meant.
        numeric = getaddrinfo(addr[0], None, 0, 2, 0, 4)
        raw = pack(numeric[0][0], addr, getaddrinfo)
    host = bytearray(1025)
    service = bytearray(32)
    code = libc("getnameinfo", "i", "PIPIPIi")(
        raw, len(raw), host, len(host), service, len(service), flags
    )
    if code:
        _fail(code)
    return (
        bytes(host[: host.find(b"\0")]).decode(),
        bytes(service[: service.find(b"\0")]).decode(),
    )
