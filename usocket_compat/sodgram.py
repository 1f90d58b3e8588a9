# SPDX-License-Identifier: MIT
# Datagrams of the drop-in, and the calls with an address.

from sys import modules

from uerrno import EAGAIN

packs = modules["usocket"].packs


def recvfrom(self, n, flags=0):
    if self._us is None or n | flags < 0 or not packs and (flags or not n):
        return self.again("recvfrom", n, flags)
    if flags:
        data, addr = self._us.recvfrom(n, flags)
    else:
        data, addr = self._us.recvfrom(n)
    if packs:
        from usocket_compat.zbase import p

        return data, p.unpack(addr) if addr else None
    if not data and self.type == 2:
        _cure(self._us)
    return data, addr


def d_recv(self, n, flags=0):
    return self.recvfrom(n, flags)[0]


def d_readinto(self, buf, n=None):
    """One datagram: the firmware's waits until the buffer is full, and that of DTLS is large."""
    view = memoryview(buf)
    try:
        return self.again("recv", view if n is None else view[:n])
    except OSError as e:
        if e.errno != EAGAIN:
            raise


def _cure(s):
    """The firmware takes an empty datagram for the end; a listen that fails makes it forget."""
    try:
        s.listen(0)
    except OSError:
        pass


def sendto(self, data, addr, more=None):
    flags = 0
    if more is not None:
        flags, addr = addr, more
    if packs:
        from usocket_compat.zbase import p

        return self._us.sendto(data, flags | 0, p.address(self.family, addr))
    odd = addr.__class__ is not tuple or not 0 < addr[-1] < 65536
    if odd or flags or not data or self._us is None:
        return self.again("sendto", data, flags, addr)
    if not self._name:
        self._choose()
    try:
        return self._us.sendto(data, addr)
    except (TypeError, ValueError):
        return self.again("sendto", data, flags, addr)
