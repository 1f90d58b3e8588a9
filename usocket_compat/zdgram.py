# SPDX-License-Identifier: MIT
# Datagrams: data with an address.

from .fdtable import get
from .zwait import MSG_DONTWAIT, POLLIN, POLLOUT, again, an_int, as_bytes, count, p, size_of, waits

# A module's global is found faster than a builtin.
_int, _bytes = int, bytes


def zsock_sendto(fd, data, flags, addr):
    """Sends one datagram to addr; returns its length.

    Raises OSError: EBADF, EMSGSIZE, EAGAIN, EISCONN, EAFNOSUPPORT, ENETUNREACH.
    Source: POSIX sendto().
    """
    sock = get(fd)
    an_int(flags)
    if data.__class__ is not _bytes:
        data = as_bytes(data)
    addr = p.address(sock.family, addr)
    r = p.sendto(sock.h, data, flags, addr)
    return r if r >= 0 else _sendto_rest(fd, sock, data, flags, addr, r)


def _sendto_rest(fd, sock, data, flags, addr, r):
    wait = not sock.nonblock and not flags & MSG_DONTWAIT
    begin = None
    while r < 0:
        begin = again(fd, sock, p.last_error(r), wait, POLLOUT, begin, sock.sndtimeo)
        r = p.sendto(sock.h, data, flags, addr)
    return r


def zsock_recvfrom(fd, n_or_buffer, flags=0):
    """Receives one datagram of at most n bytes, or into a buffer, and where it came from.

    Returns (bytes or count, addr); what does not fit is lost. addr is None on a connected stream.
    Raises as zsock_recv. Source: POSIX recvfrom().
    """
    sock = get(fd)
    an_int(flags)
    size = size_of(n_or_buffer) if isinstance(n_or_buffer, int) else count(n_or_buffer)
    got = _from(sock.h, n_or_buffer, size, flags)
    return got if got.__class__ is tuple else _recvfrom_rest(fd, sock, n_or_buffer, flags, got)


def _from(h, n_or_buffer, size, flags):
    if n_or_buffer.__class__ is _int:
        return p.recvfrom(h, size, flags)
    return p.recvfrom_into(h, n_or_buffer, size, flags)


def _recvfrom_rest(fd, sock, n_or_buffer, flags, got):
    size = n_or_buffer if isinstance(n_or_buffer, int) else count(n_or_buffer)
    wait = waits(sock, flags)
    begin = None
    while got.__class__ is not tuple:
        begin = again(fd, sock, p.last_error(got), wait, POLLIN, begin, sock.rcvtimeo)
        got = _from(sock.h, n_or_buffer, size, flags)
    return got
