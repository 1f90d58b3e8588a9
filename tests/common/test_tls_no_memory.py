# With little or no heap left a call on a TLS socket is made, or raises MemoryError: then what is
# there before is there afterwards, data, connection, fds. A handshake that found no room goes on,
# or has failed for good and says so. As test_no_memory.py.
import sys

import certs
import shortage
from secure import CA, OWN, client, credentials, listener, option
from shortage import BLOCK, ballast
from starve import ALL, MOST, descriptors

import usocket_compat as net
from check import (
    BOARD,
    MICROPYTHON,
    close,
    eq,
    has,
    needs,
    nodelay,
    nonblocking,
    now,
    raises,
    ready,
    sized,
    sleep_ms,
    true,
)
from usocket_compat import errno

NEEDED = "IPPROTO_TLS_1_2"
NOW = net.MSG_DONTWAIT
DATA = b"0123456789abcdefghijklmnopqrstuvwxyz" * 3
LONG = 30000
# blocks that are free
FEW = 0, 1, 2, 3, 5, 8, 16, 32
# ms in which what was sent has come
THERE = sized(1, 30)


def swept(test):
    """As starve's, of fewer numbers: each takes long. What the fds are is closed at the end."""

    def run():
        if not MICROPYTHON:
            return "this heap has no end"
        # What it needs is loaded then.
        true(test(None) is not None, "it cannot be made")
        weight = ballast()
        before = descriptors()
        for free in range(0, MOST + 1, BLOCK):
            if ALL or free // BLOCK in FEW:
                test(free)
        weight = None
        eq(descriptors(), before, "descriptors")
        net.closeall()
        return weight

    return run


def starved(free, call, *args):
    return call(*args) if free is None else shortage.starved(free, call, *args)


# One pair for all that do not end it: a handshake takes a board a while.
_pair = []


def begun():
    """A handshake of two that do not wait: the client, the server."""
    lfd, addr = listener()
    nonblocking(lfd)
    a = client()
    nodelay(a)
    nonblocking(a)
    raises("EINPROGRESS", net.zsock_connect, a, addr)
    eq(ready(lfd, net.POLLIN, LONG), net.POLLIN)
    b, _ = net.zsock_accept(lfd)
    nodelay(b)
    nonblocking(b)
    close(lfd)
    return a, b


def ended(a, b):
    """Goes on with it until both are connected, or one has failed: whether they are."""
    fds = [net.zsock_pollfd(a, net.POLLOUT), net.zsock_pollfd(b, net.POLLOUT)]
    begin = now()
    while True:
        net.zsock_poll(fds, 2)
        for each in fds:
            if each.revents & net.POLLERR:
                return False
        if fds[0].revents and fds[1].revents:
            return True
        true(now() - begin < LONG, "it hangs")


def pair():
    if not _pair or _pair[0] not in net.fds():
        _pair[:] = begun()
        true(ended(*_pair))
    return _pair


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


def into(fd):
    return memoryview(_buffer)[: net.zsock_recv(fd, _buffer)]


def message(fd):
    n = net.zsock_recvmsg(fd, _buffers)[0]
    return b"".join(_buffers)[:n]


def peeked(fd):
    eq(net.zsock_recv(fd, 60, net.MSG_PEEK), DATA[:60])
    return b""


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


# -- before a connection ----------------------------------------------------------------


def opened():
    net.closeall()
    return net.fds()


@needs(NEEDED)
@swept
def test_socket(free):
    eq(opened(), [])
    got = starved(free, net.zsock_socket, net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TLS_1_2)
    eq(net.fds(), [] if got is None else [got])
    close(*net.fds())
    return got


@needs(NEEDED)
@swept
def test_options(free):
    credentials()
    fd = client()
    made = starved(free, tagged, fd)
    tags = net.zsock_getsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST)
    true(tags == [CA, OWN] if made else tags in ([CA], [CA, OWN]), tags)
    option(fd, "TLS_SEC_TAG_LIST", [OWN])
    eq(net.zsock_getsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST), [OWN])
    close(fd)
    return made


def tagged(fd):
    net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, (CA, OWN))
    return True


@needs(NEEDED)
@swept
def test_a_credential(free):
    made = starved(free, added)
    if made:
        eq(net.tls_credential_get(99, net.TLS_CREDENTIAL_CA_CERTIFICATE), certs.CA)
    else:
        raises("ENOENT", net.tls_credential_get, 99, net.TLS_CREDENTIAL_CA_CERTIFICATE)
        added()
    net.tls_credential_delete(99, net.TLS_CREDENTIAL_CA_CERTIFICATE)
    return made


def added():
    net.tls_credential_add(99, net.TLS_CREDENTIAL_CA_CERTIFICATE, certs.CA)
    return True


def shortly(which, steps):
    """A handshake in which one side finds so little memory after so many steps."""

    def test(free):
        opened()
        a, b = begun()
        fds = [net.zsock_pollfd(a, net.POLLOUT), net.zsock_pollfd(b, net.POLLOUT)]
        for _ in range(steps):
            net.zsock_poll(fds, 2)
        fd = (a, b)[which]
        made = None
        try:
            made = starved(free, net.zsock_send, fd, b"secret")
        except OSError as e:
            if e.errno == errno.EAGAIN:
                made = True
            else:
                # mbedTLS has a heap of its own there, which is as full.
                true(e.errno in (errno.ENOMEM, errno.ECONNABORTED, errno.ECONNRESET), e)
        if ended(a, b):
            # Of what went out meanwhile there is nothing half.
            net.zsock_send(a, b"from a")
            net.zsock_send(b, b"from b")
            for to, word in ((a, b"from b"), (b, b"from a")):
                got = b""
                while not got.endswith(word):
                    eq(ready(to, net.POLLIN, LONG), net.POLLIN)
                    got += net.zsock_recv(to, 20)
                # Of what was refused for want of memory there may be all, and nothing else.
                true(got in (word, b"secret" + word), got)
        else:
            # It is dead, and stays so.
            dead = a if ready(a, net.POLLOUT, 0) & net.POLLERR else b
            for _ in range(2):
                raises(("ECONNABORTED", "ECONNRESET", "ENOMEM"), net.zsock_send, dead, b"secret")
        close(a, b)
        eq(net.fds(), [])
        return made

    return test


def roomy(test):
    """The heap of a board of 32 bits does not hold both ends of a handshake and this file."""
    return test if not BOARD or sys.maxsize >> 31 else lambda: "no room for both ends"


@needs(NEEDED)
@roomy
@swept
def test_a_handshake_of_a_client(free):
    return shortly(0, 1)(free)


@needs(NEEDED)
@roomy
@swept
def test_a_handshake_of_a_server(free):
    return shortly(1, 0)(free)


@needs(NEEDED)
@roomy
@swept
def test_close(free):
    """It needs no memory."""
    opened()
    for fd in pair():
        eq(starved(free, closed, fd), True)
    eq(net.fds(), [])
    return True


def closed(fd):
    net.zsock_close(fd)
    return True
