# SPDX-License-Identifier: MIT
# MSG_WAITALL, and what ends it before all has come: file descriptors. A receive of no bytes.

from .zbase import fail, p

_POLLIN = 1
_POLLERR = 8
_POLLHUP = 16
_POLLRDHUP = p.number("POLLRDHUP")
# How long a look for more takes (ms) where nothing tells when there is.
_PAUSE = 5
_EAGAIN = p.number("EAGAIN")
_EINTR = p.number("EINTR")
_MSG_DONTWAIT = p.number("MSG_DONTWAIT")
_MSG_PEEK = p.number("MSG_PEEK")
# A number may have to be looked up in a file, for which behind a receive there may be no memory.
MSG_CTRUNC = p.number("MSG_CTRUNC")
# Above any count.
LAST = 0x20000000


def carries_rights(sock):
    """Whether what is received on sock may come with file descriptors."""
    return sock.family == p.number("AF_UNIX") and hasattr(p, "recvmsg")


def receive_part(sock, view, flags):
    """Receives into view: the count or a negative number; LAST is added when descriptors came.

    Those end a MSG_WAITALL, as on Linux; here they are lost.
    """
    if not carries_rights(sock):
        return sock.p.recv_into(sock.h, view, len(view), flags)
    got = sock.p.recvmsg(sock.h, [view], 0, flags)
    if got.__class__ is not tuple:
        return got
    return got[0] + (LAST if got[2] & MSG_CTRUNC else 0)


def recv_all(fd, sock, n_or_buffer, size, flags, wait_ready):
    """MSG_WAITALL: all that was asked for; less only at the end, an error or a timeout.

    wait_ready: that of zwait.py.
    """
    if not size:
        if isinstance(n_or_buffer, int):
            args = b"", sock.p.recv, sock.h, 0
        else:
            args = 0, sock.p.recv_into, sock.h, n_or_buffer, 0
        return receive_nothing(fd, sock, flags, wait_ready, *args)
    if isinstance(n_or_buffer, int):
        buf = bytearray(size)
        # The result's memory, as long as one waits for it.
        spare = hasattr(p, "BytesIO") and p.BytesIO(size + 256)
        n = _fill(fd, sock, buf, size, flags, wait_ready)
        if spare:
            spare.close()
        return bytes(memoryview(buf)[:n])
    return _fill(fd, sock, n_or_buffer, size, flags, wait_ready)


def _fill(fd, sock, view, size, flags, wait_ready):
    got = 0
    begin = p.ticks_ms()
    try:
        while True:
            part = memoryview(view)[got:]
            r = receive_part(sock, part, flags | _MSG_DONTWAIT)
            if r < 0:
                err = sock.p.last_error(r)
                if err != _EAGAIN and err != _EINTR:
                    if got:
                        return got
                    raise sock.p.error(err)
            elif flags & _MSG_PEEK:
                # What is looked at stays there, and so poll tells of the end alone.
                got = 0
                r &= ~LAST
                if r >= size or sock.p.wait(sock.h, _POLLIN | _POLLRDHUP, 0) & ~_POLLIN:
                    return r
                if hasattr(sock.p, "is_over") and sock.p.is_over(sock.h):
                    return r
            else:
                got += r & ~LAST
                if not r or got >= size or r & LAST:
                    return got
            left = sock.rcvtimeo - p.ticks_diff(p.ticks_ms(), begin) if sock.rcvtimeo else -1
            if sock.rcvtimeo and left <= 0:
                if got or r > 0:
                    return got or r
                fail("EAGAIN")
            if flags & _MSG_PEEK and r > 0:
                p.sleep_ms(_PAUSE)
            # An error that is next is for the next call to report.
            if wait_ready(fd, sock, _POLLIN, left) & _POLLERR and got:
                return got
    except MemoryError:
        if got:
            return got  # what has come has come
        raise


def receive_nothing(fd, sock, flags, wait_ready, nothing, call, *args):
    """A receive of no bytes on a stream, by call(*args, flags): it waits for data as any other.

    Linux's TCP is then at its end, with `nothing`, whatever has come; and when its time is over.
    Over AF_UNIX it begins anew; there the end of the time is EAGAIN.
    """
    begin = p.ticks_ms()
    tcp = sock.family != p.number("AF_UNIX")
    left = sock.rcvtimeo or -1
    while True:
        # It never waits in the platform: to the kernel a tick that ends without data is nothing
        # received, as asked for.
        r = call(*args, flags | _MSG_DONTWAIT)
        if r.__class__ is not int or r >= 0:
            return r
        err = sock.p.last_error(r)
        if err != _EAGAIN and err != _EINTR:
            raise sock.p.error(err)
        if sock.rcvtimeo:
            left = max(sock.rcvtimeo - p.ticks_diff(p.ticks_ms(), begin), 0)
        if not wait_ready(fd, sock, _POLLIN, left) and not tcp:
            fail("EAGAIN")
        if tcp:
            return nothing
