# Names of sockets, text forms of addresses, byte order, kinds of socket.
import usocket_compat as net
from check import (
    LOOPBACK,
    close,
    eq,
    has,
    listener,
    needs,
    nonblocking,
    raises,
    ready,
    tcp,
    true,
    udp,
    udp_pair,
)

V4, V6 = net.AF_INET, net.AF_INET6
STREAM, DGRAM = net.SOCK_STREAM, net.SOCK_DGRAM


# rows: zsock_gethostname
def test_gethostname():
    name = net.zsock_gethostname()
    true(isinstance(name, str) and name)
    eq(net.zsock_gethostname(), name)


GOOD = (
    (V4, "0.0.0.0", b"\0\0\0\0"),
    (V4, "192.0.2.255", b"\xc0\x00\x02\xff"),
    (V6, "::", bytes(16)),
    (V6, "::1", bytes(15) + b"\x01"),
    (V6, "fe80::", b"\xfe\x80" + bytes(14)),
    (V6, "2001:db8:0:1:2:3:4:5", b"\x20\x01\x0d\xb8\0\0\0\1\0\2\0\3\0\4\0\5"),
    (V6, "::ffff:192.0.2.1", bytes(10) + b"\xff\xff\xc0\0\2\1"),
    (V6, "1::8", b"\0\1" + bytes(12) + b"\0\x08"),
)
OTHER_FORMS = (
    (V6, "FE80:0:0:0:0:0:0:0", b"\xfe\x80" + bytes(14)),
    (V6, "0:0:0:0:0:0:0:1", bytes(15) + b"\x01"),
    (V6, "1:2:3:4:5:6:1.2.3.4", b"\0\1\0\2\0\3\0\4\0\5\0\6\1\2\3\4"),
    (V6, "::1:2:3:4:5:6:7", b"\0\0\0\1\0\2\0\3\0\4\0\5\0\6\0\7"),
)
BAD = {
    V4: (
        "",
        " ",
        "1.2.3",
        "1.2.3.",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.-4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4x",
        "0x7f.0.0.1",
        "1.2.3.1000",
        "1..2.3",
        "a.b.c.d",
        "::1",
        "1.2.3.4\0",
    ),
    V6: (
        "",
        ":",
        ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "g::",
        "::1 ",
        " ::1",
        "::1x",
        "[::1]",
        "fe80::1%1",
        "::1.2.3",
        "::1.2.3.256",
        "1.2.3.4",
        "::1\0",
        ":1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:",
    ),
}


# rows: zsock_inet_pton
def test_inet_pton():
    for family, text, packed in GOOD + OTHER_FORMS:
        eq(net.zsock_inet_pton(family, text), packed, text)
    for family in BAD:
        for text in BAD[family]:
            e = raises((OSError, ValueError), net.zsock_inet_pton, family, text)
            true("null" in str(e) or "\0" in text or isinstance(e, OSError), repr(text))
    raises("EAFNOSUPPORT", net.zsock_inet_pton, 99, "::1")
    for text in (None, 5):
        raises(TypeError, net.zsock_inet_pton, V4, text)


# rows: zsock_inet_ntop
def test_inet_ntop():
    for family, text, packed in GOOD:
        for kind in (bytes, bytearray, memoryview):
            eq(net.zsock_inet_ntop(family, kind(packed)), text)
    # The longest run of zeros is the one left out, the first of equals; a single one is not.
    eq(net.zsock_inet_ntop(V6, b"\0\1\0\0\0\0\0\2\0\0\0\0\0\0\0\3"), "1:0:0:2::3")
    eq(net.zsock_inet_ntop(V6, b"\0\1\0\0\0\0\0\2\0\3\0\0\0\0\0\4"), "1::2:3:0:0:4")
    eq(net.zsock_inet_ntop(V6, b"\0\1\0\0\0\2\0\3\0\4\0\5\0\6\0\7"), "1:0:2:3:4:5:6:7")
    for family, packed in ((V4, b""), (V4, b"123"), (V4, bytes(16)), (V6, bytes(4))):
        raises(ValueError, net.zsock_inet_ntop, family, packed)
    raises("EAFNOSUPPORT", net.zsock_inet_ntop, 99, bytes(4))
    for packed in (None, 5, "text"):
        raises(TypeError, net.zsock_inet_ntop, V4, packed)


