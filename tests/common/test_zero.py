# Contract 8: nothing sent, nothing asked for, nothing given: as Linux does it.
import usocket_compat as net
from check import (
    STARTED,
    Thread,
    at_once,
    close,
    eq,
    needs,
    nonblocking,
    pair,
    raises,
    ready,
    recv_exactly,
    sendall,
    sized,
    sleep_ms,
    stream_pair,
    took,
    true,
    udp,
    udp_pair,
)

EMPTY = (b"", bytearray(), memoryview(b""))


def test_stream_send_nothing():
    for client, server in (pair(), stream_pair()):
        for data in EMPTY:
            eq(at_once(net.zsock_send, client, data), 0)
        eq(ready(server, net.POLLIN, 20), 0, "nothing sent is nothing received")
        sendall(client, b"x")
        eq(net.zsock_recv(server, 5), b"x")
        close(client, server)


@needs("sendmsg")
def test_stream_sendmsg_nothing():
    client, server = pair()
    for buffers in ([], [b""], [b"", bytearray()]):
        eq(at_once(net.zsock_sendmsg, client, buffers), 0)
    nonblocking(server)
    raises("EAGAIN", net.zsock_recv, server, 1)
    close(client, server)


def test_stream_send_nothing_to_a_closed_peer():
    client, server = pair()
    close(server)
    ready(client, net.POLLIN)
    eq(net.zsock_send(client, b""), 0)
    close(client)


def test_stream_receive_nothing_of_something():
    client, server = pair()
    sendall(client, b"abc")
    ready(server, net.POLLIN)
    eq(net.zsock_recv(server, 0), b"")
    eq(net.zsock_recv(server, bytearray()), 0)
    eq(net.zsock_recvfrom(server, 0)[0], b"")
    eq(recv_exactly(server, 3), b"abc")
    close(client, server)


def test_stream_receive_nothing_of_nothing():
    # The kernel waits for data even for a length of 0.
    client, server = pair()
    nonblocking(server)
    raises("EAGAIN", net.zsock_recv, server, 0)
    raises("EAGAIN", net.zsock_recv, server, bytearray())
    close(client)
    ready(server, net.POLLIN)
    for _ in range(2):
        eq(net.zsock_recv(server, 0), b"")
    eq(net.zsock_recv(server, 1), b"")
    close(server)


@needs("threads")
def test_stream_receive_nothing_waits():
    client, server = pair()
    thread = Thread(net.zsock_recv, server, 0)
    sleep_ms(STARTED)
    true(not thread.done, "recv of 0 bytes did not wait for data")
    sendall(client, b"abc")
    eq(thread.join(), b"")
    eq(recv_exactly(server, 3), b"abc")
    close(client, server)


def test_empty_datagrams():
    a, a_addr = udp()
    b, b_addr = udp()
    for data in EMPTY:
        eq(at_once(net.zsock_sendto, a, data, 0, b_addr), 0)
        eq(ready(b, net.POLLIN), net.POLLIN)
        eq(net.zsock_recvfrom(b, 10), (b"", a_addr))
    net.zsock_connect(a, b_addr)
    eq(net.zsock_send(a, b""), 0)
    eq(net.zsock_recv(b, 10), b"")
    # An empty datagram is no end of anything.
    net.zsock_send(a, b"")
    net.zsock_send(a, b"more")
    eq([net.zsock_recv(b, 10) for _ in range(2)], [b"", b"more"])
    nonblocking(b)
    raises("EAGAIN", net.zsock_recv, b, 10)
    close(a, b)


def test_receive_nothing_takes_a_datagram():
    a, a_addr = udp()
    b, b_addr = udp()
    for take, nothing in (
        (net.zsock_recv, b""),
        (net.zsock_recvfrom, (b"", a_addr)),
    ):
        net.zsock_sendto(a, b"first", 0, b_addr)
        net.zsock_sendto(a, b"second", 0, b_addr)
        eq(take(b, 0), nothing)
        eq(take(b, 10)[:6] if take is net.zsock_recv else take(b, 10)[0], b"second")
    net.zsock_sendto(a, b"third", 0, b_addr)
    eq(net.zsock_recvfrom(b, bytearray()), (0, a_addr))
    nonblocking(b)
    raises("EAGAIN", net.zsock_recv, b, 0)
    raises("EAGAIN", net.zsock_recv, b, bytearray())
    close(a, b)


@needs("MSG_TRUNC")
def test_length_of_a_datagram_without_a_buffer():
    a, b = udp_pair()
    net.zsock_send(a, b"12345")
    eq(net.zsock_recv(b, bytearray(), net.MSG_TRUNC | net.MSG_PEEK), 5)
    eq(net.zsock_recv(b, 9), b"12345")
    close(a, b)


@needs("FIONREAD")
def test_fionread_of_datagrams():
    # udp(7): the size of the next datagram; of an empty one too it is 0.
    a, b = udp_pair()
    eq(net.zsock_ioctl(b, net.FIONREAD), 0)
    for data in (b"", b"12345", b"12"):
        net.zsock_send(a, data)
    for size in (0, 5, 2):
        eq(net.zsock_ioctl(b, net.FIONREAD), size)
        net.zsock_recv(b, 9)
    close(a, b)


def test_largest_datagram():
    a, b = udp_pair()
    size = sized(65507, 2500)  # a board has no memory for more
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    eq(net.zsock_send(a, data), size)
    true(net.zsock_recv(b, sized(70000, 3000)) == data)
    close(a, b)


@needs("socketpair")
def test_socketpair_receives_nothing():
    a, b = net.zsock_socketpair()
    sendall(a, b"abc")
    eq(net.zsock_recv(b, 0), b"")
    eq(recv_exactly(b, 3), b"abc")
    close(a)
    eq(net.zsock_recv(b, 0), b"")
    close(b)


@needs("FIONREAD")
def test_fionread_does_not_wait():
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
        fd = net.zsock_socket(net.AF_INET, kind)
        _, ms = took(net.zsock_ioctl, fd, net.FIONREAD)
        true(ms < 50, "it took %d ms" % ms)
        close(fd)
