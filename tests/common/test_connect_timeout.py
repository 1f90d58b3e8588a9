# CONFIG_NET_SOCKETS_CONNECT_TIMEOUT: row 11 of the scenarios, and what else bounds a connect.
import usocket_compat as net
from check import (
    at_once,
    black_hole,
    close,
    closed_port,
    eq,
    listener,
    needs,
    nonblocking,
    raises,
    raises_after,
    ready,
    sendall,
    tcp,
)

SOL = net.SOL_SOCKET


def test_s11_connect_timeout():
    fd, addr, queued = black_hole()
    client = tcp()
    raises_after(300, "ETIMEDOUT", net.zsock_connect, client, addr)
    close(client)
    eq(at_once(ready, client, net.POLLIN | net.POLLOUT), net.POLLNVAL)
    close(queued, fd)


def test_every_connect_has_the_whole_time():
    fd, addr, queued = black_hole()
    for _ in range(2):
        client = tcp()
        raises_after(300, "ETIMEDOUT", net.zsock_connect, client, addr)
        close(client)
    close(queued, fd)


@needs("SO_SNDTIMEO")
def test_the_shorter_limit_counts():
    fd, addr, queued = black_hole()
    for seconds, ms, error in ((0.1, 100, "EINPROGRESS"), (5, 300, "ETIMEDOUT")):
        client = tcp()
        net.zsock_setsockopt(client, SOL, net.SO_SNDTIMEO, seconds)
        raises_after(ms, error, net.zsock_connect, client, addr)
        close(client)
    close(queued, fd)


def test_nonblocking_connect_is_not_bounded():
    fd, addr, queued = black_hole()
    client = tcp()
    nonblocking(client)
    at_once(raises, "EINPROGRESS", net.zsock_connect, client, addr)
    eq(ready(client, net.POLLOUT, 400), 0)
    close(client, queued, fd)


def test_other_outcomes_are_as_ever():
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, addr)
    server, _ = net.zsock_accept(fd)
    sendall(client, b"x")
    eq(net.zsock_recv(server, 1), b"x")
    # The limit is the connect's alone: this socket blocks without one.
    nonblocking(server)
    raises("EAGAIN", net.zsock_recv, server, 1)
    refused = tcp()
    at_once(raises, "ECONNREFUSED", net.zsock_connect, refused, closed_port())
    close(fd, client, server, refused)
