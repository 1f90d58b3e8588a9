# getaddrinfo and getnameinfo, argument by argument: what glibc answers, measured on Linux, in its
# order of looking. Other cases: test_getaddrinfo.py.
import sys

import usocket_compat as net
from check import MICROPYTHON, eq, needs, raises, true

MEMORY = "loopback_port" in sys.modules

V4, V6 = net.AF_INET, net.AF_INET6
STREAM, DGRAM, RAW, SEQ = net.SOCK_STREAM, net.SOCK_DGRAM, net.SOCK_RAW, net.SOCK_SEQPACKET
TCP, UDP, ICMP = net.IPPROTO_TCP, net.IPPROTO_UDP, net.IPPROTO_ICMP
PASSIVE, CANON, NUMERIC = net.AI_PASSIVE, net.AI_CANONNAME, net.AI_NUMERICHOST
NUMSERV, MAPPED = net.AI_NUMERICSERV, net.AI_V4MAPPED
HOME = "127.0.0.1"


def look(*args):
    """The answers as (family, type, proto, canonname, addr), or the name of the error."""
    try:
        return net.zsock_getaddrinfo(*args)
    except net.gaierror as e:
        return net.zsock_gai_strerror(e.errno)


def kinds(*args):
    found = look(*args)
    return found if isinstance(found, str) else [(kind, addr[1]) for _, kind, _, _, addr in found]


def both(call):
    """The port in memory has answers of its own, and no reason to be glibc."""
    return (lambda: None) if MEMORY else needs("getaddrinfo", "getnameinfo")(call)


def one(call):
    return (lambda: None) if MEMORY else needs("getaddrinfo")(call)


def check(table, f=look):
    for args, want in table:
        eq(f(*args), want, repr(args))


# rows: AI_PASSIVE
@one
def test_the_wildcard_and_this_host():
    check(
        (
            ((None, "80", V6, STREAM, 0, PASSIVE), [(V6, STREAM, TCP, "", ("::", 80, 0, 0))]),
            ((None, "80", V6, STREAM), [(V6, STREAM, TCP, "", ("::1", 80, 0, 0))]),
            ((None, "80", V4, DGRAM, 0, PASSIVE), [(V4, DGRAM, UDP, "", ("0.0.0.0", 80))]),
            (("*", "80", V4, STREAM), [(V4, STREAM, TCP, "", (HOME, 80))]),
            ((None, "", V4, STREAM), [(V4, STREAM, TCP, "", (HOME, 0))]),
            ((HOME, "*", V4, STREAM), [(V4, STREAM, TCP, "", (HOME, 0))]),
            (("*", "*"), "EAI_NONAME"),
            ((None, "*"), "EAI_NONAME"),
            ((None, 80, 0, 0, 0, CANON), "EAI_BADFLAGS"),
        )
    )
    for flags, hosts in ((PASSIVE, ["0.0.0.0", "::"]), (0, ["127.0.0.1", "::1"])):
        found = look(None, 80, 0, STREAM, 0, flags)
        eq(sorted([addr[0] for _, _, _, _, addr in found]), hosts)


@one
def test_ipv6_in_numbers():
    all_three = [(V6, STREAM, TCP), (V6, DGRAM, UDP), (V6, RAW, 0)]
    for host in ("::1", "[::1]"):
        for family in (0, V6):
            found = look(host, 80, family)
            eq([each[:3] for each in found], all_three)
            eq([each[3:] for each in found], [("", ("::1", 80, 0, 0))] * 3)
    table = (
        ("fe80::1%1", ("fe80::1", 80, 0, 1)),
        ("[fe80::1%01]", ("fe80::1", 80, 0, 1)),
        ("::1%5", ("::1", 80, 0, 5)),
        ("ff02::1%4294967295", ("ff02::1", 80, 0, 4294967295)),
        ("::1.2.3.4", ("::1.2.3.4", 80, 0, 0)),
        ("::ffff:0:0", ("::ffff:0.0.0.0", 80, 0, 0)),
        ("1:2:3:4:5:6:7::", ("1:2:3:4:5:6:7:0", 80, 0, 0)),
        ("::2:3:4:5:6:7:8", ("0:2:3:4:5:6:7:8", 80, 0, 0)),
    )
    for host, addr in table:
        eq(look(host, 80, 0, STREAM), [(V6, STREAM, TCP, "", addr)], host)
    for zone in ("", "none9", "4294967296", "-1", "1x"):
        eq(look("fe80::1%" + zone, 80, 0, STREAM), "EAI_NONAME", zone)
        eq(look("fe80::1%" + zone, 80, V4, STREAM), "EAI_ADDRFAMILY", zone)
    for host in ("1::2::3", "12345::", ":::", "[::1", "1:2:3:4:5:6:7:8:9"):
        eq(look(host, 80, 0, STREAM, 0, NUMERIC), "EAI_NONAME", host)


