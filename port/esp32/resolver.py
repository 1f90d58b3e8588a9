# SPDX-License-Identifier: MIT
# getaddrinfo, of an IPv4 address and a port in numbers. Of all else: lookup.py.

from . import in_numbers, load

_KINDS = ((1, 6), (2, 17), (3, 0))


def getaddrinfo(host, service, family, type, proto, flags):
    addr = host, int(service) if service and service.isdigit() else 0
    if (
        flags
        or proto
        or family & ~2
        or not 0 <= type < 3
        or service
        and not service.isdigit()
        or not in_numbers(addr)
    ):
        return load("lookup").getaddrinfo(host, service, family, type, proto, flags)
    return [(2, kind, number, "", addr) for kind, number in _KINDS if type in (0, kind)]
