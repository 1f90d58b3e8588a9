# SPDX-License-Identifier: MIT
# socket(AF_UNSPEC): the first address decides the family. Until then it is a socket of IPv4, of
# which the options are noted, so that one of another family can take its place.

from sys import modules

from .zbase import closed, fail, p, table
from .zheld import Held

_net = modules[__name__.rpartition(".")[0]]
_number = p.number


class Lazy(Held):
    """The operations of such a socket; from the first address on they do nothing more."""

    _noted = None

    def __init__(self, sock, type, proto):
        sock.family = 2
        sock.h = p.socket(2, type, proto)
        self._begin(-1, sock)
        self._kind = type, proto
        self._noted = []
        # So its calls come here.
        sock.h = closed.h

    def _none(self):
        if self._noted is not None:
            self.idle = 0  # its calls come here for more than what is held
        return Held._none(self)

    def setsockopt(self, h, level, option, value):
        of_ipv6 = level == _number("IPPROTO_IPV6")
        if self._noted is None or not of_ipv6:
            self.inner.setsockopt(self.own, level, option, value)
        if self._noted is not None:
            self._noted.append((level, option, value, of_ipv6))

    def address(self, family, addr):
        if self._noted is not None:
            family = self._family(addr)
            if family != 2:
                self._change(family)
            elif any([note[3] for note in self._noted]):
                fail("EINVAL")
            self._noted = None
            self.sock.family = family
            self._divert(self.own)
        return p.address(self.sock.family, addr)

    def _family(self, addr):
        """The family of an address."""
        if isinstance(addr, str):
            return _number("AF_UNIX")
        if not isinstance(addr, tuple):
            raw = bytes(addr)
            given = p.struct.unpack("H", raw[:2])[0] if len(raw) > 7 else 0
            return given if given in (2, _number("AF_INET6")) else _number("AF_UNIX")
        host = addr[0]
        if len(addr) > 2 or isinstance(host, str) and ":" in host:
            return _number("AF_INET6")
        if not isinstance(host, str) or not host or host[-1:].isdigit():
            return 2
        return _net.zsock_getaddrinfo(host, addr[1], 0, self._kind[0])[0][0]

    def _change(self, family):
        new = p.socket(family, self._kind[0], self._kind[1])
        try:
            for level, option, value, _ in self._noted:
                p.setsockopt(new, level, option, value)
        except BaseException as e:
            p.close(new)
            raise e
        # Pollers with epoll, which have it by its handle.
        watched = [(each, each.by[fd]) for each, fd in getattr(self.sock, "watched", ())]
        watched = [each for each in watched if each[1] and each[1].sock is self.sock]
        for each, entry in watched:
            each.remove(entry)
        old, self.own = self.own, new
        self.raw = new
        if old is closed.h:  # another thread has closed it
            self.own = old
            p.close(new)
            fail("EBADF")
        p.close(old)
        table.changes += 1
        for each, entry in watched:
            each.add(entry)
