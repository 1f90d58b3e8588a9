# TLS sockets as Zephyr has them: how connections end, who is trusted, non-blocking. Credentials,
# options and data are in test_tls.py: a board of 32 bits has no room for all of it at once.
import sys

import secure
from secure import (
    CA,
    CLIENT,
    LONG,
    NAME,
    OTHER,
    OWN,
    VERSIONS,
    client,
    listener,
    option,
    tls,
)

import usocket_compat as net
from check import (
    BOARD,
    Thread,
    close,
    eq,
    has,
    needs,
    nonblocking,
    raises,
    ready,
    recv_exactly,
    sendall,
    sleep_ms,
    tcp,
    true,
)
from usocket_compat.zbase import tab

S = net.SOL_TLS
NEEDED = "IPPROTO_TLS_1_2"


def text_of(e):
    return str(e.args[1]) if len(e.args) > 1 else ""


# -- how it ends ------------------------------------------------------------------------


@needs(NEEDED, "threads", "TLS_CLOSE_NOTIFY")
def test_the_end_is_told():
    for proto in VERSIONS:
        a, b = secure.pair(proto)
        sendall(a, b"last")
        # What is there and not yet read stays to be read, also behind the end of the other way.
        sendall(b, b"early")
        sleep_ms(50)
        net.zsock_shutdown(a, net.SHUT_WR)
        raises("EPIPE", net.zsock_send, a, b"x")
        eq(recv_exactly(b, 4), b"last")
        for _ in range(2):
            eq(net.zsock_recv(b, 9), b"")
            eq(net.zsock_recv(b, bytearray(9)), 0)
            eq(ready(b, net.POLLIN), net.POLLIN)
        sendall(b, b"still there")
        eq(recv_exactly(a, 16), b"earlystill there")
        close(b)
        eq(net.zsock_recv(a, 1), b"")
        close(a)
        a, b = secure.pair(proto)
        close(a)
        eq(net.zsock_recv(b, 1), b"")
        close(b)


@needs(NEEDED, "threads")
def test_a_connection_that_was_cut():
    """No close_notify: whoever waits for more is told that there may have been some."""
    a, b = secure.pair()
    sendall(a, b"first")
    if has("TLS_CLOSE_NOTIFY"):
        import os
        import socket

        with socket.socket(fileno=os.dup(net.zsock_fileno(a))) as under:
            under.shutdown(socket.SHUT_WR)
    else:
        close(a)  # which can say nothing of its end
        a = None
    eq(recv_exactly(b, 5), b"first")
    e = raises("ECONNABORTED", net.zsock_recv, b, 1)
    true("close_notify" in text_of(e), repr(e))
    raises("ECONNABORTED", net.zsock_recv, b, 1)
    close(b)
    if a is not None:
        close(a)


@needs(NEEDED, "threads")
def test_close_ends_a_call_that_waits():
    a, b = secure.pair()
    waiting = Thread(net.zsock_recv, a, 1)
    sleep_ms(50)
    close(a)
    raises("EBADF", waiting.join, LONG)
    close(b)
    lfd, _ = listener()
    waiting = Thread(net.zsock_accept, lfd)
    sleep_ms(50)
    close(lfd)
    raises("EBADF", waiting.join, LONG)


@needs(NEEDED, "threads")
def test_dup():
    a, b = secure.pair()
    other = net.dup(a) if hasattr(net, "dup") else net.zsock_dup(a)
    close(a)
    sendall(other, b"x")
    eq(recv_exactly(b, 1), b"x")
    close(other)
    raises(("EBADF",), net.zsock_send, other, b"x")
    close(b)


# -- who is trusted ---------------------------------------------------------------------


def refused(addr, lfd, words, **args):
    """A connect that fails; nothing has been sent to who was not verified."""
    accepting = Thread(net.zsock_accept, lfd)
    fd = client(**args)
    e = raises("ECONNABORTED", net.zsock_connect, fd, addr)
    true([w for w in words if w in text_of(e).lower()], repr(e))
    raises("ECONNABORTED", net.zsock_send, fd, b"secret")
    raises("ECONNABORTED", net.zsock_recv, fd, 1)
    raises(("ECONNABORTED", "ECONNRESET"), accepting.join, LONG)
    close(fd)


@needs(NEEDED, "threads")
def test_who_is_not_trusted():
    lfd, addr = listener()
    refused(addr, lfd, ("mismatch", "does not match"), name="other.test")
    refused(addr, lfd, ("issuer", "not correctly signed", "unable to get"), tags=(OTHER,))
    fd = client()
    accepting = Thread(net.zsock_accept, lfd)
    net.zsock_connect(fd, addr)
    close(accepting.join(LONG)[0], fd, lfd)


