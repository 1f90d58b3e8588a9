# sendmsg and recvmsg: several buffers, names, flags. Ancillary data: test_ancillary.py.
import usocket_compat as net
from check import (
    LOOPBACK,
    close,
    eq,
    needs,
    nonblocking,
    pair,
    raises,
    recv_exactly,
    sendall,
    sized,
    true,
    udp,
    udp_pair,
)

V4 = net.AF_INET
V6 = net.AF_INET6


# rows: zsock_sendmsg
@needs("sendmsg")
def test_v4_sendmsg_recvfrom():
    a, a_addr = udp()
    b, b_addr = udp()
    buffers = [b"one ", bytearray(b"two "), memoryview(b"xthreex")[1:6], b""]
    eq(net.zsock_sendmsg(a, buffers, (), 0, b_addr), 13)
    eq(net.zsock_recvfrom(b, 20), (b"one two three", a_addr))
    close(a, b)


@needs("sendmsg", "AF_INET6")
def test_v6_sendmsg_recvfrom():
    a, a_addr = udp(V6)
    b, b_addr = udp(V6)
    eq(net.zsock_sendmsg(a, [b"one ", b"two"], (), 0, b_addr), 7)
    eq(net.zsock_recvfrom(b, 20), (b"one two", a_addr))
    close(a, b)


@needs("sendmsg")
def test_v4_sendmsg_recvfrom_no_aux_data():
    a, _ = udp()
    b, b_addr = udp()
    for ancdata in ((), []):
        eq(net.zsock_sendmsg(a, [b"x"], ancdata, 0, b_addr), 1)
        eq(net.zsock_recv(b, 20), b"x")
    close(a, b)


def sendmsg_recvfrom_connected(family):
    a, b = udp_pair(family)
    eq(net.zsock_sendmsg(a, [b"ab", b"cd"]), 4)
    eq(net.zsock_recv(b, 20), b"abcd")
    close(a, b)


@needs("sendmsg")
def test_v4_sendmsg_recvfrom_connected():
    sendmsg_recvfrom_connected(V4)


@needs("sendmsg", "AF_INET6")
def test_v6_sendmsg_recvfrom_connected():
    sendmsg_recvfrom_connected(V6)


@needs("sendmsg")
def test_sendmsg_without_a_destination():
    fd, _ = udp()
    raises("EDESTADDRREQ", net.zsock_sendmsg, fd, [b"x"])
    close(fd)


# rows: zsock_recvmsg MSG_TRUNC
@needs("recvmsg")
def test_recvmsg_user():
    # A datagram that does not fit: the buffers are full and MSG_TRUNC says so.
    a, a_addr = udp()
    b, b_addr = udp()
    net.zsock_sendto(a, b"0123456789", 0, b_addr)
    buffers = [bytearray(2), bytearray(3)]
    count, ancdata, flags, addr = net.zsock_recvmsg(b, buffers)
    eq((count, ancdata, addr), (5, [], a_addr))
    eq(flags & net.MSG_TRUNC, net.MSG_TRUNC)
    eq([bytes(x) for x in buffers], [b"01", b"234"])
    net.zsock_sendto(a, b"01234", 0, b_addr)
    count, _, flags, _ = net.zsock_recvmsg(b, buffers)
    eq((count, flags & net.MSG_TRUNC), (5, 0))
    nonblocking(b)
    raises("EAGAIN", net.zsock_recvmsg, b, buffers)
    close(a, b)


@needs("recvmsg", "MSG_TRUNC")
def test_recvmsg_trunc_gives_the_real_length():
    a, b = udp_pair()
    net.zsock_send(a, b"0123456789")
    buf = bytearray(4)
    count, _, flags, _ = net.zsock_recvmsg(b, [buf], 0, net.MSG_TRUNC)
    eq((count, bytes(buf), flags & net.MSG_TRUNC), (10, b"0123", net.MSG_TRUNC))
    close(a, b)


@needs("recvmsg", "AF_INET6")
def test_v6_recvmsg_address():
    a, a_addr = udp(V6)
    b, b_addr = udp(V6)
    net.zsock_sendto(a, b"x", 0, b_addr)
    eq(net.zsock_recvmsg(b, [bytearray(4)])[3], a_addr)
    close(a, b)


