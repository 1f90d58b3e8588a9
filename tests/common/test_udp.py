# UDP: what Zephyr's udp suite looks at, with Linux's answers. Messages: test_msg.py.
import usocket_compat as net
from check import (
    OPEN_MAX,
    QUEUED,
    close,
    closed_port,
    eq,
    has,
    listener,
    needs,
    nonblocking,
    packed,
    raises,
    raises_after,
    ready,
    sized,
    sockaddr_family,
    tcp,
    true,
    udp,
    udp_pair,
    untouched,
)

V4 = net.AF_INET
V6 = net.AF_INET6


def sendto_recvfrom(family):
    a, a_addr = udp(family)
    b, b_addr = udp(family)
    eq(net.zsock_sendto(a, b"0123456789", 0, b_addr), 10)
    eq(ready(b, net.POLLIN), net.POLLIN)
    if has("FIONREAD"):
        eq(net.zsock_ioctl(b, net.FIONREAD), 10)
    if has("MSG_PEEK"):
        eq(net.zsock_recvfrom(b, 4, net.MSG_PEEK), (b"0123", a_addr))
    eq(net.zsock_recvfrom(b, 4), (b"0123", a_addr))
    # The tail of the datagram is gone.
    nonblocking(b)
    raises("EAGAIN", net.zsock_recvfrom, b, 4)
    eq(net.zsock_sendto(b, b"back", 0, a_addr), 4)
    buf = bytearray(6)
    eq(net.zsock_recvfrom(a, buf), (4, b_addr))
    eq(bytes(buf), b"back\0\0")
    close(a, b)


# rows: E5 E30 zsock_sendto zsock_recvfrom SOCK_DGRAM
def test_v4_sendto_recvfrom():
    sendto_recvfrom(V4)


@needs("AF_INET6")
def test_v6_sendto_recvfrom():
    sendto_recvfrom(V6)


def bind_sendto(family):
    # An unbound socket is bound by its first sendto.
    a = net.zsock_socket(family, net.SOCK_DGRAM)
    b, b_addr = udp(family)
    eq(net.zsock_sendto(a, b"x", 0, b_addr), 1)
    data, a_addr = net.zsock_recvfrom(b, 10)
    eq((data, a_addr[0]), (b"x", b_addr[0]))
    true(a_addr[1] > 0)
    net.zsock_sendto(b, b"y", 0, a_addr)
    eq(net.zsock_recv(a, 10), b"y")
    close(a, b)


# rows: zsock_bind
def test_v4_bind_sendto():
    bind_sendto(V4)


@needs("AF_INET6")
def test_v6_bind_sendto():
    bind_sendto(V6)


def send_recv_2_sock(family):
    a, a_addr = udp(family)
    b, b_addr = udp(family)
    c, _ = udp(family)
    net.zsock_sendto(c, b"for a", 0, a_addr)
    net.zsock_sendto(c, b"for b", 0, b_addr)
    eq(net.zsock_recv(b, 10), b"for b")
    eq(net.zsock_recv(a, 10), b"for a")
    close(a, b, c)


def test_v4_send_recv_2_sock():
    send_recv_2_sock(V4)


@needs("AF_INET6")
def test_v6_send_recv_2_sock():
    send_recv_2_sock(V6)


def test_datagrams_keep_their_bounds_and_order():
    a, b = udp_pair()
    messages = [b"x" * n for n in (1, 0, 1472, 3, sized(9000, 1400), 0, 2)]
    # No more at once than a board keeps for a socket.
    for some in (messages[:QUEUED], messages[QUEUED:]):
        for message in some:
            eq(net.zsock_send(a, message), len(message))
        eq([net.zsock_recv(b, sized(10000, 1500)) for _ in some], some)
    close(a, b)


# rows: SO_RCVTIMEO
@needs("SO_RCVTIMEO")
def test_so_rcvtimeo():
    fd, _ = udp()
    for ms in (300, 400):
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, ms / 1000)
        raises_after(ms, "EAGAIN", net.zsock_recvfrom, fd, 10)
    close(fd)


@needs("SO_SNDTIMEO")
def test_so_sndtimeo():
    a, b = udp_pair()
    net.zsock_setsockopt(a, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.3)
    eq(net.zsock_send(a, b"x"), 1)
    close(a, b)


