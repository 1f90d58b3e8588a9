# The limits of test_small.conf: 8 sockets, 3 of them in one poll.
import array

import usocket_compat as net
from check import (
    close,
    eq,
    has,
    listener,
    needs,
    raises,
    ready,
    recv_exactly,
    sendall,
    tcp,
    udp,
)
from usocket_compat import _config

OPEN_MAX = 8
POLL_MAX = 3


def test_the_file_is_in_force():
    eq((_config.ZVFS_OPEN_MAX, _config.ZVFS_POLL_MAX), (OPEN_MAX, POLL_MAX))


def test_open_max():
    fds = [tcp() for _ in range(OPEN_MAX)]
    eq(fds, list(range(OPEN_MAX)))
    for _ in range(2):
        raises("ENFILE", net.zsock_socket)
        if has("socketpair"):
            raises("ENFILE", net.zsock_socketpair)
    close(5)
    eq(tcp(), 5)
    close(*fds)


def test_accept_keeps_what_does_not_fit():
    fd, addr = listener()
    clients = [tcp() for _ in range(OPEN_MAX - 1)]
    net.zsock_connect(clients[0], addr)
    raises("ENFILE", net.zsock_accept, fd)
    eq(ready(fd, net.POLLIN), net.POLLIN)
    close(clients.pop())
    server, _ = net.zsock_accept(fd)
    sendall(clients[0], b"x")
    eq(recv_exactly(server, 1), b"x")
    close(fd, server, *clients)


@needs("scm_rights")
def test_rights_beyond_the_table():
    a, b = net.zsock_socketpair()
    fds = [tcp() for _ in range(OPEN_MAX - 2)]
    for room_for in (0, 1):
        net.zsock_sendmsg(a, [b"x"], [(net.SOL_SOCKET, net.SCM_RIGHTS, array.array("i", [a, a]))])
        count, ancdata, flags, _ = net.zsock_recvmsg(b, [bytearray(1)], 64)
        eq((count, flags & net.MSG_CTRUNC), (1, net.MSG_CTRUNC))
        eq(sum(len(data) // 4 for _, _, data in ancdata), room_for)
        eq(len(net.fds()), OPEN_MAX)
        close(fds.pop())
    for fd in range(OPEN_MAX):
        try:
            close(fd)
        except OSError as e:
            eq(e.errno, net.errno.EBADF)


def test_poll_max():
    fds = [udp()[0] for _ in range(POLL_MAX + 1)]
    polls = [net.zsock_pollfd(fd, net.POLLOUT) for fd in fds]
    eq(net.zsock_poll(polls[:POLL_MAX], 0), POLL_MAX)
    for timeout in (0, 100, -1):
        raises("ENOMEM", net.zsock_poll, polls, timeout)
    eq(net.zsock_poll(polls[1:], 0), POLL_MAX)
    close(*fds)


@needs("select")
def test_select_max():
    fds = [udp()[0] for _ in range(POLL_MAX + 1)]
    eq(list(net.zsock_select([], fds[:POLL_MAX], [], 0)[1]), fds[:POLL_MAX])
    raises("ENOMEM", net.zsock_select, [], fds, [], 0)
    raises("ENOMEM", net.zsock_select, fds[:2], fds[2:], [], 0)
    close(*fds)


def test_blocking_calls_do_not_need_poll_slots():
    a, a_addr = udp()
    net.zsock_sendto(a, b"x", 0, a_addr)
    eq(net.zsock_recv(a, 1), b"x")
    close(a)
