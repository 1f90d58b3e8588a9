# TCP: listen, connect, accept; what Zephyr's tcp suite looks at, with Linux's answers.
import struct

import usocket_compat as net
from check import (
    BOARD,
    LOOPBACK,
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
    recv_exactly,
    sendall,
    take_error,
    tcp,
    true,
)

V4 = net.AF_INET
V6 = net.AF_INET6


def test_open_close_immediately():
    addr = closed_port()
    for _ in range(20):
        fd = tcp()
        nonblocking(fd)
        raises("EINPROGRESS", net.zsock_connect, fd, addr)
        close(fd)


# rows: zsock_listen
@needs("getsockname")
def test_listen_binds_an_unbound_socket():
    fd = tcp()
    net.zsock_listen(fd)
    host, port = net.zsock_getsockname(fd)
    eq(host, "0.0.0.0")
    client = tcp()
    net.zsock_connect(client, (LOOPBACK[V4], port))
    close(client, fd)


# rows: IP_LOCAL_PORT_RANGE
@needs("IP_LOCAL_PORT_RANGE", "getsockname")
def test_clamp_tcp_port_range():
    # It only narrows the range of the machine.
    low, high = 42000, 42099
    for _ in range(3):
        fd = tcp()
        option = net.IPPROTO_IP, net.IP_LOCAL_PORT_RANGE
        net.zsock_setsockopt(fd, *option + (struct.pack("I", low | high << 16),))
        net.zsock_bind(fd, (LOOPBACK[V4], 0))
        true(low <= net.zsock_getsockname(fd)[1] <= high)
        close(fd)


@needs("SO_SNDTIMEO")
def test_connect_timeout():
    # socket(7): a connect that SO_SNDTIMEO ends is EINPROGRESS.
    fd, addr, queued = black_hole()
    client = tcp()
    net.zsock_setsockopt(client, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.2)
    raises_after(200, "EINPROGRESS", net.zsock_connect, client, addr)
    close(client, queued, fd)


def test_async_connect_timeout():
    fd, addr, queued = black_hole()
    client = tcp()
    nonblocking(client)
    raises("EINPROGRESS", net.zsock_connect, client, addr)
    raises("EALREADY", net.zsock_connect, client, addr)
    eq(ready(client, net.POLLOUT, 100), 0)
    close(client, queued, fd)


# rows: A17 D1
def test_async_connect():
    fd, addr = listener()
    client = tcp()
    nonblocking(client)
    raises("EINPROGRESS", net.zsock_connect, client, addr)
    eq(ready(client, net.POLLOUT), net.POLLOUT)
    server, _ = net.zsock_accept(fd)
    sendall(client, b"up")
    eq(recv_exactly(server, 2), b"up")
    close(client, server, fd)


# rows: A11 C7
def test_v4_accept_timeout():
    fd, _ = listener()
    nonblocking(fd)
    at_once(raises, "EAGAIN", net.zsock_accept, fd)
    close(fd)


# rows: C6
@needs("SO_RCVTIMEO")
def test_accept_rcvtimeo():
    fd, _ = listener()
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.15)
    raises_after(150, "EAGAIN", net.zsock_accept, fd)
    close(fd)


def listen_backlog(family):
    # A backlog of 0 still holds one connection; the next waits until it is accepted.
    fd, addr = listener(family, backlog=0)
    first, second = tcp(family), tcp(family)
    net.zsock_connect(first, addr)
    nonblocking(second)
    raises("EINPROGRESS", net.zsock_connect, second, addr)
    eq(ready(second, net.POLLOUT, 100), 0)
    server, _ = net.zsock_accept(fd)
    sendall(first, b"1")
    eq(recv_exactly(server, 1), b"1")
    close(first, second, server, fd)


# rows: C31 zsock_listen
def test_v4_listen_backlog():
    listen_backlog(V4)


@needs("AF_INET6")
def test_v6_listen_backlog():
    listen_backlog(V6)


def refused_connect():
    fd = tcp()
    nonblocking(fd)
    raises("EINPROGRESS", net.zsock_connect, fd, closed_port())
    return fd


@needs("select", "SO_ERROR")
def test_connect_and_wait_for_v4_select():
    fd = refused_connect()
    eq(net.zsock_select([], [fd], [], 2), ([], [fd], []))
    eq(take_error(fd), "ECONNREFUSED")
    close(fd)


# rows: POLLERR POLLHUP
@needs("SO_ERROR")
def test_connect_and_wait_for_v4_poll_pollout():
    fd = refused_connect()
    eq(ready(fd, net.POLLOUT), net.POLLOUT | net.POLLERR | net.POLLHUP)
    eq(take_error(fd), "ECONNREFUSED")
    close(fd)


@needs("SO_ERROR")
def test_connect_and_wait_for_v4_poll_pollin():
    fd = refused_connect()
    eq(ready(fd, net.POLLIN), net.POLLIN | net.POLLERR | net.POLLHUP)
    eq(take_error(fd), "ECONNREFUSED")
    close(fd)


@needs("getpeername")
def test_the_same_address_that_means_another():
    # As a name that has moved: the tuple is the same, what it stands for is not.
    if BOARD:
        return "lwIP has one address of its loopback"
    fd = tcp()
    net.zsock_bind(fd, ("0.0.0.0", 0))
    net.zsock_listen(fd)
    port = net.zsock_getsockname(fd)[1]
    host = bytearray(b"127.0.0.1")
    addr = (host, port)
    for want in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
        host[:] = want.encode()
        client = tcp()
        net.zsock_connect(client, addr)
        eq(net.zsock_getpeername(client), (want, port))
        close(client)
    close(fd)
