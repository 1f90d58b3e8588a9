# SPDX-License-Identifier: MIT
# getaddrinfo: the arguments are looked at here, so that every port gets the same ones.

from . import _config
from .zargs import an_int
from .zbase import op, p


def zsock_getaddrinfo(host, service, family=0, type=0, proto=0, flags=0):
    """The addresses of a host and service: a list of (family, type, proto, canonname, addr).

    host: a name, a numeric address (also "[::1]"), or None for this machine (the wildcard with
    AI_PASSIVE); service: a port as int, its digits, a service's name, or None.
    Raises gaierror, whose errno is the EAI code; OverflowError for an int out of 0..65535.
    Source: POSIX getaddrinfo(), zsock_getaddrinfo.
    """
    if isinstance(service, (int, bool)):
        if not 0 <= service <= 0xFFFF:
            raise OverflowError("port must be 0-65535.")
        service = str(int(service))
    host, service = _text(host), _text(service)
    for number in (family, type, proto, flags):
        an_int(number)
    if host and host[0] == "[" and host[-1] == "]" and ":" in host:
        host = host[1:-1]
    f = op("getaddrinfo")
    type &= ~p.number("SOCK_NONBLOCK")
    if service and (len(service) > 4 or not service.encode().isdigit()):
        from .services import by_name as f  # or by digits that are not plain

    if _config.USOCKET_DNS and host and ":" not in host and host.rstrip(".")[-1:].isalpha():
        from .dns import blocking

        return blocking(f, host, service, family, type, proto, flags)
    return f(host, service, family, type, proto, flags)


def _text(value):
    """The str of a host or service, or None; for what is no text one that names nothing."""
    try:
        if isinstance(value, (bytes, bytearray)):
            value = bytes(value).decode()
        elif isinstance(value, str):
            value.encode()
        elif value is not None:
            raise TypeError("host and service are str, or None; service may be int")
    except UnicodeError:
        return ".."
    if value and "\0" in value:
        raise ValueError("embedded null character")
    return None if value == "*" else value  # as glibc has it