# rows: AI_V4MAPPED
@one
def test_one_family_in_the_other():
    check(
        (
            ((HOME, 80, V6, STREAM), "EAI_ADDRFAMILY"),
            (("::1", 80, V4, STREAM), "EAI_ADDRFAMILY"),
            (
                (HOME, 80, V6, STREAM, 0, MAPPED),
                [(V6, STREAM, TCP, "", ("::ffff:127.0.0.1", 80, 0, 0))],
            ),
            (("::ffff:1.2.3.4", 80, V4, STREAM), [(V4, STREAM, TCP, "", ("1.2.3.4", 80))]),
        )
    )


@one
def test_ipv4_in_other_forms():
    table = (("127.1", HOME), ("0x7f.1", HOME), ("0177.0.0.1", HOME), ("1", "0.0.0.1"))
    table += (("4294967295", "255.255.255.255"), ("00.0.0.0", "0.0.0.0"), ("1.2.772", "1.2.3.4"))
    for host, shown in table:
        eq(look(host, 80, 0, STREAM), [(V4, STREAM, TCP, "", (shown, 80))], host)
        eq(look(host, 80, 0, STREAM, 0, CANON)[0][3], host)
    for host in ("0x", "08.1.1.1", "1.", "4294967296", "256.1.1.1", " 1.2.3.4", "1.2.3.4 "):
        eq(look(host, 80, 0, STREAM, 0, NUMERIC), "EAI_NONAME", host)


# rows: AI_NUMERICSERV
@one
def test_services_in_digits():
    for service in ("80", "080", " 80", "\t+80", b"80", 80, True + 79):
        eq(kinds(HOME, service, 0, STREAM), [(STREAM, 80)], repr(service))
    eq(kinds(HOME, "-0", 0, STREAM), [(STREAM, 0)])
    eq(kinds(HOME, True, 0, STREAM), [(STREAM, 1)])
    for service in ("80 ", "-1", "-70000", "+", "-", "0x50", "1.5", "8 0", "\u0663"):
        eq(look(HOME, service, 0, STREAM), "EAI_SERVICE", repr(service))
    for service in ("65536", "+70000", " 99999999999999999999"):
        eq(look(HOME, service, 0, STREAM), "EAI_NONAME", service)
    eq(kinds(HOME, " 80", 0, STREAM, 0, NUMSERV), [(STREAM, 80)])
    eq(look(HOME, "80 ", 0, STREAM, 0, NUMSERV), "EAI_NONAME")


SERVICES = (
    ("tftp", 69, (DGRAM,)),
    ("bootps", 67, (DGRAM,)),
    ("bootpc", 68, (DGRAM,)),
    ("ntp", 123, (DGRAM,)),
    ("mdns", 5353, (DGRAM,)),
    ("http", 80, (STREAM,)),
    ("www", 80, (STREAM,)),
    ("domain", 53, (STREAM, DGRAM)),
    ("syslog", 514, (STREAM, DGRAM)),
    ("shell", 514, (STREAM,)),
    ("mqtt", 1883, (STREAM, DGRAM)),
    ("secure-mqtt", 8883, (STREAM, DGRAM)),
    ("mqtts", 8883, (STREAM, DGRAM)),
    ("coap", 5683, (STREAM, DGRAM)),
    ("coaps", 5684, (STREAM, DGRAM)),
)


