# Contract 7: the forms of an address, in and out. AF_UNIX: test_unix.py.
import usocket_compat as net
from check import (
    LOOPBACK,
    at_once,
    bind_free,
    close,
    eq,
    has,
    interface,
    listener,
    needs,
    packed,
    pair,
    raises,
    recv_exactly,
    sendall,
    sized,
    sockaddr_family,
    tcp,
    true,
    udp,
)

V4, V6 = net.AF_INET, net.AF_INET6


def reaches(client_addr, family, fd):
    """A connect to that form of the listener's address arrives."""
    client = tcp(family)
    net.zsock_connect(client, client_addr)
    server, _ = net.zsock_accept(fd)
    sendall(client, b"x")
    eq(recv_exactly(server, 1), b"x")
    close(client, server)


# rows: A12 C2 AF_INET
def test_forms_v4():
    fd, addr = listener()
    eq((type(addr), len(addr)), (tuple, 2))
    host, port = addr
    raw = packed(addr)
    for form in (addr, raw, bytearray(raw), memoryview(raw), (host, port)):
        reaches(form, V4, fd)
    close(fd)


# rows: A12 AF_INET6
@needs("AF_INET6")
def test_forms_v6():
    fd, addr = listener(V6)
    eq((addr[0], len(addr), addr[2:]), ("::1", 4, (0, 0)))
    raw = packed(addr)
    for form in (
        addr,
        addr[:2],
        addr[:3],
        ("0:0:0:0:0:0:0:1", addr[1]),
        raw,
        bytearray(raw),
        memoryview(raw),
    ):
        reaches(form, V6, fd)
    close(fd)


# rows: E24
def test_packed_in_every_call():
    a, _ = udp()
    b, b_addr = udp()
    raw = packed(b_addr)
    net.zsock_sendto(a, b"sendto", 0, raw)
    eq(net.zsock_recv(b, 9), b"sendto")
    if has("sendmsg"):
        net.zsock_sendmsg(a, [b"sendmsg"], (), 0, raw)
        eq(net.zsock_recv(b, 9), b"sendmsg")
    net.zsock_connect(a, raw)
    net.zsock_send(a, b"connect")
    eq(net.zsock_recv(b, 9), b"connect")
    close(b)
    b = net.zsock_socket(V4, net.SOCK_DGRAM)
    net.zsock_bind(b, raw)
    net.zsock_send(a, b"bind")
    eq(net.zsock_recv(b, 9), b"bind")
    close(a, b)


# rows: C9
@needs("getsockname")
def test_wildcard():
    for host in ("", "0.0.0.0"):
        fd = tcp()
        net.zsock_bind(fd, (host, 0))
        addr = net.zsock_getsockname(fd)
        eq(addr[0], "0.0.0.0")
        net.zsock_listen(fd)
        reaches((LOOPBACK[V4], addr[1]), V4, fd)
        close(fd)


# rows: C9
@needs("getsockname", "AF_INET6")
def test_wildcard_v6():
    for host in ("", "::"):
        fd = tcp(V6)
        net.zsock_bind(fd, (host, 0))
        addr = net.zsock_getsockname(fd)
        eq(addr, ("::", addr[1], 0, 0))
        net.zsock_listen(fd)
        reaches(("::1", addr[1]), V6, fd)
        close(fd)


# rows: C8 C13 E27
@needs("getaddrinfo")
def test_a_host_name_is_resolved():
    fd, addr = listener()
    reaches(("localhost", addr[1]), V4, fd)
    a, a_addr = udp()
    net.zsock_sendto(a, b"x", 0, ("localhost", a_addr[1]))
    eq(net.zsock_recvfrom(a, 9), (b"x", a_addr))
    other = tcp()
    net.zsock_bind(other, ("localhost", 0))
    close(fd, a, other)


# rows: B11
def test_numeric_addresses_never_wait_for_a_name_server():
    a, _ = udp()
    at_once(net.zsock_sendto, a, b"x", 0, ("127.0.0.9", 9))
    at_once(net.zsock_connect, a, ("127.0.0.9", 9))
    close(a)


# On Linux all of 127.0.0.0/8 is this machine; lwIP has one such address and that of its network.
SOURCES = sized(
    (("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.1"), ("127.1.2.3", "127.0.0.1")),
    (("127.0.0.1", "127.0.0.1"), (interface(), interface())),
)


# rows: E28
def test_the_source_address_is_exact():
    for host, to in SOURCES:
        a, b = [net.zsock_socket(V4, net.SOCK_DGRAM) for _ in range(2)]
        a_addr, b_addr = bind_free(a, host), bind_free(b, to)
        net.zsock_sendto(a, b"x", 0, b_addr)
        eq(net.zsock_recvfrom(b, 9), (b"x", (host, a_addr[1])))
        close(a, b)


@needs("AF_INET6")
def test_scope_and_flow():
    # A scope with no link-local address is ignored; flowinfo is no part of the source.
    a, a_addr = udp(V6)
    b, b_addr = udp(V6)
    net.zsock_sendto(a, b"x", 0, (b_addr[0], b_addr[1], 0x12345, 0))
    data, addr = net.zsock_recvfrom(b, 9)
    eq((data, addr[:2], addr[3]), (b"x", a_addr[:2], 0))
    close(a, b)


