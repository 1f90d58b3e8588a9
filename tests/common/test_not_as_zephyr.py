# Where the layer follows POSIX and Linux and Zephyr does otherwise: the rows of the table in
# docs/from-zephyr.md that no other file tests. Expected values are the Linux kernel's and glibc's.
import usocket_compat as net
from check import (
    BOARD,
    LOOPBACK,
    bind_free,
    close,
    eq,
    needs,
    nonblocking,
    pair,
    raises,
    ready,
    sendall,
    tcp,
    true,
    udp,
    udp_pair,
)

SOL = net.SOL_SOCKET
V4 = net.AF_INET


def test_recvfrom_of_a_stream_tells_no_address():
    client, server = pair()
    sendall(client, b"abc")
    eq(net.zsock_recvfrom(server, 1), (b"a", None))
    buf = bytearray(1)
    eq(net.zsock_recvfrom(server, buf), (1, None))
    eq((bytes(buf), net.zsock_recvfrom(server, 9)), (b"b", (b"c", None)))
    close(client)
    eq(net.zsock_recvfrom(server, 9), (b"", None))
    close(server)


@needs("getsockopt", "SO_RCVBUF", "SO_SNDBUF")
def test_buffer_sizes_read_back_doubled():
    # socket(7): the kernel doubles the value, for what it needs itself.
    fd = tcp()
    for option in (net.SO_RCVBUF, net.SO_SNDBUF):
        net.zsock_setsockopt(fd, SOL, option, 20000)
        eq(net.zsock_getsockopt(fd, SOL, option), 40000)
    close(fd)


def test_poll_after_the_end_is_pollin_alone():
    client, server = pair()
    close(client)
    eq(ready(server, net.POLLIN), net.POLLIN)
    # For good, and after the end was read.
    eq(net.zsock_recv(server, 1), b"")
    eq(ready(server, net.POLLIN | net.POLLOUT), net.POLLIN | net.POLLOUT)
    close(server)


@needs("shutdown")
def test_shutdown_of_an_unconnected_datagram_socket():
    for how in (net.SHUT_RD, net.SHUT_WR, net.SHUT_RDWR):
        fd, _ = udp()
        raises("ENOTCONN", net.zsock_shutdown, fd, how)
        close(fd)


def test_datagrams_over_the_mtu_go_in_fragments():
    a, b = udp_pair()
    # An Ethernet's MTU leaves 1472 bytes; IPv4's longest is 65507.
    for size in (1473, 2000, 9000):
        eq(net.zsock_send(a, bytes(size)), size)
        eq(ready(b, net.POLLIN), net.POLLIN)
        got = net.zsock_recv(b, 10000)
        # A board receives at most 1500 bytes of one (docs/parity.md).
        true(len(got) == size or BOARD and len(got) >= 1472, "%d of %d" % (len(got), size))
    close(a, b)


@needs("ancillary")
def test_unknown_control_messages_are_einval():
    a, b = udp_pair()
    nonblocking(b)
    for level in (SOL, net.IPPROTO_IP):
        raises("EINVAL", net.zsock_sendmsg, a, [b"x"], [(level, 0x7777, bytes(4))])
    raises("EAGAIN", net.zsock_recv, b, 9)
    close(a, b)


@needs("getaddrinfo")
def test_getaddrinfo_of_nothing():
    raises("EAI_NONAME", net.zsock_getaddrinfo, None, None)


@needs("getaddrinfo")
def test_getaddrinfo_without_a_type_has_three_results():
    found = net.zsock_getaddrinfo("192.0.2.1", 80)
    eq([each[1] for each in found], [net.SOCK_STREAM, net.SOCK_DGRAM, net.SOCK_RAW])
    eq([each[4] for each in found], [("192.0.2.1", 80)] * 3)
    eq(len(net.zsock_getaddrinfo("192.0.2.1", 80, 0, net.SOCK_STREAM)), 1)


@needs("SO_REUSEADDR")
def test_reuseaddr_is_needed_on_both():
    # socket(7); in Zephyr it is enough on the second.
    for first, second in ((0, 0), (0, 1), (1, 0), (1, 1)):
        a, b = tcp(), tcp()
        net.zsock_setsockopt(a, SOL, net.SO_REUSEADDR, first)
        addr = bind_free(a, LOOPBACK[V4])
        net.zsock_setsockopt(b, SOL, net.SO_REUSEADDR, second)
        for host in (addr[0], ""):
            if first and second:
                net.zsock_bind(b, (host, addr[1]))
                break
            raises("EADDRINUSE", net.zsock_bind, b, (host, addr[1]))
        close(a, b)


@needs("socketpair")
def test_a_pair_of_an_unknown_type():
    for type in (99, 42):
        raises("EINVAL", net.zsock_socketpair, net.AF_UNIX, type)
    # SOCK_RDM, which no AF_UNIX has.
    raises("ESOCKTNOSUPPORT", net.zsock_socketpair, net.AF_UNIX, 4)


@needs("socketpair")
def test_an_end_of_a_pair_neither_listens_nor_accepts():
    for fd in net.zsock_socketpair():
        raises("EINVAL", net.zsock_listen, fd)
        raises("EINVAL", net.zsock_accept, fd)
    a, b = 0, 1
    sendall(a, b"x")
    eq(net.zsock_recv(b, 1), b"x")
    close(a, b)


# -- and where lwIP does otherwise -------------------------------------------------------


# rows: D2
@needs("SO_REUSEADDR", "getsockname")
def test_a_client_comes_back_from_its_port():
    # The server closed first, and keeps the connection in TIME_WAIT. Linux takes a new one from
    # the same port; lwIP does not for two minutes (docs/parity.md).
    fd, ports = tcp(), tcp()
    net.zsock_setsockopt(fd, SOL, net.SO_REUSEADDR, 1)
    addr = bind_free(fd, LOOPBACK[V4])
    net.zsock_listen(fd)
    net.zsock_setsockopt(ports, SOL, net.SO_REUSEADDR, 1)
    own = bind_free(ports, LOOPBACK[V4])
    close(ports)
    for again in range(3):
        client = tcp()
        net.zsock_setsockopt(client, SOL, net.SO_REUSEADDR, 1)
        net.zsock_bind(client, own if again < 2 else (own[0], 0))
        if again == 1 and BOARD:
            raises(OSError, net.zsock_connect, client, addr)
            close(client)
            continue
        net.zsock_connect(client, addr)
        server, peer = net.zsock_accept(fd)
        eq(peer, net.zsock_getsockname(client))
        close(server)
        eq(net.zsock_recv(client, 1), b"")
        close(client)
    close(fd)
