# Names as Zephyr's headers spell them (net/socket.h, net/net_ip.h, net/net_compat.h,
# net/dns_resolve.h, sys/fdtable.h, zvfs/eventfd.h; 4.4): each is what has no prefix.
import usocket_compat as net
from check import BOARD, bind_low, close, eq, has, listener, needs, raises, ready, tcp, true, udp

ZSOCK = """
POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL
MSG_PEEK MSG_CTRUNC MSG_TRUNC MSG_DONTWAIT MSG_WAITALL SHUT_RD SHUT_WR SHUT_RDWR
AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_V4MAPPED AI_ALL AI_ADDRCONFIG AI_NUMERICSERV
NI_NUMERICHOST NI_NUMERICSERV NI_NOFQDN NI_NAMEREQD NI_DGRAM NI_MAXHOST
SOL_SOCKET SO_DEBUG SO_REUSEADDR SO_TYPE SO_ERROR SO_DONTROUTE SO_BROADCAST SO_SNDBUF SO_RCVBUF
SO_KEEPALIVE SO_OOBINLINE SO_PRIORITY SO_LINGER SO_REUSEPORT SO_RCVLOWAT SO_SNDLOWAT SO_RCVTIMEO
SO_SNDTIMEO SO_BINDTODEVICE SO_ACCEPTCONN SO_TIMESTAMPING SO_PROTOCOL SO_DOMAIN SO_TXTIME
TCP_NODELAY TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT
IP_TOS IP_TTL IP_PKTINFO IP_RECVTTL IP_MTU IP_MULTICAST_IF IP_MULTICAST_TTL IP_MULTICAST_LOOP
IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP IP_LOCAL_PORT_RANGE
IPV6_UNICAST_HOPS IPV6_MULTICAST_IF IPV6_MULTICAST_HOPS IPV6_MULTICAST_LOOP IPV6_ADD_MEMBERSHIP
IPV6_DROP_MEMBERSHIP IPV6_MTU IPV6_V6ONLY IPV6_RECVPKTINFO IPV6_PKTINFO IPV6_RECVHOPLIMIT
IPV6_HOPLIMIT IPV6_TCLASS SOMAXCONN F_GETFL F_SETFL O_NONBLOCK
"""
ZVFS = """
POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL F_GETFL F_SETFL O_NONBLOCK
EFD_SEMAPHORE EFD_NONBLOCK
"""
NET = """
AF_UNSPEC AF_INET AF_INET6 AF_PACKET AF_LOCAL AF_UNIX PF_UNSPEC PF_INET PF_INET6 PF_UNIX
IPPROTO_IP IPPROTO_ICMP IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 IPPROTO_ICMPV6 IPPROTO_RAW
SOCK_STREAM SOCK_DGRAM SOCK_RAW
INADDR_ANY INADDR_BROADCAST INET_ADDRSTRLEN INET6_ADDRSTRLEN IN6ADDR_ANY IN6ADDR_LOOPBACK
"""
DNS = """
EAI_BADFLAGS EAI_NONAME EAI_AGAIN EAI_FAIL EAI_NODATA EAI_FAMILY EAI_SOCKTYPE EAI_SERVICE
EAI_ADDRFAMILY EAI_MEMORY EAI_SYSTEM EAI_OVERFLOW EAI_INPROGRESS EAI_CANCELED EAI_NOTCANCELED
EAI_ALLDONE
"""
ALL = (("ZSOCK_", ZSOCK), ("ZVFS_", ZVFS), ("NET_", NET), ("DNS_", DNS))
CALLS = (
    ("net_addr_pton", "zsock_inet_pton"),
    ("net_addr_ntop", "zsock_inet_ntop"),
    ("net_htons", "htons"),
    ("net_htonl", "htonl"),
    ("net_ntohs", "ntohs"),
    ("net_ntohl", "ntohl"),
)
V4, V6 = net.AF_INET, net.AF_INET6


def test_prefixed_constants():
    for prefix, names in ALL:
        for name in names.split():
            eq(getattr(net, prefix + name), getattr(net, name), prefix + name)


