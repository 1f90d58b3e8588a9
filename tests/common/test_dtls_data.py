# DTLS sockets: datagrams are whole, as UDP's are on Linux (udp(7), recv(2)).
from dtls import NEEDED, pair, roomy
from secure import option

import usocket_compat as net
from check import close, eq, has, needs, raises


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED)
@roomy
def test_datagrams_are_whole():
    a, b, _ = pair()
    for x, y in (a, b), (b, a):
        sizes = 1, 15, 16, 17, 511, 512, 513, 1300
        for n in sizes:
            eq(net.zsock_send(x, bytes([n & 255]) * n), n)
            eq(net.zsock_recv(y, 2000), bytes([n & 255]) * n)
        for n in sizes[:4]:
            net.zsock_send(x, bytes(n))
        for n in sizes[:4]:
            eq(len(net.zsock_recv(y, 2000)), n)
        # What a buffer has no room for is lost.
        for n in (10, 700):
            net.zsock_send(x, b"0123456789" * (n // 10))
            net.zsock_send(x, b"next")
            eq(net.zsock_recv(y, 5), b"01234")
            eq(net.zsock_recv(y, 5), b"next")
            net.zsock_send(x, b"0123456789" * (n // 10))
            net.zsock_send(x, b"next")
            buf = bytearray(7)
            eq(net.zsock_recv(y, buf), 7)
            eq(buf, b"0123456")
            eq(net.zsock_recv(y, buf), 4)
            eq(buf, b"next456")
        # A buffer as large as the datagram, and one of no bytes.
        net.zsock_send(x, b"1234567")
        net.zsock_send(x, b"gone")
        net.zsock_send(x, b"last")
        eq(net.zsock_recv(y, buf), 7)
        eq(net.zsock_recv(y, 0), b"")
        eq(net.zsock_recv(y, 9), b"last")
    close(a, b)


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED)
@roomy
def test_sizes():
    """An mbedTLS that is built as these are sends 4096 bytes at most; tls sends nothing empty."""
    a, b, _ = pair()
    for x in a, b:
        raises("EMSGSIZE", net.zsock_send, x, bytes(4097))
        raises("EOPNOTSUPP", net.zsock_send, x, b"")
    net.zsock_send(a, b"x")
    eq(net.zsock_recv(b, 9), b"x")
    if has("fileno"):  # a board's lwIP takes no more than 1500 together again
        net.zsock_send(a, bytes(4096))
        eq(len(net.zsock_recv(b, 5000)), 4096)
    close(a, b)


# rows: TLS_DTLS_ROLE
@needs(NEEDED)
@roomy
def test_a_role_stays():
    fd, sfd, _ = pair()
    for each in fd, sfd:
        raises("EISCONN", option, each, "TLS_DTLS_ROLE", 0)
    close(fd, sfd)
