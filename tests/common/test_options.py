# Socket options: what is set is what is read, limits, levels, inheritance.
import struct

import usocket_compat as net
from check import (
    LOOPBACK,
    LOOPBACK_DEVICE,
    at_once,
    bind_free,
    close,
    eq,
    has,
    listener,
    needs,
    pair,
    raises,
    raises_after,
    ready,
    row,
    sendall,
    tcp,
    took,
    true,
    udp,
    udp_pair,
)

V4, V6 = net.AF_INET, net.AF_INET6
SOL, TCP, IP, IP6 = net.SOL_SOCKET, net.IPPROTO_TCP, net.IPPROTO_IP, net.IPPROTO_IPV6

# family, type, level, option, default (None: any), values, values that are EINVAL
ROUND_TRIPS = (
    (V4, "tcp", SOL, "SO_REUSEADDR", 0, (1, 0), ()),
    (V4, "tcp", SOL, "SO_REUSEPORT", 0, (1, 0), ()),
    (V4, "tcp", SOL, "SO_KEEPALIVE", 0, (1, 0), ()),
    (V4, "tcp", SOL, "SO_OOBINLINE", 0, (1, 0), ()),
    (V4, "udp", SOL, "SO_BROADCAST", 0, (1, 0), ()),
    (V4, "tcp", SOL, "SO_DONTROUTE", 0, (1, 0), ()),
    (V4, "tcp", SOL, "SO_PRIORITY", 0, (3, 0), ()),
    (V4, "tcp", SOL, "SO_RCVLOWAT", 1, (100, 1), ()),
    (V4, "tcp", TCP, "TCP_NODELAY", 0, (1, 0), ()),
    (V4, "tcp", TCP, "TCP_KEEPIDLE", None, (1, 77, 32767), (0, -1, 32768)),
    (V4, "tcp", TCP, "TCP_KEEPINTVL", None, (1, 77, 32767), (0, -1, 32768)),
    (V4, "tcp", TCP, "TCP_KEEPCNT", None, (1, 77, 127), (0, -1, 128)),
    (V4, "udp", IP, "IP_TOS", 0, (0x10, 0), ()),
    (V4, "udp", IP, "IP_TTL", None, (1, 10, 255), (0, 256)),
    (V4, "udp", IP, "IP_MULTICAST_TTL", 1, (0, 10, 255), (256,)),
    (V4, "udp", IP, "IP_MULTICAST_LOOP", 1, (0, 1), ()),
    (V4, "udp", IP, "IP_PKTINFO", 0, (1, 0), ()),
    (V4, "udp", IP, "IP_RECVTTL", 0, (1, 0), ()),
    (V6, "udp", IP6, "IPV6_UNICAST_HOPS", None, (0, 10, 255), (256,)),
    (V6, "udp", IP6, "IPV6_MULTICAST_HOPS", 1, (0, 10, 255), (256,)),
    (V6, "udp", IP6, "IPV6_MULTICAST_LOOP", 1, (0, 1), ()),
    (V6, "udp", IP6, "IPV6_V6ONLY", None, (1, 0), ()),
    (V6, "udp", IP6, "IPV6_RECVPKTINFO", 0, (1, 0), ()),
    (V6, "udp", IP6, "IPV6_RECVHOPLIMIT", 0, (1, 0), ()),
    (V6, "udp", IP6, "IPV6_TCLASS", 0, (0x20, 0), ()),
)


def opened(family, kind):
    return net.zsock_socket(family, net.SOCK_STREAM if kind == "tcp" else net.SOCK_DGRAM)


def round_trip(family, kind, level, name, default, values, invalid):
    if family == V6 and not has("AF_INET6"):
        raises("EAFNOSUPPORT", opened, family, kind)
        return "refused"
    fd = opened(family, kind)
    option = getattr(net, name)
    if not has(name):
        raises("ENOPROTOOPT", net.zsock_setsockopt, fd, level, option, values[0])
        close(fd)
        return "refused"
    read = has("getsockopt")
    if read and default is not None:
        eq(net.zsock_getsockopt(fd, level, option), default, name + " at first")
    for value in values:
        net.zsock_setsockopt(fd, level, option, value)
        if read:
            eq(net.zsock_getsockopt(fd, level, option), value, name)
    for value in invalid:
        raises("EINVAL", net.zsock_setsockopt, fd, level, option, value)
    if read:
        eq(net.zsock_getsockopt(fd, level, option), values[-1], name + " after EINVAL")
    close(fd)


# rows: each
def test_round_trips():
    for each in ROUND_TRIPS:
        row(each[3], round_trip, *each)