# rows: E23
def test_inet_aton_ntoa():
    eq(net.inet_aton("192.0.2.1"), b"\xc0\0\2\1")
    eq(net.inet_ntoa(b"\xc0\0\2\1"), "192.0.2.1")
    for text, value in (
        ("255.255.255.255", b"\xff\xff\xff\xff"),
        ("255.16777215", b"\xff\xff\xff\xff"),
        ("010.00.0.0x10", b"\x08\0\0\x10"),
        ("0377.0xFF", b"\xff\0\0\xff"),
    ):
        eq(net.inet_aton(text), value, text)
    for text in ("1.2.3.256", "1.16777216", "256.1", "08", "", "a.b.c.d", "1.2.3.4.5"):
        raises(OSError, net.inet_aton, text)
    for packed in (b"", b"123", b"12345"):
        raises((OSError, ValueError), net.inet_ntoa, packed)


# rows: net_htons net_htonl net_ntohs net_ntohl
def test_byte_order():
    eq(net.htons(0x1234), net.ntohs(0x1234))
    eq(net.htonl(0x12345678), net.ntohl(0x12345678))
    for n in (0, 1, 0x1234, 0xFFFF):
        eq(net.ntohs(net.htons(n)), n)
        eq(net.htons(n).to_bytes(2, "little"), n.to_bytes(2, "big"))
    for n in (0, 1, 0x12345678, 0xFFFFFFFF):
        eq(net.ntohl(net.htonl(n)), n)
        eq(net.htonl(n).to_bytes(4, "little"), n.to_bytes(4, "big"))
    for convert, over in ((net.htons, 0x10000), (net.htonl, 0x100000000)):
        raises(OverflowError, convert, over)
        raises(OverflowError, convert, -1)
        raises(TypeError, convert, "1")


# -- getsockname, getpeername -----------------------------------------------------------


def getsockname_of(family, kind):
    # Zephyr says EINVAL for an unbound socket; Linux gives the wildcard and port 0.
    fd = net.zsock_socket(family, kind)
    wildcard = ("0.0.0.0", 0) if family == V4 else ("::", 0, 0, 0)
    eq(net.zsock_getsockname(fd), wildcard)
    net.zsock_bind(fd, (LOOPBACK[family], 0))
    name = net.zsock_getsockname(fd)
    eq((name[0], len(name)), (LOOPBACK[family], len(wildcard)))
    true(0 < name[1] < 65536)
    close(fd)


# rows: A15 B9 C10 C24 zsock_getsockname
@needs("getsockname")
def test_ipv4_getsockname_tcp():
    getsockname_of(V4, STREAM)


# rows: A15 zsock_getsockname
@needs("getsockname")
def test_ipv4_getsockname_udp():
    getsockname_of(V4, DGRAM)


# rows: A15 C24 zsock_getsockname
@needs("getsockname", "AF_INET6")
def test_ipv6_getsockname_tcp():
    getsockname_of(V6, STREAM)


@needs("getsockname", "AF_INET6")
def test_ipv6_getsockname_udp():
    getsockname_of(V6, DGRAM)


def getpeername_of(family):
    fd, addr = listener(family)
    client = tcp(family)
    raises("ENOTCONN", net.zsock_getpeername, client)
    raises("ENOTCONN", net.zsock_getpeername, fd)
    net.zsock_connect(client, addr)
    server, peer = net.zsock_accept(fd)
    eq(net.zsock_getpeername(client), addr)
    eq(net.zsock_getpeername(server), peer)
    eq(net.zsock_getsockname(client), peer)
    eq(net.zsock_getsockname(server), addr)
    close(client, server, fd)
    a, b = udp_pair(family)
    eq(net.zsock_getpeername(a), net.zsock_getsockname(b))
    close(a, b)


# rows: A16 C23 zsock_getpeername
@needs("getpeername", "getsockname")
def test_ipv4_getpeername():
    getpeername_of(V4)


# rows: C23 zsock_getpeername
@needs("getpeername", "getsockname", "AF_INET6")
def test_ipv6_getpeername():
    getpeername_of(V6)


