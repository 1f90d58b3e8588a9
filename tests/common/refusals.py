# What a port must do where capabilities() says False: refuse, at the call, and leave the socket
# as it was. One check for each feature that is a call or a family; options are all alike.
import usocket_compat as net
from check import close, eq, has, pair, raises, recv_exactly, sendall, tcp, udp, udp_pair


def connected(what, check):
    """The refusal leaves the connection intact."""
    client, server = pair()
    raises(what, check, client)
    sendall(client, b"intact")
    eq(recv_exactly(server, 6), b"intact")
    close(client, server)


def shutdown():
    connected("EOPNOTSUPP", lambda fd: net.zsock_shutdown(fd, net.SHUT_WR))
    for make in (udp_pair, net.zsock_socketpair) if has("socketpair") else (udp_pair,):
        a, b = make()
        for how in (net.SHUT_RD, net.SHUT_WR, net.SHUT_RDWR):
            raises("EOPNOTSUPP", net.zsock_shutdown, a, how)
        eq(net.zsock_send(a, b"intact"), 6)
        eq(net.zsock_recv(b, 10), b"intact")
        close(a, b)


def SHUT_RD():
    connected("EOPNOTSUPP", lambda fd: net.zsock_shutdown(fd, net.SHUT_RD))


def SHUT_RDWR():
    connected("EOPNOTSUPP", lambda fd: net.zsock_shutdown(fd, net.SHUT_RDWR))


def getsockname():
    if has("bound_names"):
        return of_the_unbound(net.zsock_getsockname)
    connected("EOPNOTSUPP", net.zsock_getsockname)


def getpeername():
    if has("bound_names"):
        return of_the_unbound(net.zsock_getpeername)
    connected("EOPNOTSUPP", net.zsock_getpeername)


def of_the_unbound(call):
    """Of what is bound it is known (test_bound_names.py)."""
    for make in (tcp, udp_socket):
        fd = make()
        raises("EOPNOTSUPP", call, fd)
        close(fd)


def udp_socket():
    return net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)


def bound_names():
    connected("EOPNOTSUPP", net.zsock_getsockname)
    connected("EOPNOTSUPP", net.zsock_getpeername)


def getsockopt():
    connected("ENOPROTOOPT", lambda fd: net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_KEEPALIVE))


def setsockopt():
    connected(
        "ENOPROTOOPT", lambda fd: net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_KEEPALIVE, 1)
    )


def edge():
    a, b = udp_pair()
    with net.Poller() as poller:
        raises("EOPNOTSUPP", poller.register, b, 1, net.POLLIN, poller.EDGE)
        raises("ENOENT", poller.deregister, b)
        poller.register(b, 1, net.POLLOUT)
        raises("EOPNOTSUPP", poller.reregister, b, 1, net.POLLIN, poller.EDGE)
        eq(len(poller.poll(0)), 1)
    close(a, b)


def use_interface():
    raises("EOPNOTSUPP", net.use_interface, None)


def socketpair():
    raises("EOPNOTSUPP", net.zsock_socketpair)


def sendmsg():
    connected("EOPNOTSUPP", lambda fd: net.zsock_sendmsg(fd, [b"x"]))


def recvmsg():
    connected("EOPNOTSUPP", lambda fd: net.zsock_recvmsg(fd, [bytearray(1)]))


def ancillary():
    ancdata = [(net.IPPROTO_IP, net.IP_TTL, bytes(4))]
    connected("EOPNOTSUPP", lambda fd: net.zsock_sendmsg(fd, [b"x"], ancdata))
    connected("EOPNOTSUPP", lambda fd: net.zsock_recvmsg(fd, [bytearray(1)], 64))


def scm_rights():
    ancdata = [(net.SOL_SOCKET, net.SCM_RIGHTS, bytes(4))]
    connected("EOPNOTSUPP", lambda fd: net.zsock_sendmsg(fd, [b"x"], ancdata))


def pktinfo():
    refused_option(net.AF_INET, net.SOCK_DGRAM, net.IPPROTO_IP, net.IP_PKTINFO)
    refused_option(net.AF_INET6, net.SOCK_DGRAM, net.IPPROTO_IPV6, net.IPV6_RECVPKTINFO)


def getaddrinfo():
    raises("EOPNOTSUPP", net.zsock_getaddrinfo, "127.0.0.1", 80)


def getnameinfo():
    raises("EOPNOTSUPP", net.zsock_getnameinfo, ("127.0.0.1", 80), 0)


def FIONREAD():
    connected("EOPNOTSUPP", lambda fd: net.zsock_ioctl(fd, net.FIONREAD))


def FIONBIO():
    connected("EOPNOTSUPP", lambda fd: net.zsock_ioctl(fd, net.FIONBIO, 1))


def eventfd():
    raises("EOPNOTSUPP", net.zvfs_eventfd)


def fileno():
    connected("EOPNOTSUPP", net.zsock_fileno)


