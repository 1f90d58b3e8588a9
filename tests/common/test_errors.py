# Contract 1: every failure is OSError with the errno that POSIX names for it.
import usocket_compat as net
from check import (
    LOOPBACK,
    bind_free,
    close,
    closed_port,
    eq,
    foreign,
    has,
    listener,
    needs,
    nonblocking,
    packed,
    pair,
    raises,
    reset,
    sendall,
    sockaddr_family,
    tcp,
    true,
    udp,
    untouched,
)

V4, V6 = net.AF_INET, net.AF_INET6


# rows: A14 zsock_connect
def test_refused_connect():
    for family in (V4, V6) if has("AF_INET6") else (V4,):
        fd = tcp(family)
        e = raises("ECONNREFUSED", net.zsock_connect, fd, closed_port(family))
        eq(e.errno, net.errno.ECONNREFUSED)
        close(fd)


def test_a_refused_socket_can_be_used_again():
    server, addr = listener()
    fd = tcp()
    for _ in range(3):
        raises("ECONNREFUSED", net.zsock_connect, fd, closed_port())
    net.zsock_connect(fd, addr)
    sendall(fd, b"x")
    close(fd, server)


# rows: C3
def test_unconnected_stream():
    fd = tcp()
    raises("EPIPE", net.zsock_send, fd, b"x")
    raises("ENOTCONN", net.zsock_recv, fd, 1)
    raises("ENOTCONN", net.zsock_recvfrom, fd, 1)
    if has("shutdown"):
        raises("ENOTCONN", net.zsock_shutdown, fd, net.SHUT_RDWR)
    if has("getpeername"):
        raises("ENOTCONN", net.zsock_getpeername, fd)
    close(fd)


# rows: C3 zsock_connect
def test_connect_twice():
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, addr)
    raises("EISCONN", net.zsock_connect, client, addr)
    raises("EISCONN", net.zsock_connect, fd, addr)
    close(client, fd)


# rows: A13 zsock_bind
def test_bind():
    fd, addr = listener()
    raises("EINVAL", net.zsock_bind, fd, (addr[0], 0))
    other = tcp()
    raises("EADDRINUSE", net.zsock_bind, other, addr)
    foreign(other)
    bind_free(other, LOOPBACK[V4])
    close(fd, other)


# rows: A13 zsock_bind
@needs("AF_INET6")
def test_bind_v6():
    fd, addr = listener(V6)
    other = tcp(V6)
    raises("EADDRINUSE", net.zsock_bind, other, addr)
    raises("EADDRNOTAVAIL", net.zsock_bind, other, ("2001:db8::1", 0))
    close(fd, other)


# rows: C3 zsock_listen zsock_accept
def test_accept_and_listen():
    fd = tcp()
    raises("EINVAL", net.zsock_accept, fd)
    client, server = pair()
    raises("EINVAL", net.zsock_accept, client)
    raises("EINVAL", net.zsock_listen, client)
    datagram, _ = udp()
    raises("EOPNOTSUPP", net.zsock_accept, datagram)
    raises("EOPNOTSUPP", net.zsock_listen, datagram)
    close(fd, client, server, datagram)


def test_listen_again_changes_the_backlog():
    fd, addr = listener()
    for backlog in (0, 1, 100, -1, 1000000):
        net.zsock_listen(fd, backlog)
    client = tcp()
    net.zsock_connect(client, addr)
    close(client, fd)


def test_nonblocking_calls():
    fd, _ = listener()
    nonblocking(fd)
    raises("EAGAIN", net.zsock_accept, fd)
    client, server = pair()
    nonblocking(client)
    for call in (net.zsock_recv, net.zsock_recvfrom):
        raises("EAGAIN", call, client, 1)
        raises("EAGAIN", call, client, bytearray(1))
    eq(net.errno.EWOULDBLOCK, net.errno.EAGAIN)
    close(fd, client, server)


@needs("SO_LINGER")
def test_reset():
    client, server = pair()
    reset(client)
    raises("ECONNRESET", net.zsock_recv, server, 1)
    raises("EPIPE", net.zsock_send, server, b"x")
    close(server)
    # Sending meets the reset first: ECONNRESET, then EPIPE.
    client, server = pair()
    reset(client)
    raises("ECONNRESET", net.zsock_send, server, b"x")
    raises("EPIPE", net.zsock_send, server, b"x")
    close(server)


def test_send_to_a_closed_peer():
    # The first send is answered by a reset, the next one is EPIPE; no signal, no output.
    client, server = pair()
    close(server)
    net.zsock_send(client, b"x")
    raises("EPIPE", net.zsock_send, client, b"x")
    close(client)


def test_datagrams():
    fd, _ = udp()
    raises("EDESTADDRREQ", net.zsock_send, fd, b"x")
    raises("EMSGSIZE", net.zsock_sendto, fd, untouched(65508), 0, (LOOPBACK[V4], 9))
    raises("EINVAL", net.zsock_sendto, fd, b"x", 0, (LOOPBACK[V4], 0))
    nonblocking(fd)
    raises("EAGAIN", net.zsock_recv, fd, 1)
    close(fd)


def test_an_address_of_the_other_family():
    fd = tcp()
    raises("EAI_ADDRFAMILY", net.zsock_connect, fd, ("::1", 80))
    raises("EAI_ADDRFAMILY", net.zsock_bind, fd, ("::1", 0))
    close(fd)
    if has("AF_INET6"):
        fd = tcp(V6)
        raises("EAI_ADDRFAMILY", net.zsock_bind, fd, ("127.0.0.1", 0))
        close(fd)


@needs("connect_unspec")
def test_wrong_family_in_a_packed_address():
    good = packed(("127.0.0.1", 9))
    for fd in (tcp(), net.zsock_socket(V4, net.SOCK_DGRAM)):
        raises("EAFNOSUPPORT", net.zsock_connect, fd, sockaddr_family(99) + good[2:])
        raises("EAFNOSUPPORT", net.zsock_bind, fd, sockaddr_family(99) + good[2:])
        raises("EINVAL", net.zsock_connect, fd, good[:9])
        raises("EINVAL", net.zsock_bind, fd, good[:9])
        close(fd)


# rows: A14
def test_message_says_what_it_is():
    # str() helps a reader; errno is what programs test.
    fd = tcp()
    e = raises("EINVAL", net.zsock_accept, fd)
    true(isinstance(e.errno, int))
    true(str(e) != "")
    close(fd)
