# Contract 2: capabilities() tells the truth. What it denies is refused, what it grants works.
import array
import gc
import struct

import heap
import refusals

import usocket_compat as net
from check import (
    BOARD,
    LOOPBACK_DEVICE,
    SOON,
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
    row,
    sendall,
    sockaddr_family,
    tcp,
    true,
    udp,
    udp_pair,
)
from usocket_compat import errno

V4, SOL = net.AF_INET, net.SOL_SOCKET
GROUP = net.inet_aton("239.255.77.9") + net.inet_aton(interface())


def shutdown():
    client, server = pair()
    net.zsock_shutdown(client, net.SHUT_WR)
    eq(net.zsock_recv(server, 1), b"")
    close(client, server)


def SHUT_RD():
    client, server = pair()
    net.zsock_shutdown(server, net.SHUT_RD)
    eq(net.zsock_recv(server, 1), b"")
    close(client, server)


def SHUT_RDWR():
    client, server = pair()
    net.zsock_shutdown(server, net.SHUT_RDWR)
    eq(net.zsock_recv(client, 1), b"")
    close(client, server)


def getsockname():
    fd, addr = udp()
    eq(net.zsock_getsockname(fd), addr)
    close(fd)


bound_names = getsockname  # test_bound_names.py has more


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


def use_interface():
    import network

    net.use_interface(network.WLAN(0))
    raises(TypeError, net.use_interface, None)


def eventfd():
    fd = net.zvfs_eventfd(2)
    eq(net.zvfs_eventfd_read(fd), 2)
    close(fd)


def fileno():
    fd = tcp()
    true(net.zsock_fileno(fd) > 2)
    close(fd)


def edge():
    a, b = udp_pair()
    with net.Poller() as poller:
        poller.register(b, "b", net.POLLIN, poller.EDGE)
        net.zsock_send(a, b"x")
        eq([event.token for event in poller.poll(SOON)], ["b"])
        eq(poller.poll(0), [])
    close(a, b)


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
    "SO_INCOMING_CPU": 0,
    "TCP_CONGESTION": b"reno",
    "TCP_WINDOW_CLAMP": 4096,
    "TCP_FASTOPEN_CONNECT": 0,
    "IP_OPTIONS": b"",
    "IPV6_ADDR_PREFERENCES": net.IPV6_PREFER_SRC_PUBLIC,
    "IP_LOCAL_PORT_RANGE": 0,
}
READ_ONLY = "SO_TYPE SO_ERROR SO_ACCEPTCONN SO_PROTOCOL SO_DOMAIN IP_MTU".split()
READ_ONLY += ["SO_PEERCRED", "TCP_INFO"]
WRITE_ONLY = "IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP IPV6_JOIN_GROUP IPV6_LEAVE_GROUP".split()
# What only root may set.
PRIVILEGED = "SO_MARK IP_TRANSPARENT".split()
# Zephyr's, which no other system has.
ZEPHYRS = {"SO_SOCKS5", "IP_DONTFRAG"}
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
        try:
            net.zsock_setsockopt(fd, level, number, VALUES.get(name, 1))
        except OSError as e:
            if name not in PRIVILEGED or e.errno != errno.EPERM:
                raise
        if has("getsockopt") and name not in WRITE_ONLY:
            net.zsock_getsockopt(fd, level, number, 256)  # what is taken is not forgotten
    close(fd)


TLS_VALUES = {"TLS_HOSTNAME": "host", "TLS_ALPN_LIST": ["http/1.1"]}


def tls(name):
    proto = getattr(net, name) if name[:8] == "IPPROTO_" else net.IPPROTO_TLS_1_2
    kind = net.SOCK_STREAM
    if "DTLS" in name:
        kind, proto = net.SOCK_DGRAM, net.IPPROTO_DTLS_1_2
    fd = net.zsock_socket(net.AF_INET, kind, proto)
    place = fd, net.SOL_TLS, getattr(net, name, 0)
    if name == "TLS_HOSTNAME_NONE":
        net.zsock_setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, None)
    elif name == "TLS_CREDENTIAL_PSK":
        net.tls_credential_add(97, net.TLS_CREDENTIAL_PSK, b"secret")
        net.tls_credential_delete(97, net.TLS_CREDENTIAL_PSK)
    elif name == "TLS_CIPHERSUITE_USED":
        raises("ENOTCONN", net.zsock_getsockopt, *place)
    elif name in ("TLS_SEC_TAG_LIST", "TLS_CIPHERSUITE_LIST"):
        net.zsock_setsockopt(*place + (net.zsock_getsockopt(*place),))
    elif name != "TLS_CLOSE_NOTIFY" and name[:8] != "IPPROTO_":  # test_tls.py, test_dtls.py
        net.zsock_setsockopt(*place + (TLS_VALUES.get(name, 1),))
    close(fd)


