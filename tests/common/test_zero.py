# Contract 8: nothing sent, nothing asked for, nothing given: as Linux does it.
import usocket_compat as net
from check import (
    STARTED,
    Thread,
    at_once,
    between,
    close,
    eq,
    has,
    needs,
    nonblocking,
    pair,
    raises,
    raises_after,
    ready,
    recv_exactly,
    reset,
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


def test_stream_send_nothing_nonblocking():
    for client, server in (pair(), stream_pair()):
        for data in EMPTY:
            eq(net.zsock_send(client, data, net.MSG_DONTWAIT), 0)
        nonblocking(client)
        for data in EMPTY:
            eq(net.zsock_send(client, data), 0)
        eq(ready(server, net.POLLIN, 20), 0, "nothing sent is nothing received")
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


def nothing_received(flags=0, peek=False):
    """(call, arguments behind the fd, what it gives) for each way to receive nothing."""
    for f in (flags, flags | net.MSG_PEEK) if peek else (flags,):
        yield net.zsock_recv, (0, f), b""
        yield net.zsock_recv, (bytearray(), f), 0
        yield net.zsock_recv, (memoryview(bytearray()), f), 0
        yield net.zsock_recvfrom, (0, f), (b"", None)
        yield net.zsock_recvfrom, (bytearray(), f), (0, None)
        if has("recvmsg"):
            yield net.zsock_recvmsg, ([], 0, f), (0, [], 0, None)
            yield net.zsock_recvmsg, ([bytearray(), bytearray()], 0, f), (0, [], 0, None)


def forms(peek):
    yield from nothing_received(0, peek)
    if has("recvmsg"):  # with MSG_PEEK a port without it refuses
        yield from nothing_received(net.MSG_WAITALL, peek)


def stands(got, want):
    """AF_UNIX has an address without a path where TCP has none."""
    if want.__class__ is tuple:
        got, want = got[:-1], want[:-1]
    return got == want


@needs("threads", "MSG_PEEK")
def test_stream_receive_nothing_waits():
    # More than a tick, after which it would be nothing received.
    for make in (pair, stream_pair):
        client, server = make()
        # What has waited before waits in the platform from then on.
        first = Thread(net.zsock_recv, server, 1)
        sleep_ms(STARTED)
        sendall(client, b"x")
        eq(first.join(), b"x")
        for call, args, want in forms(True):
            thread = Thread(call, server, *args)
            sleep_ms(STARTED + 120)
            true(not thread.done, "%s%s did not wait for data" % (call.__name__, args))
            sendall(client, b"abc")
            true(stands(thread.join(), want), "%s %s" % (call.__name__, thread.result))
            eq(recv_exactly(server, 3), b"abc")
        close(client, server)


@needs("threads", "SO_RCVTIMEO")
def test_stream_receive_nothing_in_time():
    # Linux's TCP then says that it has received nothing, as asked for; its AF_UNIX EAGAIN.
    client, server = pair()
    net.zsock_setsockopt(server, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.1)
    for call, args, want in nothing_received():
        got, ms = took(call, server, *args)
        eq(got, want, call.__name__)
        between(ms, 100, 100, call.__name__)
    close(client, server)


@needs("socketpair", "SO_RCVTIMEO")
def test_socketpair_receive_nothing_in_time():
    a, b = net.zsock_socketpair()
    net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.1)
    for call, args, _ in nothing_received():
        raises_after(100, "EAGAIN", call, b, *args)
    close(a, b)


@needs("threads", "SO_LINGER")
def test_stream_receive_nothing_until_a_reset():
    # The error that ends the wait is for the next call.
    client, server = pair()
    thread = Thread(net.zsock_recv, server, 0)
    sleep_ms(STARTED)
    reset(client)
    eq(thread.join(), b"")
    raises("ECONNRESET", net.zsock_recv, server, 0)
    eq(net.zsock_recv(server, 0), b"")
    close(server)


@needs("threads")
def test_stream_receive_nothing_until_the_end():
    for make in (pair, stream_pair):
        client, server = make()
        thread = Thread(net.zsock_recvfrom, server, 0)
        sleep_ms(STARTED)
        close(client)
        eq(thread.join()[0], b"")
        eq(net.zsock_recv(server, bytearray()), 0)
        close(server)


@needs("threads")
def test_stream_receive_nothing_until_a_close():
    for call, args, _ in nothing_received():
        client, server = pair()
        thread = Thread(raises, "EBADF", call, server, *args)
        sleep_ms(STARTED)
        close(server)
        thread.join()
        close(client)


def test_receive_nothing_nonblocking():
    for client, server in (pair(), stream_pair(), udp_pair()):
        nonblocking(server)
        for call, args, _ in nothing_received():
            raises("EAGAIN", call, server, *args)
        close(client, server)


@needs("threads")
def test_receive_nothing_waits_for_a_datagram():
    a, b = udp_pair()
    for call, args, want in nothing_received():
        thread = Thread(call, b, *args)
        sleep_ms(STARTED + 120)
        true(not thread.done, "%s did not wait for a datagram" % call.__name__)
        net.zsock_send(a, b"abc")
        got = thread.join()
        if call is net.zsock_recvmsg:
            eq(got[:3], (0, [], net.MSG_TRUNC))
        else:
            true(stands(got, want), "%s %s" % (call.__name__, got))
        at_once(raises, "EAGAIN", net.zsock_recv, b, 9, net.MSG_DONTWAIT)
    close(a, b)


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
