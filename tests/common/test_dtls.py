# DTLS sockets as Zephyr has them: what they are. What goes through them is in the files beside
# this: a board of 32 bits has no room for all of it at once.
import dtls
from dtls import NEEDED, V12, pair, roomy
from secure import option

import usocket_compat as net
from check import close, eq, has, needs, raises

S = net.SOL_TLS


# rows: IPPROTO_DTLS_1_2
@needs("IPPROTO_DTLS_1_2")
def test_sockets_that_are_none():
    for kind in (net.SOCK_STREAM, net.SOCK_RAW):
        raises("EPROTOTYPE", net.zsock_socket, net.AF_INET, kind, V12)
    raises("EAFNOSUPPORT", net.zsock_socket, net.AF_UNIX, net.SOCK_DGRAM, V12)
    fd = dtls.dtls()
    raises("ENOTCONN", net.zsock_recv, fd, 1)
    raises("ENOTCONN", net.zsock_recvfrom, fd, 1)
    raises("EDESTADDRREQ", net.zsock_send, fd, b"x")
    for how in (net.SHUT_RD, net.SHUT_WR, net.SHUT_RDWR):
        raises("EOPNOTSUPP", net.zsock_shutdown, fd, how)
    if has("getsockopt"):
        eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_PROTOCOL), V12)
        eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_TYPE), net.SOCK_DGRAM)
    for name in (
        "TLS_DTLS_HANDSHAKE_TIMEOUT_MIN",
        "TLS_DTLS_HANDSHAKE_TIMEOUT_MAX",
        "TLS_DTLS_CID",
        "TLS_DTLS_HANDSHAKE_ON_CONNECT",
        "TLS_ALPN_LIST",
        "TLS_CIPHERSUITE_LIST",
    ):
        raises("ENOPROTOOPT", option, fd, name, 1)
        raises("ENOPROTOOPT", net.zsock_getsockopt, fd, S, getattr(net, name))
    close(fd)
    raises("EBADF", net.zsock_recv, fd, 1)
    raises("EBADF", net.zsock_close, fd)


# rows: TLS_DTLS_ROLE TLS_DTLS_ROLE_CLIENT TLS_DTLS_ROLE_SERVER
@needs(NEEDED)
def test_role():
    fd = dtls.dtls()
    for value in (net.TLS_DTLS_ROLE_SERVER, net.TLS_DTLS_ROLE_CLIENT, b"\1\0\0\0"):
        option(fd, "TLS_DTLS_ROLE", value)
    for value in (2, -1, b"\1"):
        raises("EINVAL", option, fd, "TLS_DTLS_ROLE", value)
    raises(TypeError, option, fd, "TLS_DTLS_ROLE", "x")
    raises("ENOPROTOOPT", net.zsock_getsockopt, fd, S, net.TLS_DTLS_ROLE)
    # A server is connected by its peer alone.
    raises("EOPNOTSUPP", net.zsock_connect, fd, ("127.0.0.1", 9))
    raises("ENOTCONN", net.zsock_send, fd, b"x")
    raises("ENOTCONN", net.zsock_sendto, fd, b"x", 0, ("127.0.0.1", 9))
    close(fd)


# rows: IPPROTO_DTLS_1_2
@needs(NEEDED)
@roomy
def test_addresses():
    a, b, addr = pair()
    net.zsock_send(a, b"x")
    data, peer = net.zsock_recvfrom(b, 9)
    eq((data, peer[0]), (b"x", "127.0.0.1"))
    if has("getsockname"):
        eq(peer, net.zsock_getsockname(a))
    net.zsock_sendto(b, b"y", 0, peer)
    buf = bytearray(5)
    eq(net.zsock_recvfrom(a, buf), (1, addr))
    net.zsock_sendto(a, b"z", 0, addr)
    eq(net.zsock_recvfrom(b, 9), (b"z", peer))
    raises("EISCONN", net.zsock_sendto, a, b"x", 0, ("127.0.0.1", 9))
    raises("ENOTCONN", net.zsock_sendto, b, b"x", 0, ("127.0.0.1", 9))
    raises("EISCONN", net.zsock_connect, a, addr)
    close(a, b)
