# getsockname and getpeername of sockets that are bound, which every target can tell: what is
# compared with is the address that was bound to, or that the peer sees.
import usocket_compat as net
from check import LOOPBACK, bind_low, close, eq, needs, raises, tcp, true

V4, V6 = net.AF_INET, net.AF_INET6


def listening(family, host=None):
    fd = tcp(family)
    addr = bind_low(fd, host or LOOPBACK[family])
    net.zsock_listen(fd, 2)
    return fd, addr


def of_tcp(family):
    fd, addr = listening(family)
    eq(net.zsock_getsockname(fd), addr)
    client = tcp(family)
    net.zsock_connect(client, addr)
    server, peer = net.zsock_accept(fd)
    eq((net.zsock_getsockname(client), net.zsock_getpeername(client)), (peer, addr))
    eq((net.zsock_getsockname(server), net.zsock_getpeername(server)), (addr, peer))
    # The end of the peer leaves the names.
    close(client)
    eq(net.zsock_recv(server, 1), b"")
    eq((net.zsock_getsockname(server), net.zsock_getpeername(server)), (addr, peer))
    close(server, fd)
    raises("EBADF", net.zsock_getsockname, fd)


@needs("bound_names")
def test_names_of_tcp():
    of_tcp(V4)


@needs("bound_names", "AF_INET6")
def test_names_of_tcp_over_ipv6():
    of_tcp(V6)


@needs("bound_names")
def test_a_listener_has_no_peer():
    fd, addr = listening(V4)
    raises("ENOTCONN", net.zsock_getpeername, fd)
    close(fd)


@needs("bound_names")
def test_a_port_that_the_system_chose():
    fd = tcp()
    net.zsock_bind(fd, (LOOPBACK[V4], 0))
    net.zsock_listen(fd, 1)
    host, port = net.zsock_getsockname(fd)
    eq(host, LOOPBACK[V4])
    client = tcp()
    net.zsock_connect(client, (host, port))
    server, _ = net.zsock_accept(fd)
    close(client, server, fd)


@needs("bound_names")
def test_a_wildcard_address():
    fd, addr = listening(V4, "0.0.0.0")
    eq(net.zsock_getsockname(fd), addr)
    client = tcp()
    net.zsock_connect(client, (LOOPBACK[V4], addr[1]))
    server, _ = net.zsock_accept(fd)
    eq(net.zsock_getsockname(server), (LOOPBACK[V4], addr[1]))
    close(client, server, fd)


@needs("bound_names", "AF_INET6")
def test_ipv4_within_ipv6():
    fd, addr = listening(V6, "::")
    client = tcp()
    net.zsock_connect(client, (LOOPBACK[V4], addr[1]))
    server, peer = net.zsock_accept(fd)
    eq(net.zsock_getsockname(server), ("::ffff:127.0.0.1", addr[1], 0, 0))
    eq(net.zsock_getpeername(server), peer)
    true(peer[0] == "::ffff:127.0.0.1", peer)
    close(client, server, fd)


def of_udp(family):
    fd = net.zsock_socket(family, net.SOCK_DGRAM)
    addr = bind_low(fd, LOOPBACK[family])
    eq(net.zsock_getsockname(fd), addr)
    raises("ENOTCONN", net.zsock_getpeername, fd)
    other = net.zsock_socket(family, net.SOCK_DGRAM)
    net.zsock_connect(other, addr)
    eq(net.zsock_getpeername(other), addr)
    net.zsock_send(other, b"x")
    eq(net.zsock_recvfrom(fd, 9), (b"x", net.zsock_getsockname(other)))
    close(fd, other)


@needs("bound_names")
def test_names_of_udp():
    of_udp(V4)


@needs("bound_names", "AF_INET6")
def test_names_of_udp_over_ipv6():
    of_udp(V6)


@needs("bound_names")
def test_a_connect_that_is_not_done_has_no_peer():
    fd, addr = listening(V4)
    # Its queue is full: the next ones have to wait.
    clients = []
    for _ in range(8):
        client = tcp()
        net.zsock_fcntl(client, net.F_SETFL, net.O_NONBLOCK)
        clients.append(client)
        try:
            net.zsock_connect(client, addr)
        except OSError as e:
            eq(e.errno, net.errno.EINPROGRESS)
    waiting = clients[-1]
    if not net.zsock_poll([net.zsock_pollfd(waiting, net.POLLOUT)], 0):
        raises("ENOTCONN", net.zsock_getpeername, waiting)
    close(fd, *clients)
