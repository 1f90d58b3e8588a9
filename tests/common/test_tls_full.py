# TLS sockets with little room to send, and ends of one direction: every byte that a call took
# comes, once, and no other.
import secure
from secure import LONG, VERSIONS, client, listener

import usocket_compat as net
from check import (
    BOARD,
    MICROPYTHON,
    SOON,
    Thread,
    close,
    eq,
    has,
    needs,
    nonblocking,
    now,
    raises,
    ready,
    recv_exactly,
    sendall,
    since,
    sized,
    sleep_ms,
    true,
)
from usocket_compat import errno
from usocket_compat.zbase import tab

NEEDED = "IPPROTO_TLS_1_2"
# In turn: within a record, of several, of what a call takes at most.
SIZES = 700, 5000, 1, 12000, 4096, 17000, 300


def narrow(proto=secure.V12):
    """A client with as little room to send as the system gives, and its server."""
    lfd, addr = listener(proto)
    fd = client(proto)
    if has("SO_SNDBUF") and not BOARD:
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDBUF, 4096)
    if has("SO_RCVBUF") and not BOARD:
        net.zsock_setsockopt(lfd, net.SOL_SOCKET, net.SO_RCVBUF, 4096)
    accepting = Thread(net.zsock_accept, lfd)
    net.zsock_connect(fd, addr)
    server = accepting.join(LONG)[0]
    close(lfd)
    return fd, server


