# SPDX-License-Identifier: MIT
# Names of hosts, and what in getaddrinfo is not plain, in the order in which glibc looks at it.
# What is in numbers never reaches lwIP's resolver.

from micropython import const

from . import load, number, resolve, ticks_diff, ticks_ms
from .errors import gaierror
from .inet import inet_ntop, pton6
from .numeric import is_inet, show4

# numbers.py has these by name
_AI_ADDRCONFIG = const(64)
_AI_CANONNAME = const(2)
_AI_NUMERICHOST = const(4)
_AI_NUMERICSERV = const(8)
_AI_PASSIVE = const(1)
_AI_V4MAPPED = const(16)
_NI_NAMEREQD = const(8)
_NI_NUMERICHOST = const(1)
_INET = const(2)
_INET6 = const(10)
_RAW = const(3)
# lwIP gives up a server that does not answer after 6 to 7 s (dns.c).
_PATIENCE = const(5500)
# Types of sockets and their protocols as glibc has them: TCP, UDP, DCCP, UDP-Lite, SCTP, raw.
_KINDS = ((1, 6), (2, 17), (6, 33), (2, 136), (1, 132), (5, 132), (_RAW, 0))


def fail(name):
    raise gaierror(number(name), name)


def getaddrinfo(host, service, family, type, proto, flags):
    if host is None and service is None:
        fail("EAI_NONAME")
    if flags & ~0x7F or flags & _AI_CANONNAME and host is None:
        fail("EAI_BADFLAGS")
    if family not in (0, _INET, _INET6):
        fail("EAI_FAMILY")
    # The layer has made digits of whatever strtoul would read, and -1 of what is below 0.
    named = bool(service) and not service.isdigit()
    if named and flags & _AI_NUMERICSERV and service != "-1":
        fail("EAI_NONAME")
    kinds = _KINDS[:2] + _KINDS[-1:]
    if type or proto:
        kinds = [
            kind
            for kind in _KINDS
            if type in (0, kind[0]) and (kind[0] == _RAW or proto in (0, kind[1]))
        ][:1]
        if not kinds:
            fail("EAI_SOCKTYPE")
    # The names of services are the layer's (usocket_compat/services.py).
    if named or service and kinds[0][0] == _RAW:
        fail("EAI_SERVICE")
    canonname = ""
    if flags & _AI_CANONNAME:
        canonname = host if host.lower() != "localhost" else "localhost"
    port = int(service) if service else 0
    found = []
    for family, host, scope in _hosts(host, family, flags):
        addr = (host, port) if family == _INET else (host, port, 0, scope)
        for kind, protocol in kinds:
            found.append((family, kind, protocol or proto, canonname, addr))
            canonname = ""
    return found


def _hosts(host, family, flags):
    """(family, address, scope) of each."""
    if host is None:
        passive = flags & _AI_PASSIVE
        # As Linux without a way to IPv6 has it: IPv4 first, and alone if that is asked for.
        found = [(_INET, "0.0.0.0" if passive else "127.0.0.1", 0)]
        if not flags & _AI_ADDRCONFIG:
            found.append((_INET6, "::" if passive else "::1", 0))
        found = [each for each in found if family in (0, each[0])]
        return found or fail("EAI_NONAME")
    text = _numeric4(host)
    if not text:
        text, zone, scope = host.partition("%")
        text = _numeric6(text)
        if text:
            if family != _INET:
                return [(_INET6, text, _scope(scope) if zone else 0)]
            if text[:7] == "::ffff:" and "." in text:
                return [(_INET, text[7:], 0)]
            fail("EAI_ADDRFAMILY")
        if flags & _AI_NUMERICHOST or family == _INET6 and not flags & _AI_V4MAPPED:
            fail("EAI_NONAME")
        text = _by_name(host)
    elif family == _INET6 and not flags & _AI_V4MAPPED:
        fail("EAI_ADDRFAMILY")
    if family == _INET6:
        return [(_INET6, "::ffff:" + text, 0)]
    return [(_INET, text, 0)]