@needs(NEEDED, "threads")
def test_each_client_as_it_was_told():
    """One that does not verify its peer changes nothing for the next of the same tags."""
    lfd, addr = listener()
    unsigned = "issuer", "not correctly signed", "unable to get"
    for level in "NONE", None, "OPTIONAL", None, "NONE", "REQUIRED", "NONE":
        if level is None:
            refused(addr, lfd, unsigned, tags=(OTHER,))
            continue
        fd = client(tags=(OTHER,))
        option(fd, "TLS_PEER_VERIFY", getattr(net, "TLS_PEER_VERIFY_" + level))
        accepting = Thread(net.zsock_accept, lfd)
        if level == "REQUIRED":
            raises("ECONNABORTED", net.zsock_connect, fd, addr)
            raises(("ECONNABORTED", "ECONNRESET"), accepting.join, LONG)
        else:
            net.zsock_connect(fd, addr)
            close(accepting.join(LONG)[0])
        close(fd)
    close(lfd)


@needs(NEEDED, "threads")
def test_a_server_without_what_it_needs():
    for tags, verify, word in (
        ((CA,), None, "own"),
        ((OWN,), net.TLS_PEER_VERIFY_REQUIRED, "CA_CERTIFICATE"),
        ((), None, "own"),
    ):
        lfd, addr = listener(tags=tags, verify=verify)
        accepting = Thread(net.zsock_accept, lfd)
        fd = client()
        raises(("ECONNABORTED", "ECONNRESET"), net.zsock_connect, fd, addr)
        e = raises("EINVAL", accepting.join, LONG)
        true(word in text_of(e), repr(e))
        close(fd, lfd)


@needs(NEEDED)
def test_without_credentials_or_a_name():
    lfd, addr = listener()
    fd = tls()
    option(fd, "TLS_HOSTNAME", NAME)
    e = raises("ECONNABORTED", net.zsock_connect, fd, addr)
    true("CA_CERTIFICATE" in text_of(e), repr(e))
    close(fd)
    fd = client(name=False)
    e = raises("ECONNABORTED", net.zsock_connect, fd, addr)
    true("TLS_HOSTNAME" in text_of(e), repr(e))
    close(fd)
    # Nobody came.
    eq(ready(lfd, net.POLLIN, 50), 0)
    close(lfd)


@needs(NEEDED, "TLS_HOSTNAME_NONE", "threads")
def test_no_name_if_the_program_says_so():
    lfd, addr = listener()
    accepting = Thread(net.zsock_accept, lfd)
    fd = client(name=None)
    net.zsock_connect(fd, addr)
    close(fd, accepting.join(LONG)[0], lfd)


@needs(NEEDED, "threads")
def test_no_verification_if_the_program_says_so():
    lfd, addr = listener()
    for level in (net.TLS_PEER_VERIFY_NONE, net.TLS_PEER_VERIFY_OPTIONAL):
        accepting = Thread(net.zsock_accept, lfd)
        fd = tls()
        option(fd, "TLS_PEER_VERIFY", level)
        net.zsock_connect(fd, addr)
        server = accepting.join(LONG)[0]
        sendall(fd, b"x")
        eq(recv_exactly(server, 1), b"x")
        close(fd, server)
    close(lfd)


@needs(NEEDED, "threads")
def test_clients_are_verified_if_asked_for():
    lfd, addr = listener(tags=(OWN, CA))
    close(lfd)
    fd = tls()
    option(fd, "TLS_SEC_TAG_LIST", [OWN, CA])
    option(fd, "TLS_PEER_VERIFY", net.TLS_PEER_VERIFY_REQUIRED)
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    from check import bind_free

    addr = bind_free(fd, "127.0.0.1")
    net.zsock_listen(fd, 4)
    accepting = Thread(net.zsock_accept, fd)
    one = client(tags=(CA, CLIENT))
    net.zsock_connect(one, addr)
    server = accepting.join(LONG)[0]
    sendall(one, b"x")
    eq(recv_exactly(server, 1), b"x")
    close(one, server)
    accepting = Thread(net.zsock_accept, fd)
    one = client()
    raises(("ECONNABORTED", "ECONNRESET"), net.zsock_connect, one, addr)
    raises("ECONNABORTED", accepting.join, LONG)
    close(one, fd)


# -- non-blocking -----------------------------------------------------------------------