def msg_trunc(family):
    a, b = udp_pair(family)
    buf = bytearray(4)
    net.zsock_send(a, b"0123456789")
    for flags in (net.MSG_TRUNC | net.MSG_PEEK, net.MSG_TRUNC):
        eq(net.zsock_recv(b, buf, flags), 10)
        eq(bytes(buf), b"0123")
    net.zsock_send(a, b"0123456789")
    for flags in (net.MSG_TRUNC | net.MSG_PEEK, net.MSG_TRUNC):
        eq(net.zsock_recv(b, 4, flags), b"0123", "the form that returns bytes")
    nonblocking(b)
    raises("EAGAIN", net.zsock_recv, b, 20)
    close(a, b)


# rows: MSG_TRUNC
@needs("MSG_TRUNC", "MSG_PEEK")
def test_v4_msg_trunc():
    msg_trunc(V4)


@needs("MSG_TRUNC", "MSG_PEEK", "AF_INET6")
def test_v6_msg_trunc():
    msg_trunc(V6)


def dgram_overflow(family):
    a, b = udp_pair(family)
    raises("EMSGSIZE", net.zsock_send, a, untouched(65536))
    eq(net.zsock_send(a, b"x"), 1)
    eq(net.zsock_recv(b, 9), b"x")
    close(a, b)


def test_v4_dgram_overflow():
    dgram_overflow(V4)


@needs("AF_INET6")
def test_v6_dgram_overflow():
    dgram_overflow(V6)


def dgram_connected(family):
    # Only the peer's datagrams arrive.
    a, a_addr = udp(family)
    b, b_addr = udp(family)
    c, _ = udp(family)
    net.zsock_connect(a, b_addr)
    net.zsock_sendto(c, b"stranger", 0, a_addr)
    net.zsock_sendto(b, b"peer", 0, a_addr)
    eq(net.zsock_recvfrom(a, 20), (b"peer", b_addr))
    nonblocking(a)
    raises("EAGAIN", net.zsock_recv, a, 20)
    eq(net.zsock_send(a, b"hi"), 2)
    eq(net.zsock_recvfrom(b, 20), (b"hi", a_addr))
    close(a, b, c)


def test_v4_dgram_connected():
    dgram_connected(V4)


@needs("AF_INET6")
def test_v6_dgram_connected():
    dgram_connected(V6)


def dgram_peer_addr_reset(family):
    # Only a port that was asked for by its number stays.
    a, a_addr = udp(family)
    close(a)
    a = net.zsock_socket(family, net.SOCK_DGRAM)
    net.zsock_bind(a, a_addr)
    b, b_addr = udp(family)
    c, c_addr = udp(family)
    net.zsock_connect(a, b_addr)
    net.zsock_connect(a, sockaddr_family(net.AF_UNSPEC) + packed(b_addr)[2:])
    raises("EDESTADDRREQ", net.zsock_send, a, b"x")
    net.zsock_sendto(c, b"stranger", 0, a_addr)
    eq(net.zsock_recvfrom(a, 20), (b"stranger", c_addr))
    if has("getpeername"):
        raises("ENOTCONN", net.zsock_getpeername, a)
    # Another connect gives another peer.
    net.zsock_connect(a, c_addr)
    net.zsock_send(a, b"now c")
    eq(net.zsock_recv(c, 20), b"now c")
    close(a, b, c)


@needs("connect_unspec")
def test_v4_dgram_peer_addr_reset():
    dgram_peer_addr_reset(V4)


@needs("connect_unspec", "AF_INET6")
def test_v6_dgram_peer_addr_reset():
    dgram_peer_addr_reset(V6)


# rows: zsock_sendto
def test_sendto_no_address():
    """Zephyr's NULL: to the peer."""
    a, b = udp_pair()
    for data in (b"x", b"", bytearray(b"yz"), memoryview(b"w")):
        eq(net.zsock_sendto(a, data, 0, None), len(data))
        eq(net.zsock_recv(b, 9), bytes(data))
    raises(TypeError, net.zsock_sendto, a, "x", 0, None)
    raises(TypeError, net.zsock_sendto, a, b"x", "0", None)
    c, _ = udp()
    raises("EDESTADDRREQ", net.zsock_sendto, c, b"x", 0, None)
    raises("EBADF", net.zsock_sendto, OPEN_MAX - 1, b"x", 0, None)
    close(a, b, c)


def test_connected_again_to_another_peer():
    a, _ = udp()
    b, b_addr = udp()
    c, c_addr = udp()
    for fd, addr in ((b, b_addr), (c, c_addr), (b, b_addr)):
        net.zsock_connect(a, addr)
        net.zsock_send(a, b"x")
        eq(net.zsock_recv(fd, 20), b"x")
    close(a, b, c)


