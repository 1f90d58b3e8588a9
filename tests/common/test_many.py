# A table with more entries than a machine word has bits, or a fast path has numbers.
import usocket_compat as net
from check import close, eq, raises, tcp


def test_a_full_table_is_emptied():
    fds = [tcp()]
    try:
        while True:
            fds.append(net.zsock_dup(fds[0]))
    except OSError as e:
        eq(e.errno, net.errno.ENFILE)
    eq(fds, list(range(1030)))
    for fd in (5, 1023, 1029):
        net.zsock_close(fd)
        raises("EBADF", net.zsock_close, fd)
        raises("EBADF", net.zsock_fcntl, fd, net.F_GETFL)
        eq(net.zsock_dup(0), fd)
    close(*fds)
    eq(net.fds(), [])
    # Each with a socket of its own, near the end.
    fds = [tcp()]
    fds += [net.zsock_dup(0) for _ in range(1020)]
    more = [tcp() for _ in range(4)]
    eq(more, [1021, 1022, 1023, 1024])
    for fd in more:
        net.zsock_close(fd)
        raises("EBADF", net.zsock_send, fd, b"x")
    net.closeall()
    eq(net.fds(), [])