def AF_INET6():
    raises("EAFNOSUPPORT", net.zsock_socket, net.AF_INET6, net.SOCK_DGRAM)


def AF_UNIX():
    raises("EAFNOSUPPORT", net.zsock_socket, net.AF_UNIX, net.SOCK_DGRAM)


def flag(name):
    def check():
        connected("EOPNOTSUPP", lambda fd: net.zsock_recv(fd, 1, getattr(net, name)))

    return check


MSG_PEEK = flag("MSG_PEEK")
MSG_WAITALL = flag("MSG_WAITALL")
MSG_TRUNC = flag("MSG_TRUNC")
MSG_OOB = flag("MSG_OOB")


def connect_unspec():
    fd, addr = udp()
    raises("EOPNOTSUPP", net.zsock_connect, fd, bytes(16))
    net.zsock_sendto(fd, b"x", 0, addr)
    eq(net.zsock_recv(fd, 9), b"x")
    close(fd)


def multicast():
    refused_option(net.AF_INET, net.SOCK_DGRAM, net.IPPROTO_IP, net.IP_ADD_MEMBERSHIP)


def nothing():
    """Nothing can be called to see that this is missing."""
    return "lacks"


threads = nothing
recv_into_no_alloc = nothing
recv_into_no_alloc_dgram = nothing
udp_unreachable = nothing


def refused_option(family, kind, level, option):
    if family == net.AF_INET6 and not has("AF_INET6"):
        return AF_INET6()
    fd = net.zsock_socket(family, kind)
    raises("ENOPROTOOPT", net.zsock_setsockopt, fd, level, option, 1)
    raises("ENOPROTOOPT", net.zsock_getsockopt, fd, level, option)
    close(fd)


def option(name):
    level, kind, family = place(name)
    refused_option(family, kind, level, getattr(net, name))


def place(name):
    """Level, type and family of a socket that has the option, by the option's prefix."""
    if name == "SO_BROADCAST":
        return net.SOL_SOCKET, net.SOCK_DGRAM, net.AF_INET
    if name.startswith("SO_"):
        return net.SOL_SOCKET, net.SOCK_STREAM, net.AF_INET
    if name.startswith("TCP_"):
        return net.IPPROTO_TCP, net.SOCK_STREAM, net.AF_INET
    if name.startswith("IPV6_"):
        return net.IPPROTO_IPV6, net.SOCK_DGRAM, net.AF_INET6
    return net.IPPROTO_IP, net.SOCK_DGRAM, net.AF_INET


def tls(name):
    """What TLS cannot do here: a protocol, an option, or none of it."""
    if name[:8] == "IPPROTO_":
        kind = net.SOCK_DGRAM if name[8] == "D" else net.SOCK_STREAM
        raises("EPROTONOSUPPORT", net.zsock_socket, net.AF_INET, kind, getattr(net, name))
        return
    if name == "TLS_CREDENTIAL_PSK":
        what = "EOPNOTSUPP" if has("IPPROTO_TLS_1_2") else "EPROTONOSUPPORT"
        raises(what, net.tls_credential_add, 97, net.TLS_CREDENTIAL_PSK, b"secret")
        raises("ENOENT", net.tls_credential_get, 97, net.TLS_CREDENTIAL_PSK)
        return
    if name == "TLS_CLOSE_NOTIFY":
        if has("IPPROTO_TLS_1_2"):
            import secure

            a, b = secure.pair()
            raises("EOPNOTSUPP", net.zsock_shutdown, a, net.SHUT_WR)
            raises("EOPNOTSUPP", net.zsock_shutdown, a, net.SHUT_RDWR)
            sendall(a, b"intact")
            eq(recv_exactly(b, 6), b"intact")
            close(a, b)
        return
    proto = net.IPPROTO_TLS_1_2 if has("IPPROTO_TLS_1_2") else 0
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, proto)
    if name == "TLS_HOSTNAME_NONE":
        raises(
            ("ENOPROTOOPT", TypeError),
            net.zsock_setsockopt,
            fd,
            net.SOL_TLS,
            net.TLS_HOSTNAME,
            None,
        )
    else:
        raises("ENOPROTOOPT", net.zsock_setsockopt, fd, net.SOL_TLS, getattr(net, name), 1)
        # Linux's getsockopt says EOPNOTSUPP of a level that it does not know.
        what = "ENOPROTOOPT" if proto else ("ENOPROTOOPT", "EOPNOTSUPP")
        raises(what, net.zsock_getsockopt, fd, net.SOL_TLS, getattr(net, name))
    close(fd)


def is_option(name):
    return name.split("_")[0] in ("SO", "TCP", "IP", "IPV6")


def check(name):
    """Raises AssertionError unless the feature is refused; "refused", or "lacks"."""
    how = None
    if is_option(name):
        option(name)
    elif name[:4] == "TLS_" or "TLS_1_" in name:
        tls(name)
    else:
        how = globals()[name]()
    close(tcp())  # the layer goes on working
    return how or "refused"