@needs("udp_unreachable")
def test_unreachable_port_is_reported_once():
    a = net.zsock_socket(V4, net.SOCK_DGRAM)
    net.zsock_connect(a, closed_port())
    net.zsock_send(a, b"x")
    eq(ready(a, net.POLLIN | net.POLLOUT) & net.POLLERR, net.POLLERR)
    raises("ECONNREFUSED", net.zsock_recv, a, 10)
    nonblocking(a)
    raises("EAGAIN", net.zsock_recv, a, 10)
    close(a)


@needs("shutdown")
def test_udp_shutdown_recv():
    a, b = udp_pair()
    net.zsock_shutdown(b, net.SHUT_RD)
    eq(net.zsock_recv(b, 10), b"")
    eq(net.zsock_recvfrom(b, 10)[0], b"")
    close(a, b)


@needs("AF_INET6", "IPV6_V6ONLY")
def test_ipv4_mapped_to_ipv6_sendto():
    a, a_addr = udp()
    b = net.zsock_socket(V6, net.SOCK_DGRAM)
    net.zsock_setsockopt(b, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 0)
    net.zsock_sendto(b, b"mapped", 0, ("::ffff:127.0.0.1", a_addr[1]))
    data, addr = net.zsock_recvfrom(a, 20)
    eq((data, addr[0]), (b"mapped", "127.0.0.1"))
    net.zsock_sendto(a, b"back", 0, addr)
    eq(net.zsock_recvfrom(b, 20), (b"back", ("::ffff:127.0.0.1", a_addr[1], 0, 0)))
    close(a, b)


@needs("AF_INET6", "IPV6_V6ONLY")
def test_ipv4_mapped_to_ipv6_disabled():
    _, a_addr = a = udp()
    b = net.zsock_socket(V6, net.SOCK_DGRAM)
    net.zsock_setsockopt(b, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 1)
    raises("ENETUNREACH", net.zsock_sendto, b, b"x", 0, ("::ffff:127.0.0.1", a_addr[1]))
    close(a[0], b)


def rebinding(family):
    # Zephyr allows a second bind of a datagram socket; Linux, and so this layer, does not.
    fd, addr = udp(family)
    raises("EINVAL", net.zsock_bind, fd, (addr[0], 0))
    close(fd)


def test_v4_rebinding():
    rebinding(V4)


@needs("AF_INET6")
def test_v6_rebinding():
    rebinding(V6)


@needs("SO_BROADCAST")
def test_broadcast_needs_the_option():
    fd, addr = udp()
    to = ("255.255.255.255", addr[1])
    raises("EACCES", net.zsock_sendto, fd, b"x", 0, to)
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_BROADCAST, 1)
    try:
        eq(net.zsock_sendto(fd, b"x", 0, to), 1)
    except OSError as e:
        # A machine with nothing but loopback has nowhere to send it.
        eq(e.errno, net.errno.ENETUNREACH)
    close(fd)


@needs("SO_BROADCAST")
def test_broadcasts_of_one_network_need_it_too():
    # That of the loopback, which every machine has (RFC 919; Linux: EACCES).
    fd, addr = udp()
    for host in ("127.255.255.255", "255.255.255.255"):
        to = (host, addr[1])
        raises("EACCES", net.zsock_sendto, fd, b"x", 0, to)
        if has("sendmsg"):
            raises("EACCES", net.zsock_sendmsg, fd, [b"x"], (), 0, to)
        raises("EACCES", net.zsock_connect, fd, to)
    if has("getpeername"):
        raises("ENOTCONN", net.zsock_getpeername, fd)
    # What only looks like one is none.
    eq(net.zsock_sendto(fd, b"x", 0, addr), 1)
    close(fd)


def test_no_destination():
    fd, _ = udp()
    raises("EDESTADDRREQ", net.zsock_send, fd, b"x")
    close(fd)


def test_stream_calls_are_refused():
    fd, _ = udp()
    raises("EOPNOTSUPP", net.zsock_listen, fd)
    raises("EOPNOTSUPP", net.zsock_accept, fd)
    close(fd)


def test_asked_for_more_than_there_is_room_for():
    a, there = udp()
    for _ in range(2):
        net.zsock_sendto(a, b"abc", 0, there)
        eq(net.zsock_recvfrom(a, 200000)[0], b"abc")
        # What a board has loaded for it is in nobody's place.
        b, _ = udp()
        lfd, addr = listener()
        fd = tcp()
        net.zsock_connect(fd, addr)
        close(b, lfd, fd)
    close(a)
