# SPDX-License-Identifier: MIT
"""asyncio on fds: the calls that wait, as awaitables, on CPython's asyncio and MicroPython's.

    from usocket_compat import aio

    async def echo(fd):  # a UDP echo server
        while True:
            data, addr = await aio.recvfrom(fd, 1472)
            await aio.sendto(fd, data, 0, addr)

An fd may block or not: the loop goes on, and O_NONBLOCK is neither needed nor changed. With
MSG_DONTWAIT a call gives EAGAIN as the plain one does. SO_RCVTIMEO, SO_SNDTIMEO and
CONFIG_NET_SOCKETS_CONNECT_TIMEOUT count as in plain calls: EAGAIN (of connect EINPROGRESS or
ETIMEDOUT) when the time is over.

Cancelled, also by asyncio.wait_for, a call has taken nothing and sent nothing, but for sendall, a
connect, which goes on, and what is said there. Closed meanwhile, by another task or thread, it is
EBADF within 200 ms, whatever has the number by then. Several tasks may wait for one fd; each event
wakes one of them.
"""

# Whatever is awaited comes before the call that takes or gives data, nothing after it: so no
# CancelledError comes between that and the program.

from sys import modules

from ._config import NET_SOCKETS_CONNECT_TIMEOUT
from .zbase import Sock, closed, fail, get, install, p, tab, table

try:
    from .aiowait import hand_over, sleep_ms, wait, wait_any
except ImportError:
    # CPython's asyncio has no core.
    from .aiohost import hand_over, sleep_ms, wait, wait_any

net = modules[__name__.rpartition(".")[0]]
_number = p.number
_EAGAIN = _number("EAGAIN")
_DONTWAIT = _number("MSG_DONTWAIT")
_WAITALL = _number("MSG_WAITALL")
# A call with these never waits: on a datagram socket, on a stream.
_NEVER = _DONTWAIT | _number("MSG_ERRQUEUE")
_NEVER = _NEVER, _NEVER | _number("MSG_OOB")
_PENDING = _number("EINPROGRESS"), _number("EALREADY"), _number("EINTR")
# The platform's poll looks so often (ms) where it has to be asked again and again.
_TICK = 10
# So many calls in a row may find what they need at once, before the other tasks have their turn.
_MOST = 16
_turns = _MOST


# -- the calls --------------------------------------------------------------------------


def recv(fd, n_or_buffer, flags=0):
    """Receives at most n bytes, or into a buffer, as zsock_recv: bytes, or the count; awaitable.

    Raises as that; EOPNOTSUPP for MSG_WAITALL, whose part a cancel would lose. Source: POSIX
    recv(), zsock_recv.
    """
    return _until(fd, 0, flags, net.zsock_recv, n_or_buffer, flags | _DONTWAIT)


def recvfrom(fd, n_or_buffer, flags=0):
    """Receives one datagram, as zsock_recvfrom: (bytes or count, addr); awaitable.

    Raises as that. Source: POSIX recvfrom(), zsock_recvfrom.
    """
    return _until(fd, 0, flags, net.zsock_recvfrom, n_or_buffer, flags | _DONTWAIT)


def recvmsg(fd, buffers, ancbufsize=0, flags=0):
    """Receives into several buffers, as zsock_recvmsg; awaitable.

    Returns (count, ancdata, msg_flags, addr). Raises as that; EOPNOTSUPP for MSG_WAITALL.
    Source: POSIX recvmsg(), zsock_recvmsg.
    """
    return _until(fd, 0, flags, net.zsock_recvmsg, buffers, ancbufsize, flags | _DONTWAIT)


def send(fd, data, flags=0):
    """Sends bytes, as zsock_send; awaitable. Returns how many were taken: at least one.

    It waits until some are taken, and not for all, as a blocking zsock_send does: see sendall.
    Raises as that. Source: POSIX send(), zsock_send.
    """
    return _until(fd, 1, flags, net.zsock_send, data, flags | _DONTWAIT)


def sendto(fd, data, flags, addr):
    """Sends one datagram to addr, as zsock_sendto: its length; awaitable.

    A name in addr is looked up at once, which may block the loop: give numbers (getaddrinfo).
    Raises as that. Source: POSIX sendto(), zsock_sendto.
    """
    return _until(fd, 1, flags, net.zsock_sendto, data, flags | _DONTWAIT, addr)


