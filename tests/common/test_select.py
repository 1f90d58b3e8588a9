# select: what Zephyr's select suite looks at.
import usocket_compat as net
from check import (
    STARTED,
    Thread,
    at_once,
    between,
    close,
    closed_port,
    eq,
    needs,
    nonblocking,
    pair,
    raises,
    ready,
    reset,
    sendall,
    sleep_ms,
    tcp,
    took,
    true,
    udp_pair,
)


def lists(result):
    return tuple(list(x) for x in result)


def select(*args):
    return lists(net.zsock_select(*args))


# rows: zsock_select
@needs("select")
def test_select():
    a, b = udp_pair()
    result, ms = took(select, [b], [], [], 0)
    eq(result, ([], [], []))
    between(ms, 0, 0)
    result, ms = took(select, [b], [], [], 0.03)
    eq(result, ([], [], []))
    between(ms, 30, 30)
    eq(at_once(select, [a, b], [a], [], 1), ([], [a], []))
    net.zsock_send(a, b"x")
    eq(select([a, b], [], [a, b], 1), ([b], [], []))
    eq(select([a, b], [b], [], 1), ([b], [b], []))
    net.zsock_recv(b, 1)
    eq(select([a, b], [], [], 0), ([], [], []))
    close(a, b)


# rows: zsock_select
@needs("select")
def test_select_tcp():
    client, server = pair()
    eq(select([client, server], [client, server], [], 0), ([], [client, server], []))
    sendall(client, b"ab")
    eq(select([client, server], [], [], 1), ([server], [], []))
    net.zsock_recv(server, 1)
    eq(select([server], [], [], 0), ([server], [], []))
    close(client)
    net.zsock_recv(server, 1)
    eq(at_once(select, [server], [], [server], 1), ([server], [], []), "EOF")
    close(server)


@needs("select")
def test_select_invalid_fd():
    a, b = udp_pair()
    close(b)
    for bad in (b, -1, 999):
        for args in (([bad], [], []), ([], [a, bad], []), ([a], [a], [bad])):
            raises("EBADF", net.zsock_select, *args + (0,))
    eq(select([], [a], [], 0), ([], [a], []))
    close(a)


@needs("select")
def test_select_reports_errors_as_read_and_write():
    fd = tcp()
    nonblocking(fd)
    raises("EINPROGRESS", net.zsock_connect, fd, closed_port())
    eq(ready(fd, net.POLLOUT) & net.POLLERR, net.POLLERR)
    eq(select([fd], [fd], [], 0), ([fd], [fd], []))
    close(fd)


@needs("select")
def test_select_a_fresh_socket():
    # Hung up, so that neither call would wait.
    fd = tcp()
    eq(select([fd], [fd], [fd], 0), ([fd], [fd], []))
    close(fd)


@needs("select", "SO_LINGER")
def test_select_after_reset():
    client, server = pair()
    reset(client)
    ready(server, net.POLLIN)
    eq(select([server], [server], [], 0), ([server], [server], []))
    close(server)


@needs("select", "MSG_OOB")
def test_select_exceptional():
    client, server = pair()
    net.zsock_send(client, b"!", net.MSG_OOB)
    eq(select([], [], [server], 2), ([], [], [server]))
    close(client, server)


@needs("select")
def test_select_nothing():
    eq(select([], [], [], 0), ([], [], []))
    result, ms = took(select, [], [], [], 0.03)
    eq(result, ([], [], []))
    between(ms, 30, 30)


@needs("select", "threads")
def test_select_none_waits():
    client, server = pair()
    for args in ((None,), ()):
        thread = Thread(select, [server], [], [], *args)
        sleep_ms(STARTED)
        true(not thread.done, "select returned with nothing ready")
        sendall(client, b"x")
        eq(thread.join(), ([server], [], []))
        net.zsock_recv(server, 1)
    close(client, server)


@needs("select")
def test_select_timeouts():
    raises("EINVAL", net.zsock_select, [], [], [], -1)
    raises("EINVAL", net.zsock_select, [], [], [], -0.5)
    raises(TypeError, net.zsock_select, [], [], [], "1")
    # Shorter than a millisecond is not nothing, and not for ever.
    at_once(net.zsock_select, [], [], [], 0.0004)


@needs("select")
def test_select_fds_are_ints():
    a, b = udp_pair()
    for bad in (None, "x", 1.5):
        raises(TypeError, net.zsock_select, [bad], [], [], 0)
    raises(TypeError, net.zsock_select, 3, [], [], 0)
    eq(select((b,), (a,), (), 0), ([], [a], []), "tuples")
    eq(select([b], {a}, [], 0), ([], [a], []), "a set")
    eq(select(iter([b]), (fd for fd in [a]), [], 0), ([], [a], []), "iterators")
    close(a, b)


@needs("select")
def test_select_same_fd_in_a_list_twice():
    a, b = udp_pair()
    result = select([], [a, a], [], 0)
    eq((set(result[1]), result[0], result[2]), ({a}, [], []))
    result = select([b, b], [a, b, a], [b, b], 0)
    eq((result[0], set(result[1]), result[2]), ([], {a, b}, []))
    net.zsock_send(a, b"x")
    result = select([b, a, b], [b, b], [], 1)
    eq((set(result[0]), set(result[1])), ({b}, {b}))
    close(a, b)


@needs("select")
def test_the_callers_lists_stay():
    a, b = udp_pair()
    r, w = [a, b], [b]
    net.zsock_select(r, w, [], 0)
    eq((r, w), ([a, b], [b]))
    close(a, b)
