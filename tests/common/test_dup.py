# dup: two fds, one socket. Expected values: POSIX dup(), Linux.
import sys

import usocket_compat as net
from check import (
    OPEN_MAX,
    STARTED,
    WAKE,
    Thread,
    at_once,
    between,
    close,
    eq,
    needs,
    nonblocking,
    now,
    pair,
    raises,
    ready,
    recv_exactly,
    sendall,
    since,
    sized,
    sleep_ms,
    take_error,
    tcp,
    took,
    true,
    udp,
)


# rows: D6
def test_the_clone_lives():
    """Scenario 25: the original is closed, the clone goes on, FIN comes after both."""
    client, server = pair()
    clone = net.zsock_dup(client)
    true(clone != client)
    close(client)
    raises("EBADF", net.zsock_send, client, b"x")
    sendall(clone, b"still here")
    eq(recv_exactly(server, 10), b"still here")
    eq(ready(server, net.POLLIN, 50), 0)
    close(clone)
    # By the close, and not when the garbage is collected.
    eq(at_once(net.zsock_recv, server, 1), b"")
    close(server)


# rows: D6
def test_either_may_go_first():
    client, server = pair()
    clone = net.zsock_dup(client)
    close(clone)
    sendall(client, b"x")
    eq(recv_exactly(server, 1), b"x")
    close(client)
    eq(net.zsock_recv(server, 1), b"")
    close(server)


def test_three():
    client, server = pair()
    clones = [net.zsock_dup(client), net.zsock_dup(client)]
    close(client, clones[0])
    sendall(clones[1], b"x")
    eq(recv_exactly(server, 1), b"x")
    more = net.zsock_dup(clones[1])
    close(clones[1], more)
    eq(net.zsock_recv(server, 1), b"")
    close(server)


# rows: D6
def test_all_is_shared():
    client, server = pair()
    clone = net.zsock_dup(client)
    nonblocking(clone)
    eq(net.zsock_fcntl(client, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
    raises("EAGAIN", net.zsock_recv, client, 1)
    sendall(server, b"abc")
    eq(ready(client, net.POLLIN), net.POLLIN)
    eq(net.zsock_recv(clone, 1), b"a")
    eq(net.zsock_recv(client, 2), b"bc")
    close(client, clone, server)


@needs("SO_RCVTIMEO")
def test_timeouts_are_shared():
    client, server = pair()
    clone = net.zsock_dup(client)
    net.zsock_setsockopt(client, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.05)
    _, ms = took(raises, "EAGAIN", net.zsock_recv, clone, 1)
    between(ms, 50, 350)
    close(client, clone, server)


def test_poll_of_both():
    client, server = pair()
    clone = net.zsock_dup(client)
    sendall(server, b"x")
    eq(ready(client, net.POLLIN), net.POLLIN)
    fds = [net.zsock_pollfd(fd, net.POLLIN) for fd in (client, clone, server)]
    eq(net.zsock_poll(fds, 0), 2)
    eq([pfd.revents for pfd in fds], [net.POLLIN, net.POLLIN, 0])
    close(clone)
    eq(net.zsock_poll(fds, 0), 2)
    eq([pfd.revents for pfd in fds], [net.POLLIN, net.POLLNVAL, 0])
    close(client, server)


def test_datagrams():
    fd, addr = udp()
    clone = net.zsock_dup(fd)
    net.zsock_sendto(fd, b"x", 0, addr)
    close(fd)
    eq(net.zsock_recv(clone, 9), b"x")
    close(clone)


def test_bad_arguments():
    raises("EBADF", net.zsock_dup, -1)
    raises("EBADF", net.zsock_dup, OPEN_MAX)
    raises(TypeError, net.zsock_dup, "0")
    fd = tcp()
    close(fd)
    raises("EBADF", net.zsock_dup, fd)


def test_a_full_table():
    fd = tcp()
    fds = []
    try:
        while len(fds) <= OPEN_MAX:
            fds.append(net.zsock_dup(fd))
    except OSError as e:
        eq(e.errno, net.errno.ENFILE)
    eq(len(fds), OPEN_MAX - 1)
    close(*fds)
    eq(ready(fd, net.POLLIN, 0), net.POLLHUP)
    close(fd)


@needs("threads")
def test_close_of_one_ends_its_own_calls():
    """Contract 9 is about the fd: who waits on the other fd goes on."""
    client, server = pair()
    clone = net.zsock_dup(client)
    one = Thread(took, raises, "EBADF", net.zsock_recv, client, 1)
    sleep_ms(STARTED)
    close(client)
    between(one.join()[1], 0, STARTED + WAKE)
    other = Thread(net.zsock_recv, clone, 1)
    sleep_ms(STARTED)
    sendall(server, b"x")
    eq(other.join(), b"x")
    close(clone, server)


@needs("SO_ERROR")
def test_so_error_is_shared():
    client, server = pair()
    clone = net.zsock_dup(client)
    sendall(client, b"unread")
    eq(ready(server, net.POLLIN), net.POLLIN)
    close(server)  # with unread data: a reset
    ready(client, net.POLLIN)
    eq(take_error(clone), "ECONNRESET")
    eq(take_error(client), None)
    close(client, clone)


@needs("threads")
def test_dup_in_several_threads():
    """Each has a number of its own: none closes another's, and none is left."""
    fd = tcp()
    stop = []

    def again_and_again():
        while not stop:
            close(net.zsock_dup(fd))

    if hasattr(sys, "setswitchinterval"):
        interval = sys.getswitchinterval()
        sys.setswitchinterval(0.000001)
    try:
        start = now()
        others = [Thread(again_and_again) for _ in range(2)]
        while since(now(), start) < sized(1500, 200) and not any(each.done for each in others):
            close(net.zsock_dup(fd))
        stop.append(True)
        for each in others:
            each.join()
    finally:
        stop.append(True)
        if hasattr(sys, "setswitchinterval"):
            sys.setswitchinterval(interval)
    eq(net.fds(), [fd])
    close(fd)
