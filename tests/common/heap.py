# What a loop of calls leaves on the heap.
import gc
import sys

import usocket_compat as net
from check import MICROPYTHON, close, nodelay, pair, sized, true, udp_pair

WARM_UP = 20
# A board has no room for what many calls with six arguments leave behind.
ROUNDS = sized(500, 150)
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


def ping(a, b, view, buf, waited, polls):
    net.zsock_send(a, view)
    net.zsock_poll(waited, 1000)
    net.zsock_recv(b, buf)


def ping_with_flags(a, b, view, buf, waited, polls):
    net.zsock_send(a, view, 0)
    net.zsock_poll(waited, 1000)
    net.zsock_recv(b, buf, net.MSG_DONTWAIT)
    net.zsock_poll(polls, 0)


def ping_with_peek(a, b, view, buf, waited, polls):
    net.zsock_send(a, view)
    net.zsock_recv(b, buf, net.MSG_PEEK)
    net.zsock_recv(b, buf)


def ping_pong(a, b, view, buf, waited, polls):
    net.zsock_send(a, view)
    net.zsock_recv(b, buf)
    net.zsock_send(b, view)
    net.zsock_recv(a, buf)


def polled(polls):
    return [net.zsock_pollfd(fd, events) for fd, events in polls]


def arguments(a, b, size=64):
    waited = polled([(b, net.POLLIN), (a, net.POLLIN), (-1, 1)])
    polls = polled([(b, net.POLLIN), (a, net.POLLIN), (b, net.POLLOUT | net.POLLIN), (-1, 1)])
    return a, b, memoryview(bytes(size)), bytearray(size), waited, polls


def tcp_loop():
    for step in (ping, ping_pong):
        a, b = pair()
        nodelay(a)
        no_heap(step, *arguments(a, b))
        close(a, b)


def udp_loop():
    for step in (ping, ping_pong):
        a, b = udp_pair()
        no_heap(step, *arguments(a, b))
        close(a, b)
