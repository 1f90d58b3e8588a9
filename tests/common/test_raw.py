# Raw sockets: a ping, and what Linux says of each call; measured there. A raw socket has its
# protocol where others have a port, and 0 is the usual port in its addresses.
import struct

import usocket_compat as net
from check import BOARD, close, eq, foreign, has, raises, ready, true, udp, untouched
from usocket_compat import errno

V4, RAW, ICMP = net.AF_INET, net.SOCK_RAW, net.IPPROTO_ICMP
HOST = ("127.0.0.1", 0)
HEAD = 20  # of IP, in front of what is received


def checksum(data):
    total = 0
    for i in range(0, len(data), 2):
        total += data[i] << 8 | data[i + 1]
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def echo(number, kind=8):
    head = struct.pack(">BBHHH", kind, 0, 0, 77, number)
    return head[:2] + struct.pack(">H", checksum(head)) + head[4:]


def allowed(test):
    """Linux lets root alone have raw sockets."""

    def run():
        try:
            fd = net.zsock_socket(V4, RAW, ICMP)
        except OSError as e:
            if e.errno not in (errno.EPERM, errno.EACCES, errno.ESOCKTNOSUPPORT):
                raise
            return "not allowed here"
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 1)
        test(fd)
        close(fd)

    return run


def replies(fd, number):
    """A raw socket sees its own request on the loopback, and then the answer."""
    seen = []
    while len(seen) < 2:
        data, addr = net.zsock_recvfrom(fd, 100)
        if data[HEAD + 4 :] == echo(number)[4:]:
            eq(addr, HOST)
            seen.append(data[HEAD:])
    eq(seen, [echo(number), echo(number, 0)])


# rows: SOCK_RAW IPPROTO_ICMP
@allowed
def test_a_ping(fd):
    eq(net.zsock_sendto(fd, echo(1), 0, HOST), 8)
    replies(fd, 1)
    eq(net.zsock_sendto(fd, echo(2), 0, ("127.0.0.1", 99)), 8)  # the port says nothing
    replies(fd, 2)
    eq(net.zsock_sendto(fd, echo(3), 0, ("0.0.0.0", 0)), 8)
    replies(fd, 3)


@allowed
def test_a_ping_by_connect(fd):
    net.zsock_connect(fd, HOST)
    eq(net.zsock_send(fd, echo(4)), 8)
    eq(ready(fd, net.POLLIN), net.POLLIN)
    replies(fd, 4)
    if has("sendmsg"):
        eq(net.zsock_sendmsg(fd, [echo(5)[:3], echo(5)[3:]]), 8)
        replies(fd, 5)
    net.zsock_connect(fd, ("127.0.0.1", 80))
    eq(net.zsock_send(fd, echo(6)), 8)
    replies(fd, 6)


@allowed
def test_ways_to_receive(fd):
    for number in (7, 8, 9, 10):
        net.zsock_sendto(fd, echo(number), 0, HOST)
    eq(net.zsock_recvfrom(fd, 100, net.MSG_PEEK)[0], net.zsock_recv(fd, 100))
    buf = bytearray(100)
    n, addr = net.zsock_recvfrom(fd, buf)
    eq((n, addr), (HEAD + 8, HOST))
    if has("FIONREAD"):
        eq(net.zsock_ioctl(fd, net.FIONREAD), HEAD + 8)
    eq(len(net.zsock_recv(fd, HEAD)), HEAD)  # the rest is lost
    if has("MSG_TRUNC"):
        eq(net.zsock_recv(fd, bytearray(2), net.MSG_TRUNC), HEAD + 8)
    for _ in range(8):
        try:
            net.zsock_recv(fd, 100, net.MSG_DONTWAIT)
        except OSError:
            break
    raises("EAGAIN", net.zsock_recvfrom, fd, 100, net.MSG_DONTWAIT)