@needs("recvmsg", "MSG_PEEK", "MSG_DONTWAIT")
def test_recvmsg_flags():
    client, server = pair()
    buf = bytearray(4)
    raises("EAGAIN", net.zsock_recvmsg, server, [buf], 0, net.MSG_DONTWAIT)
    sendall(client, b"abc")
    eq(net.zsock_recvmsg(server, [buf], 0, net.MSG_PEEK)[0], 3)
    eq(net.zsock_recvmsg(server, [buf])[0], 3)
    eq(bytes(buf), b"abc\0")
    close(client)
    for _ in range(2):
        eq(net.zsock_recvmsg(server, [buf])[0], 0)
    close(server)


# rows: A22 D18 D19
@needs("recvmsg", "sendmsg")
def test_stream_scatter_and_gather():
    client, server = pair()
    eq(net.zsock_sendmsg(client, [b"head", b"", b"body" * 100, b"tail"]), 408)
    head, body, tail = bytearray(4), bytearray(400), bytearray(4)
    eq(net.zsock_recvmsg(server, [head, bytearray(0), body, tail])[0], 408)
    eq((bytes(head), bytes(body), bytes(tail)), (b"head", b"body" * 100, b"tail"))
    close(client, server)


@needs("recvmsg")
def test_recvmsg_touches_only_what_it_received():
    client, server = pair()
    sendall(client, b"abcd")
    a, b, c = bytearray(b"..."), bytearray(b"..."), bytearray(b"...")
    eq(net.zsock_recvmsg(server, [a, memoryview(b)[1:], c])[0], 4)
    eq((a, b, c), (bytearray(b"abc"), bytearray(b".d."), bytearray(b"...")))
    close(client, server)


# rows: E34
@needs("recvmsg", "sendmsg")
def test_many_buffers():
    # IOV_MAX is 1024; a layer that builds the array itself must hold as many.
    client, server = pair()
    size = sized(1000, 200)
    eq(net.zsock_sendmsg(client, [b"%d" % (i % 10) for i in range(size)]), size)
    eq(recv_exactly(server, size), b"0123456789" * (size // 10))
    sendall(client, b"9876543210" * 10)
    buffers = [bytearray(1) for _ in range(200)]
    eq(net.zsock_recvmsg(server, buffers)[0], 100)
    eq(b"".join(buffers), b"9876543210" * 10 + bytes(100))
    close(client, server)


@needs("recvmsg", "sendmsg")
def test_too_many_buffers():
    a, b = udp_pair()
    for call in (net.zsock_sendmsg, net.zsock_recvmsg):
        e = None
        try:
            call(a, [bytearray(1)] * 1025)
        except OSError as caught:
            e = caught
        true(e and e.errno in (net.errno.EMSGSIZE, net.errno.EINVAL), "more than IOV_MAX")
    close(a, b)


@needs("recvmsg", "sendmsg")
def test_no_buffers():
    a, b = udp_pair()
    eq(net.zsock_sendmsg(a, []), 0)
    net.zsock_send(a, b"dropped")
    net.zsock_send(a, b"next")
    eq(net.zsock_recvmsg(b, [bytearray(4)])[0], 0)
    count, _, flags, _ = net.zsock_recvmsg(b, [])
    eq((count, flags & net.MSG_TRUNC), (0, net.MSG_TRUNC))
    eq(net.zsock_recv(b, 20), b"next")
    close(a, b)


@needs("recvmsg", "sendmsg")
def test_recvmsg_invalid():
    a, b = udp_pair()
    net.zsock_send(a, b"x")
    raises(TypeError, net.zsock_recvmsg, b, [b"read-only"])
    raises(TypeError, net.zsock_recvmsg, b, ["text"])
    raises(TypeError, net.zsock_recvmsg, b, [3])
    raises(TypeError, net.zsock_recvmsg, b, None)
    raises(ValueError, net.zsock_recvmsg, b, [bytearray(1)], -1)
    raises(TypeError, net.zsock_sendmsg, a, ["text"])
    raises(TypeError, net.zsock_sendmsg, a, [1, 2])
    raises(TypeError, net.zsock_sendmsg, a, None)
    eq(net.zsock_recv(b, 5), b"x")
    close(a, b)


@needs("sendmsg", "recvmsg", "AF_INET6", "IPV6_V6ONLY")
def test_ipv4_mapped_to_ipv6_sendmsg():
    a, a_addr = udp()
    b = net.zsock_socket(V6, net.SOCK_DGRAM)
    net.zsock_setsockopt(b, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 0)
    net.zsock_sendmsg(b, [b"ma", b"pped"], (), 0, ("::ffff:127.0.0.1", a_addr[1]))
    buf = bytearray(9)
    count, _, _, addr = net.zsock_recvmsg(a, [buf])
    eq((count, addr[0]), (6, LOOPBACK[V4]))
    close(a, b)
