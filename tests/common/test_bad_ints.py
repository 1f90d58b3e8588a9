# Ints about the ends of C's types, for every option that the layer knows: what an int of C holds
# is the platform's to take or refuse, what it does not hold OverflowError (test_options.py), and
# a time may be as long as one likes. Never another exception, and the socket goes on.
import os

import usocket_compat as net
from check import close, eq, has, needs, pair, raises, recv_exactly, sendall, tcp

ENDS = 31, 32, 63, 64
TIMES = "SO_RCVTIMEO", "SO_SNDTIMEO"
LEVELS = (
    ("SO_", net.SOL_SOCKET),
    ("TCP_", net.IPPROTO_TCP),
    ("IP_", net.IPPROTO_IP),
    ("IPV6_", net.IPPROTO_IPV6),
)


def drawn():
    """On both sides of each end, and further away."""
    ints = [-1]
    for end in ENDS:
        n = 1 << end
        ints += [n - 1, n, -n, -n - 1, n + os.urandom(1)[0], -n - 2 - os.urandom(1)[0]]
    return ints


def fits(n):
    return -(1 << 31) <= n < 1 << 31


def tried(what, n, held, fn, *args):
    """held: whether there is room for n."""
    try:
        fn(*args)
        got = ""
    except OSError:
        got = ""
    except Exception as e:
        got = type(e).__name__
    eq(got, "" if held else "OverflowError", "%s %d" % (what, n))


def test_every_option():
    ints = drawn()
    for name in sorted(net.capabilities()):
        for prefix, level in LEVELS:
            if name[: len(prefix)] == prefix and hasattr(net, name):
                fd = tcp()
                for n in ints:
                    args = fd, level, getattr(net, name), n
                    tried(name, n, fits(n) or name in TIMES, net.zsock_setsockopt, *args)
                close(fd)


def test_linger():
    fd = tcp()
    option = net.SOL_SOCKET, net.SO_LINGER
    for n in drawn():
        for value in ((1, n), (n, 1)):
            tried("SO_LINGER", n, fits(n), net.zsock_setsockopt, fd, *option, value)
        tried("set_linger", n, fits(n), net.set_linger, fd, n)
    close(fd)


@needs("TCP_KEEPIDLE")
def test_keepalive():
    fd = tcp()
    for n in drawn():
        for values in ((n, 1, 10), (60, n, 10), (60, 1, n)):
            tried("set_keepalive", n, n < 1 << 31, net.set_keepalive, fd, True, *values)
    close(fd)


def test_levels_and_numbers():
    fd = tcp()
    for n in drawn():
        for args in ((n, 9999), (net.SOL_SOCKET, n)):
            tried("setsockopt", n, fits(n), net.zsock_setsockopt, fd, *args, 1)
            if has("getsockopt"):
                tried("getsockopt", n, fits(n), net.zsock_getsockopt, fd, *args)
    close(fd)


@needs("IPPROTO_TLS_1_2")
def test_options_of_tls():
    """A tag that nobody added, a number of no cipher, a choice that there is not."""
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TLS_1_2)
    for n in drawn():
        for name, value in (
            ("TLS_SEC_TAG_LIST", [n]),
            ("TLS_PEER_VERIFY", n),
            ("TLS_CIPHERSUITE_LIST", [n]),
            ("TLS_SESSION_CACHE", n),
        ):
            raises(OSError, net.zsock_setsockopt, fd, net.SOL_TLS, getattr(net, name), value)
    close(fd)


def test_descriptors():
    """No number that C has no int for is that of another one."""
    for n in drawn():
        raises(("EBADF", "EOPNOTSUPP"), net.adopt, n)


def test_the_connection_goes_on():
    a, b = pair()
    for n in drawn():
        for name in TIMES:
            net.zsock_setsockopt(b, net.SOL_SOCKET, getattr(net, name), n)
    for name in TIMES:
        net.zsock_setsockopt(b, net.SOL_SOCKET, getattr(net, name), 0)
    sendall(a, b"fine")
    eq(recv_exactly(b, 4), b"fine")
    close(a, b)
