# Contract 3: fds are small ints, lowest free first; nothing leaks; closed is closed.
import array
import struct

import usocket_compat as net
from check import (
    BOARD,
    LOOPBACK,
    Thread,
    bind_free,
    close,
    closed_port,
    eq,
    has,
    listener,
    needs,
    nonblocking,
    pair,
    raises,
    ready,
    recv_exactly,
    sendall,
    sleep_ms,
    tcp,
    true,
    udp,
)
from usocket_compat import _config


# rows: E2
def test_lowest_free_first():
    fds = [tcp() for _ in range(5)]
    eq(fds, [0, 1, 2, 3, 4])
    close(3, 1)
    eq([tcp(), tcp(), tcp()], [1, 3, 5])
    close(0)
    eq(udp()[0], 0)
    close(0, 1, 2, 3, 4, 5)


@needs("socketpair")
def test_socketpair_takes_the_two_lowest():
    fds = [tcp() for _ in range(4)]
    close(1, 3)
    eq(sorted(net.zsock_socketpair()), [1, 3])
    close(*fds)


def test_accept_takes_the_lowest():
    fd, addr = listener()
    first, client = tcp(), tcp()
    net.zsock_connect(client, addr)
    close(first)
    server, _ = net.zsock_accept(fd)
    eq(server, first)
    close(fd, client, server)


# Every call on an fd, with arguments that are good on a connected stream.
CALLS = (
    ("zsock_close", ()),
    ("zsock_bind", (("127.0.0.1", 0),)),
    ("zsock_connect", (("127.0.0.1", 9),)),
    ("zsock_listen", ()),
    ("zsock_accept", ()),
    ("zsock_send", (b"x",)),
    ("zsock_sendto", (b"x", 0, ("127.0.0.1", 9))),
    ("zsock_recv", (1,)),
    ("zsock_recv", (bytearray(1),)),
    ("zsock_recvfrom", (1,)),
    ("zsock_recvfrom", (bytearray(1),)),
    ("zsock_fcntl", (net.F_GETFL,)),
    ("zsock_fcntl", (net.F_SETFL, net.O_NONBLOCK)),
    ("zsock_setsockopt", (net.SOL_SOCKET, net.SO_REUSEADDR, 1)),
    ("zsock_setsockopt", (net.SOL_SOCKET, net.SO_RCVTIMEO, 1)),
    ("zsock_ioctl", (net.FIONBIO, 1)),
)
OPTIONAL_CALLS = (
    ("shutdown", "zsock_shutdown", (net.SHUT_RDWR,)),
    ("sendmsg", "zsock_sendmsg", ([b"x"],)),
    ("recvmsg", "zsock_recvmsg", ([bytearray(1)],)),
    ("getsockopt", "zsock_getsockopt", (net.SOL_SOCKET, net.SO_TYPE)),
    ("getsockname", "zsock_getsockname", ()),
    ("getpeername", "zsock_getpeername", ()),
    ("FIONREAD", "zsock_ioctl", (net.FIONREAD,)),
)


def calls():
    return CALLS + tuple(x[1:] for x in OPTIONAL_CALLS if has(x[0]))


def test_bad_fds_are_ebadf_for_every_call():
    fd, other = tcp(), tcp()
    close(fd)
    limit = _config.ZVFS_OPEN_MAX
    bad = (fd, 200, limit - 1, limit, limit + 1, 2 * limit, 10**6, 1 << 31, 1 << 70)
    bad += (-1, -2, -limit, -limit - 1, -2 * limit - 1, -(1 << 70))
    for name, args in calls():
        for number in bad:
            raises("EBADF", getattr(net, name), number, *args)
    eq(len(net.fds()), 1)
    close(other)


class Int(int):
    pass


def test_fds_that_are_no_ints():
    """Nor is True one, or an int of another class: of these interpreters think differently."""
    fds = [tcp(), tcp()]
    for name, args in calls() + (("zsock_dup", ()),):
        for bad in (None, "0", 0.0, b"\0", (), fds):
            raises(TypeError, getattr(net, name), bad, *args)
        for bad in (True, False, Int(0), Int(1)):
            # The two that must be fast may take what equals an fd for it: these are not connected.
            hot = name in ("zsock_send", "zsock_recv")
            raises((TypeError, OSError) if hot else TypeError, getattr(net, name), bad, *args)
    if has("eventfd"):
        fds.append(net.zvfs_eventfd(1))
        for bad in (2.0, Int(2), True):
            raises(TypeError, net.zvfs_eventfd_read, bad)
            raises(TypeError, net.zvfs_eventfd_write, bad, 1)
        eq(net.zvfs_eventfd_read(fds[2]), 1)
    for bad in (None, "0", 0.0, True, False, Int(0)):
        raises(TypeError, net.zsock_pollfd, bad, net.POLLIN)
        raises(TypeError, setattr, net.zsock_pollfd(0, net.POLLIN), "fd", bad)
        for lists in (([bad], [], []), ([], [bad], []), ([], [], [bad])):
            raises(TypeError, net.zsock_select, *(lists + (0,)))
    eq(net.fds(), fds)
    close(*fds)


def test_arguments_that_are_too_many():
    """TypeError as Python has it, and nothing is done."""
    waiting, addr = listener()
    client = tcp()
    fds = net.fds()
    calls = (("send", client, b"x", 0), ("recv", client, bytearray(9), 0), ("recv", client, 9, 0))
    calls += (("close", client), ("connect", client, addr), ("accept", waiting))
    calls += (("socket", net.AF_INET, net.SOCK_STREAM, 0),)
    for name, *args in calls:
        for extra in (0, None, addr, b"x", bytearray(9), [client]):
            raises(TypeError, getattr(net, "zsock_" + name), *(args + [extra]))
    eq(net.fds(), fds)
    net.zsock_connect(client, addr)
    close(client, net.zsock_accept(waiting)[0], waiting)


