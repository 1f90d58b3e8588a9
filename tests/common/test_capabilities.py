# Contract 2: capabilities() tells the truth. What it denies is refused, what it grants works.
import array
import struct

import heap
import refusals

import usocket_compat as net
from check import (
    BOARD,
    LOOPBACK_DEVICE,
    Thread,
    close,
    closed_port,
    eq,
    has,
    interface,
    listener,
    nonblocking,
    packed,
    pair,
    raises,
    ready,
    recv_exactly,
    sendall,
    sockaddr_family,
    tcp,
    true,
    udp,
    udp_pair,
)

V4, SOL = net.AF_INET, net.SOL_SOCKET
GROUP = net.inet_aton("239.255.77.9") + net.inet_aton(interface())


def shutdown():
    client, server = pair()
    net.zsock_shutdown(client, net.SHUT_WR)
    eq(net.zsock_recv(server, 1), b"")
    close(client, server)


def getsockname():
    fd, addr = udp()
    eq(net.zsock_getsockname(fd), addr)
    close(fd)


def getpeername():
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, addr)
    eq(net.zsock_getpeername(client), addr)
    close(client, fd)


def getsockopt():
    fd = tcp()
    eq(net.zsock_getsockopt(fd, SOL, net.SO_REUSEADDR), 0)
    close(fd)


def setsockopt():
    fd = tcp()
    net.zsock_setsockopt(fd, SOL, net.SO_REUSEADDR, 1)
    close(fd)


def socketpair():
    a, b = net.zsock_socketpair()
    sendall(a, b"x")
    eq(net.zsock_recv(b, 1), b"x")
    close(a, b)


def sendmsg():
    a, b = udp_pair()
    eq(net.zsock_sendmsg(a, [b"a", b"b"]), 2)
    eq(net.zsock_recv(b, 9), b"ab")
    close(a, b)


def recvmsg():
    a, b = udp_pair()
    net.zsock_send(a, b"ab")
    buf = bytearray(4)
    eq(net.zsock_recvmsg(b, [buf])[0], 2)
    eq(bytes(buf), b"ab\0\0")
    close(a, b)


def control(option):
    a, b = udp_pair()
    net.zsock_setsockopt(b, net.IPPROTO_IP, option, 1)
    net.zsock_send(a, b"x")
    eq(len(net.zsock_recvmsg(b, [bytearray(4)], 256)[1]), 1)
    close(a, b)


def ancillary():
    control(net.IP_RECVTTL)


def pktinfo():
    control(net.IP_PKTINFO)


def scm_rights():
    a, b = net.zsock_socketpair()
    net.zsock_sendmsg(a, [b"x"], [(SOL, net.SCM_RIGHTS, array.array("i", [a]))])
    _, ancdata, _, _ = net.zsock_recvmsg(b, [bytearray(1)], 64)
    close(struct.unpack("i", ancdata[0][2])[0], a, b)


def getaddrinfo():
    eq(net.zsock_getaddrinfo("127.0.0.1", 80, 0, net.SOCK_STREAM)[0][4], ("127.0.0.1", 80))


def getnameinfo():
    flags = net.NI_NUMERICHOST | net.NI_NUMERICSERV
    eq(net.zsock_getnameinfo(("127.0.0.1", 80), flags), ("127.0.0.1", "80"))


def fcntl():
    fd = tcp()
    net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
    eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
    close(fd)


def FIONREAD():
    a, b = udp_pair()
    net.zsock_send(a, b"12345")
    eq(net.zsock_ioctl(b, net.FIONREAD), 5)
    close(a, b)


def FIONBIO():
    fd, _ = udp()
    net.zsock_ioctl(fd, net.FIONBIO, 1)
    raises("EAGAIN", net.zsock_recv, fd, 1)
    close(fd)


def poll():
    fd, _ = udp()
    eq(ready(fd, net.POLLOUT), net.POLLOUT)
    close(fd)


def dup():
    fd = tcp()
    close(net.zsock_dup(fd), fd)


def eventfd():
    fd = net.zvfs_eventfd(2)
    eq(net.zvfs_eventfd_read(fd), 2)
    close(fd)


def select():
    fd, _ = udp()
    eq(list(net.zsock_select([], [fd], [], 0)[1]), [fd])
    close(fd)


def AF_INET6():
    fd, addr = udp(net.AF_INET6)
    net.zsock_sendto(fd, b"x", 0, addr)
    eq(net.zsock_recvfrom(fd, 9), (b"x", addr))
    close(fd)


def AF_UNIX():
    fd = net.zsock_socket(net.AF_UNIX, net.SOCK_DGRAM)
    net.zsock_bind(fd, "capability")
    net.zsock_sendto(fd, b"x", 0, "capability")
    eq(net.zsock_recvfrom(fd, 9), (b"x", "capability"))
    close(fd)


def multicast():
    fd, _ = udp()
    net.zsock_setsockopt(fd, net.IPPROTO_IP, net.IP_ADD_MEMBERSHIP, GROUP)
    close(fd)


def MSG_PEEK():
    client, server = pair()
    sendall(client, b"abc")
    eq(net.zsock_recv(server, 9, net.MSG_PEEK), b"abc")
    eq(net.zsock_recv(server, 9), b"abc")
    close(client, server)


def MSG_WAITALL():
    client, server = pair()
    sendall(client, b"abc")
    eq(net.zsock_recv(server, 3, net.MSG_WAITALL), b"abc")
    close(client, server)


def MSG_DONTWAIT():
    client, server = pair()
    raises("EAGAIN", net.zsock_recv, server, 1, net.MSG_DONTWAIT)
    close(client, server)