def _numeric4(host):
    """An IPv4 address in numbers as inet_aton(3) reads it, dotted; else None."""
    if is_inet(host):
        return host
    if host and host[0].isdigit() and all([c in "0123456789abcdefxABCDEFX." for c in host]):
        try:
            return show4(_aton(host))
        except ValueError:
            pass


def _aton(text):
    """The last part may stand for several bytes, parts may be octal or hex."""
    values = []
    for part in text.split("."):
        low = part.lower()
        base = 16 if low[:2] == "0x" else 8 if low[:1] == "0" else 10
        low = low[2:] if base == 16 else low
        if not low:
            raise ValueError
        values.append(int(low, base))
    last = values.pop()
    room = 4 - len(values)
    if room < 1 or last >= 1 << 8 * room or any([v > 255 for v in values]):
        raise ValueError
    return bytes(values) + bytes([last >> 8 * i & 0xFF for i in range(room - 1, -1, -1)])


def _numeric6(text):
    """An IPv6 address in numbers as RFC 5952 writes it; None for another text."""
    try:
        return inet_ntop(_INET6, pton6(text))
    except ValueError:
        return None


def _scope(text):
    if not text.isdigit() or int(text) > 0xFFFFFFFF:
        fail("EAI_NONAME")  # no interface here has such a name
    return int(text)


def _by_name(host):
    if not _may_be(host):
        fail("EAI_NONAME")
    low = host.lower()
    if low == "localhost":
        return "127.0.0.1"
    if low == gethostname().lower():
        own = load("netif").toward("0.0.0.0")
        return own if own != "0.0.0.0" else "127.0.0.1"
    begin = ticks_ms()
    try:
        return resolve(host, 0)[0][4][0]
    except OSError as e:
        if e.errno == -203:
            fail("EAI_MEMORY")
        fail("EAI_AGAIN" if e.errno == -202 and _unanswered(begin) else "EAI_NONAME")


def _may_be(host):
    """Whether a name server could know that name: else it is not asked (RFC 1123, 2.1)."""
    labels = host.lower().split(".")
    if not labels[-1]:
        labels.pop()  # the root's
    if len(host) > 253 or not labels or labels[-1].isdigit() or labels[-1] == "0x":
        return False  # to lwIP that would be an address
    for label in labels:
        if not 0 < len(label) < 64 or not all(
            [c in "-_" or "0" <= c <= "9" or "a" <= c <= "z" for c in label]
        ):
            return False
    return True


def _unanswered(begin):
    """Whether there was no answer; lwIP says the same as for one that there is no such name."""
    import network

    return ticks_diff(ticks_ms(), begin) > _PATIENCE or network.ipconfig("dns") == "0.0.0.0"


def getnameinfo(addr, flags):
    """In numbers, as Zephyr's, but for what this board knows by itself."""
    host = addr[0]
    name, text = None, _numeric4(host)
    if not text:
        host, zone, scope = host.partition("%")
        text = _numeric6(host) or fail("EAI_NONAME")
        scope = _scope(scope) if zone else 0
        if len(addr) > 3 and addr[3]:
            scope = addr[3]
        if scope:
            text += "%%%d" % scope
    elif len(addr) > 2:
        raise TypeError("AF_INET address must be a pair (host, port)")
    elif not flags & _NI_NUMERICHOST:
        if text == "127.0.0.1":
            name = "localhost"
        elif text == load("netif").toward(text) != "0.0.0.0":
            name = gethostname()
    if flags & ~0x1F:
        fail("EAI_BADFLAGS")
    if flags & _NI_NAMEREQD and not name:
        fail("EAI_NONAME")
    return name or text, str(addr[1])


def gethostname():
    import network

    return network.hostname()


def sethostname(name):
    import network

    network.hostname(name)  # for the next time that an interface comes up
