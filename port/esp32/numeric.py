# SPDX-License-Identifier: MIT
# IPv4 addresses in numbers.

from micropython import const

from . import fail, more

_INET = const(2)


def pack4(text):
    """The four bytes of an IPv4 address in dotted decimal form; ValueError for other text."""
    parts = text.split(".")
    if len(parts) != 4:
        raise ValueError
    for part in parts:
        if not part.isdigit() or int(part) > 255 or part[0] == "0" and part != "0":
            raise ValueError
    return bytes([int(part) for part in parts])


def show4(packed):
    return ".".join([str(b) for b in packed])


def is_inet(text):
    try:
        return bool(pack4(text))
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
    return show4(raw[4:8]), raw[2] << 8 | raw[3]
