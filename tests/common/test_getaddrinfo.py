# getaddrinfo, getnameinfo: what Zephyr's suites look at; codes as POSIX and Linux give them.
# Names that need a server are looked up in tests/peers/.
import usocket_compat as net
from check import EAIS, at_once, close, eq, listener, needs, raises, tcp, true

V4, V6 = net.AF_INET, net.AF_INET6
STREAM, DGRAM = net.SOCK_STREAM, net.SOCK_DGRAM
TCP, UDP = net.IPPROTO_TCP, net.IPPROTO_UDP
look = net.zsock_getaddrinfo


def addresses(*args):
    return [(family, addr) for family, _, _, _, addr in look(*args)]


# rows: zsock_getaddrinfo
@needs("getaddrinfo")
def test_getaddrinfo_num_ipv4():
    eq(look("127.0.0.1", 1234, 0, STREAM), [(V4, STREAM, TCP, "", ("127.0.0.1", 1234))])
    eq(look("127.0.0.1", "1234", V4, STREAM), [(V4, STREAM, TCP, "", ("127.0.0.1", 1234))])
    eq(look("255.255.255.255", 1, V4, DGRAM), [(V4, DGRAM, UDP, "", ("255.255.255.255", 1))])
    eq(look("10.0.0.9", 65535, V4, DGRAM, UDP), [(V4, DGRAM, UDP, "", ("10.0.0.9", 65535))])
    eq(look("10.0.0.9", None, V4, STREAM)[0][4], ("10.0.0.9", 0))
    eq(look("10.0.0.9", 0, 0, 0, TCP), [(V4, STREAM, TCP, "", ("10.0.0.9", 0))])
    eq(look("10.0.0.9", 0, 0, 0, UDP), [(V4, DGRAM, UDP, "", ("10.0.0.9", 0))])
    # Without a type, a stream is the first answer.
    found = look("10.0.0.9", 7)
    eq(found[0], (V4, STREAM, TCP, "", ("10.0.0.9", 7)))
    true(all(x[4] == ("10.0.0.9", 7) for x in found))


@needs("getaddrinfo", "AF_INET6")
def test_getaddrinfo_num_ipv6():
    for host in ("::1", "[::1]"):
        for family in (0, V6):
            eq(look(host, 80, family, STREAM), [(V6, STREAM, TCP, "", ("::1", 80, 0, 0))])
    eq(addresses("[fe80::1]", 1, 0, DGRAM), [(V6, ("fe80::1", 1, 0, 0))])
    eq(addresses("fe80::1%1", 1, 0, DGRAM), [(V6, ("fe80::1", 1, 0, 1))])
    eq(addresses("::ffff:1.2.3.4", 1, 0, STREAM), [(V6, ("::ffff:1.2.3.4", 1, 0, 0))])
    eq(addresses("2001:0DB8:0::0:1", 1, 0, STREAM), [(V6, ("2001:db8::1", 1, 0, 0))])
    for host in ("[::1", "::1]", "[127.0.0.1]", "[]", "[::1]x"):
        raises(net.gaierror, look, host, 80, 0, STREAM)


@needs("getaddrinfo")
def test_numeric_addresses_never_touch_the_network():
    for host in ("127.0.0.1", "192.0.2.1"):
        at_once(look, host, 80)
    for flags in (net.AI_NUMERICHOST, net.AI_NUMERICHOST | net.AI_PASSIVE):
        eq(look("192.0.2.1", 80, 0, STREAM, 0, flags)[0][4], ("192.0.2.1", 80))


# rows: AI_NUMERICHOST
@needs("getaddrinfo")
def test_getaddrinfo_flags_numerichost():
    # Zephyr says EAI_FAIL; POSIX and Linux say EAI_NONAME.
    at_once(raises, "EAI_NONAME", look, "nosuch.invalid", 80, 0, STREAM, 0, net.AI_NUMERICHOST)
    at_once(raises, "EAI_NONAME", look, "localhost", 80, 0, STREAM, 0, net.AI_NUMERICHOST)


# rows: EAI_ADDRFAMILY
@needs("getaddrinfo", "AF_INET6")
def test_getaddrinfo_ipv4_hints_ipv6():
    raises("EAI_ADDRFAMILY", look, "127.0.0.1", 80, V6, STREAM)


@needs("getaddrinfo", "AF_INET6")
def test_getaddrinfo_ipv6_hints_ipv4():
    raises("EAI_ADDRFAMILY", look, "::1", 80, V4, STREAM)
    raises("EAI_ADDRFAMILY", look, "[::1]", 80, V4, STREAM)


# rows: AI_NUMERICSERV EAI_SERVICE EAI_NONAME
@needs("getaddrinfo")
def test_getaddrinfo_port_invalid():
    for service in ("70000", "65536", "99999999999"):
        raises("EAI_NONAME", look, "127.0.0.1", service, 0, STREAM)
    for service in (70000, 65536, -1):
        raises(OverflowError, look, "127.0.0.1", service, 0, STREAM)
    raises("EAI_SERVICE", look, "127.0.0.1", "nosuchservice", 0, STREAM)
    raises("EAI_NONAME", look, "127.0.0.1", "http", 0, STREAM, 0, net.AI_NUMERICSERV)
    eq(look("127.0.0.1", "65535", 0, STREAM)[0][4], ("127.0.0.1", 65535))