# rows: A2
@needs("AF_INET6", "IPV6_V6ONLY", "getsockname", "getpeername")
def test_ipv4_mapped_to_ipv6_server():
    fd = tcp(V6)
    net.zsock_setsockopt(fd, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 0)
    net.zsock_bind(fd, ("", 0))
    net.zsock_listen(fd)
    port = net.zsock_getsockname(fd)[1]
    client = tcp()
    net.zsock_connect(client, ("127.0.0.1", port))
    server, peer = net.zsock_accept(fd)
    eq(peer[0], "::ffff:127.0.0.1")
    eq(net.zsock_getpeername(server), peer)
    close(client, server, fd)


# rows: A2 C2
@needs("AF_INET6", "IPV6_V6ONLY", "getsockname")
def test_ipv6_only_server_refuses_ipv4():
    fd = tcp(V6)
    net.zsock_setsockopt(fd, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 1)
    net.zsock_bind(fd, ("", 0))
    net.zsock_listen(fd)
    client = tcp()
    to = ("127.0.0.1", net.zsock_getsockname(fd)[1])
    raises("ECONNREFUSED", net.zsock_connect, client, to)
    close(client, fd)


# -- kinds of socket --------------------------------------------------------------------


# rows: A5 E32 zsock_socket
def test_create_sockets():
    INET6 = V6 if has("AF_INET6") else V4
    for family, kind, proto, error in (
        (V4, STREAM, 0, None),
        (V4, STREAM, net.IPPROTO_TCP, None),
        (V4, DGRAM, 0, None),
        (V4, DGRAM, net.IPPROTO_UDP, None),
        (INET6, STREAM, net.IPPROTO_TCP, None),
        (INET6, DGRAM, net.IPPROTO_UDP, None),
        (V4, STREAM, net.IPPROTO_UDP, "EPROTONOSUPPORT"),
        (V4, DGRAM, net.IPPROTO_TCP, "EPROTONOSUPPORT"),
        (INET6, STREAM, net.IPPROTO_UDP, "EPROTONOSUPPORT"),
        (V4, 99, 0, "EINVAL"),
        (99, STREAM, 0, "EAFNOSUPPORT"),
        (-1, STREAM, 0, "EAFNOSUPPORT"),
        (net.AF_UNSPEC, STREAM, 0, None),  # of the first address (libuv)
    ):
        if error:
            raises(error, net.zsock_socket, family, kind, proto)
        else:
            close(net.zsock_socket(family, kind, proto))
    for args in (("inet",), (V4, "stream"), (V4, STREAM, "tcp"), (None,), (V4, 1.0)):
        raises(TypeError, net.zsock_socket, *args)


def test_defaults_are_ipv4_and_tcp():
    fd, addr = listener()
    client = net.zsock_socket()
    net.zsock_connect(client, addr)
    close(client, fd)


# rows: E16
def test_sock_nonblock_in_the_type():
    fd = net.zsock_socket(V4, STREAM | net.SOCK_NONBLOCK)
    _, addr = listening = listener()
    raises("EINPROGRESS", net.zsock_connect, fd, addr)
    eq(ready(fd, net.POLLOUT), net.POLLOUT)
    nonblocking(fd, False)
    close(fd, listening[0])


# rows: E16 SO_TYPE SO_DOMAIN SO_PROTOCOL
@needs("getsockopt", "SO_TYPE", "SO_DOMAIN", "SO_PROTOCOL")
def test_so_type_domain_protocol():
    for family, kind, proto in (
        (V4, STREAM, net.IPPROTO_TCP),
        (V4, DGRAM, net.IPPROTO_UDP),
        (V6, STREAM, net.IPPROTO_TCP),
        (V6, DGRAM, net.IPPROTO_UDP),
    ):
        if family == V6 and not has("AF_INET6"):
            continue
        fd = net.zsock_socket(family, kind | net.SOCK_NONBLOCK)
        for option, value in (
            (net.SO_TYPE, kind),
            (net.SO_DOMAIN, family),
            (net.SO_PROTOCOL, proto),
        ):
            eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, option), value)
            raises("ENOPROTOOPT", net.zsock_setsockopt, fd, net.SOL_SOCKET, option, value)
        close(fd)


# rows: SO_ACCEPTCONN
@needs("getsockopt", "SO_ACCEPTCONN")
def test_so_acceptconn():
    fd, _ = listener()
    eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_ACCEPTCONN), 1)
    close(fd)
    fd, _ = udp()
    eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_ACCEPTCONN), 0)
    close(fd)
