# What programs for libuv, LuaSocket and mio rely on and no other file tests: rows of
# docs/matrix.md. Expected values are the Linux kernel's.
import os

import usocket_compat as net
from check import (
    LOOPBACK,
    MICROPYTHON,
    at_once,
    black_hole,
    close,
    eq,
    fill,
    has,
    listener,
    needs,
    nonblocking,
    pair,
    raises,
    ready,
    recv_exactly,
    reset,
    sendall,
    tcp,
)

LONG = 20000  # until a connect is tried again, and again, in milliseconds


# rows: A10
@needs("TCP_USER_TIMEOUT")
def test_a_peer_that_takes_nothing_any_more():
    # tcp(7): a time without progress. A peer that never reads makes none.
    client, server = pair()
    net.zsock_setsockopt(client, net.IPPROTO_TCP, net.TCP_USER_TIMEOUT, 300)
    fill(client)
    raises("ETIMEDOUT", net.zsock_send, client, bytes(1000))
    close(client, server)


# rows: A11
def test_all_that_wait_are_accepted_until_eagain():
    fd, addr = listener()
    nonblocking(fd)
    clients = [tcp() for _ in range(3)]
    for client in clients:
        net.zsock_connect(client, addr)
    accepted = []
    for _ in clients:
        eq(ready(fd, net.POLLIN), net.POLLIN)
        accepted.append(net.zsock_accept(fd)[0])
    at_once(raises, "EAGAIN", net.zsock_accept, fd)
    close(fd, *(clients + accepted))


# rows: A18
def test_a_connect_to_the_wildcard_address_is_to_this_host():
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, ("0.0.0.0", addr[1]))
    server, _ = net.zsock_accept(fd)
    sendall(client, b"x")
    eq(recv_exactly(server, 1), b"x")
    if has("getpeername"):
        eq(net.zsock_getpeername(client), (LOOPBACK[net.AF_INET], addr[1]))
    close(fd, client, server)


# rows: C7
def test_a_connection_that_went_before_accept_blocks_nobody():
    fd, addr = listener()
    nonblocking(fd)
    client = tcp()
    net.zsock_connect(client, addr)
    eq(ready(fd, net.POLLIN), net.POLLIN)
    (reset if has("SO_LINGER") else close)(client)
    try:
        server, _ = at_once(net.zsock_accept, fd)
    except OSError as e:
        eq(e.errno, net.errno.EAGAIN)
    else:
        close(server)
    at_once(raises, "EAGAIN", net.zsock_accept, fd)
    close(fd)


# rows: C14
@needs("SO_SNDTIMEO")
def test_a_connect_that_ran_into_its_timeout_goes_on():
    fd, addr, queued = black_hole()
    client = tcp()
    net.zsock_setsockopt(client, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.1)
    raises("EINPROGRESS", net.zsock_connect, client, addr)
    first, _ = net.zsock_accept(fd)
    eq(ready(client, net.POLLOUT, LONG), net.POLLOUT)
    server, _ = net.zsock_accept(fd)
    sendall(client, b"x")
    eq(recv_exactly(server, 1), b"x")
    close(client, server, first, queued, fd)


# rows: B10
@needs("fileno")
def test_what_is_started_inherits_no_descriptor():
    fds = pair() + (tuple(net.zsock_socketpair()) if has("socketpair") else ())
    # Nothing can say so to MicroPython without ffi (docs/parity.md).
    wanted = MICROPYTHON and not has("shutdown")
    for fd in fds:
        there = os.system("test -e /proc/self/fd/%d" % net.zsock_fileno(fd)) == 0
        eq(there, wanted, "a shell has it")
    close(*fds)
    return "lacks: close-on-exec" if wanted else None