@one
def test_services_by_name():
    for name, port, types in SERVICES:
        found = kinds(HOME, name, V4)
        # A machine may know a service over one protocol more.
        true({(kind, port) for kind in types[:1]} <= set(found), name)
        true({(STREAM, port), (DGRAM, port)} >= set(found), name)
        for kind in types[:1]:
            eq(kinds(HOME, name, V4, kind), [(kind, port)], name)
    eq(look("::1", "tftp", 0, DGRAM), [(V6, DGRAM, UDP, "", ("::1", 69, 0, 0))])
    eq(look(HOME, "tftp", 0, 0, 0, CANON)[0][3], HOME)
    for name in ("HTTP", "http ", "no-such-service", "="):
        eq(look(HOME, name), "EAI_SERVICE", name)
    eq(look(HOME, "tftp", 0, STREAM), "EAI_SERVICE")
    eq(look(HOME, "mdns", 0, 0, TCP), "EAI_SERVICE")
    eq(look(HOME, "coap", 0, SEQ), "EAI_SERVICE")
    eq(look(HOME, "coap", 0, RAW), "EAI_SERVICE")
    eq(look(HOME, "coap", 0, 0, 0, NUMSERV), "EAI_NONAME")
    eq(look("a..b", "no-such-service"), "EAI_SERVICE")


@one
def test_types_and_protocols():
    check(
        (
            ((HOME, 80, V4), [(STREAM, 80), (DGRAM, 80), (RAW, 80)]),
            ((HOME, None, V4, 0, TCP), [(STREAM, 0)]),
            ((HOME, None, V4, RAW, ICMP), [(RAW, 0)]),
            ((HOME, None, V4, 0, ICMP), [(RAW, 0)]),
            ((HOME, 80, V4, RAW), "EAI_SERVICE"),
            ((HOME, 80, V4, 0, ICMP), "EAI_SERVICE"),
            ((HOME, 80, V4, STREAM, UDP), "EAI_SOCKTYPE"),
            ((HOME, 80, V4, 99), "EAI_SOCKTYPE"),
            ((HOME, 80, V4, -1), "EAI_SOCKTYPE"),
            ((HOME, 80, V4, SEQ), [(SEQ, 80)]),
            ((HOME, 80, V4, DGRAM, net.IPPROTO_UDPLITE), [(DGRAM, 80)]),
            ((HOME, 80, V4, STREAM, net.IPPROTO_SCTP), [(STREAM, 80)]),
            ((HOME, 80, net.AF_UNIX), "EAI_FAMILY"),
            ((HOME, 80, net.AF_CAN), "EAI_FAMILY"),
        ),
        kinds,
    )
    eq(look(HOME, None, V4, RAW, ICMP)[0][2], ICMP)


@one
def test_what_is_looked_at_first():
    check(
        (
            ((None, None, 99, 99, 0, 0x40000000), "EAI_NONAME"),
            ((HOME, "x", 99, 99, 0, 0x40000000), "EAI_BADFLAGS"),
            ((HOME, "x", 99, 99, 0, NUMSERV), "EAI_FAMILY"),
            ((HOME, "x", V4, 99, 0, NUMSERV), "EAI_NONAME"),
            ((HOME, "x", V4, 99), "EAI_SOCKTYPE"),
            (("::1", "x", V4, STREAM), "EAI_SERVICE"),
            (("::1", "80", V4, STREAM), "EAI_ADDRFAMILY"),
        )
    )


@one
def test_localhost():
    for host in ("localhost", "LocalHost", "LOCALHOST", b"LocalHost"):
        eq(look(host, 80, V4, STREAM), [(V4, STREAM, TCP, "", (HOME, 80))])
    eq(look("LocalHost", 80, V4, STREAM, 0, CANON)[0][3], "localhost")
    fd = net.zsock_socket(V4, DGRAM)
    net.zsock_connect(fd, ("LocalHost", 9))
    net.zsock_close(fd)


@one
def test_its_own_name():
    name = net.zsock_gethostname()
    for host in (name, name.upper()):
        found = look(host, 80, V4, STREAM)
        true(not isinstance(found, str) and found[0][4][1] == 80, repr(found))
    fd = net.zsock_socket(V4, DGRAM)
    net.zsock_bind(fd, (found[0][4][0], 0))  # an address that is this machine's
    net.zsock_close(fd)