def give(fd, byte, total, blocks, sent):
    """Sends that byte so often, in pieces; in sent how many of them were taken."""
    at = n = 0
    while at < total:
        piece = byte * min(SIZES[n % len(SIZES)] // sized(1, 8) + 1, total - at)
        n += 1
        while True:
            try:
                at += net.zsock_send(fd, piece, 0 if blocks else net.MSG_DONTWAIT)
                sent[byte] = at
                break  # what is left of the piece may go with another
            except OSError as e:
                eq(e.errno, errno.EAGAIN)
                ready(fd, net.POLLOUT, LONG)


def counts(fd, bytes_of, total):
    """How often each byte comes, until so many have come in all."""
    got = dict.fromkeys(bytes_of, 0)
    buf = bytearray(sized(3000, 500))
    left = total
    while left > 0:
        true(ready(fd, net.POLLIN, LONG), "%d bytes have not come" % left)
        n = net.zsock_recv(fd, buf)
        true(n, "the end")
        for byte in bytes_of:
            got[byte] += bytes(buf[:n]).count(byte)
        left -= n
    return got


def exact(proto, blocks, senders):
    a, b = narrow(proto)
    total = sized(150000, 9000)
    sent = {}
    threads = [Thread(give, a, byte, total, blocks, sent) for byte in senders]
    got = counts(b, senders, total * len(senders))
    for thread in threads:
        thread.join(LONG)
    eq(got, sent)
    # Nothing else comes.
    sendall(a, b"end")
    eq(recv_exactly(b, 3), b"end")
    close(a, b)


@needs(NEEDED, "threads")
def test_what_was_taken_comes():
    for proto in VERSIONS:
        for blocks in (False, True):
            exact(proto, blocks, [b"a"])


@needs(NEEDED, "threads")
def test_what_was_taken_of_two_comes():
    for proto in VERSIONS:
        for blocks in (False, True):
            exact(proto, blocks, [b"a", b"b"])


# A pattern that no record's length is a multiple of.
TURN = 251
PATTERN = bytes(range(TURN)) * sized(300, 30)


def pattern(at, n):
    """So much of what is sent, from there on."""
    return memoryview(PATTERN)[at % TURN :][:n]


def comes(fd, total):
    """So much of the pattern comes."""
    got, buf = 0, bytearray(sized(3000, 500))
    while got < total:
        true(ready(fd, net.POLLIN, LONG), "%d bytes have not come" % (total - got))
        n = net.zsock_recv(fd, buf)
        true(memoryview(buf)[:n] == pattern(got, n), "others come behind %d bytes" % got)
        got += n


@needs(NEEDED, "threads")
def test_the_rest_in_smaller_pieces():
    """Of a send that was EAGAIN, or took a part, what is left goes in pieces of any size."""
    for proto in VERSIONS:
        for flags in (net.MSG_DONTWAIT, 0):
            in_smaller_pieces(*narrow(proto), flags)


def in_smaller_pieces(a, b, flags):
    net.zsock_setsockopt(a, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.3)
    most = sized(60000, 6000)
    at, n = 0, most
    try:
        while n == most:
            n = net.zsock_send(a, pattern(at, most), flags)
            at += n
    except OSError as e:
        eq(e.errno, errno.EAGAIN)
    total = at + most
    receiving = Thread(comes, b, total)
    while at < total:
        try:
            at += net.zsock_send(a, pattern(at, min(sized(1000, 170), total - at)), flags)
        except OSError as e:
            eq(e.errno, errno.EAGAIN)
            ready(a, net.POLLOUT, LONG)
    receiving.join(LONG)
    sendall(a, b"end")
    eq(recv_exactly(b, 3), b"end")
    close(a, b)


@needs(NEEDED, "threads")
def test_what_is_not_taken_does_not_come():
    """A program need not go on with what a send has left."""
    a, b = narrow()
    sent, got = {b"a": 0, b"b": 0}, {b"a": 0, b"b": 0}
    buf = bytearray(sized(3000, 500))

    def take(wait):
        while ready(b, net.POLLIN, wait):
            n = net.zsock_recv(b, buf)
            for byte in got:
                got[byte] += bytes(buf[:n]).count(byte)

    for _ in range(4):
        for byte in sent:
            piece = byte * sized(16384, 6000)
            while True:
                try:
                    sent[byte] += net.zsock_send(a, piece, net.MSG_DONTWAIT)
                    break
                except OSError as e:
                    eq(e.errno, errno.EAGAIN)
                    take(0)
                    ready(a, net.POLLOUT, 10)
    sending = Thread(sendall, a, b"end")
    while not sending.done:
        take(20)
    sending.join()
    take(200)
    eq(got, sent)
    close(a, b)


# -- one direction ----------------------------------------------------------------------


@needs(NEEDED, "threads", "shutdown")
def test_nobody_reads_any_more():
    """SHUT_RD: what has come can be read, then it is the end; who waits is woken."""
    for proto in VERSIONS:
        a, b = secure.pair(proto)
        begin = now()
        net.zsock_shutdown(a, net.SHUT_RD)
        for _ in range(2):
            eq(net.zsock_recv(a, 5), b"")
            eq(net.zsock_recv(a, bytearray(5)), 0)
        true(since(now(), begin) < SOON)
        sendall(a, b"still there")
        eq(recv_exactly(b, 11), b"still there")
        close(a, b)
        a, b = secure.pair(proto)
        waiting = Thread(net.zsock_recv, a, 5)
        sleep_ms(50)
        net.zsock_shutdown(a, net.SHUT_RD)
        eq(waiting.join(SOON), b"")
        close(a, b)


@needs(NEEDED, "threads", "TLS_CLOSE_NOTIFY")
def test_the_end_behind_a_record_that_waits():
    """SHUT_WR while another thread sends: it is told of all that comes, and the end comes."""
    for proto in VERSIONS:
        for _ in range(3):
            a, b = narrow(proto)
            sending = Thread(net.zsock_send, a, b"x" * 300000)
            while tab[a].p.owed is None:
                sleep_ms(1)
            shutting = Thread(net.zsock_shutdown, a, net.SHUT_WR)
            sleep_ms(100)
            got = 0
            while True:
                part = net.zsock_recv(b, 5000)
                if not part:
                    break
                got += len(part)
            shutting.join(LONG)
            eq(sending.join(LONG), got)
            raises("EPIPE", net.zsock_send, a, b"y")
            close(a, b)


@needs(NEEDED, "threads")
def test_a_handler_that_raises_as_connect_ends():
    """OpenSSL waits for a slice then, as it does within connect; nothing is lost by it."""
    if MICROPYTHON:
        return "it does not wait in tls"
    for proto in VERSIONS:
        a, b = secure.pair(proto)
        tab[a].p.eng.own.settimeout(0.05)
        net.zsock_setsockopt(a, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.2)
        raises("EAGAIN", net.zsock_recv, a, 5)
        sendall(b, b"hello")
        eq(recv_exactly(a, 5), b"hello")
        nonblocking(a)
        for call in net.zsock_recv, net.zsock_recv:
            tab[a].p.eng.own.settimeout(0.05)
            raises("EAGAIN", call, a, bytearray(5))
        eq(tab[a].p.eng.own.gettimeout(), 0)
        close(a, b)