def sendmsg(fd, buffers, ancdata=(), flags=0, addr=None):
    """Sends several buffers as one message, as zsock_sendmsg: the count; awaitable.

    Of a stream that may be a part, as of send. Raises as that.
    Source: POSIX sendmsg(), zsock_sendmsg.
    """
    return _until(fd, 1, flags, net.zsock_sendmsg, buffers, ancdata, flags | _DONTWAIT, addr)


async def _until(fd, out, flags, call, *args):
    """call(fd, *args), again whenever fd is ready to be read (out 0) or written (1)."""
    global _turns
    sock = get(fd)
    if flags & _WAITALL and sock.stream and not out:
        fail("EOPNOTSUPP")
    _turns -= 1
    if _turns < 0:
        _turns = _MOST
        await sleep_ms(0)
        _still(fd, sock)
    n, until = 0, None
    while True:
        try:
            got = call(fd, *args)
            hand_over()
            return got
        except OSError as e:
            if e.errno != _EAGAIN or flags & (_DONTWAIT if out else _NEVER[sock.stream]):
                raise
        if not n:
            until = _limit(sock.sndtimeo if out else sock.rcvtimeo)
        _in_time(until)
        if n > 1 or n and out and not sock.stream:
            # What was said to be ready is not. A datagram's receiver may be full where poll looks
            # at the sender alone; or others are faster.
            await sleep_ms(1)
            _still(fd, sock)
        await wait(fd, sock, _way(sock, out), until, not n)
        n += 1
        _still(fd, sock)


def _still(fd, sock):
    """EBADF unless fd is what it was."""
    if tab[fd] is not sock:
        fail("EBADF")


def _way(sock, out):
    """The direction to wait for: a TLS socket may have to read before it writes."""
    return out if sock.p is p else sock.p.way(out)


def _limit(ms):
    """When ms will be over: ticks; None for what is for ever, or weeks."""
    return p.ticks_add(p.ticks_ms(), max(ms, 0)) if ms and ms < 0x10000000 else None


def _in_time(until, late="EAGAIN"):
    if until is not None and p.ticks_diff(until, p.ticks_ms()) <= 0:
        fail(late)


async def sendall(fd, data, flags=0):
    """Sends all bytes of data. SO_SNDTIMEO counts for the whole.

    Raises as send. When it is cancelled, or fails, in the middle, the exception's `sent` says how
    many bytes are gone, where exceptions take attributes: CancelledError everywhere, OSError on
    CPython. Who must know sends with `send`.
    """
    global _turns
    sock = get(fd)
    if data.__class__ is not bytes:
        from .zargs import as_bytes

        data = as_bytes(data)
    sent, first, until = 0, True, None
    try:
        _turns -= 1
        if _turns < 0:
            _turns = _MOST
            await sleep_ms(0)
        while True:
            _still(fd, sock)
            try:
                sent += net.zsock_send(
                    fd, memoryview(data)[sent:] if sent else data, flags | _DONTWAIT
                )
                if sent >= len(data):
                    hand_over()
                    return
            except OSError as e:
                if e.errno != _EAGAIN or flags & _DONTWAIT:
                    raise
            if first:
                until = _limit(sock.sndtimeo)
            _in_time(until)
            await wait(fd, sock, _way(sock, 1), until, first)
            first = False
    except BaseException as e:
        try:
            setattr(e, "sent", sent)
        except AttributeError:
            pass
        raise


async def accept(fd):
    """The next connection, as zsock_accept: (fd, addr).

    Raises as that; while it waits no number is kept for it, so ENFILE may come when a connection
    does, which goes on to wait. Source: POSIX accept(), zsock_accept.
    """
    global _turns
    sock = get(fd)
    _turns -= 1
    if _turns < 0:
        _turns = _MOST
        await sleep_ms(0)
    n, until = 0, None
    while True:
        _still(fd, sock)
        # As long as its calls wait in the platform it is asked before.
        got = None if sock.armed and not sock.p.wait(sock.h, 1, 0) else _accept(sock)
        if got:
            hand_over()
            return got
        if not n:
            until = _limit(sock.rcvtimeo)
        _in_time(until)
        if n > 1:
            await sleep_ms(1)
        await wait(fd, sock, 0, until, not n)
        n += 1


