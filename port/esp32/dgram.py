# SPDX-License-Identifier: MIT
# Datagrams. The firmware takes an empty one for the end, sends an empty one for ever when it
# blocks, and joins several in readinto.

from micropython import const

from . import choose_port, gone, load, room, set_state

# newlib's errnos
_EACCES = const(13)
_EDESTADDRREQ = const(121)
_EHOSTUNREACH = const(118)
_EFAULT = const(14)
_EINVAL = const(22)
_EISCONN = const(127)
_EMSGSIZE = const(122)
_ENETDOWN = const(115)
_ENETUNREACH = const(114)
_EOPNOTSUPP = const(95)
_ETIMEDOUT = const(116)

# Handle.st
_HELD = const(32)
_DGRAM = const(64)
_GONE = const(128)
# lwIP's and the firmware's numbers
_EAGAIN = const(11)
_PEEK = const(1)
_DONTWAIT = const(8)
_TRUNC = const(64)
_NOSIGNAL = const(32)
_OOB = const(4)
_ERRQUEUE = const(8192)
_MORE = const(16)

# Handle.opts
_BROADCAST = const(2)
_MOST = const(65507)
# Of a raw socket; and the protocol of pings.
_MOST_RAW = const(65515)
_ICMP = const(1)
_HUGE = const(1 << 22)
# ESP-IDF's lwIP reassembles nothing, so that no longer one comes from a network.
_WHOLE = const(1500)


def send(h, data, n, flags):
    # Flags that are wrong come before a peer that is not there.
    if h.peer or flags & ~(_DONTWAIT | _NOSIGNAL | _MORE):
        return sendto(h, data, flags, h.peer, h.peer)
    return -_EDESTADDRREQ


def recv(h, n, flags):
    got = recvfrom(h, n, flags)
    return got[0] if got.__class__ is tuple else got


def recv_into(h, buf, n, flags):
    got = recvfrom_into(h, buf, n, flags)
    return got[0] if got.__class__ is tuple else got


def sendto(h, data, flags, addr, peer=None):
    """To an address, which is not looked at where it is the peer's."""
    st = h.st
    if st & _GONE:
        return -gone(h)
    if not st & _DGRAM:
        # Linux: a connected stream ignores the address.
        return -_EISCONN if h.domain == 1 else load("stream").send(h, data, len(data), flags)
    if flags & ~(_DONTWAIT | _NOSIGNAL | _MORE):
        return -_EOPNOTSUPP
    n = len(data)
    if n > (_MOST_RAW if h.proto else _MOST):
        return -_EMSGSIZE
    if addr[1] < 0:
        return -load("sockaddr").no_way(addr[0], False)
    if h.proto == _ICMP and n < 2:
        return -_EFAULT  # Linux looks at its type and code
    if not (addr[1] or h.proto or peer):
        return -_EINVAL
    if h.domain == 2 and addr is not h.peer and not may_send(h, addr[0]):
        return -_EACCES
    if not h.name:
        choose_port(h)
    if addr[0] == "0.0.0.0":
        addr = ("127.0.0.1", addr[1])
    try:
        return h.s.sendto(data, addr)
    except OSError as e:
        if e.errno == _ETIMEDOUT:  # sent nothing, or sent an empty one
            return -_EAGAIN if n else 0
        if e.errno == _EHOSTUNREACH:
            return -_ENETUNREACH
        # -1: the driver refused it
        return -(e.errno if e.errno > 0 else _ENETDOWN)


# The host that was looked up last, and is no broadcast: programs name the same one many times.
_last = None


def may_send(h, host):
    """Whether h may send to host: broadcasts need SO_BROADCAST. lwIP does not ask for it."""
    global _last
    if h.opts & _BROADCAST or host == _last:
        return True
    # A network of less than four addresses has none.
    found = int(host[host.rfind(".") + 1 :]) & 3 == 3 and load("netif").broadcast(host)
    if found is False:
        _last = host
    return not found


def recvfrom(h, n, flags):
    st = h.st
    if st & _GONE:
        return -gone(h)
    if not st & _DGRAM:
        data = load("stream").recv(h, n, flags)
        return data if data.__class__ is int else (data, None)
    if flags & (_OOB | _ERRQUEUE):
        return -_EOPNOTSUPP
    if n > _HUGE:
        raise MemoryError
    look = _peek if flags & _PEEK else _next
    got = look(h, n)
    if got.__class__ is int:
        return got
    result = got[0][:n] if len(got[0]) > n else got[0], got[1]
    # Only now, when nothing can fail any more.
    if got is h.back and not flags & _PEEK:
        h.back = None
        set_state(h, _DGRAM)
    return result


def _next(h, n):
    return h.back or _native_from(h, max(n, 1))


def _peek(h, n):
    """The next datagram, n bytes of it at least if it has as many; it is still the next."""
    global _no_flags
    if not h.back and not _no_flags:
        try:
            return _native_from(h, max(n, 1), _PEEK)
        except TypeError:
            _no_flags = True
    if not h.back:
        h.back = None  # its place
        got = _native_from(h, max(n, _WHOLE))
        if got.__class__ is int:
            return got
        h.back = got
        set_state(h, _DGRAM | _HELD)
    return h.back


# MicroPython 1.25's recvfrom takes no flags.
_no_flags = False


def _native_from(h, n, *flags):
    try:
        room(n + 800)  # the firmware's, and what is made of it
        return _from(h, n, *flags)
    except MemoryError:
        # It makes room for n before it looks.
        if n <= _WHOLE:
            raise
    return load("tight").in_less(_from, h, n, flags != ())


def _from(h, n, *flags):
    try:
        got = h.s.recvfrom(n, *flags)
    except OSError as e:
        return -e.errno
    if h.proto:
        return got[0], (got[1][0], 0)  # lwIP has the protocol in the place of a port
    if not got[0]:
        # The firmware now believes that the peer has closed; a listen that fails cures it.
        try:
            h.s.listen(0)
        except OSError:
            pass
    return got


def length(h):
    """How long the next datagram is, or a negative number."""
    n = _WHOLE
    while True:
        got = _peek(h, n)
        if got.__class__ is int:
            return got
        if len(got[0]) < n or h.back:
            return len(got[0])
        n *= 2


def recvfrom_into(h, buf, n, flags):
    size = 0
    if flags & _TRUNC and h.st & _DGRAM:
        size = length(h)
        if size < 0:
            return size
    got = recvfrom(h, n, flags)
    if got.__class__ is not tuple:
        return got
    memoryview(buf)[: len(got[0])] = got[0]
    return max(len(got[0]), size), got[1]
