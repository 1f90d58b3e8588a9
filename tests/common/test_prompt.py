# What a program leaves open, as the prompt sees it (fds, closeall), and the system's descriptor
# behind an fd (fileno): judged by the system's own poll.
import os
import select

import usocket_compat as net
from check import (
    MICROPYTHON,
    close,
    eq,
    has,
    listener,
    needs,
    pair,
    raises,
    sendall,
    tcp,
    true,
    udp,
)
from usocket_compat import errno


def test_fds_are_the_open_ones():
    eq(net.fds(), [])
    fds = [tcp() for _ in range(4)]
    eq(net.fds(), [0, 1, 2, 3])
    close(fds[1])
    eq(net.fds(), [0, 2, 3])
    again = net.zsock_dup(0)
    eq((again, net.fds()), (1, [0, 1, 2, 3]))
    net.closeall()
    eq(net.fds(), [])


def forgetful():
    """A program that forgets its sockets, of every kind; the address that it serves."""
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, addr)
    server, _ = net.zsock_accept(fd)
    net.zsock_dup(server)
    udp()
    if has("socketpair"):
        net.zsock_socketpair()
    if has("eventfd"):
        net.zvfs_eventfd(1)
    return addr


# rows: C12 D23
def test_a_program_that_forgot_its_sockets_runs_again():
    net.closeall()  # of nothing
    for _ in range(3):
        addr = forgetful()
        fds = net.fds()
        true(len(fds) >= 5, repr(fds))
        # What it would meet: its own listener, which is still there.
        fd = tcp()
        raises("EADDRINUSE", net.zsock_bind, fd, addr)
        net.closeall()
        eq(net.fds(), [])
        for fd in fds:
            raises("EBADF", net.zsock_close, fd)


def test_closeall_frees_a_port_that_was_listened_on():
    fd, addr = listener()
    net.closeall()
    fd = tcp()
    net.zsock_bind(fd, addr)
    net.zsock_listen(fd)
    net.closeall()


def test_closeall_closes_the_rest_where_a_close_fails():
    # A close may fail (EIO, EINTR): the fd is gone then, and the others must not stay.
    from usocket_compat import zbase

    fds = [tcp() for _ in range(4)]
    real = zbase.p.close
    failed = []

    def fails(h):
        real(h)
        failed.append(h)
        if len(failed) in (2, 3):
            raise zbase.p.error(errno.EIO if len(failed) == 2 else errno.ENOBUFS)

    zbase.p.close = fails
    try:
        raises("EIO", net.closeall)
    finally:
        zbase.p.close = real
    eq((len(failed), net.fds()), (4, []))
    for fd in fds:
        raises("EBADF", net.zsock_close, fd)


@needs("fileno")
def test_the_systems_poll_knows_the_descriptor():
    client, server = pair()
    number = net.zsock_fileno(server)
    true(isinstance(number, int) and number > 2, repr(number))
    native = select.poll()
    native.register(number, select.POLLIN)
    eq(list(native.poll(0)), [])
    sendall(client, b"x")
    eq([(found[0], found[1]) for found in native.poll(3000)], [(number, select.POLLIN)])
    native.unregister(number)
    # It is the layer's as before.
    eq(net.zsock_recv(server, 9), b"x")
    true(net.zsock_fileno(client) != number)
    close(client, server)


@needs("fileno")
def test_descriptor_0_is_one_like_others():
    # A daemon has closed its standard input.
    if MICROPYTHON:
        return "no call to close it"
    kept = os.dup(0)
    os.close(0)
    try:
        fd = tcp()
        number = net.zsock_fileno(fd)
        close(fd)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
    eq(number, 0)


# rows: C18
@needs("fileno")
def test_descriptors_of_every_kind():
    fd, _ = udp()
    a, b = net.zsock_socketpair() if has("socketpair") else pair()
    fds = [fd, a, b, tcp()]
    if has("eventfd"):
        fds.append(net.zvfs_eventfd())
    if has("AF_UNIX"):
        fds.append(net.zsock_socket(net.AF_UNIX, net.SOCK_DGRAM))
    numbers = [net.zsock_fileno(fd) for fd in fds]
    eq(len(set(numbers)), len(fds))
    true(min(numbers) > 2, repr(numbers))
    fds.append(net.zsock_dup(fd))
    eq(net.zsock_fileno(fds[-1]), numbers[0])
    close(fd)
    eq(net.zsock_fileno(fds[-1]), numbers[0])
    close(*fds[1:])


def test_fileno_of_what_is_no_open_fd():
    fd = tcp()
    close(fd)
    for bad in (fd, -1, 1 << 40):
        raises("EBADF", net.zsock_fileno, bad)
    for bad in (None, "0", 1.0):
        raises(TypeError, net.zsock_fileno, bad)
