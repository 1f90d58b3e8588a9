# SPDX-License-Identifier: MIT
# Addresses as Python shows them <-> struct sockaddr as Linux lays it out.

from .firmware import inet_ntop, inet_pton, struct

_AF_UNIX = 1
_AF_INET = 2
_AF_INET6 = 10
_SUN_PATH = 108


def is_packed(family, addr):
    """True when `addr` is a sockaddr already. A bytes path of AF_UNIX is not one."""
    if not isinstance(addr, (bytes, bytearray, memoryview)):
        return False
    if family != _AF_UNIX:
        return True
    return len(addr) > 2 and bytes(addr[:2]) == struct.pack("H", _AF_UNIX)


def _port(port, what="port"):
    if not isinstance(port, (int, bool)):
        raise TypeError("an integer is required for the " + what)
    port = int(port)
    if not 0 <= port <= 0xFFFF:
        raise OverflowError("port must be 0-65535.")
    return port


def shown(number):
    """The host behind INADDR_ANY, INADDR_LOOPBACK or INADDR_BROADCAST; None for another number."""
    if number in (0, 0x7F000001, 0xFFFFFFFF):
        return inet_ntop(_AF_INET, struct.pack("!I", number))


def _host(family, host, lookup):
    if isinstance(host, (bytes, bytearray)):
        try:
            host = bytes(host).decode()
        except UnicodeError:
            host = ".."  # as little a name
    if host.__class__ is int and family == _AF_INET:
        host = shown(host) or host
    if not isinstance(host, str):
        raise TypeError("host must be str")
    if "\0" in host:
        raise ValueError("embedded null character")
    if not host:
        host = "0.0.0.0" if family == _AF_INET else "::"
    elif host == "<broadcast>" and family == _AF_INET:
        host = "255.255.255.255"
    try:
        return inet_pton(family, host), 0
    except OSError:
        pass
    # A name, or a numeric form that only the resolver reads ("127.1", "fe80::1%eth0").
    found = lookup(host, None, family, 0, 0, 0)[0][4]
    return inet_pton(family, found[0]), found[3] if family == _AF_INET6 else 0


def pack(family, addr, lookup):
    """struct sockaddr of `addr`; `lookup` is the port's getaddrinfo."""
    if is_packed(family, addr):
        return bytes(addr)
    if family == _AF_INET:
        if not isinstance(addr, tuple):
            raise TypeError("AF_INET address must be tuple")
        if len(addr) != 2:
            raise TypeError("AF_INET address must be a pair (host, port)")
        port = _port(addr[1])
        host = _host(family, addr[0], lookup)[0]
        return struct.pack("H", family) + struct.pack("!H", port) + host + bytes(8)
    if family == _AF_INET6:
        if not isinstance(addr, tuple):
            raise TypeError("AF_INET6 address must be tuple")
        if not 2 <= len(addr) <= 4:
            raise TypeError("AF_INET6 address must be (host, port[, flowinfo[, scope_id]])")
        port = _port(addr[1])
        flow = addr[2] if len(addr) > 2 else 0
        scope = addr[3] if len(addr) > 3 else 0
        if not isinstance(flow, int) or not isinstance(scope, int):
            raise TypeError("flowinfo and scope_id must be int")
        if not 0 <= flow <= 0xFFFFF:
            raise OverflowError("flowinfo must be 0-1048575.")
        if not 0 <= scope <= 0xFFFFFFFF:
            raise OverflowError("scope_id must fit 32 bits")
        host, zone = _host(family, addr[0], lookup)
        head = struct.pack("H", family) + struct.pack("!HI", port, flow)
        return head + host + struct.pack("I", scope or zone)
    if family == _AF_UNIX:
        if isinstance(addr, str):
            addr = addr.encode()
        if not isinstance(addr, (bytes, bytearray)):
            raise TypeError("AF_UNIX address must be str or bytes")
        abstract = not addr or not addr[0]
        if len(addr) + (not abstract) > _SUN_PATH:
            return None
        return struct.pack("H", family) + bytes(addr) + (b"" if abstract else b"\0")
    raise TypeError("an address of this family must be a packed sockaddr")


def unpack(raw):
    """The address in a sockaddr of len(raw) bytes; None when it is empty.

    Addresses of other families stay packed.
    """
    if len(raw) < 2:
        return None
    family = struct.unpack_from("H", raw)[0]
    if family == _AF_INET and len(raw) >= 8:
        return inet_ntop(family, bytes(raw[4:8])), struct.unpack("!H", raw[2:4])[0]
    if family == _AF_INET6 and len(raw) >= 24:
        port, flow = struct.unpack("!HI", raw[2:8])
        scope = struct.unpack("I", raw[24:28])[0] if len(raw) >= 28 else 0
        return inet_ntop(family, bytes(raw[8:24])), port, flow, scope
    if family == _AF_UNIX:
        path = bytes(raw[2:])
        if path[:1] == b"\0":
            return path
        end = path.find(b"\0")
        path = path if end < 0 else path[:end]
        try:
            return path.decode()
        except UnicodeError:
            return path
    return bytes(raw)
