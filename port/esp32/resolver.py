# SPDX-License-Identifier: MIT
# Names. What is in numbers never reaches lwIP's resolver.

from micropython import const

from . import _native, gaierror, number, ticks_diff, ticks_ms
from .inet import inet_ntop, pton6
from .numeric import is_inet, show4

# numbers.py has these by name
_AI_CANONNAME = const(2)
_AI_NUMERICHOST = const(4)
_AI_NUMERICSERV = const(8)
_AI_PASSIVE = const(1)
_NI_NAMEREQD = const(8)
_NI_NUMERICSERV = const(2)
_INET = const(2)
_INET6 = const(10)
# lwIP gives up a server that does not answer after 6 to 7 s (dns.c).
_PATIENCE = const(5500)


def _aton(text):
    """inet_aton(3): the last part may stand for several bytes, parts may be octal or hex."""
    values = []
    for part in text.split("."):
        low = part.lower()
        base = 16 if low[:2] == "0x" else 8 if low[:1] == "0" else 10
        values.append(int(low[2:] if base == 16 else low, base))
    last = values.pop()
    room = 4 - len(values)
    if room < 1 or last >= 1 << 8 * room or any([v > 255 for v in values]):
        raise ValueError
    return bytes(values) + bytes([last >> 8 * i & 0xFF for i in range(room - 1, -1, -1)])


def _fail(name):
    raise gaierror(number(name), name)


_KINDS = ((1, 6), (2, 17), (3, 0))
_SERVICES = (
    " ftp=21 ssh=22 telnet=23 smtp=25 domain=53 tftp=69 http=80 pop3=110 ntp=123 imap=143"
    " snmp=161 https=443 imaps=993 mqtt=1883 secure-mqtt=8883 "
)


def _service(service, flags):
    if service is None:
        return 0
    if service.isdigit():
        return int(service)
    i = _SERVICES.find(" " + service + "=")
    if i < 0 or flags & _AI_NUMERICSERV:
        _fail("EAI_NONAME" if flags & _AI_NUMERICSERV else "EAI_SERVICE")
    i = _SERVICES.find("=", i) + 1
    return int(_SERVICES[i : _SERVICES.find(" ", i)])


def getaddrinfo(host, service, family, type, proto, flags):
    if host is None and service is None:
        _fail("EAI_NONAME")
    if family not in (0, _INET, _INET6):
        _fail("EAI_FAMILY")
    if flags & ~0x7F or flags & _AI_CANONNAME and host is None:
        _fail("EAI_BADFLAGS")
    kinds = []
    for kind in _KINDS:
        if type in (0, kind[0]) and (proto in (0, kind[1]) or type == 3 == kind[0]):
            kinds.append(kind)
    if not kinds:
        _fail("EAI_SOCKTYPE")
    if not isinstance(service, int):
        service = _service(service, flags)
    canonname = host if flags & _AI_CANONNAME else ""
    if host is None:
        host = "0.0.0.0" if flags & _AI_PASSIVE else "127.0.0.1"
    if ":" in host:
        found = _ipv6(host, service, family)
    else:
        if family == _INET6:
            _fail("EAI_ADDRFAMILY" if is_inet(host) else "EAI_NONAME")
        found = _INET, (_ipv4(host, flags), service)
    out = []
    for kind in kinds:
        out.append((found[0], kind[0], kind[1] or proto, canonname, found[1]))
        canonname = ""
    return out


def _ipv6(host, port, family):
    if family == _INET:
        _fail("EAI_ADDRFAMILY")
    text, _, zone = host.partition("%")
    try:
        text = inet_ntop(_INET6, pton6(text))
    except ValueError:
        _fail("EAI_NONAME")
    return _INET6, (text, port, 0, int(zone) if zone.isdigit() else 0)


def _ipv4(host, flags):
    if is_inet(host):
        return host
    # A short or octal form, as inet_aton reads it.
    if host and host[0].isdigit() and all([c in "0123456789abcdefxABCDEFX." for c in host]):
        try:
            return show4(_aton(host))
        except ValueError:
            pass
    if flags & _AI_NUMERICHOST or not host:
        _fail("EAI_NONAME")
    if host == "localhost" or host == "ip6-localhost":
        return "127.0.0.1"
    begin = ticks_ms()
    try:
        return _native.getaddrinfo(host, 0)[0][4][0]
    except OSError as e:
        if e.errno == -203:
            _fail("EAI_MEMORY")
        _fail("EAI_AGAIN" if e.errno == -202 and _unanswered(begin) else "EAI_NONAME")


def _unanswered(begin):
    """Whether there was no answer; lwIP says the same as for one that there is no such name."""
    import network

    return ticks_diff(ticks_ms(), begin) > _PATIENCE or network.ipconfig("dns") == "0.0.0.0"


def getnameinfo(addr, flags):
    """In numbers alone, as Zephyr's."""
    host, port = addr[0], addr[1]
    if flags & ~0x1F:
        _fail("EAI_BADFLAGS")
    if ":" in host:
        host = _ipv6(host, 0, 0)[1][0]
    else:
        host = _ipv4(host, _AI_NUMERICHOST)
    if flags & _NI_NAMEREQD:
        _fail("EAI_NONAME")
    service = str(port)
    if not flags & _NI_NUMERICSERV:
        i = _SERVICES.find("=" + service + " ")
        if i >= 0:
            service = _SERVICES[_SERVICES.rfind(" ", 0, i) + 1 : i]
    return host, service


def gethostname():
    import network

    return network.hostname()