def test_prefixed_constants_by_import():
    from usocket_compat import DNS_EAI_NONAME, NET_AF_INET, ZSOCK_POLLIN, ZVFS_EFD_NONBLOCK

    eq(
        (ZSOCK_POLLIN, ZVFS_EFD_NONBLOCK, NET_AF_INET, DNS_EAI_NONAME),
        (net.POLLIN, net.EFD_NONBLOCK, net.AF_INET, net.EAI_NONAME),
    )


def test_a_prefix_makes_no_name():
    for name in (
        "ZSOCK_",
        "ZVFS_",
        "ZSOCK_NOTHING",
        "ZSOCK_EBADF",
        "NET_ENOTCONN",
        "ZVFS_ZSOCK_POLLIN",
        "ZSOCK_socket",
        "ZSOCK_gaierror",
        "zsock_POLLIN",
        "net_socket",
        "net_",
        "POSIX_POLLIN",
    ):
        raises(AttributeError, getattr, net, name)


# rows: net_addr_pton net_addr_ntop net_htons net_htonl net_ntohs net_ntohl
def test_functions():
    for name, same in CALLS:
        true(getattr(net, name) is getattr(net, same), name)
    eq(net.net_addr_pton(net.NET_AF_INET, "192.0.2.1"), b"\xc0\0\2\1")
    eq(net.net_addr_ntop(net.NET_AF_INET, b"\xc0\0\2\1"), "192.0.2.1")
    eq(net.net_addr_pton(V6, "::1"), bytes(15) + b"\1")
    raises("EINVAL", net.net_addr_pton, V4, "192.0.2.256")
    raises("EAFNOSUPPORT", net.net_addr_pton, 99, "192.0.2.1")


def test_a_program_with_zephyrs_names():
    fd, addr = udp()
    other = net.zsock_socket(net.NET_AF_INET, net.NET_SOCK_DGRAM, net.NET_IPPROTO_UDP)
    raises("EAGAIN", net.zsock_recv, fd, 9, net.ZSOCK_MSG_DONTWAIT)
    net.zsock_sendto(other, b"x", 0, addr)
    fds = [net.zsock_pollfd(fd, net.ZSOCK_POLLIN)]
    eq((net.zsock_poll(fds, 1000), fds[0].revents), (1, net.ZSOCK_POLLIN))
    eq(net.zsock_recv(fd, 9, net.ZSOCK_MSG_PEEK), b"x")
    eq(net.zsock_recv(fd, 9, net.ZSOCK_MSG_DONTWAIT), b"x")
    flags = net.zsock_fcntl(fd, net.ZVFS_F_GETFL)
    net.zsock_fcntl(fd, net.ZVFS_F_SETFL, flags | net.ZVFS_O_NONBLOCK)
    raises("EAGAIN", net.zsock_recv, fd, 9)
    close(fd, other)


@needs("eventfd")
def test_an_eventfd_with_zephyrs_names():
    fd = net.zvfs_eventfd(2, net.ZVFS_EFD_NONBLOCK | net.ZVFS_EFD_SEMAPHORE)
    eq([net.zvfs_eventfd_read(fd) for _ in range(2)], [1, 1])
    raises("EAGAIN", net.zvfs_eventfd_read, fd)
    close(fd)


def test_star_import_brings_them():
    names = {}
    if BOARD:
        # What is loaded: a board has no room for all.
        exec("from usocket_compat import *", names)
        eq([name for name in names if name.startswith("ZSOCK_") and not hasattr(net, name)], [])
        return
    exec("from usocket_compat import *", names)
    for prefix, list in ALL:
        eq([name for name in list.split() if prefix + name not in names], [])
    eq([name for name, _ in CALLS if name not in names], [])


# -- hosts ------------------------------------------------------------------------------


def test_numbers_of_hosts():
    # POSIX netinet/in.h.
    eq((net.INADDR_ANY, net.INADDR_LOOPBACK), (0, 0x7F000001))
    eq(net.INADDR_BROADCAST, 0xFFFFFFFF)
    eq((net.IN6ADDR_ANY, net.IN6ADDR_LOOPBACK), ("::", "::1"))


