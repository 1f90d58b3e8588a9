# SPDX-License-Identifier: MIT
# Addresses as text and packed, and byte order (POSIX arpa/inet.h).

from .zbase import fail, p

# Whether 16 and 32 bits are here as they are on the network.
_BIG = p.struct.pack("H", 1) == b"\0\1"


def zsock_inet_pton(family, text):
    """Packs a numeric address: 4 bytes (AF_INET) or 16 (AF_INET6), in network order.

    Raises OSError: EINVAL for text that is no address, EAFNOSUPPORT. Source: POSIX inet_pton().
    """
    if not isinstance(family, int) or not isinstance(text, str):
        raise TypeError("inet_pton takes (int, str)")
    _known(family)
    try:
        if "\0" in text:
            raise ValueError
        return p.inet_pton(family, text)
    except (OSError, ValueError):
        fail("EINVAL")


def zsock_inet_ntop(family, packed):
    """The text of a packed address of 4 or 16 bytes.

    Raises OSError: EAFNOSUPPORT; ValueError for another length. Source: POSIX inet_ntop().
    """
    if not isinstance(family, int) or isinstance(packed, (int, str)):
        raise TypeError("inet_ntop takes (int, bytes)")
    packed = bytes(memoryview(packed))
    if len(packed) != _known(family):
        raise ValueError("invalid length of packed IP address string")
    return p.inet_ntop(family, packed)


def _known(family):
    if family == p.number("AF_INET"):
        return 4
    if family == p.number("AF_INET6"):
        return 16
    fail("EAFNOSUPPORT")


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
            fail("EINVAL")
        values.append(int(part, base))
    last = values.pop()
    room = 4 - len(values)
    if room < 1 or last >= 1 << 8 * room or any([v > 255 for v in values]):
        fail("EINVAL")
    return bytes(values) + p.struct.pack("!I", last)[4 - room :]


def inet_ntoa(packed):
    """The dotted text of 4 bytes. Raises ValueError for another length. Source: inet_ntoa(3)."""
    packed = bytes(memoryview(packed))
    if len(packed) != 4:
        raise ValueError("packed IP wrong length")
    return ".".join([str(b) for b in packed])


def htons(value):
    """16 bits from host to network order, or back. OverflowError beyond. Source: POSIX htons()."""
    _fits(value, 0xFFFF)
    if _BIG:
        return value
    return value >> 8 | (value & 0xFF) << 8


def htonl(value):
    """32 bits from host to network order, or back. OverflowError beyond. Source: POSIX htonl()."""
    _fits(value, 0xFFFFFFFF)
    if _BIG:
        return value
    return htons(value >> 16) | htons(value & 0xFFFF) << 16


def _fits(value, most):
    if not isinstance(value, int):
        raise TypeError("an int is required")
    if not 0 <= value <= most:
        raise OverflowError("int out of range")


ntohs = htons
ntohl = htonl