@allowed
def test_its_own_name(fd):
    if not has("getsockname"):
        return
    eq(net.zsock_getsockname(fd), ("0.0.0.0", ICMP))
    raises("ENOTCONN", net.zsock_getpeername, fd)
    net.zsock_connect(fd, HOST)
    eq(net.zsock_getsockname(fd), ("127.0.0.1", ICMP))
    raises("ENOTCONN", net.zsock_getpeername, fd)  # Linux: port 0 is no peer
    net.zsock_connect(fd, ("127.0.0.1", 80))
    eq(net.zsock_getpeername(fd), ("127.0.0.1", 80))
    raises("EINVAL", net.zsock_bind, fd, HOST)


@allowed
def test_bind(fd):
    for host, port in (HOST, ("127.0.0.1", 5), ("", 80)):
        # It may be bound again, whatever the port.
        net.zsock_bind(fd, (host, port))
        if has("getsockname"):
            eq(net.zsock_getsockname(fd), (host or "0.0.0.0", ICMP))
    foreign(fd)
    net.zsock_bind(fd, HOST)
    net.zsock_sendto(fd, echo(11), 0, HOST)
    replies(fd, 11)


@allowed
def test_what_it_refuses(fd):
    raises("EDESTADDRREQ", net.zsock_send, fd, echo(12))
    raises("EACCES", net.zsock_sendto, fd, echo(12), 0, ("255.255.255.255", 0))
    raises("EMSGSIZE", net.zsock_sendto, fd, untouched(65516), 0, HOST)
    for data in (b"", b"\x08"):
        raises("EFAULT", net.zsock_sendto, fd, data, 0, HOST)  # an ICMP packet has a type
    raises("EOPNOTSUPP", net.zsock_sendto, fd, echo(12), net.MSG_OOB, HOST)
    raises("EOPNOTSUPP", net.zsock_listen, fd, 1)
    raises("EOPNOTSUPP", net.zsock_accept, fd)
    raises("ENOPROTOOPT", net.zsock_setsockopt, fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)


@allowed
def test_options(fd):
    if has("getsockopt"):
        for option, value in (
            (net.SO_TYPE, RAW),
            (net.SO_PROTOCOL, ICMP),
            (net.SO_DOMAIN, V4),
            (net.SO_ERROR, 0),
            (net.SO_ACCEPTCONN, 0),
        ):
            eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, option), value)
    # lwIP broadcasts from UDP alone.
    args = fd, net.SOL_SOCKET, net.SO_BROADCAST, 1
    raises("ENOPROTOOPT", net.zsock_setsockopt, *args) if BOARD else net.zsock_setsockopt(*args)


@allowed
def test_another_protocol(fd):
    other = net.zsock_socket(V4, RAW, 200)
    net.zsock_setsockopt(other, net.SOL_SOCKET, net.SO_RCVTIMEO, 1)
    for data in (b"", b"abc"):
        eq(net.zsock_sendto(other, data, 0, HOST), len(data))
        got, addr = net.zsock_recvfrom(other, 100)
        eq((got[HEAD:], addr), (data, HOST))
    net.zsock_connect(other, HOST)
    eq(net.zsock_send(other, b"de"), 2)
    eq(net.zsock_recv(other, 100)[HEAD:], b"de")
    close(other)


@allowed
def test_protocols(fd):
    raises("EPROTONOSUPPORT", net.zsock_socket, V4, RAW, 0)
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM, RAW):
        for proto in (-1, 300, 100000):
            raises("EINVAL", net.zsock_socket, V4, kind, proto)
    raises("EPROTONOSUPPORT", net.zsock_socket, V4, net.SOCK_STREAM, net.IPPROTO_UDP)
    for kind in (0, net.SOCK_SEQPACKET, net.SOCK_RDM):
        raises("ESOCKTNOSUPPORT", net.zsock_socket, V4, kind, 0)


def test_udp_has_no_port_0():
    fd, addr = udp()
    raises("EINVAL", net.zsock_sendto, fd, b"x", 0, HOST)
    net.zsock_connect(fd, HOST)
    if has("getpeername"):
        raises("ENOTCONN", net.zsock_getpeername, fd)
    raises("EINVAL", net.zsock_sendto, fd, b"x", 0, HOST)
    close(fd)
    true(addr[1])
