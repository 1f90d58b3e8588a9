# Contract 10: a steady loop of recv into a buffer, send of a view and poll allocates no heap.
from heap import (
    NOISE,
    ROUNDS,
    arguments,
    growth,
    no_heap,
    ping,
    ping_pong,
    ping_with_flags,
    ping_with_peek,
    polled,
    tcp_loop,
    udp_loop,
)

import usocket_compat as net
from check import (
    OPEN_MAX,
    close,
    eq,
    fill,
    needs,
    nodelay,
    nonblocking,
    pair,
    sized,
    stream_pair,
    true,
    udp_pair,
)


@needs("recv_into_no_alloc")
def test_tcp_loop():
    tcp_loop()


@needs("recv_into_no_alloc", "MSG_DONTWAIT")
def test_tcp_loop_with_flags():
    a, b = pair()
    nodelay(a)
    no_heap(ping_with_flags, *arguments(a, b))
    close(a, b)


# The firmware of a board has both, flags and datagrams, only in the form that returns bytes.
@needs("recv_into_no_alloc_dgram", "MSG_PEEK")
def test_tcp_loop_with_peek():
    a, b = pair()
    nodelay(a)
    no_heap(ping_with_peek, *arguments(a, b))
    close(a, b)


@needs("recv_into_no_alloc_dgram")
def test_udp_loop():
    udp_loop()


@needs("recv_into_no_alloc")
def test_stream_pair_loop():
    a, b = stream_pair()
    no_heap(ping, *arguments(a, b))
    close(a, b)


@needs("recv_into_no_alloc")
def test_nonblocking_loop():
    a, b = pair()
    nodelay(a)
    nonblocking(a)
    nonblocking(b)
    no_heap(ping, *arguments(a, b))
    close(a, b)


@needs("recv_into_no_alloc", "SO_RCVTIMEO", "SO_SNDTIMEO")
def test_loop_with_timeouts():
    a, b = pair()
    for fd in (a, b):
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 5)
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 5)
    no_heap(ping_pong, *arguments(a, b))
    close(a, b)


def refused(call, fd, arg, flags):
    try:
        call(fd, arg, flags)
    except OSError:
        return
    raise AssertionError("it took something")


# What it takes to raise as deep within calls.
def raising(*_):
    raise_again()


def raise_again():
    raise OSError(1)


@needs("recv_into_no_alloc", "MSG_DONTWAIT")
def test_msg_dontwait_allocates_nothing_of_its_own():
    for make in (pair, stream_pair):
        a, b = make()
        most = growth(refused, raising, b, bytearray(1), 0)
        net.zsock_send(a, b"x")
        net.zsock_recv(b, 1)
        for arg in (bytearray(1), memoryview(bytearray(1))):
            kept = growth(refused, net.zsock_recv, b, arg, net.MSG_DONTWAIT)
            # A view is looked at more closely, two functions deeper.
            more = ROUNDS * 64 if arg.__class__ is memoryview else 0
            true(kept <= most + more + NOISE, "nothing there: %d, not %d" % (kept, most))
        fill(a)
        kept = growth(refused, net.zsock_send, a, b"x", net.MSG_DONTWAIT)
        true(kept <= most + NOISE, "no room: %d, not %d" % (kept, most))
        close(a, b)


@needs("MSG_DONTWAIT")
def test_a_datagram_with_msg_dontwait_allocates_what_it_does_without():
    a, b = udp_pair()
    waited = polled([(b, net.POLLIN)])
    for flags in (0, net.MSG_DONTWAIT):
        kept = growth(send_and_receive, a, b, bytearray(1), waited, flags)
        if not flags:
            most = kept
    true(kept <= most + NOISE, "%d, not %d" % (kept, most))
    close(a, b)


def send_and_receive(a, b, buf, waited, flags):
    net.zsock_send(a, b"x", flags)
    net.zsock_poll(waited, 1000)
    net.zsock_recv(b, buf, flags)


@needs("recv_into_no_alloc")
def test_loop_of_large_buffers():
    a, b = pair()
    nodelay(a)
    no_heap(ping, *arguments(a, b, sized(16384, 2048)))
    close(a, b)


def idle(polls):
    net.zsock_poll(polls, 0)


@needs("recv_into_no_alloc")
def test_idle_poll_of_many():
    pairs = [udp_pair() for _ in range(min(16, OPEN_MAX // 2))]
    polls = polled([(fd, net.POLLIN) for two in pairs for fd in two])
    eq(net.zsock_poll(polls, 0), 0)
    no_heap(idle, polls)
    for two in pairs:
        close(*two)