# rows: AI_PASSIVE
@needs("getaddrinfo", "AF_INET6")
def test_getaddrinfo_null_host():
    passive = addresses(None, 80, 0, STREAM, 0, net.AI_PASSIVE)
    eq(sorted(passive), sorted([(V4, ("0.0.0.0", 80)), (V6, ("::", 80, 0, 0))]))
    active = addresses(None, "80", 0, STREAM)
    eq(sorted(active), sorted([(V4, ("127.0.0.1", 80)), (V6, ("::1", 80, 0, 0))]))
    eq(addresses(None, 80, V4, DGRAM), [(V4, ("127.0.0.1", 80))])


@needs("getaddrinfo")
def test_getaddrinfo_no_host():
    # Zephyr says EAI_SYSTEM; POSIX and Linux say EAI_NONAME.
    raises("EAI_NONAME", look, None, None)
    raises("EAI_NONAME", look, "", 80)


# rows: EAI_FAMILY EAI_SOCKTYPE EAI_BADFLAGS
@needs("getaddrinfo")
def test_getaddrinfo_bad_hints():
    raises("EAI_FAMILY", look, "127.0.0.1", 80, 99)
    raises("EAI_SOCKTYPE", look, "127.0.0.1", 80, 0, 99)
    raises("EAI_SOCKTYPE", look, "127.0.0.1", 80, 0, STREAM, UDP)
    raises("EAI_BADFLAGS", look, "127.0.0.1", 80, 0, STREAM, 0, 0x40000000)


@needs("getaddrinfo")
def test_getaddrinfo_wrong_types():
    for args in ((3, 80), ("127.0.0.1", 1.5), ("127.0.0.1", []), ((), 80)):
        raises(TypeError, look, *args)
    raises(TypeError, look, "127.0.0.1", 80, "4")


# rows: AI_CANONNAME
@needs("getaddrinfo")
def test_getaddrinfo_canonname():
    found = look("127.0.0.1", 80, 0, STREAM, 0, net.AI_CANONNAME)
    eq(found[0][3], "127.0.0.1")
    eq(look("127.0.0.1", 80, 0, STREAM)[0][3], "")


@needs("getaddrinfo")
def test_getaddrinfo_localhost():
    found = addresses("localhost", 80, V4, STREAM)
    eq(found[0], (V4, ("127.0.0.1", 80)))


@needs("getaddrinfo")
def test_an_answer_serves_as_address():
    fd, addr = listener()
    family, kind, proto, _, found = look(addr[0], addr[1], 0, STREAM)[0]
    client = net.zsock_socket(family, kind, proto)
    net.zsock_connect(client, found)
    close(client, fd)


@needs("getaddrinfo")
def test_gaierror():
    e = raises("EAI_NONAME", look, "", 80)
    true(isinstance(e, OSError), "gaierror is an OSError")
    e = raises(OSError, look, "127.0.0.1", 80, 99)
    eq(e.errno, net.EAI_FAMILY)
    fd = tcp()
    raises(OSError, net.zsock_connect, fd, ("256.256.256.256", 80))
    close(fd)


# rows: zsock_gai_strerror
def test_gai_strerror():
    for name in EAIS:
        eq(net.zsock_gai_strerror(getattr(net, name)), name)
    eq(net.zsock_gai_strerror(12345), "EAI_UNKNOWN")


NUMERIC = net.NI_NUMERICHOST | net.NI_NUMERICSERV


# rows: zsock_getnameinfo NI_NUMERICHOST NI_NUMERICSERV
@needs("getnameinfo")
def test_getnameinfo_ipv4():
    eq(net.zsock_getnameinfo(("0.0.0.0", 0), NUMERIC), ("0.0.0.0", "0"))
    eq(net.zsock_getnameinfo(("127.0.0.1", 1234), NUMERIC), ("127.0.0.1", "1234"))
    eq(net.zsock_getnameinfo(("192.0.2.1", 65535), NUMERIC), ("192.0.2.1", "65535"))


@needs("getnameinfo", "AF_INET6")
def test_getnameinfo_ipv6():
    eq(net.zsock_getnameinfo(("::", 0), NUMERIC), ("::", "0"))
    eq(net.zsock_getnameinfo(("ff55::11", 4321), NUMERIC), ("ff55::11", "4321"))
    eq(net.zsock_getnameinfo(("2001:db8::1", 1, 0, 0), NUMERIC), ("2001:db8::1", "1"))


@needs("getnameinfo")
def test_getnameinfo_name():
    host, service = net.zsock_getnameinfo(("127.0.0.1", 4), net.NI_NUMERICSERV)
    true(isinstance(host, str) and host != "")
    eq(service, "4")


@needs("getnameinfo")
def test_getnameinfo_errors():
    call = net.zsock_getnameinfo
    for addr in (None, 5, "127.0.0.1", ("127.0.0.1",), ("127.0.0.1", "80"), (1, 80)):
        raises(TypeError, call, addr, NUMERIC)
    for port in (-1, 65536):
        raises(OverflowError, call, ("127.0.0.1", port), NUMERIC)
    raises(net.gaierror, call, ("not an address", 80), NUMERIC)
    raises("EAI_BADFLAGS", call, ("127.0.0.1", 80), 0x4000)