V4_BAD = (
    (TypeError, ("127.0.0.1",)),
    (TypeError, ("127.0.0.1", 80, 0)),
    (TypeError, ("127.0.0.1", 80, 0, 0)),
    (TypeError, ()),
    (TypeError, None),
    (TypeError, 80),
    (TypeError, "127.0.0.1"),
    (TypeError, ["127.0.0.1", 80]),
    (TypeError, ("127.0.0.1", "80")),
    (TypeError, ("127.0.0.1", None)),
    (TypeError, ("127.0.0.1", 80.0)),
    (TypeError, (None, 80)),
    (TypeError, (5, 80)),
    (OverflowError, ("127.0.0.1", -1)),
    (OverflowError, ("127.0.0.1", 65536)),
    (OverflowError, ("127.0.0.1", 70000)),
    (OverflowError, ("127.0.0.1", 1 << 70)),
    (OSError, ("127.0.0.256", 80)),
    (OSError, ("1.2.3.4.5", 80)),
    (OSError, ("not a host", 80)),
    ("EINVAL", b""),
    ("EINVAL", b"\2\0"),
    ("EINVAL", packed(("127.0.0.1", 80))[:15]),
)
V6_BAD = (
    (TypeError, ("::1",)),
    (TypeError, ("::1", 80, 0, 0, 0)),
    (TypeError, ["::1", 80]),
    (TypeError, "::1"),
    (TypeError, ("::1", "80")),
    (TypeError, ("::1", 80, "0")),
    (TypeError, ("::1", 80, 0, "lo")),
    (OverflowError, ("::1", 65536)),
    (OverflowError, ("::1", -1)),
    (OverflowError, ("::1", 80, -1)),
    (OverflowError, ("::1", 80, 0x100000)),
    (OSError, ("::1::", 80)),
    (OSError, ("fe80::1%nosuchdevice", 80)),
    ("EINVAL", packed(("::1", 80, 0, 0))[:20]),
)


def refused_by_every_call(family, table):
    for error, addr in table:
        for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
            fd = net.zsock_socket(family, kind)
            raises(error, net.zsock_connect, fd, addr)
            raises(error, net.zsock_bind, fd, addr)
            if kind == net.SOCK_DGRAM:
                # There None, and for the second an empty sockaddr, is no address at all.
                if addr is not None:
                    raises(error, net.zsock_sendto, fd, b"x", 0, addr)
                if has("sendmsg") and addr:
                    raises(error, net.zsock_sendmsg, fd, [b"x"], (), 0, addr)
            # The socket is as good as before; a refused sendto may have bound it.
            if kind == net.SOCK_DGRAM:
                net.zsock_sendto(fd, b"x", 0, (LOOPBACK[family], 9))
            else:
                bind_free(fd, LOOPBACK[family])
            close(fd)


def test_malformed_v4():
    refused_by_every_call(V4, V4_BAD)


@needs("AF_INET6")
def test_malformed_v6():
    refused_by_every_call(V6, V6_BAD)


def test_a_connected_stream_ignores_a_packed_address():
    """Linux does not look at it, however odd; measured there."""
    client, server = pair()
    for raw in (b"", b"\2", b"\2\0", bytes(16), sockaddr_family(net.AF_INET6) + bytes(26)):
        for kind in (bytes, bytearray, memoryview):
            eq(net.zsock_sendto(client, b"x", 0, kind(raw)), 1)
    for raw in (sockaddr_family(99), b"\xff" * 20, bytes(128)):
        eq(net.zsock_sendto(client, b"x", net.MSG_DONTWAIT, raw), 1)
    raises("EINVAL", net.zsock_sendto, client, b"x", 0, bytes(129))  # no sockaddr is as long
    count = 18
    if has("sendmsg"):
        for raw in (b"", b"\2\0", bytes(16), b"\xff" * 200):
            count += net.zsock_sendmsg(client, [b"x"], (), 0, raw)
    eq(recv_exactly(server, count), b"x" * count)
    eq(net.zsock_sendto(client, b"y", 0, ("127.0.0.1", 0)), 1)
    eq(net.zsock_recv(server, 9), b"y")
    for error, addr in V4_BAD[:13]:
        if addr is not None:  # which is Zephyr's NULL
            raises(error, net.zsock_sendto, client, b"x", 0, addr)
    close(client, server)
    fd = tcp()
    raises("EPIPE", net.zsock_sendto, fd, b"x", 0, b"\2\0")
    close(fd)


def test_a_good_address_does_not_excuse_a_bad_one_that_equals_it():
    a, addr = udp()
    host, port = addr
    for _ in range(2):
        net.zsock_sendto(a, b"x", 0, addr)
        raises(TypeError, net.zsock_sendto, a, b"x", 0, (host, float(port)))
    fd = net.zsock_socket(V4, net.SOCK_DGRAM)
    net.zsock_connect(fd, (host, port))
    raises(TypeError, net.zsock_connect, fd, (host, float(port)))
    close(a, fd)


def test_true_as_port_is_1():
    fd = tcp()
    raises("ECONNREFUSED", net.zsock_connect, fd, ("127.0.0.1", True))
    close(fd)


def test_port_limits():
    fd = tcp()
    for port in (1, 65535):
        raises("ECONNREFUSED", net.zsock_connect, fd, ("127.0.0.1", port))
    a, _ = udp()
    eq(net.zsock_sendto(a, b"x", 0, ("127.0.0.1", 65535)), 1)
    true(raises(OverflowError, net.zsock_sendto, a, b"x", 0, ("127.0.0.1", 65536)))
    close(fd, a)