def MSG_TRUNC():
    a, b = udp_pair()
    net.zsock_send(a, b"12345")
    eq(net.zsock_recv(b, bytearray(2), net.MSG_TRUNC), 5)
    close(a, b)


def MSG_OOB():
    client, server = pair()
    net.zsock_send(client, b"!", net.MSG_OOB)
    ready(server, net.POLLPRI)
    eq(net.zsock_recv(server, 1, net.MSG_OOB), b"!")
    close(client, server)


def recv_into_no_alloc():
    heap.tcp_loop()


def recv_into_no_alloc_dgram():
    heap.udp_loop()


def udp_unreachable():
    fd = net.zsock_socket(V4, net.SOCK_DGRAM)
    net.zsock_connect(fd, closed_port())
    net.zsock_send(fd, b"x")
    raises("ECONNREFUSED", net.zsock_recv, fd, 1)
    close(fd)


def threads():
    client, server = pair()
    thread = Thread(recv_exactly, server, 1)
    sendall(client, b"x")
    eq(thread.join(), b"x")
    close(client, server)


def connect_unspec():
    a, b = udp_pair()
    net.zsock_connect(a, sockaddr_family(net.AF_UNSPEC) + packed(("0.0.0.0", 0))[2:])
    nonblocking(a)
    raises("EDESTADDRREQ", net.zsock_send, a, b"x")
    close(a, b)


# Options that take another value than 1, or none.
VALUES = {
    "SO_BINDTODEVICE": LOOPBACK_DEVICE,
    "SO_LINGER": (1, 1),
    "IP_MULTICAST_IF": net.inet_aton("127.0.0.1"),
    "IP_ADD_MEMBERSHIP": GROUP,
    "IP_DROP_MEMBERSHIP": GROUP,
    "IPV6_JOIN_GROUP": net.zsock_inet_pton(net.AF_INET6, "ff01::77") + struct.pack("I", 1),
    "IPV6_LEAVE_GROUP": net.zsock_inet_pton(net.AF_INET6, "ff01::77") + struct.pack("I", 1),
    "TCP_MAXSEG": 500,
    "SO_TIMESTAMPING": 0,
    "IP_LOCAL_PORT_RANGE": 0,
}
READ_ONLY = "SO_TYPE SO_ERROR SO_ACCEPTCONN SO_PROTOCOL SO_DOMAIN IP_MTU".split()
AFTER = {"IP_DROP_MEMBERSHIP": "IP_ADD_MEMBERSHIP", "IPV6_LEAVE_GROUP": "IPV6_JOIN_GROUP"}


def option(name):
    level, kind, family = refusals.place(name)
    if name == "IP_MTU":
        a, fd = udp_pair()
        close(a)
    else:
        fd = net.zsock_socket(family, kind)
    number = getattr(net, name)
    if name in READ_ONLY:
        true(isinstance(net.zsock_getsockopt(fd, level, number), int))
    else:
        if name in AFTER:
            net.zsock_setsockopt(fd, level, getattr(net, AFTER[name]), VALUES[AFTER[name]])
        net.zsock_setsockopt(fd, level, number, VALUES.get(name, 1))
    close(fd)


def test_shape():
    found = net.capabilities()
    true(isinstance(found, dict))
    eq([name for name in found if found[name] not in (True, False)], [])
    for name in ("shutdown", "getsockopt", "SO_LINGER", "AF_INET6", "MSG_PEEK", "threads"):
        true(name in found, name)
    eq(net.capabilities(), found)


# In parts: what all of them load is too much for a board.
PARTS = 4


def granted_features_work(part):
    features = sorted(net.capabilities().items())
    for name, granted in features[part::PARTS]:
        if granted:
            print(name)
            if refusals.is_option(name):
                option(name)
            else:
                globals()[name]()


def test_granted_features_work_1():
    granted_features_work(0)


def test_granted_features_work_2():
    granted_features_work(1)


def test_granted_features_work_3():
    granted_features_work(2)


def test_granted_features_work_4():
    granted_features_work(3)


def test_denied_features_are_refused():
    denied = [name for name, granted in sorted(net.capabilities().items()) if not granted]
    for name in denied:
        print(name)
        refusals.check(name)
    return "refused: " + " ".join(denied) if denied else None


# What stock firmware on an ESP32 can do (docs/parity.md). The others have a kernel, and where libc
# is reached nothing of the API is missing.
STOCK_ESP32 = (
    "getsockname getpeername getsockopt setsockopt socketpair sendmsg recvmsg getaddrinfo"
    " getnameinfo fcntl FIONREAD FIONBIO poll select dup eventfd threads recv_into_no_alloc"
    " MSG_DONTWAIT MSG_PEEK MSG_WAITALL MSG_TRUNC multicast IP_ADD_MEMBERSHIP"
    " SO_RCVTIMEO SO_SNDTIMEO SO_REUSEADDR SO_BROADCAST SO_TYPE SO_ERROR SO_DOMAIN SO_PROTOCOL"
    " SO_ACCEPTCONN SO_BINDTODEVICE TCP_NODELAY"
)


def test_a_target_can_do_what_it_is_known_to():
    granted = [name for name, yes in net.capabilities().items() if yes]
    denied = [name for name, yes in net.capabilities().items() if not yes]
    if BOARD:
        eq(sorted(granted), sorted(STOCK_ESP32.split()))
    elif has("getsockopt"):
        true(set(denied) <= {"IP_LOCAL_PORT_RANGE"}, repr(denied))
    else:
        # MicroPython without ffi: these calls its socket has not.
        missing = {"shutdown", "getsockname", "getpeername", "getsockopt", "sendmsg", "recvmsg"}
        true(missing <= set(denied), repr(granted))