# rows: INADDR_ANY
def test_bind_to_any():
    # The oracle is a peer that connects to the loopback address.
    for host in (net.INADDR_ANY, net.NET_INADDR_ANY):
        fd = tcp()
        port = bound(fd, host)
        net.zsock_listen(fd)
        client = tcp()
        net.zsock_connect(client, ("127.0.0.1", port))
        server, peer = net.zsock_accept(fd)
        eq(peer[0], "127.0.0.1")
        if has("getsockname"):
            eq(net.zsock_getsockname(fd), ("0.0.0.0", port))
        close(client, server, fd)


def bound(fd, host):
    if has("getsockname"):
        net.zsock_bind(fd, (host, 0))
        return net.zsock_getsockname(fd)[1]
    free = tcp()
    port = bind_low(free, "127.0.0.1")[1]
    close(free)
    net.zsock_bind(fd, (host, port))
    return port


# rows: INADDR_LOOPBACK
def test_connect_and_send_to_the_loopback():
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, (net.INADDR_LOOPBACK, addr[1]))
    server, _ = net.zsock_accept(fd)
    if has("getpeername"):
        eq(net.zsock_getpeername(client), addr)
    close(client, server, fd)
    fd = net.zsock_socket(V4, net.SOCK_DGRAM)
    port = bound(fd, net.INADDR_LOOPBACK)
    for _ in range(2):
        net.zsock_sendto(fd, b"x", 0, (net.INADDR_LOOPBACK, port))
        eq(net.zsock_recvfrom(fd, 9), (b"x", ("127.0.0.1", port)))
    if has("sendmsg"):
        net.zsock_sendmsg(fd, [b"y"], (), 0, (net.INADDR_LOOPBACK, port))
        eq(net.zsock_recv(fd, 9), b"y")
    # INADDR_ANY as a destination is this host (Linux).
    net.zsock_sendto(fd, b"z", 0, (net.INADDR_ANY, port))
    eq((ready(fd, net.POLLIN), net.zsock_recv(fd, 9)), (net.POLLIN, b"z"))
    close(fd)


# rows: INADDR_BROADCAST
def test_send_to_the_broadcast_address():
    # As to what it stands for, of which test_options.py tests what comes of it.
    fd = net.zsock_socket(V4, net.SOCK_DGRAM)
    got = []
    for host in ("255.255.255.255", net.INADDR_BROADCAST):
        try:
            got.append(net.zsock_sendto(fd, b"x", 0, (host, 9)))
        except OSError as e:
            got.append(net.errno.errorcode[e.errno])
    eq(got[0], got[1])
    close(fd)


# rows: IN6ADDR_ANY IN6ADDR_LOOPBACK
@needs("AF_INET6")
def test_hosts_of_ipv6():
    fd = tcp(V6)
    net.zsock_bind(fd, (net.IN6ADDR_ANY, 0))
    net.zsock_listen(fd)
    if has("getsockname"):
        eq(net.zsock_getsockname(fd)[0], "::")
        client = tcp(V6)
        net.zsock_connect(client, (net.IN6ADDR_LOOPBACK, net.zsock_getsockname(fd)[1]))
        close(client)
    close(fd)


def test_other_numbers_are_no_hosts():
    for family in (V4, V6) if has("AF_INET6") else (V4,):
        fd = net.zsock_socket(family, net.SOCK_DGRAM)
        for host in (1, 5, -1, 0x7F000002, 1 << 32, 1 << 128, 0.0, True, False, None):
            raises(TypeError, net.zsock_sendto, fd, b"x", 0, (host, 9))
            raises(TypeError, net.zsock_bind, fd, (host, 0))
        if family == V6:
            raises(TypeError, net.zsock_bind, fd, (net.INADDR_ANY, 0))
        raises(OverflowError, net.zsock_bind, fd, ("" if family == V6 else net.INADDR_ANY, 65536))
        raises(TypeError, net.zsock_bind, fd, (net.INADDR_ANY,))
        raises(TypeError, net.zsock_bind, fd, (net.INADDR_ANY, "80"))
        close(fd)
