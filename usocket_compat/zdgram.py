# SPDX-License-Identifier: MIT
# Datagrams: data with an address.

from .zargs import an_int, as_bytes, target
from .zbase import fail, get, p

# A module's global is found faster than a builtin.
_int, _bytes = int, bytes


def zsock_sendto(fd, data, flags, addr):
    """Sends one datagram to addr, or where the socket is connected to (None); returns its length.

    Raises OSError: EBADF, EMSGSIZE, EAGAIN, EISCONN, EAFNOSUPPORT, ENETUNREACH, EDESTADDRREQ.
    Source: POSIX sendto(), zsock_sendto.
    """
    sock = get(fd)
    an_int(flags)
    if data.__class__ is not _bytes:
        data = as_bytes(data)
    # Linux does not look at a packed address for a stream, other than AF_UNIX (1 everywhere).
    if addr is None or (
        sock.stream and sock.family != 1 and isinstance(addr, (bytes, bytearray, memoryview))
    ):
        if addr and len(addr) > 128:  # struct sockaddr_storage
            fail("EINVAL")
        return p.send_rest(fd, data, flags, None, None)
    addr = sock.p.address(sock.family, addr)
    r = sock.p.sendto(sock.h, data, flags, addr)
    return r if r >= 0 else _sendto_rest(fd, sock, data, flags, addr, r)


def _sendto_rest(fd, sock, data, flags, addr, r):
    err = sock.p.last_error(r)
    from .zwait import MSG_DONTWAIT, POLLOUT, retry

    wait = not sock.nonblock and not flags & MSG_DONTWAIT
    limit = sock.sndtimeo
    return retry(fd, sock, err, wait, POLLOUT, limit, sock.p.sendto, sock.h, data, flags, addr)


def zsock_recvfrom(fd, n_or_buffer, flags=0):
    """Receives one datagram of at most n bytes, or into a buffer, and where it came from.

    Returns (bytes or count, addr); what does not fit is lost. addr is None on a connected stream.
    Raises as zsock_recv. Source: POSIX recvfrom().
    """
    sock = get(fd)
    an_int(flags)
    n_or_buffer = target(n_or_buffer)
    size = n_or_buffer if isinstance(n_or_buffer, int) else len(n_or_buffer)
    if not size and sock.stream:
        got = _nothing(fd, sock, n_or_buffer, flags)
        if got:
            return got
    got = _from(sock, n_or_buffer, size, flags)
    if got.__class__ is tuple:
        return got
    err = sock.p.last_error(got)
    from .zwait import POLLIN, may_wait, retry

    wait, limit = may_wait(sock, flags), sock.rcvtimeo
    return retry(fd, sock, err, wait, POLLIN, limit, _from, sock, n_or_buffer, size, flags)


def _nothing(fd, sock, n_or_buffer, flags):
    """A receive of no bytes that may wait; None for one that may not."""
    from .zwait import may_wait, wait_ready

    if not may_wait(sock, flags):
        return None
    from .zwaitall import receive_nothing

    nothing = (b"" if n_or_buffer.__class__ is _int else 0), None
    args = nothing, _from, sock, n_or_buffer, 0
    return receive_nothing(fd, sock, flags, wait_ready, *args)


def _from(sock, n_or_buffer, size, flags):
    if isinstance(n_or_buffer, _int):
        return sock.p.recvfrom(sock.h, size, flags)
    return sock.p.recvfrom_into(sock.h, n_or_buffer, size, flags)
