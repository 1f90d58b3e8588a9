# With little or no heap left a call on an open TLS socket is made, or raises MemoryError: then
# what is there before is there afterwards, data, connection, fds. As test_no_memory.py.
from starvetls import LONG, NEEDED, pair, starved, swept

import usocket_compat as net
from check import eq, has, needs, now, raises, ready, sized, sleep_ms, true
from usocket_compat import errno

NOW = net.MSG_DONTWAIT
DATA = b"0123456789abcdefghijklmnopqrstuvwxyz" * 3
# ms in which what was sent has come
THERE = sized(1, 30)


def rest(fd, n):
    data = b""
    begin = now()
    while len(data) < n and now() - begin < LONG:
        if ready(fd, net.POLLIN, 50):
            data += net.zsock_recv(fd, 200, NOW)
    raises("EAGAIN", net.zsock_recv, fd, 1, NOW)
    return data


def receives(receive, seen):
    """seen: whether poll has looked before, so that some of it is decrypted."""

    def test(free):
        a, b = pair()
        eq(net.zsock_send(a, DATA), len(DATA))
        if seen:
            eq(ready(b, net.POLLIN), net.POLLIN)
        else:
            sleep_ms(THERE)
        try:
            got = starved(free, receive, b)
        except OSError as e:
            eq(e.errno, errno.EAGAIN)  # it has not come yet
            got = None
        taken = bytes(got or b"")
        eq(taken + rest(b, len(DATA) - len(taken)), DATA)
        return got

    return test


_buffer = bytearray(60)
_buffers = [bytearray(20), bytearray(30)]


@needs(NEEDED)
@swept
def test_recv(free):
    return receives(lambda fd: net.zsock_recv(fd, 60), False)(free)


@needs(NEEDED)
@swept
def test_recv_of_what_poll_has_seen(free):
    return receives(lambda fd: net.zsock_recv(fd, 60), True)(free)


@needs(NEEDED)
@swept
def test_recv_into(free):
    a, b = pair()
    got = 0
    for seen in (False, True):
        eq(net.zsock_send(a, DATA), len(DATA))
        if seen:
            eq(ready(b, net.POLLIN), net.POLLIN)
        else:
            sleep_ms(THERE)
        try:
            got = starved(free, net.zsock_recv, b, _buffer) or 0
        except OSError as e:
            eq(e.errno, errno.EAGAIN)
        eq(bytes(_buffer[:got]) + rest(b, len(DATA) - got), DATA)
    return got or None


@needs(NEEDED)
@swept
def test_recv_that_peeks(free):
    a, b = pair()
    eq(net.zsock_send(a, DATA), len(DATA))
    eq(ready(b, net.POLLIN), net.POLLIN)
    got = starved(free, net.zsock_recv, b, 60, net.MSG_PEEK)
    true(got is None or got == DATA[: len(got)], got)
    eq(rest(b, len(DATA)), DATA)
    return got


@needs(NEEDED, "recvmsg")
@swept
def test_recvmsg(free):
    a, b = pair()
    eq(net.zsock_send(a, DATA), len(DATA))
    eq(ready(b, net.POLLIN), net.POLLIN)
    got = starved(free, net.zsock_recvmsg, b, _buffers)
    taken = b"".join(_buffers)[: got[0]] if got else b""
    eq(taken + rest(b, len(DATA) - len(taken)), DATA)
    return got


@needs(NEEDED)
@swept
def test_sends(free):
    a, b = pair()
    made = None
    sends = [lambda: net.zsock_send(a, DATA)]
    if has("sendmsg"):
        sends.append(lambda: net.zsock_sendmsg(a, [DATA[:9], DATA[9:]]))
    for send in sends:
        n = starved(free, send)
        if n is None:
            # The same again goes out once.
            n = net.zsock_send(a, DATA)
        else:
            made = n
        eq(rest(b, n), DATA[:n])
    return made


@needs(NEEDED)
@swept
def test_poll(free):
    a, b = pair()
    eq(net.zsock_send(a, DATA), len(DATA))
    sleep_ms(THERE)
    polls = [net.zsock_pollfd(b, net.POLLIN), net.zsock_pollfd(a, net.POLLIN)]
    got = starved(free, net.zsock_poll, polls, 1000)
    eq((net.zsock_poll(polls, 1000), polls[0].revents), (1, net.POLLIN))
    eq(rest(b, len(DATA)), DATA)
    return got


@needs(NEEDED, "FIONREAD")
@swept
def test_how_much_can_be_read(free):
    a, b = pair()
    eq(net.zsock_send(a, DATA), len(DATA))
    eq(ready(b, net.POLLIN), net.POLLIN)
    got = starved(free, net.zsock_ioctl, b, net.FIONREAD)
    true(got is None or 0 < got <= len(DATA), got)
    eq(rest(b, len(DATA)), DATA)
    return got
