# SPDX-License-Identifier: MIT
# The network interfaces by their numbers (POSIX net/if.h), and what else of the system is rarely
# asked for.

from uctypes import bytes_at

from .clib import check, libc
from .firmware import os, struct

_F_GETFD = 1
_F_SETFD = 2
_FD_CLOEXEC = 1


def _text(address):
    n = 0
    while bytes_at(address + n, 1) != b"\0":
        n += 1
    return bytes_at(address, n).decode()


def if_nameindex():
    first = at = libc("if_nameindex", "P", "")()
    if not first:
        raise OSError(os.errno())
    found = []
    try:
        while True:
            index, name = struct.unpack("IP", bytes_at(at, struct.calcsize("IP")))
            if not index:
                return found
            found.append((index, _text(name)))
            at += struct.calcsize("IP")
    finally:
        libc("if_freenameindex", "v", "P")(first)


def if_nametoindex(name):
    index = libc("if_nametoindex", "I", "s")(name)
    if not index:
        raise OSError(os.errno())
    return index


def if_indextoname(index):
    name = bytearray(16)  # IF_NAMESIZE
    if not libc("if_indextoname", "P", "IP")(index, name):
        raise OSError(os.errno())
    return bytes(name[: name.find(b"\0")]).decode()


def sethostname(name):
    check(libc("sethostname", "i", "sL")(name, len(name.encode())))


def inheritable(h, flag=None):
    """Whether programs that are started have it; with flag it is made so."""
    fcntl = libc("fcntl", "i", "iil")
    flags = check(fcntl(h, _F_GETFD, 0))
    if flag is not None:
        flags = flags & ~_FD_CLOEXEC if flag else flags | _FD_CLOEXEC
        check(fcntl(h, _F_SETFD, flags))
    return not flags & _FD_CLOEXEC
