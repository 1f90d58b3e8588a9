# SPDX-License-Identifier: MIT
# Scatter and gather, with ancillary data. File descriptors inside it are the layer's on this side
# and the platform's on the other.

from array import array

from . import errno as E
from .fdtable import get
from .zall import carries, take
from .zio import start
from .zopt import adopt
from .zwait import again, an_int, as_bytes, count, op, ready, waits

_POLLIN = 1
_POLLOUT = 4
_POLLERR = 8
# Linux's IOV_MAX
_MOST_BUFFERS = 1024


def zsock_sendmsg(fd, buffers, ancdata=(), flags=0, addr=None):
    """Sends the bytes of several buffers as one message; returns how many were taken.

    buffers: bytes-like objects; ancdata: (level, type, data) each, where data of SCM_RIGHTS is an
    array("i") of fds, or its bytes; addr: None on a connected socket.
    Raises as zsock_send; EOPNOTSUPP for ancdata where the port has none. Source: POSIX sendmsg().
    """
    sock = get(fd)
    an_int(flags)
    send = op("sendmsg")
    p = start()
    if len(buffers) > _MOST_BUFFERS:
        raise p.error(E.EMSGSIZE)
    buffers = [as_bytes(b) for b in buffers]
    anc = [_outgoing(p, item) for item in ancdata]
    if addr is not None:
        addr = p.address(sock.family, addr)
    wait = not sock.nonblock and not flags & p.number("MSG_DONTWAIT")
    total = sum(len(b) for b in buffers)
    begin = None
    sent = 0
    while True:
        r = send(sock.h, buffers, anc, flags, addr)
        if r < 0:
            try:
                begin = again(fd, sock, p.last_error(r), wait, _POLLOUT, begin, sock.sndtimeo)
            except OSError:
                if sent:
                    return sent
                raise
            continue
        sent += r
        if sent >= total or not wait or not sock.stream:
            return sent
        anc = ()
        while r >= len(buffers[0]):
            r -= len(buffers.pop(0))
        buffers[0] = buffers[0][r:]


def zsock_recvmsg(fd, buffers, ancbufsize=0, flags=0):
    """Receives one message into several buffers, in order.

    Returns (count, ancdata, msg_flags, addr); msg_flags has MSG_TRUNC or MSG_CTRUNC when something
    did not fit. ancbufsize: room for ancillary data in bytes, its headers included (cmsg(3)).
    Raises as zsock_recv. Source: POSIX recvmsg().
    """
    sock = get(fd)
    an_int(flags)
    receive = op("recvmsg")
    p = start()
    if not isinstance(ancbufsize, int):
        raise TypeError("ancbufsize is an int")
    if not 0 <= ancbufsize <= 0xFFFF:
        raise ValueError("ancbufsize is 0 to 65535")
    if len(buffers) > _MOST_BUFFERS:
        raise p.error(E.EMSGSIZE)
    buffers = [memoryview(b) for b in buffers]
    for b in buffers:
        count(b)
    wait = waits(sock, flags)
    begin = None
    first = p.ticks_ms()
    while True:
        got = receive(sock.h, buffers, ancbufsize, flags)
        if got.__class__ is tuple:
            break
        begin = again(fd, sock, p.last_error(got), wait, _POLLIN, begin, sock.rcvtimeo)
    n, ancdata, msg_flags, addr = got
    if n and wait and sock.stream and flags & p.number("MSG_WAITALL"):
        if not flags & p.number("MSG_PEEK") and not _rights_came(p, sock, ancdata, msg_flags):
            n += _rest(fd, sock, buffers, n, flags, first)
    items = []
    for item in ancdata:
        item, lost = _incoming(p, item)
        items.append(item)
        msg_flags |= lost
    return n, items, msg_flags, addr


def _rights_came(p, sock, ancdata, msg_flags):
    if not carries(sock):
        return False
    return msg_flags & p.number("MSG_CTRUNC") or any([_rights(p, item) for item in ancdata])


def _rest(fd, sock, buffers, n, flags, first):
    """MSG_WAITALL: what comes into the buffers behind their first n bytes; begun at `first`."""
    p = start()
    flags |= p.number("MSG_DONTWAIT")
    left = -1
    if sock.rcvtimeo:
        left = max(sock.rcvtimeo - p.ticks_diff(p.ticks_ms(), first), 0)
    more = 0
    for buf in buffers:
        skip = min(n, len(buf))
        n -= skip
        while skip < len(buf):
            begin = p.ticks_ms()
            revents = ready(fd, sock, _POLLIN, left)
            if not revents or revents & _POLLERR:
                return more  # the call after this one reports what is next
            r, last = take(sock, buf[skip:], flags)
            if r > 0:
                skip += r
                more += r
            if r == 0 or last:
                return more
            if left > 0:
                left = max(left - p.ticks_diff(p.ticks_ms(), begin), 0)
    return more


def _rights(p, item):
    return item[0] == p.number("SOL_SOCKET") and item[1] == p.number("SCM_RIGHTS")


def _outgoing(p, item):
    if not isinstance(item, (tuple, list)) or len(item) != 3:
        raise TypeError("an item of ancdata is (level, type, data)")
    level, kind, data = item
    an_int(level, kind)
    if isinstance(data, (int, str)):
        raise TypeError("an item of ancdata is (int, int, bytes-like)")
    data = bytes(memoryview(data))
    if _rights(p, item):
        op("fileno")
        if len(data) % 4:
            raise p.error(E.EINVAL)
        fds = array("i", data)
        data = bytes(array("i", [_passed(p, get(fd)) for fd in fds]))
    return level, kind, data


def _passed(p, sock):
    # Whoever receives it must not meet the bounds that the layer sets for itself.
    if hasattr(p, "timeouts"):
        p.timeouts(sock.h, sock.rcvtimeo, sock.sndtimeo)
    return op("fileno")(sock.h)


def _incoming(p, item):
    """The ancillary item for the caller; fds that find no room in the table are closed."""
    if not _rights(p, item):
        return item, 0
    data = item[2]
    fds = array("i")
    lost = 0
    for number in array("i", data[: len(data) // 4 * 4]):
        try:
            fds.append(adopt(number))
        except OSError:
            p.close(p.adopt(number)[0])
            lost = p.number("MSG_CTRUNC")
    return (item[0], item[1], bytes(fds)), lost