@needs("getsockopt")
def test_forms_of_the_value():
    fd = tcp()
    for value in (struct.pack("i", 1), bytearray(struct.pack("i", 0)), True):
        net.zsock_setsockopt(fd, SOL, net.SO_REUSEADDR, value)
        want = 1 if value is True else struct.unpack("i", value)[0]
        eq(net.zsock_getsockopt(fd, SOL, net.SO_REUSEADDR), int(want))
    eq(net.zsock_getsockopt(fd, SOL, net.SO_REUSEADDR, 4), struct.pack("i", 1))
    # The buffer may be larger than the value; the answer is as long as the value.
    eq(net.zsock_getsockopt(fd, SOL, net.SO_REUSEADDR, 64), struct.pack("i", 1))
    raises("EINVAL", net.zsock_setsockopt, fd, SOL, net.SO_REUSEADDR, b"\1")
    for value in (None, "1", 1.5, [], (1, 2)):
        raises(TypeError, net.zsock_setsockopt, fd, SOL, net.SO_REUSEADDR, value)
    for value in (1 << 31, 1 << 40, -(1 << 40)):
        raises(OverflowError, net.zsock_setsockopt, fd, SOL, net.SO_REUSEADDR, value)
    for size in (-1, 1025):
        raises((OSError, ValueError), net.zsock_getsockopt, fd, SOL, net.SO_REUSEADDR, size)
    raises(TypeError, net.zsock_getsockopt, fd, SOL, "SO_REUSEADDR")
    raises(TypeError, net.zsock_getsockopt, fd, SOL, net.SO_REUSEADDR, "4")
    close(fd)


@needs("getsockopt")
def test_unknown_options_are_refused():
    for fd, levels in ((tcp(), (SOL, TCP, IP)), (net.zsock_socket(V4, net.SOCK_DGRAM), (SOL, IP))):
        for level in levels:
            raises("ENOPROTOOPT", net.zsock_getsockopt, fd, level, 9999)
            raises("ENOPROTOOPT", net.zsock_setsockopt, fd, level, 9999, 1)
        close(fd)


@needs("getsockopt", "TCP_NODELAY")
def test_an_option_of_another_level_is_not_taken():
    # As numbers these are valid options of other levels; none of those may change.
    fd = tcp()
    watched = [
        (level, getattr(net, name), size)
        for level, name, size in (
            (SOL, "SO_REUSEADDR", 0),
            (SOL, "SO_KEEPALIVE", 0),
            (SOL, "SO_LINGER", 8),
            (TCP, "TCP_NODELAY", 0),
            (IP, "IP_TTL", 0),
        )
        if has(name)
    ]
    before = [net.zsock_getsockopt(fd, *option) for option in watched]
    for level, name in ((IP, "IP_TOS"), (TCP, "TCP_KEEPINTVL"), (TCP, "TCP_KEEPIDLE")):
        args = fd, level, getattr(net, name), 4
        if has(name):
            net.zsock_setsockopt(*args)
        else:
            raises("ENOPROTOOPT", net.zsock_setsockopt, *args)
    eq([net.zsock_getsockopt(fd, *option) for option in watched], before)
    udp_fd, _ = udp()
    raises(OSError, net.zsock_setsockopt, udp_fd, TCP, net.TCP_NODELAY, 1)
    close(fd, udp_fd)


def timeval(seconds, us=0):
    return struct.pack("ll", seconds, us)


# rows: SO_RCVTIMEO SO_SNDTIMEO
@needs("getsockopt", "SO_RCVTIMEO", "SO_SNDTIMEO")
def test_timeouts_are_read_as_they_were_set():
    fd = tcp()
    for option in (net.SO_RCVTIMEO, net.SO_SNDTIMEO):
        eq(net.zsock_getsockopt(fd, SOL, option), 0)
        eq(net.zsock_getsockopt(fd, SOL, option, 16), timeval(0))
        for value, seconds, us in (
            (3, 3, 0),
            (1.5, 1, 500000),
            (timeval(7, 250000), 7, 250000),
            (0.25, 0, 250000),
            (0, 0, 0),
            (2.0, 2, 0),
            (timeval(0), 0, 0),
        ):
            net.zsock_setsockopt(fd, SOL, option, value)
            eq(net.zsock_getsockopt(fd, SOL, option), seconds)
            # Whole ticks, however long the kernel's are.
            eq(struct.unpack("ll", net.zsock_getsockopt(fd, SOL, option, 16)), (seconds, us))
        raises("EDOM", net.zsock_setsockopt, fd, SOL, option, timeval(1, 1000000))
        raises("EINVAL", net.zsock_setsockopt, fd, SOL, option, b"short")
        for value in (None, "1", []):
            raises(TypeError, net.zsock_setsockopt, fd, SOL, option, value)
    close(fd)


