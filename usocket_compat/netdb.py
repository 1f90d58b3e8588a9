# SPDX-License-Identifier: MIT
# Names of addresses, of errors and of this machine (POSIX netdb.h).

from .zargs import an_int
from .zbase import op, p


def fail_lookup(name):
    code = p.number(name)
    raise p.gaierror(code, zsock_gai_strerror(code))


def zsock_getnameinfo(addr, flags=0):
    """The names of an address: (host, service). NI_NUMERICHOST, NI_NUMERICSERV: as digits.

    Raises gaierror; EOPNOTSUPP where the port has none. Source: POSIX getnameinfo().
    """
    f = op("getnameinfo")
    if isinstance(addr, (bytes, bytearray, memoryview)):
        addr = p.unpack(bytes(addr))
    if not isinstance(addr, tuple) or not 2 <= len(addr) <= 4 or not isinstance(addr[0], str):
        raise TypeError("getnameinfo takes (host, port) or (host, port, flowinfo, scope_id)")
    if "\0" in addr[0]:
        raise ValueError("embedded null character")
    an_int(flags)
    if not isinstance(addr[1], (int, bool)):
        raise TypeError("port is an int")
    addr = addr[:1] + (int(addr[1]),) + addr[2:]
    if not 0 <= addr[1] <= 0xFFFF:
        raise OverflowError("port must be 0-65535.")
    for part, most in zip(addr[2:], (0xFFFFF, 0xFFFFFFFF)):
        if isinstance(part, int) and not 0 <= part <= most:
            raise OverflowError("flowinfo must fit 20 bits, scope_id 32")
    host, service = f(addr, flags)
    if service.isdigit() and not flags & p.number("NI_NUMERICSERV"):
        from .services import forget, name_of

        service = name_of(service, 2 if flags & p.number("NI_DGRAM") else 1) or service
        forget()
    return host, service


_EAI = (
    "BADFLAGS NONAME AGAIN FAIL NODATA FAMILY SOCKTYPE SERVICE ADDRFAMILY MEMORY SYSTEM OVERFLOW"
)


def zsock_gai_strerror(code):
    """The symbol of an EAI code, "EAI_NONAME", or "EAI_UNKNOWN". Source: zsock_gai_strerror."""
    if not isinstance(code, int):
        raise TypeError("an EAI code is an int")
    for name in _EAI.split():
        try:
            if p.number("EAI_" + name) == code:
                return "EAI_" + name
        except KeyError:
            pass
    return "EAI_UNKNOWN"


def zsock_gethostname():
    """This machine's name. Source: POSIX gethostname()."""
    return op("gethostname")()