def _accept(sock):
    """(fd, addr), or None when there is none: zsock_accept, which does not wait."""
    entry = Sock()
    entry.h = closed.h
    try:
        new = install(entry)
        if sock.family != 2 or sock.rcvtimeo or sock.sndtimeo:
            from .zkind import inherit

            inherit(entry, sock)
        addr = sock.p.accept(sock.h, entry)
        if addr.__class__ is not int:
            return new, addr
        err = sock.p.last_error(addr)
        if err != _EAGAIN and err != _PENDING[2]:
            raise sock.p.error(err)
        table.take(new)
    except:
        if entry in tab:
            table.take(tab.index(entry))
        if entry.h is not closed.h or entry.p is not p:
            entry.p.close(entry.h)
        raise


async def connect(fd, addr):
    """Connects to addr, as zsock_connect.

    A name in addr is looked up at once, which may block the loop: give numbers (getaddrinfo).
    Cancelled, the connection goes on to be made; another connect to the same waits for it.
    Raises as zsock_connect of an fd that blocks. Source: POSIX connect(), zsock_connect.
    """
    sock = get(fd)
    addr = sock.p.address(sock.family, addr)
    if sock.armed:
        from .zarm import disarm

        disarm(sock)
    limit, late = NET_SOCKETS_CONNECT_TIMEOUT, "ETIMEDOUT"
    if sock.sndtimeo and not 0 < limit < sock.sndtimeo:
        limit, late = sock.sndtimeo, "EINPROGRESS"
    first, until = True, None
    while True:
        err = sock.p.connect(sock.h, addr, False)
        if not err:
            return
        err = sock.p.last_error(err)
        if err == _number("EISCONN") and not first:
            return
        if err not in _PENDING and err != _EAGAIN:
            raise sock.p.error(err)
        if first:
            until = _limit(limit)
        else:
            _in_time(until, late)
        if err == _EAGAIN:
            # The queue of an AF_UNIX listener is full; nothing tells when it is not.
            await sleep_ms(_TICK)
            _in_time(until)
        else:
            await wait(fd, sock, _way(sock, 1), until, first)
            first = False
        _still(fd, sock)


async def poll(fds, timeout_ms):
    """Waits until one of fds is ready, as zsock_poll: how many are.

    fds: a list of zsock_pollfd, which nobody changes meanwhile; timeout_ms: 0 is at once, negative
    or None waits without limit. Raises as that. Source: POSIX poll(), zsock_poll.
    """
    await sleep_ms(0)
    until = None if timeout_ms is None or timeout_ms < 0 else _limit(timeout_ms)
    first = True
    while True:
        n = net.zsock_poll(fds, 0)
        if n or not timeout_ms or until is not None and p.ticks_diff(until, p.ticks_ms()) <= 0:
            return n
        events = [pfd.events for pfd in fds if pfd.fd >= 0]
        if not events or wait_any is None or [e for e in events if not e or e & ~5]:
            # No poller of a loop knows of others than POLLIN and POLLOUT.
            if len(events) == len(fds) == 1 and (events[0] == 1 or events[0] == 4):
                await wait(fds[0].fd, tab[fds[0].fd], int(events[0] == 4), until, first)
            else:
                left = _TICK if until is None else p.ticks_diff(until, p.ticks_ms())
                await sleep_ms(max(min(_TICK, left), 0))
        else:
            await wait_any([(pfd.fd, tab[pfd.fd], pfd.events) for pfd in fds], until)
        first = False


def getaddrinfo(host, service, family=0, type=0, proto=0, flags=0):
    """The addresses of a host and service, as zsock_getaddrinfo, without blocking; awaitable.

    It asks the DNS servers itself. Raises as zsock_getaddrinfo. Source: POSIX getaddrinfo(),
    RFC 1035.
    """
    # By its name: it is built on this file.
    dns = __import__(net.__name__ + ".dns", None, None, ("p",))
    return dns.getaddrinfo(host, service, family, type, proto, flags)
