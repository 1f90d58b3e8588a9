# Contract 10: a steady loop of recv into a buffer, send of a view and poll allocates no heap.
from heap import (
    arguments,
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
    needs,
    nodelay,
    nonblocking,
    pair,
    sized,
    stream_pair,
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