# rows: B14
def test_shape():
    found = net.capabilities()
    true(isinstance(found, dict))
    eq([name for name in found if found[name] not in (True, False)], [])
    for name in ("shutdown", "getsockopt", "SO_LINGER", "AF_INET6", "MSG_PEEK", "threads"):
        true(name in found, name)
    eq(net.capabilities(), found)


# In parts: what all of them load is too much for a board.
PARTS = 5


def granted_features_work(part):
    features = sorted(net.capabilities().items())
    secure = [each for each in features if "TLS_" in each[0]]
    others = [each for each in features if "TLS_" not in each[0]]
    # TLS by itself, and the others in so many parts: what they load is much for a board.
    for name, granted in others[part::PARTS] if part < PARTS else secure:
        if granted:
            print(name)
            if BOARD:
                gc.collect()  # what the one before has loaded and left takes up half of the heap
            row("capability:" + name, works, name)


def works(name):
    if refusals.is_option(name):
        option(name)
    elif name[:4] == "TLS_" or "TLS_1_" in name:
        tls(name)
    else:
        globals()[name]()


# rows: each
def test_granted_features_work_1():
    granted_features_work(0)


# rows: each
def test_granted_features_work_2():
    granted_features_work(1)


# rows: each
def test_granted_features_work_3():
    granted_features_work(2)


# rows: each
def test_granted_features_work_4():
    granted_features_work(3)


# rows: each
def test_granted_features_work_5():
    granted_features_work(4)


def test_granted_features_work_6():
    granted_features_work(5)


def denied_features_are_refused(tls):
    denied = [name for name, granted in sorted(net.capabilities().items()) if not granted]
    denied = [name for name in denied if ("TLS_" in name) == tls]
    for name in denied:
        if name in ("TLS_CLOSE_NOTIFY", "edge") and BOARD:
            continue  # with all these it is too much for a board: test_tls.py, test_poller.py
        print(name)
        row("capability:" + name, refusals.check, name)
    return "refused: " + " ".join(denied) if denied else None


# rows: each
def test_denied_features_are_refused():
    return denied_features_are_refused(False)


# rows: each
def test_denied_features_of_tls_are_refused():
    return denied_features_are_refused(True)


# What stock firmware on an ESP32 can do (docs/parity.md). The others have a kernel, and where libc
# is reached nothing of the API is missing.
STOCK_ESP32 = (
    "getsockname getpeername bound_names getsockopt setsockopt socketpair sendmsg recvmsg"
    " getaddrinfo getnameinfo fcntl FIONREAD FIONBIO poll select dup eventfd threads"
    " recv_into_no_alloc"
    " MSG_DONTWAIT MSG_PEEK MSG_WAITALL MSG_TRUNC multicast IP_ADD_MEMBERSHIP"
    " SO_RCVTIMEO SO_SNDTIMEO SO_REUSEADDR SO_BROADCAST SO_TYPE SO_ERROR SO_DOMAIN SO_PROTOCOL"
    " SO_ACCEPTCONN SO_BINDTODEVICE TCP_NODELAY SHUT_RD SHUT_RDWR use_interface"
    " IPPROTO_TLS_1_2 IPPROTO_DTLS_1_2 TLS_SEC_TAG_LIST TLS_HOSTNAME TLS_PEER_VERIFY"
)
# What the interpreter's own TLS lacks.
TLS = {name for name in net.capabilities() if "TLS_" in name}


# rows: B14
def test_a_target_can_do_what_it_is_known_to():
    granted = [name for name, yes in net.capabilities().items() if yes]
    denied = [name for name, yes in net.capabilities().items() if not yes]
    if BOARD:
        granted = [name for name in granted if name != "TLS_DTLS_ROLE"]  # from 1.26 on
        eq(sorted(granted), sorted(STOCK_ESP32.split()))
    elif has("getsockopt"):
        true(
            ZEPHYRS <= set(denied) - TLS <= {"IP_LOCAL_PORT_RANGE", "use_interface"} | ZEPHYRS,
            repr(denied),
        )
    else:
        # MicroPython without ffi: these calls its socket has not.
        missing = {"shutdown", "getsockname", "getpeername", "getsockopt", "sendmsg", "recvmsg"}
        true(missing <= set(denied), repr(granted))
        true(has("bound_names"))  # by Linux's lists