# rows: C11 E3 zsock_close
def test_second_close():
    fd = tcp()
    close(fd)
    for _ in range(3):
        raises("EBADF", net.zsock_close, fd)


def test_a_stale_close_spares_what_the_platform_reopened():
    # The descriptor under a closed fd is given out again, here to a file.
    fds = [tcp() for _ in range(3)]
    close(*fds)
    with open("file", "w+") as f:
        for fd in fds:
            raises("EBADF", net.zsock_close, fd)
        f.write("alive")
        f.flush()
        f.seek(0)
        eq(f.read(), "alive")


def filled(left=0):
    """Fill the table but for some entries."""
    fds = []
    while len(net.fds()) < _config.ZVFS_OPEN_MAX - left:
        fds.append(net.zsock_socket(net.AF_INET, net.SOCK_DGRAM))
    return fds


def test_limits_of_a_host():
    # Kconfig has them for boards; board_configs/UNIX.conf for hosts.
    if not BOARD:
        eq((_config.ZVFS_OPEN_MAX, _config.ZVFS_POLL_MAX), (256, 256))


def test_full_table():
    fds = filled()
    eq(len(fds), _config.ZVFS_OPEN_MAX)
    for _ in range(3):
        raises("ENFILE", net.zsock_socket)
    if has("socketpair"):
        raises("ENFILE", net.zsock_socketpair)
    middle = len(fds) // 2
    close(fds[middle])
    eq(tcp(), fds[middle])
    raises("ENFILE", net.zsock_socket)
    close(*fds)
    close(tcp())


def test_full_table_keeps_the_waiting_connection():
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, addr)
    fds = filled()
    for _ in range(2):
        raises("ENFILE", net.zsock_accept, fd)
        eq(ready(fd, net.POLLIN), net.POLLIN)
    close(fds.pop())
    server, _ = net.zsock_accept(fd)
    sendall(server, b"served")
    eq(recv_exactly(client, 6), b"served")
    close(fd, client, server, *fds)


@needs("socketpair")
def test_socketpair_with_one_entry_left():
    fds = filled(1)
    raises("ENFILE", net.zsock_socketpair)
    eq(len(net.fds()), len(fds))
    close(tcp())
    close(*fds)


@needs("scm_rights")
def test_rights_into_a_full_table():
    # As the kernel does with a full process: what fits is there, MSG_CTRUNC tells of the rest.
    a, b = net.zsock_socketpair()
    c, d = net.zsock_socketpair()
    fds = filled(1)
    ancdata = [(net.SOL_SOCKET, net.SCM_RIGHTS, array.array("i", [c, d, c]))]
    eq(net.zsock_sendmsg(a, [b"x"], ancdata), 1)
    count, ancdata, flags, _ = net.zsock_recvmsg(b, [bytearray(1)], 256)
    eq((count, flags & net.MSG_CTRUNC), (1, net.MSG_CTRUNC))
    got = [fd for _, _, data in ancdata for fd in struct.unpack("%di" % (len(data) // 4), data)]
    eq((len(got), len(net.fds())), (1, _config.ZVFS_OPEN_MAX))
    # None of those that did not fit is left open beneath: d sees the end of c.
    close(c, *got)
    eq(net.zsock_recv(d, 1), b"")
    close(a, b, d, *fds)


# rows: B15
def test_failures_leave_no_fd():
    fd, addr = listener()
    nonblocking(fd)
    for _ in range(3):
        raises("EAGAIN", net.zsock_accept, fd)
        raises("EAFNOSUPPORT", net.zsock_socket, 99)
        raises("EPROTONOSUPPORT", net.zsock_socket, net.AF_INET, net.SOCK_STREAM, 17)
        if has("socketpair"):
            raises("EOPNOTSUPP", net.zsock_socketpair, net.AF_INET)
    eq(len(net.fds()), 1)
    close(fd)


def test_closing_never_touches_another_socket():
    fds = [pair() for _ in range(4)]
    close(*fds[1])
    addr = closed_port()
    fresh, _ = udp()
    broken = tcp()
    raises("ECONNREFUSED", net.zsock_connect, broken, addr)
    close(broken, fresh)
    for client, server in (fds[0], fds[2], fds[3]):
        sendall(client, b"alive")
        eq(recv_exactly(server, 5), b"alive")
        close(client, server)


def test_close_frees_the_port():
    fd = tcp()
    addr = bind_free(fd, LOOPBACK[net.AF_INET])
    for _ in range(5):
        close(fd)
        fd = tcp()
        net.zsock_bind(fd, addr)
    close(fd)


# rows: A1 E2
def test_an_fd_is_a_plain_int():
    fd = tcp()
    true(isinstance(fd, int))
    table = {fd: "found"}
    eq(table[int(str(fd))], "found")
    close(fd)


@needs("threads")
def test_closeall_beside_a_thread_that_accepts():
    lfd, _ = listener()
    accepting = Thread(net.zsock_accept, lfd)
    # The number that the connection is to have is taken before it comes.
    while len(net.fds()) < 2:
        sleep_ms(1)
    net.closeall()
    eq(net.fds(), [])
    raises("EBADF", accepting.join)
