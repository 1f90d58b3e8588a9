# Contract 10: a steady loop of recv into a buffer, send of a view and poll allocates no heap.
import gc
import sys

import usocket_compat as net
from check import MICROPYTHON, close, eq, needs, nonblocking, pair, stream_pair, true, udp_pair

WARM_UP = 20
ROUNDS = 500
# CPython counts blocks of the whole interpreter; a leak of one a round would be ROUNDS.
NOISE = 0 if MICROPYTHON else 50


def allocated():
    return gc.mem_alloc() if MICROPYTHON else sys.getallocatedblocks()


def growth(step, *args):
    """Heap that ROUNDS calls leave behind, nothing being collected."""
    for _ in range(WARM_UP):
        step(*args)
    gc.collect()
    gc.disable()
    try:
        step(*args)
        before = allocated()
        for _ in range(ROUNDS):
            step(*args)
        return allocated() - before
    finally:
        gc.enable()


def no_heap(step, *args):
    # What the loop itself costs, a call with so many arguments, is not the layer's.
    grown = growth(step, *args) - growth(nothing, *args)
    true(grown <= NOISE, "%d rounds of %s kept %d" % (ROUNDS, step.__name__, grown))


def nothing(*args):
    pass


def ping(a, b, view, buf, polls):
    net.zsock_send(a, view)
    net.zsock_poll(polls, 1000)
    net.zsock_recv(b, buf)


def ping_with_flags(a, b, view, buf, polls):
    net.zsock_send(a, view, 0)
    net.zsock_poll(polls, 1000)
    net.zsock_recv(b, buf, net.MSG_PEEK)
    net.zsock_recv(b, buf, net.MSG_DONTWAIT)
    net.zsock_poll(polls, 0)


def ping_pong(a, b, view, buf, polls):
    net.zsock_send(a, view)
    net.zsock_recv(b, buf)
    net.zsock_send(b, view)
    net.zsock_recv(a, buf)


def polled(polls):
    return [net.zsock_pollfd(fd, events) for fd, events in polls]


def arguments(a, b, size=64):
    polls = polled([(b, net.POLLIN), (a, net.POLLIN), (b, net.POLLOUT | net.POLLIN), (-1, 1)])
    return a, b, memoryview(bytes(size)), bytearray(size), polls


@needs("recv_into_no_alloc")
def test_tcp_loop():
    for step in (ping, ping_pong):
        a, b = pair()
        no_heap(step, *arguments(a, b))
        close(a, b)


@needs("recv_into_no_alloc", "MSG_PEEK", "MSG_DONTWAIT")
def test_tcp_loop_with_flags():
    a, b = pair()
    no_heap(ping_with_flags, *arguments(a, b))
    close(a, b)


@needs("recv_into_no_alloc")
def test_udp_loop():
    for step in (ping, ping_pong):
        a, b = udp_pair()
        no_heap(step, *arguments(a, b))
        close(a, b)


@needs("recv_into_no_alloc")
def test_stream_pair_loop():
    a, b = stream_pair()
    no_heap(ping, *arguments(a, b))
    close(a, b)


@needs("recv_into_no_alloc")
def test_nonblocking_loop():
    a, b = pair()
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
    no_heap(ping, *arguments(a, b, 16384))
    close(a, b)


def idle(polls):
    net.zsock_poll(polls, 0)


@needs("recv_into_no_alloc")
def test_idle_poll_of_many():
    pairs = [udp_pair() for _ in range(16)]
    polls = polled([(fd, net.POLLIN) for two in pairs for fd in two])
    eq(net.zsock_poll(polls, 0), 0)
    no_heap(idle, polls)
    for two in pairs:
        close(*two)
