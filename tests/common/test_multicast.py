# UDP multicast over the loopback interface; lwIP's takes no part in it, there it is the network's.
import struct

import usocket_compat as net
from check import close, eq, interface, needs, nonblocking, raises, ready, tcp, udp

GROUP = "239.255.77.1"
OTHER = "239.255.77.2"
GROUP6 = "ff01::7777"
LO = interface()


def mreq(group):
    return net.inet_aton(group) + net.inet_aton(LO)


def receiver():
    """A datagram socket on the wildcard address and its port."""
    fd = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    net.zsock_bind(fd, ("", 0))
    nonblocking(fd)
    return fd, net.zsock_getsockname(fd)[1]


def sender():
    fd, _ = udp()
    net.zsock_setsockopt(fd, net.IPPROTO_IP, net.IP_MULTICAST_IF, net.inet_aton(LO))
    net.zsock_setsockopt(fd, net.IPPROTO_IP, net.IP_MULTICAST_LOOP, 1)
    return fd


def joined(fd, group):
    net.zsock_setsockopt(fd, net.IPPROTO_IP, net.IP_ADD_MEMBERSHIP, mreq(group))


@needs("multicast", "getsockname", "IP_MULTICAST_IF", "IP_MULTICAST_LOOP", "IP_DROP_MEMBERSHIP")
def test_only_members_receive():
    a, port = receiver()
    b = sender()
    net.zsock_sendto(b, b"early", 0, (GROUP, port))
    joined(a, GROUP)
    net.zsock_sendto(b, b"other", 0, (OTHER, port))
    net.zsock_sendto(b, b"hello", 0, (GROUP, port))
    eq(ready(a, net.POLLIN), net.POLLIN)
    data, addr = net.zsock_recvfrom(a, 20)
    eq((data, addr[0]), (b"hello", LO))
    net.zsock_setsockopt(a, net.IPPROTO_IP, net.IP_DROP_MEMBERSHIP, mreq(GROUP))
    net.zsock_sendto(b, b"late", 0, (GROUP, port))
    eq(ready(a, net.POLLIN, 50), 0)
    raises("EAGAIN", net.zsock_recv, a, 20)
    close(a, b)


# rows: IP_ADD_MEMBERSHIP
@needs("multicast", "getsockname", "IP_MULTICAST_IF", "IP_MULTICAST_LOOP")
def test_every_member_receives():
    a, port = receiver()
    b = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    for fd in (a, b):
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_bind(b, ("", port))
    for fd in (a, b):
        joined(fd, GROUP)
    c = sender()
    net.zsock_sendto(c, b"all", 0, (GROUP, port))
    for fd in (a, b):
        eq(ready(fd, net.POLLIN), net.POLLIN)
        eq(net.zsock_recv(fd, 20), b"all")
    close(a, b, c)


# rows: IP_MULTICAST_LOOP
@needs("multicast", "getsockopt", "IP_MULTICAST_LOOP")
def test_loop():
    # Through the loopback interface itself it makes no difference to what arrives.
    fd, _ = udp()
    option = net.IPPROTO_IP, net.IP_MULTICAST_LOOP
    eq(net.zsock_getsockopt(fd, *option), 1)
    for value in (0, 1):
        net.zsock_setsockopt(fd, *option + (value,))
        eq(net.zsock_getsockopt(fd, *option), value)
    close(fd)


@needs("multicast")
def test_membership_errors():
    fd, _ = udp()
    level = net.IPPROTO_IP
    raises("EINVAL", net.zsock_setsockopt, fd, level, net.IP_ADD_MEMBERSHIP, mreq("127.0.0.1"))
    raises("EINVAL", net.zsock_setsockopt, fd, level, net.IP_ADD_MEMBERSHIP, b"short")
    nowhere = net.inet_aton(GROUP) + net.inet_aton("192.0.2.1")
    raises("ENODEV", net.zsock_setsockopt, fd, level, net.IP_ADD_MEMBERSHIP, nowhere)
    joined(fd, GROUP)
    raises("EADDRINUSE", joined, fd, GROUP)
    joined(fd, OTHER)
    close(fd)
    stream = tcp()
    raises("EPROTO", joined, stream, GROUP)
    close(stream)


