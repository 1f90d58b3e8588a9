# Many connections, half of them failing in different ways, leave nothing behind.
import gc
import os

import usocket_compat as net
from check import (
    MICROPYTHON,
    close,
    closed_port,
    eq,
    has,
    listener,
    nonblocking,
    pair,
    raises,
    reset,
    sendall,
    sized,
    tcp,
    true,
)

CONNECTIONS = sized(2000, 280)
HEAP = 1024  # bytes that the heap may differ by


def descriptors():
    """How many descriptors the process has open, or None where nobody can say."""
    try:
        if MICROPYTHON:
            return len(list(os.ilistdir("/proc/self/fd")))
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return None


def served(fd, addr):
    client = tcp()
    net.zsock_connect(client, addr)
    server, _ = net.zsock_accept(fd)
    sendall(client, b"request")
    eq(net.zsock_recv(server, 10), b"request")
    close(client, server)


def reset_by_peer(fd, addr):
    client = tcp()
    net.zsock_connect(client, addr)
    server, _ = net.zsock_accept(fd)
    if has("SO_LINGER"):
        reset(client)
        raises("ECONNRESET", net.zsock_recv, server, 1)
    else:
        close(client)
    close(server)


def refused(fd, addr):
    client = tcp()
    raises("ECONNREFUSED", net.zsock_connect, client, closed_port())
    close(client)


def refused_nonblocking(fd, addr):
    client = tcp()
    nonblocking(client)
    raises("EINPROGRESS", net.zsock_connect, client, closed_port())
    net.zsock_poll([net.zsock_pollfd(client, net.POLLOUT)], 1000)
    close(client)


def abandoned(fd, addr):
    client = tcp()
    nonblocking(client)
    raises("EINPROGRESS", net.zsock_connect, client, addr)
    close(client)
    nonblocking(fd)
    try:
        close(net.zsock_accept(fd)[0])
    except OSError as e:
        eq(e.errno, net.errno.EAGAIN)
    nonblocking(fd, False)


def bad_address(fd, addr):
    client = tcp()
    raises(OverflowError, net.zsock_connect, client, ("127.0.0.1", 70000))
    raises(TypeError, net.zsock_connect, client, "nowhere")
    raises("EAFNOSUPPORT", net.zsock_socket, 99)
    close(client)


def timed_out(fd, addr):
    client, server = pair()
    nonblocking(server)
    raises("EAGAIN", net.zsock_recv, server, 1)
    close(client, server)


def written_to_a_closed_peer(fd, addr):
    client, server = pair()
    close(server)
    net.zsock_send(client, b"x")
    raises("EPIPE", net.zsock_send, client, b"x")
    close(client)


FAILURES = (
    reset_by_peer,
    refused,
    refused_nonblocking,
    abandoned,
    bad_address,
    timed_out,
    written_to_a_closed_peer,
)


def connections(n):
    fd, addr = listener()
    for i in range(n // 2):
        served(fd, addr)
        FAILURES[i % len(FAILURES)](fd, addr)
    close(fd)


def heap():
    gc.collect()
    return gc.mem_alloc() if MICROPYTHON else 0


def test_many_connections():
    # The warm-up loads what is loaded once.
    connections(4 * len(FAILURES))
    before = descriptors(), heap()
    connections(CONNECTIONS)
    after = descriptors(), heap()
    eq(len(net.fds()), 0)
    eq(after[0], before[0], "descriptors of the process")
    grown = after[1] - before[1]
    true(abs(grown) <= HEAP, "the heap changed by %d bytes" % grown)


# rows: B15
def test_every_call_that_makes_fds_frees_them_when_it_fails():
    before = descriptors()
    for _ in range(100):
        raises("EAFNOSUPPORT", net.zsock_socket, 99)
        raises("EPROTONOSUPPORT", net.zsock_socket, net.AF_INET, net.SOCK_STREAM, 17)
        if has("socketpair"):
            raises("EOPNOTSUPP", net.zsock_socketpair, net.AF_INET)
        fd = tcp()
        raises("EINVAL", net.zsock_accept, fd)
        close(fd)
    eq(descriptors(), before)