@needs(NEEDED)
def test_nonblocking_all_the_way():
    """One thread for both ends: nothing waits."""
    for proto in VERSIONS:
        lfd, addr = listener(proto)
        nonblocking(lfd)
        raises("EAGAIN", net.zsock_accept, lfd)
        a = client(proto)
        nonblocking(a)
        raises("EINPROGRESS", net.zsock_connect, a, addr)
        eq(ready(lfd, net.POLLIN), net.POLLIN)
        b, _ = net.zsock_accept(lfd)
        nonblocking(b)
        fds = [net.zsock_pollfd(a, net.POLLOUT), net.zsock_pollfd(b, net.POLLOUT)]
        for _ in range(2000):
            net.zsock_poll(fds, 5)
            if fds[0].revents and fds[1].revents:
                break
        eq([each.revents for each in fds], [net.POLLOUT, net.POLLOUT])
        net.zsock_connect(a, addr)
        raises("EISCONN", net.zsock_connect, a, addr)
        eq(net.zsock_send(a, b"abc"), 3)
        eq(ready(b, net.POLLIN), net.POLLIN)
        eq(net.zsock_recv(b, 9), b"abc")
        close(a, b, lfd)


@needs(NEEDED)
def test_nobody_listens():
    from check import closed_port

    fd = client()
    raises("ECONNREFUSED", net.zsock_connect, fd, closed_port())
    close(fd)


@needs(NEEDED, "threads")
def test_a_peer_that_is_none():
    """Garbage, silence and an end instead of a handshake: bounded in time."""
    from check import listener as plain_listener

    lfd, addr = plain_listener()
    for words in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x16\3\3\0\2\2\0"):
        fd = client()
        connecting = Thread(net.zsock_connect, fd, addr)
        server, _ = net.zsock_accept(lfd)
        recv_exactly(server, 5)
        if words:
            sendall(server, words)
        sleep_ms(30)
        close(server)
        raises(("ECONNABORTED", "ECONNRESET"), connecting.join, LONG)
        close(fd)
    # It says nothing at all.
    fd = client()
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.3)
    raises(("EINPROGRESS", "EAGAIN"), net.zsock_connect, fd, addr)
    close(fd, lfd)
    # A client without TLS.
    lfd, addr = listener()
    accepting = Thread(net.zsock_accept, lfd)
    fd = tcp()
    net.zsock_connect(fd, addr)
    sendall(fd, b"GET / HTTP/1.0\r\n\r\n")
    raises("ECONNABORTED", accepting.join, LONG)
    close(fd)
    net.zsock_setsockopt(lfd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.3)
    accepting = Thread(net.zsock_accept, lfd)
    fd = tcp()
    net.zsock_connect(fd, addr)
    raises("ETIMEDOUT", accepting.join, LONG)
    close(fd, lfd)


@needs(NEEDED, "threads")
def test_one_reader_one_writer():
    a, b = secure.pair()
    size = 6000 if BOARD else 60000
    block = bytes([n * 7 % 253 for n in range(1000)])

    def give(fd):
        for _ in range(size // 1000):
            sendall(fd, block)

    def receive(fd):
        got = 0
        buf = bytearray(777)
        while got < size:
            n = net.zsock_recv(fd, buf)
            true(n)
            for at in (0, n - 1):
                eq(buf[at], block[(got + at) % 1000])
            got += n
        return got

    # A sender that fails is seen first, not the reader that waits for it.
    threads = [Thread(give, a), Thread(give, b), Thread(receive, a), Thread(receive, b)]
    for thread in threads:
        thread.join(LONG)
    close(a, b)


class Overtaken:
    """A lock that another thread takes between the look at it and its taking, for a while."""

    def __init__(self, lock, ms):
        self.lock = lock
        self.looks = 0
        lock.acquire()
        self.other = Thread(self.work, ms)

    def work(self, ms):
        sleep_ms(ms)
        self.lock.release()

    def locked(self):
        self.looks += 1
        return self.looks > 1 and self.lock.locked()

    def acquire(self, wait=True):
        return self.lock.acquire(wait)

    def release(self):
        self.lock.release()


@needs(NEEDED, "threads")
def test_who_is_overtaken_waits_for_no_data():
    """What TLS holds of a record is not seen by a poll of the connection."""
    if sys.implementation.name == "cpython":
        return "it has no such lock (tlshostown.py)"
    a, b = secure.pair()
    sendall(a, bytes(1000))
    eq(recv_exactly(b, 700), bytes(700))
    net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_RCVTIMEO, 3)
    buf = bytearray(777)
    t = tab[b].p
    real = t._lock
    t._lock = mine = Overtaken(real, 50)
    eq(net.zsock_recv(b, buf), 300)
    true(mine.looks)
    mine.other.join()
    t._lock = real
    close(a, b)
