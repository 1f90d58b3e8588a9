# SPDX-License-Identifier: MIT
# Sockets of the drop-in that are no plain TCP client or server in numbers: datagrams, other
# families, fds; and addresses of systems whose native socket takes them packed.

from sys import modules

_usocket = modules["usocket"]
packs = _usocket.packs


def begin(self, family, type, proto, fileno, s):
    """What __init__ does with unusual arguments, and of a subclass; the native socket."""
    if self.__class__ is not _usocket.socket:
        _usocket.later("names").inherited(_usocket.socket)
    if fileno is not None:
        return _usocket.later("fd").take_over(self, fileno)
    _ints(family, type, proto)
    if family == -1:
        family = 2
    if type == -1:
        type = 1
    if proto == -1:
        proto = 0
    nonblock = 0
    if type > 15:
        from usocket_compat.zopen import split

        type, nonblock = split(type)
    if family != 2:
        if s is None and not packs:
            # A board's native one takes any family, and is of IPv4.
            from usocket_compat.zbase import fail

            fail("EAFNOSUPPORT")
        self.family = family
    if type != 1:
        self.type = type
    if proto:
        self.proto = proto
    if s is None:
        s = _usocket.native.socket(family, type, proto)
        if nonblock:
            s.setblocking(False)
            self._t = 0
    plain_calls(self, s)
    return s


def _ints(*args):
    """The native calls of some take what is no int for one."""
    for each in args:
        if not isinstance(each, int):
            raise TypeError("an int is required")


def plain_calls(self, s):
    """What a plain socket has in the place of the class's. What a subclass has stays its own."""
    if self.__class__ is _usocket.socket:
        if packs:
            # A kernel's are right with flags too.
            self.recv, self.send = s.recv, s.send
        elif self.type == 2:
            self.recv = self.d_recv
        if self.type == 2:
            self.readinto = self.d_readinto


def bind(self, addr):
    if packs:
        from usocket_compat.zbase import p

        self._us.bind(p.address(self.family, addr))
    else:
        if addr.__class__ is tuple and addr[1:] == (0,):
            return self._choose(addr[0])
        self.again("bind", addr)


def packed(self, addr):
    from usocket_compat.zbase import p

    return p.address(self.family, addr)


def shown(raw):
    """The address that the native accept gave."""
    from usocket_compat.zbase import p

    return p.unpack(memoryview(raw)[: min(len(raw), 32)])


# What the firmware has under each level, which it does not look at: its bit in Handle.opts.
_SOCKET = {4: 1, 32: 2, 20: 0}  # SO_REUSEADDR, SO_BROADCAST, WebREPL's callback
_TCP = {1: 4}  # TCP_NODELAY
_IP = {3: 0}  # IP_ADD_MEMBERSHIP


def setsockopt(self, level, option, value, length=None):
    """As the native one does it where it knows the option; else the layer's, which may refuse."""
    _ints(level, option)
    if value.__class__ is str:
        raise TypeError("a bytes-like object is required, not 'str'")
    if value is None and length:
        value = bytes(length)
    if value.__class__ is bool:
        value = int(value)
    known = _SOCKET if level == _usocket.native.SOL_SOCKET else _TCP if level == 6 else {}
    if level == 0 and self.type == 2:
        known = _IP
    if self._us is None or not packs and (option not in known or known is _TCP and self.type != 1):
        return self.again("setsockopt", level, option, value)
    self._us.setsockopt(level, option, value)
    if not packs and value.__class__ is int:
        self._o = self._o | known[option] if value else self._o & ~known[option]
