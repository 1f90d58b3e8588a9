# SPDX-License-Identifier: MIT
# Scatter and gather, with ancillary data. File descriptors inside it are the layer's on this side
# and the platform's on the other.

from .zargs import an_int, as_bytes, target
from .zbase import fail, get, op, p, tab, uninstall
from .zopen import adopt
from .zwait import (
    EAGAIN,
    EINTR,
    FAILURES,
    MSG_DONTWAIT,
    POLLIN,
    POLLOUT,
    again,
    may_wait,
    retry,
    wait_ready,
)
from .zwaitall import LAST, MSG_CTRUNC, carries_rights, receive_nothing, receive_part

_number = p.number
_array = p.array
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
    send = op("sendmsg", sock.p)
    if len(buffers) > _MOST_BUFFERS:
        fail("EMSGSIZE")
    buffers = [as_bytes(b) for b in buffers]
    anc = [_outgoing(item) for item in ancdata]
    if sock.stream and sock.family != 1 and isinstance(addr, (bytes, bytearray, memoryview)):
        addr = None  # as in zdgram.py
    if addr is not None:
        addr = sock.p.address(sock.family, addr)
    wait = not sock.nonblock and not flags & MSG_DONTWAIT
    total = sum(len(b) for b in buffers)
    begin = None
    sent = 0
    try:
        while True:
            r = send(sock.h, buffers, anc, flags, addr)
            if r < 0:
                begin = again(fd, sock, sock.p.last_error(r), wait, POLLOUT, begin, sock.sndtimeo)
                continue
            sent += r
            if sent >= total or not wait or not sock.stream or tab[fd] is not sock:
                return sent
            anc = ()
            while r >= len(buffers[0]):
                r -= len(buffers.pop(0))
            buffers[0] = buffers[0][r:]
    except FAILURES:  # what was sent is sent
        if sent:
            return sent
        raise


def zsock_recvmsg(fd, buffers, ancbufsize=0, flags=0):
    """Receives one message into several buffers, in order.

    Returns (count, ancdata, msg_flags, addr); msg_flags has MSG_TRUNC or MSG_CTRUNC when something
    did not fit. ancbufsize: room for ancillary data in bytes, its headers included (cmsg(3)).
    ancdata: (level, type, bytes) each; of SCM_RIGHTS array("i", bytes) has the new fds.
    Raises as zsock_recv. Source: POSIX recvmsg().
    """
    sock = get(fd)
    an_int(flags)
    receive = op("recvmsg", sock.p)
    if not isinstance(ancbufsize, int):
        raise TypeError("ancbufsize is an int")
    if not 0 <= ancbufsize <= 0xFFFF:
        raise ValueError("ancbufsize is 0 to 65535")
    if len(buffers) > _MOST_BUFFERS:
        fail("EMSGSIZE")
    buffers = [memoryview(target(b)) for b in buffers]
    wait = may_wait(sock, flags)
    first = p.ticks_ms()
    if wait and sock.stream and not any([len(b) for b in buffers]):
        args = (0, [], 0, None), receive, sock.h, buffers, ancbufsize
        got = receive_nothing(fd, sock, flags, wait_ready, *args)
    else:
        got = receive(sock.h, buffers, ancbufsize, flags)
    if got.__class__ is not tuple:
        err, limit = sock.p.last_error(got), sock.rcvtimeo
        args = sock.h, buffers, ancbufsize, flags
        got = retry(fd, sock, err, wait, POLLIN, limit, receive, *args)
    n, ancdata, msg_flags, addr = got
    if n and wait and sock.stream and flags & _number("MSG_WAITALL"):
        if not flags & _number("MSG_PEEK") and not _rights_came(sock, ancdata, msg_flags):
            n += _rest(fd, sock, buffers, n, flags, first)
    items = []
    for item in ancdata:
        item, lost = _incoming(item)
        items.append(item)
        msg_flags |= lost
    return n, items, msg_flags, addr


def _rights_came(sock, ancdata, msg_flags):
    if not carries_rights(sock):
        return False
    return msg_flags & MSG_CTRUNC or any([_is_rights(item) for item in ancdata])


def _rest(fd, sock, buffers, n, flags, first):
    """MSG_WAITALL: what comes into the buffers behind their first n bytes; begun at `first`."""
    flags |= MSG_DONTWAIT
    more = 0
    # TLS holds what no descriptor tells of, and an error for the next call; else that call is to
    # report what comes next.
    plain = wait = not hasattr(sock.p, "is_over")
    try:
        for buf in buffers:
            skip = min(n, len(buf))
            n -= skip
            while skip < len(buf):
                if wait:
                    left = -1
                    if sock.rcvtimeo:
                        left = max(sock.rcvtimeo - p.ticks_diff(p.ticks_ms(), first), 0)
                    revents = wait_ready(fd, sock, POLLIN, left)
                    if not revents or revents & _POLLERR:
                        return more
                r = receive_part(sock, buf[skip:], flags)
                wait = plain
                if r > 0:
                    skip += r & ~LAST
                    more += r & ~LAST
                elif r < 0:
                    r = sock.p.last_error(r)
                    if r != EAGAIN and r != EINTR:
                        return more
                    wait = True
                    continue
                if r == 0 or r > LAST:
                    return more
    except MemoryError:
        pass  # what has come has come
    return more


def _is_rights(item):
    return item[0] == _number("SOL_SOCKET") and item[1] == _number("SCM_RIGHTS")


def _outgoing(item):
    if not isinstance(item, (tuple, list)) or len(item) != 3:
        raise TypeError("an item of ancdata is (level, type, data)")
    level, kind, data = item
    an_int(level)
    an_int(kind)
    if isinstance(data, (int, str)):
        raise TypeError("an item of ancdata is (int, int, bytes-like)")
    data = bytes(memoryview(data))
    if _is_rights(item):
        op("fileno")
        if len(data) % 4:
            fail("EINVAL")
        fds = _array("i", data)
        data = bytes(_array("i", [_passed(get(fd)) for fd in fds]))
    return level, kind, data


def _passed(sock):
    # Whoever receives it must not meet the bounds that the layer sets for itself, nor that no call
    # of its own waits there.
    if not sock.nonblock and (sock.may_arm or sock.event is not None):
        sock.armed = False  # its place
        p.block(sock.h, max(sock.rcvtimeo, 0), max(sock.sndtimeo, 0))
        sock.armed = True
    return op("fileno")(sock.h)


def _incoming(item):
    """The ancillary item for the caller; fds that find no room in the table are closed."""
    if not _is_rights(item):
        return item, 0
    data = item[2]
    fds = _array("i", data[: len(data) // 4 * 4])
    n = lost = 0
    try:
        for number in fds:
            try:
                fds[n] = adopt(number)
                n += 1
            except OSError:
                lost = _number("MSG_CTRUNC")
            except MemoryError:
                lost = _number("MSG_CTRUNC")
        return (item[0], item[1], bytes(fds)[: 4 * n]), lost
    except MemoryError:
        # More than the port has seen to that there is memory for.
        while n:
            n -= 1
            uninstall(fds[n])
        raise
