# SPDX-License-Identifier: MIT
# All waiting, and the rest of each call that may have to wait or to look closer.
#
# A port's handle does not wait: what it cannot do now is EAGAIN. `again` is the one place that
# waits, in slices, between which it sees whether another thread has closed the fd and, by the
# clock, whether the time is over. Where the port can also wait inside a call (`block`), a blocking
# socket without a timeout does that, a tick at a time, from its first wait on: one call of the
# system instead of three.

from .zbase import fail, get, p, tab

# How long one wait lasts (ms) before it looks at the table and the clock.
SLICE = 50
POLLIN = 1
POLLOUT = 4

EAGAIN = p.number("EAGAIN")
EBADF = p.number("EBADF")
EINTR = p.number("EINTR")
MSG_DONTWAIT = p.number("MSG_DONTWAIT")
WAITALL = p.number("MSG_WAITALL")
# What a call itself fails with; else it is what a signal's handler raised, which is the program's.
FAILURES = OSError, MemoryError, RuntimeError
# A receive with these never waits: of a datagram, of a stream.
_NEVER = MSG_DONTWAIT | p.number("MSG_ERRQUEUE")
_NEVER = _NEVER, _NEVER | p.number("MSG_OOB")


def wait_ready(fd, sock, want, left):
    """Waits until fd is ready for `want`, and gives its revents; 0 after left ms (-1: never)."""
    begin = p.ticks_ms()
    spent = 0
    while True:
        revents = sock.p.wait(sock.h, want, SLICE if left < 0 else min(left - spent, SLICE))
        if tab[fd] is not sock:
            fail("EBADF")
        if left >= 0 and not revents:
            spent = p.ticks_diff(p.ticks_ms(), begin)
        if revents or 0 <= left <= spent:
            return revents


def again(fd, sock, err, wait, want, begin, limit):
    """After a call failed with err: waits until it is worth another try, or raises.

    wait: whether the call may wait; want: POLLIN or POLLOUT; limit: ms that it may take, 0 for
    ever; begin: None after the first try, then what this function gave before.
    """
    if tab[fd] is not sock:
        fail("EBADF")
    if err != EINTR and (err != EAGAIN or not wait):
        raise sock.p.error(err)
    now = p.ticks_ms()
    if begin is None:
        begin = now
        if err == EAGAIN and sock.may_arm and not sock.armed:
            from .zarm import arm

            if arm(sock):
                return begin
    left = limit - p.ticks_diff(now, begin) if limit else -1
    if limit and left <= 0:
        fail("EAGAIN")
    if err == EAGAIN and not sock.armed:
        if not wait_ready(fd, sock, want, left):
            fail("EAGAIN")
        if want == POLLOUT and not sock.stream:
            # A datagram's receiver may be full where poll looks at the sender alone.
            p.sleep_ms(1)
    return begin


def retry(fd, sock, err, wait, want, limit, call, *args):
    """Repeats a call that failed with err until it gives something."""
    begin = None
    while True:
        begin = again(fd, sock, err, wait, want, begin, limit)
        r = call(*args)
        if r.__class__ is not int or r >= 0:
            return r
        err = sock.p.last_error(r)


def may_wait(sock, flags):
    return not sock.nonblock and not flags & _NEVER[sock.stream]


# Looked at with each call that brings flags, or a memoryview: an import statement would allocate.
zargs = None


def _load():
    global zargs
    import usocket_compat.zargs as zargs

    return zargs


# These two are small: a frame of more than eleven words is taken from MicroPython's heap. Of a TLS
# socket, and of one with something held, they are the first that know who is to be asked.


def send_rest(fd, data, flags, r, sock):
    """r: what the first try gave on sock; None before it."""
    if sock and r < 0:
        r = -p.last_error(r)
        if r == -EBADF and sock.p is not p:
            # A port's own call does not know it.
            r = sock.p.send(sock.h, data, len(data), flags) if data.__class__ is bytes else None
            if r == len(data):
                return r
            if r and r < 0:
                r = -sock.p.last_error(r)
    return _send_on(fd, data, flags, r, sock)


def recv_rest(fd, n_or_buffer, flags, r, sock):
    """r: what the first try gave on sock; None before it."""
    r = p.last_error(r) if sock else 0
    if r == EBADF and sock.p is not p:
        r = 0
        if n_or_buffer.__class__ is bytearray and n_or_buffer:
            r = sock.p.recv_into(sock.h, n_or_buffer, len(n_or_buffer), flags)
            if r >= 0:
                return r
            r = sock.p.last_error(r)
    return _recv_on(fd, n_or_buffer, flags, r, sock)


def _send_on(fd, data, flags, r, sock):
    # r: also an errno's negative.
    err = 0
    if r is not None and r < 0:
        err, r = -r, None
    sock = sock or get(fd)
    if (
        flags.__class__ is not int
        or flags
        and flags != MSG_DONTWAIT
        or data.__class__ is not bytes
    ):
        checks = zargs or _load()
        checks.an_int(flags)
        data = checks.as_bytes(data)
    wait = not sock.nonblock and not flags & MSG_DONTWAIT
    begin = None
    sent = 0
    while True:
        if err:
            try:
                begin = again(fd, sock, err, wait, POLLOUT, begin, sock.sndtimeo)
            except FAILURES:  # what was sent is sent
                if sent:
                    return sent
                raise
        elif r is not None:
            sent += r
            if sent >= len(data) or not wait or not sock.stream or tab[fd] is not sock:
                return sent
        try:
            part = memoryview(data)[sent:] if sent else data
        except MemoryError:
            return sent
        r = sock.p.send(sock.h, part, len(part), flags)
        err = sock.p.last_error(r) if r < 0 else 0


def _recv_on(fd, n_or_buffer, flags, err, sock):
    # No `retry`, which would allocate.
    sock = sock or get(fd)
    into = n_or_buffer.__class__ is bytearray
    plain = (flags == 0 or flags == MSG_DONTWAIT) and flags.__class__ is int
    if plain and into:
        size = len(n_or_buffer)
    elif plain and n_or_buffer.__class__ is int and n_or_buffer >= 0:
        size = n_or_buffer
    else:
        checks = zargs or _load()
        checks.an_int(flags)
        n_or_buffer = checks.target(n_or_buffer)
        into = not isinstance(n_or_buffer, int)
        size = len(n_or_buffer) if into else n_or_buffer
    wait = may_wait(sock, flags)
    if wait and sock.stream and (not size or flags and flags & WAITALL):
        from .zwaitall import recv_all

        return recv_all(fd, sock, n_or_buffer, size, flags, wait_ready)
    begin = None
    while True:
        if err:
            begin = again(fd, sock, err, wait, POLLIN, begin, sock.rcvtimeo)
        if into:
            r = sock.p.recv_into(sock.h, n_or_buffer, size, flags)
            if r >= 0:
                return r
        else:
            r = sock.p.recv(sock.h, size, flags)
            if r.__class__ is bytes:
                return r
        err = sock.p.last_error(r)


def accept_rest(fd, sock, entry, err):
    limit, wait = sock.rcvtimeo, not sock.nonblock
    return retry(fd, sock, err, wait, POLLIN, limit, sock.p.accept, sock.h, entry)