@needs("SO_RCVTIMEO")
def test_timeouts_take_effect_in_every_form():
    a, b = udp_pair()
    for value, ms in ((timeval(0, 80000), 80), (0.08, 80), (1, 1000)):
        net.zsock_setsockopt(b, SOL, net.SO_RCVTIMEO, value)
        raises_after(ms, "EAGAIN", net.zsock_recv, b, 1)
    close(a, b)


@needs("SO_RCVTIMEO")
def test_negative_timeouts_do_not_wait():
    # As in the kernel: a negative time has passed already.
    a, b = udp_pair()
    for value in (timeval(-1), -1):
        net.zsock_setsockopt(b, SOL, net.SO_RCVTIMEO, value)
        at_once(raises, "EAGAIN", net.zsock_recv, b, 1)
    close(a, b)


@needs("SO_RCVTIMEO", "MSG_WAITALL", "recvmsg")
def test_negative_timeouts_take_what_is_there():
    # Each at once: ten short waits would be a long one.
    client, server = pair()
    net.zsock_setsockopt(server, SOL, net.SO_RCVTIMEO, -1)
    buf = bytearray(4)
    spent = 0
    for _ in range(10):
        got, ms = took(net.zsock_recv, server, 0)
        eq(got, b"")
        spent += ms
        sendall(client, b"ab")
        ready(server, net.POLLIN)
        got, ms = took(net.zsock_recvmsg, server, [buf], 0, net.MSG_WAITALL)
        eq(got[0], 2)
        spent += ms
    true(spent < 400, "20 calls took %d ms" % spent)
    close(client, server)


@needs("getsockopt", "SO_RCVTIMEO")
def test_long_timeouts():
    fd = tcp()
    for seconds in (3600, 86400, 1000000):
        net.zsock_setsockopt(fd, SOL, net.SO_RCVTIMEO, seconds)
        eq(net.zsock_getsockopt(fd, SOL, net.SO_RCVTIMEO), seconds)
    close(fd)


# rows: C22 D15 SO_LINGER
@needs("getsockopt", "SO_LINGER")
def test_linger():
    fd = tcp()
    for value, onoff, seconds in (
        ((1, 5), 1, 5),
        (struct.pack("ii", 1, 3), 1, 3),
        ((True, 0), 1, 0),
    ):
        net.zsock_setsockopt(fd, SOL, net.SO_LINGER, value)
        eq(struct.unpack("ii", net.zsock_getsockopt(fd, SOL, net.SO_LINGER, 8)), (onoff, seconds))
    eq(net.zsock_getsockopt(fd, SOL, net.SO_LINGER), 1, "as an int: on or off")
    net.zsock_setsockopt(fd, SOL, net.SO_LINGER, (0, 0))
    eq(struct.unpack("ii", net.zsock_getsockopt(fd, SOL, net.SO_LINGER, 8))[0], 0)
    raises("EINVAL", net.zsock_setsockopt, fd, SOL, net.SO_LINGER, b"shrt")
    for value in (None, "1", (1,), (1, 2, 3), (1, "2")):
        raises((TypeError, ValueError), net.zsock_setsockopt, fd, SOL, net.SO_LINGER, value)
    close(fd)


# rows: SO_RCVBUF SO_SNDBUF
@needs("getsockopt", "SO_RCVBUF", "SO_SNDBUF")
def test_buffer_sizes():
    fd = tcp()
    for option in (net.SO_RCVBUF, net.SO_SNDBUF):
        for size in (5000, 40000):
            net.zsock_setsockopt(fd, SOL, option, size)
            true(net.zsock_getsockopt(fd, SOL, option) >= size)
    close(fd)


# rows: SO_ERROR
@needs("getsockopt", "SO_ERROR")
def test_so_error_is_read_only():
    fd = tcp()
    eq(net.zsock_getsockopt(fd, SOL, net.SO_ERROR), 0)
    raises("ENOPROTOOPT", net.zsock_setsockopt, fd, SOL, net.SO_ERROR, 0)
    close(fd)


# rows: D14 IPV6_V6ONLY
@needs("AF_INET6", "IPV6_V6ONLY")
def test_v6only_after_bind():
    fd, _ = udp(V6)
    raises("EINVAL", net.zsock_setsockopt, fd, IP6, net.IPV6_V6ONLY, 1)
    close(fd)