# rows: IP_DROP_MEMBERSHIP
@needs("multicast", "IP_DROP_MEMBERSHIP")
def test_leaving():
    fd, _ = udp()
    args = fd, net.IPPROTO_IP, net.IP_DROP_MEMBERSHIP, mreq(GROUP)
    raises("EADDRNOTAVAIL", net.zsock_setsockopt, *args)
    joined(fd, GROUP)
    net.zsock_setsockopt(*args)
    raises("EADDRNOTAVAIL", net.zsock_setsockopt, *args)
    close(fd)


# rows: IP_MULTICAST_TTL
@needs("multicast", "getsockopt", "IP_MULTICAST_TTL")
def test_v4_mcast_ttl():
    fd, _ = udp()
    option = net.IPPROTO_IP, net.IP_MULTICAST_TTL
    eq(net.zsock_getsockopt(fd, *option), 1)
    for ttl in (0, 5, 255):
        net.zsock_setsockopt(fd, *option + (ttl,))
        eq(net.zsock_getsockopt(fd, *option), ttl)
    raises("EINVAL", net.zsock_setsockopt, fd, *option + (256,))
    close(fd)


# rows: IPV6_MULTICAST_HOPS
@needs("multicast", "getsockopt", "IPV6_MULTICAST_HOPS")
def test_v6_mcast_hops():
    fd, _ = udp(net.AF_INET6)
    option = net.IPPROTO_IPV6, net.IPV6_MULTICAST_HOPS
    for hops in (0, 5, 255):
        net.zsock_setsockopt(fd, *option + (hops,))
        eq(net.zsock_getsockopt(fd, *option), hops)
    raises("EINVAL", net.zsock_setsockopt, fd, *option + (256,))
    close(fd)


# rows: IPV6_MULTICAST_IF
@needs("multicast", "getsockopt", "IPV6_MULTICAST_IF")
def test_ipv6_multicast_ifindex():
    fd, _ = udp(net.AF_INET6)
    option = net.IPPROTO_IPV6, net.IPV6_MULTICAST_IF
    eq(net.zsock_getsockopt(fd, *option), 0)
    net.zsock_setsockopt(fd, *option + (1,))
    eq(net.zsock_getsockopt(fd, *option), 1)
    raises("ENODEV", net.zsock_setsockopt, fd, *option + (99999,))
    close(fd)


# rows: IP_MULTICAST_IF
@needs("multicast", "getsockopt", "IP_MULTICAST_IF")
def test_ipv4_multicast_ifindex():
    fd, _ = udp()
    option = net.IPPROTO_IP, net.IP_MULTICAST_IF
    net.zsock_setsockopt(fd, *option + (net.inet_aton(LO),))
    eq(net.zsock_getsockopt(fd, *option + (4,)), net.inet_aton(LO))
    close(fd)


# rows: IPV6_JOIN_GROUP IPV6_ADD_MEMBERSHIP IPV6_LEAVE_GROUP IPV6_DROP_MEMBERSHIP
@needs("multicast", "AF_INET6", "IPV6_JOIN_GROUP")
def test_v6_group():
    # No data: a loopback interface has no IPv6 multicast route.
    fd, _ = udp(net.AF_INET6)
    level = net.IPPROTO_IPV6
    request = net.zsock_inet_pton(net.AF_INET6, GROUP6) + struct.pack("I", 1)
    nobody = net.zsock_inet_pton(net.AF_INET6, "::1") + struct.pack("I", 1)
    raises("EINVAL", net.zsock_setsockopt, fd, level, net.IPV6_JOIN_GROUP, nobody)
    net.zsock_setsockopt(fd, level, net.IPV6_JOIN_GROUP, request)
    raises("EADDRINUSE", net.zsock_setsockopt, fd, level, net.IPV6_JOIN_GROUP, request)
    net.zsock_setsockopt(fd, level, net.IPV6_LEAVE_GROUP, request)
    raises("EADDRNOTAVAIL", net.zsock_setsockopt, fd, level, net.IPV6_LEAVE_GROUP, request)
    close(fd)
