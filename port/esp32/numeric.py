# SPDX-License-Identifier: MIT
# Addresses in numbers.

from micropython import const

from . import fail, more

_INET = const(2)


def inet_pton(family, text):
    if family == _INET:
        parts = text.split(".")
        if len(parts) != 4:
            raise ValueError
        for part in parts:
            if not part.isdigit() or int(part) > 255 or part[0] == "0" and part != "0":
                raise ValueError
        return bytes([int(part) for part in parts])
    return pton6(text)


def pton6(text):
    halves = text.split("::")
    if len(halves) > 2:
        raise ValueError
    packed = [_groups(half) for half in halves]
    size = sum([len(part) for part in packed])
    if len(halves) == 1:
        if size != 16:
            raise ValueError
        return packed[0]
    if size > 14:
        raise ValueError
    return packed[0] + bytes(16 - size) + packed[1]


def _groups(text):
    out = b""
    groups = text.split(":") if text else []
    for i, group in enumerate(groups):
        if "." in group and i == len(groups) - 1:
            out += inet_pton(_INET, group)
        elif 0 < len(group) < 5 and all([c in "0123456789abcdefABCDEF" for c in group]):
            value = int(group, 16)
            out += bytes([value >> 8, value & 0xFF])
        else:
            raise ValueError
    return out


def inet_ntop(family, packed):
    if family == _INET:
        return ".".join([str(b) for b in packed])
    groups = [packed[i] << 8 | packed[i + 1] for i in range(0, 16, 2)]
    if not any(groups[:5]) and (groups[5] == 0xFFFF or not groups[5] and groups[6]):
        return ("::ffff:" if groups[5] else "::") + inet_ntop(_INET, packed[12:])
    # RFC 5952: the longest run of two or more zero groups, the first of them, is "::".
    best, size, i = 0, 1, 0
    while i < 8:
        n = 0
        while i + n < 8 and not groups[i + n]:
            n += 1
        if n > size:
            best, size = i, n
        i += n + 1
    if size < 2:
        return ":".join(["%x" % g for g in groups])
    head = ":".join(["%x" % g for g in groups[:best]])
    return head + "::" + ":".join(["%x" % g for g in groups[best + size :]])


def is_inet(text):
    try:
        return bool(inet_pton(_INET, text))
    except ValueError:
        return False


def resolve(family, addr):
    """(host, port) in numbers, of an address as contract 7 takes it."""
    if isinstance(addr, (bytes, bytearray, memoryview)):
        addr = unpack(bytes(addr))
        if addr is None:
            fail("EOPNOTSUPP")
    if not isinstance(addr, tuple):
        raise TypeError("AF_INET address must be tuple")
    if len(addr) != 2:
        raise TypeError("AF_INET address must be a pair (host, port)")
    host, port = addr
    if not isinstance(port, int):
        raise TypeError("an integer is required for the port")
    if not 0 <= port <= 0xFFFF:
        raise OverflowError("port must be 0-65535.")
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode()
    if not isinstance(host, str):
        raise TypeError("host must be str")
    if "\0" in host:
        raise ValueError("embedded null character")
    if not host:
        host = "0.0.0.0"
    elif host == "<broadcast>":
        host = "255.255.255.255"
    elif not is_inet(host):
        return more("resolver").getaddrinfo(host, port, _INET, 0, 0, 0)[0][4]
    return host, port


def unpack(raw):
    """The address in a packed sockaddr_in of lwIP; None for AF_UNSPEC."""
    if len(raw) < 16:
        fail("EINVAL")
    family = raw[1] or raw[0]  # lwIP's has its length in front
    if not family:
        return None
    if family != _INET:
        fail("EAFNOSUPPORT")
    return inet_ntop(_INET, raw[4:8]), raw[2] << 8 | raw[3]