@needs("getsockopt", "TCP_NODELAY", "SO_REUSEADDR", "SO_RCVTIMEO", "SO_SNDTIMEO")
def test_inherited_on_accept():
    fd, addr = listener()
    wanted = [
        (level, getattr(net, name), value)
        for level, name, value in (
            (SOL, "SO_KEEPALIVE", 1),
            (SOL, "SO_REUSEADDR", 1),
            (TCP, "TCP_NODELAY", 1),
            (TCP, "TCP_KEEPIDLE", 123),
            (TCP, "TCP_KEEPINTVL", 12),
            (TCP, "TCP_KEEPCNT", 3),
            (IP, "IP_TTL", 33),
            (SOL, "SO_RCVTIMEO", 3),
            (SOL, "SO_SNDTIMEO", 4),
        )
        if has(name)
    ]
    for level, option, value in wanted:
        net.zsock_setsockopt(fd, level, option, value)
    client = tcp()
    net.zsock_connect(client, addr)
    server, _ = net.zsock_accept(fd)
    for level, option, value in wanted:
        eq(net.zsock_getsockopt(server, level, option), value)
    close(client, server, fd)


@needs("SO_RCVTIMEO")
def test_inherited_timeout_takes_effect():
    fd, addr = listener()
    net.zsock_setsockopt(fd, SOL, net.SO_RCVTIMEO, 0.1)
    client = tcp()
    net.zsock_connect(client, addr)
    server, _ = net.zsock_accept(fd)
    raises_after(100, "EAGAIN", net.zsock_recv, server, 1)
    close(client, server, fd)


# rows: SO_REUSEADDR
@needs("SO_REUSEADDR", "getsockname")
def test_reuseaddr():
    first = tcp()
    net.zsock_bind(first, ("127.0.0.1", 0))
    addr = net.zsock_getsockname(first)
    second = tcp()
    raises("EADDRINUSE", net.zsock_bind, second, addr)
    raises("EADDRINUSE", net.zsock_bind, second, ("", addr[1]))
    # Both with the option, and neither listens: allowed.
    for fd in (first, second):
        net.zsock_setsockopt(fd, SOL, net.SO_REUSEADDR, 1)
    net.zsock_bind(second, addr)
    net.zsock_listen(first)
    raises("EADDRINUSE", net.zsock_listen, second)
    close(first, second)


@needs("SO_REUSEADDR")
def test_reuseaddr_time_wait():
    # A server that closed first leaves its port in TIME_WAIT.
    fd = tcp()
    net.zsock_setsockopt(fd, SOL, net.SO_REUSEADDR, 1)
    addr = bind_free(fd, LOOPBACK[V4])
    net.zsock_listen(fd)
    client = tcp()
    net.zsock_connect(client, addr)
    server, _ = net.zsock_accept(fd)
    close(server)
    eq(net.zsock_recv(client, 1), b"")
    close(client, fd)
    fd = tcp()
    raises("EADDRINUSE", net.zsock_bind, fd, addr)
    net.zsock_setsockopt(fd, SOL, net.SO_REUSEADDR, 1)
    net.zsock_bind(fd, addr)
    net.zsock_listen(fd)
    close(fd)


# rows: A3 SO_REUSEPORT
@needs("SO_REUSEPORT", "getsockname")
def test_reuseport():
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
        fds = [net.zsock_socket(V4, kind) for _ in range(3)]
        for fd in fds[:2]:
            net.zsock_setsockopt(fd, SOL, net.SO_REUSEPORT, 1)
        net.zsock_bind(fds[0], ("127.0.0.1", 0))
        addr = net.zsock_getsockname(fds[0])
        net.zsock_bind(fds[1], addr)
        raises("EADDRINUSE", net.zsock_bind, fds[2], addr)
        close(*fds)


# rows: E28 SO_BINDTODEVICE
@needs("SO_BINDTODEVICE")
def test_bindtodevice():
    fd = net.zsock_socket(V4, net.SOCK_DGRAM)
    raises("ENODEV", net.zsock_setsockopt, fd, SOL, net.SO_BINDTODEVICE, b"nosuchdev\0")
    for name in (LOOPBACK_DEVICE, b"\0", LOOPBACK_DEVICE):
        net.zsock_setsockopt(fd, SOL, net.SO_BINDTODEVICE, name)
        if has("getsockopt"):
            # Linux: with the 0, into room for any name; nothing where it is bound to none.
            bound = name if len(name) > 1 else b""
            eq(net.zsock_getsockopt(fd, SOL, net.SO_BINDTODEVICE, 16), bound)
            if bound:
                raises("EINVAL", net.zsock_getsockopt, fd, SOL, net.SO_BINDTODEVICE, 15)
                raises("EINVAL", net.zsock_getsockopt, fd, SOL, net.SO_BINDTODEVICE)
            else:
                eq(net.zsock_getsockopt(fd, SOL, net.SO_BINDTODEVICE), 0)
    close(fd)
