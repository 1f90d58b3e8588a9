# SPDX-License-Identifier: MIT
# Names, addresses and byte order.

import struct
import sys

from . import errno as E
from .zio import start
from .zwait import an_int, op


def zsock_getaddrinfo(host, service, family=0, type=0, proto=0, flags=0):
    """The addresses of a host and service: a list of (family, type, proto, canonname, addr).

    host: a name, a numeric address (also "[::1]"), or None for this machine (the wildcard with
    AI_PASSIVE); service: a port as int, its digits, a service's name, or None.
    Raises gaierror, whose errno is the EAI code; OverflowError for an int out of 0..65535.
    Source: POSIX getaddrinfo(), zsock_getaddrinfo.
    """
    p = start()
    if isinstance(service, int):
        if not 0 <= service <= 0xFFFF:
            raise OverflowError("port must be 0-65535.")
        service = str(service)
    elif isinstance(service, (bytes, bytearray)):
        service = bytes(service).decode()
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode()
    for text in (host, service):
        if text is not None and not isinstance(text, str):
            raise TypeError("host and service are str, or None; service may be int")
        if text and "\0" in text:
            raise ValueError("embedded null character")
    an_int(family, type, proto, flags)
    if service and service.isdigit() and int(service) > 0xFFFF:
        fail("EAI_NONAME")
    if host and host[0] == "[" and host[-1] == "]" and ":" in host:
        host = host[1:-1]
    return op("getaddrinfo")(
        host, service, family, type & ~p.number("SOCK_NONBLOCK"), proto, flags
    )


def fail(name):
    p = start()
    code = p.number(name)
    raise p.gaierror(code, zsock_gai_strerror(code))


def zsock_getnameinfo(addr, flags=0):
    """The names of an address: (host, service). NI_NUMERICHOST, NI_NUMERICSERV: as digits.

    Raises gaierror; EOPNOTSUPP where the port has none. Source: POSIX getnameinfo().
    """
    f = op("getnameinfo")
    if isinstance(addr, (bytes, bytearray, memoryview)):
        addr = start().unpack(bytes(addr))
    if not isinstance(addr, tuple) or not 2 <= len(addr) <= 4 or not isinstance(addr[0], str):
        raise TypeError("getnameinfo takes (host, port) or (host, port, flowinfo, scope_id)")
    if len(addr) > 2 and ":" not in addr[0]:
        raise TypeError("an IPv4 address is (host, port)")
    an_int(flags)
    if not isinstance(addr[1], int):
        raise TypeError("port is an int")
    if not 0 <= addr[1] <= 0xFFFF:
        raise OverflowError("port must be 0-65535.")
    for part in addr[2:]:
        if isinstance(part, int) and not 0 <= part <= 0xFFFFFFFF:
            raise OverflowError("flowinfo and scope_id must fit 32 bits")
    return f(addr, flags)


_EAI = (
    "BADFLAGS NONAME AGAIN FAIL NODATA FAMILY SOCKTYPE SERVICE ADDRFAMILY MEMORY SYSTEM OVERFLOW"
)


def zsock_gai_strerror(code):
    """The symbol of an EAI code, "EAI_NONAME", or "EAI_UNKNOWN". Source: zsock_gai_strerror."""
    if not isinstance(code, int):
        raise TypeError("an EAI code is an int")
    for name in _EAI.split():
        try:
            if start().number("EAI_" + name) == code:
                return "EAI_" + name
        except KeyError:
            pass
    return "EAI_UNKNOWN"


def zsock_gethostname():
    """This machine's name. Source: POSIX gethostname()."""
    return op("gethostname")()


def zsock_inet_pton(family, text):
    """Packs a numeric address: 4 bytes (AF_INET) or 16 (AF_INET6), in network order.

    Raises OSError: EINVAL for text that is no address, EAFNOSUPPORT. Source: POSIX inet_pton().
    """
    p = start()
    if not isinstance(family, int) or not isinstance(text, str):
        raise TypeError("inet_pton takes (int, str)")
    _known(p, family)
    try:
        if "\0" in text:
            raise ValueError
        return p.inet_pton(family, text)
    except (OSError, ValueError):
        raise p.error(E.EINVAL)


def zsock_inet_ntop(family, packed):
    """The text of a packed address of 4 or 16 bytes.

    Raises OSError: EAFNOSUPPORT; ValueError for another length. Source: POSIX inet_ntop().
    """
    p = start()
    if not isinstance(family, int) or isinstance(packed, (int, str)):
        raise TypeError("inet_ntop takes (int, bytes)")
    packed = bytes(memoryview(packed))
    if len(packed) != _known(p, family):
        raise ValueError("invalid length of packed IP address string")
    return p.inet_ntop(family, packed)


def _known(p, family):
    if family == p.number("AF_INET"):
        return 4
    if family == p.number("AF_INET6"):
        return 16
    raise p.error(E.EAFNOSUPPORT)


def inet_aton(text):
    """Packs an IPv4 address; its last part may stand for several bytes, parts may be octal or hex.

    Raises OSError EINVAL. Source: inet_aton(3).
    """
    if not isinstance(text, str):
        raise TypeError("inet_aton takes str")
    parts = text.split(".")
    values = []
    for part in parts:
        base = 10
        if part[:2] in ("0x", "0X"):
            part, base = part[2:], 16
        elif part[:1] == "0" and len(part) > 1:
            part, base = part[1:], 8
        digits = "0123456789abcdef"[:base]
        if not part or not all([c in digits for c in part.lower()]):
            raise start().error(E.EINVAL)
        values.append(int(part, base))
    last = values.pop()
    room = 4 - len(values)
    if room < 1 or last >= 1 << 8 * room or any([v > 255 for v in values]):
        raise start().error(E.EINVAL)
    return bytes(values) + struct.pack("!I", last)[4 - room :]


def inet_ntoa(packed):
    """The dotted text of 4 bytes. Raises ValueError for another length. Source: inet_ntoa(3)."""
    packed = bytes(memoryview(packed))
    if len(packed) != 4:
        raise ValueError("packed IP wrong length")
    return ".".join([str(b) for b in packed])


def htons(value):
    """16 bits from host to network order, or back. OverflowError beyond. Source: POSIX htons()."""
    _fits(value, 0xFFFF)
    if sys.byteorder == "big":
        return value
    return value >> 8 | (value & 0xFF) << 8


def htonl(value):
    """32 bits from host to network order, or back. OverflowError beyond. Source: POSIX htonl()."""
    _fits(value, 0xFFFFFFFF)
    if sys.byteorder == "big":
        return value
    return htons(value >> 16) | htons(value & 0xFFFF) << 16


def _fits(value, most):
    if not isinstance(value, int):
        raise TypeError("an int is required")
    if not 0 <= value <= most:
        raise OverflowError("int out of range")


ntohs = htons
ntohl = htonl