NO_NAMES = ["a..b", ".", "..", ".a", "a b", "a%b", "\u00fc.example", "x" * 64 + ".example"]
NO_NAMES += ["x." * 130 + "example", b"\xff\xfe", b"a..b", "", "1.2.3.4.5", "256.1.1.1"]


@one
def test_no_names():
    """No server is asked for these, or none could know them."""
    for host in NO_NAMES:
        for family in (0, V4, V6):
            eq(look(host, 80, family, STREAM), "EAI_NONAME", repr(host))
        fd = net.zsock_socket(V4, DGRAM)
        if host != "":  # the wildcard
            raises("EAI_NONAME", net.zsock_connect, fd, (host, 80))
            raises("EAI_NONAME", net.zsock_bind, fd, (host, 80))
            raises("EAI_NONAME", net.zsock_sendto, fd, b"x", 0, (host, 80))
        net.zsock_close(fd)
    if not MICROPYTHON:
        eq(look("\udc80", 80), "EAI_NONAME")
    for host in ("a\0b", b"a\0b"):
        raises(ValueError, net.zsock_getaddrinfo, host, 80)
        raises(ValueError, net.zsock_getaddrinfo, HOME, host)
        fd = net.zsock_socket(V4, DGRAM)
        raises(ValueError, net.zsock_connect, fd, (host, 80))
        net.zsock_close(fd)


def names(addr, flags=0):
    try:
        return net.zsock_getnameinfo(addr, flags)
    except net.gaierror as e:
        return net.zsock_gai_strerror(e.errno)


@both
def test_getnameinfo_of_what_is_no_address():
    for host in (
        "x",
        "localhost",
        "a..b",
        "",
        "*",
        "1.2.3.4.5",
        "[::1]",
        "fe80::1%none9",
        "\u00fc",
    ):
        for more in ((80,), (0, 0), (0, 0, 0), (80, 5, 1)):
            eq(names((host,) + more), "EAI_NONAME", repr((host,) + more))
    for more in ((0, 0), (80, 0, 0)):
        for host in (HOME, "127.1", "1"):
            raises(TypeError, net.zsock_getnameinfo, (host,) + more)
    for addr in (("127.0.0.1",), ("127.0.0.1", 80, 0, 0, 0)):
        raises(TypeError, net.zsock_getnameinfo, addr)
    raises(ValueError, net.zsock_getnameinfo, ("1\0", 80))
    for more in ((1 << 20,), (-1,), (0, 1 << 32), (0, -1)):
        raises(OverflowError, net.zsock_getnameinfo, ("::1", 80) + more)


# rows: NI_DGRAM
@both
def test_getnameinfo_services():
    host, flags = net.NI_NUMERICHOST, net.NI_NUMERICHOST | net.NI_DGRAM
    for name, port, types in SERVICES:
        if name not in ("www", "syslog", "mqtts", "shell"):
            eq(names((HOME, port), flags if types[0] == DGRAM else host), (HOME, name))
    eq(names((HOME, 514), host), (HOME, "shell"))
    eq(names((HOME, 514), flags), (HOME, "syslog"))
    eq(names((HOME, 69), host), (HOME, "69"))
    eq(names((HOME, 80), host | net.NI_NUMERICSERV), (HOME, "80"))
    eq(names((HOME, 4), host), (HOME, "4"))
    eq(names((HOME, True), host), (HOME, "tcpmux"))


# rows: NI_NAMEREQD NI_NUMERICHOST
@both
def test_getnameinfo_hosts():
    serv = net.NI_NUMERICSERV
    eq(names((HOME, 80), serv), ("localhost", "80"))
    eq(names(("127.1", 80), serv | net.NI_NAMEREQD), ("localhost", "80"))
    eq(names((HOME, 80), serv | net.NI_NAMEREQD | net.NI_NUMERICHOST), "EAI_NONAME")
    eq(names((HOME, 80), 0x4000), "EAI_BADFLAGS")
    number = serv | net.NI_NUMERICHOST
    for host, shown in (("0x7f.1", HOME), ("0::1", "::1"), ("fe80::1%77", "fe80::1%77")):
        eq(names((host, 80), number), (shown, "80"))
    eq(names(("2001:db8::1", 80, 0, 77), number), ("2001:db8::1%77", "80"))
