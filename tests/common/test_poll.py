# poll: what Zephyr's poll suite looks at, and contract 6.
import usocket_compat as net
from check import (
    OPEN_MAX,
    STARTED,
    Thread,
    at_once,
    between,
    close,
    closed_port,
    drain,
    eq,
    fill,
    has,
    listener,
    needs,
    nonblocking,
    now,
    pair,
    raises,
    ready,
    recv_exactly,
    reset,
    sendall,
    since,
    sleep_ms,
    stream_pair,
    take_error,
    tcp,
    took,
    true,
    udp,
    udp_pair,
)

IN, OUT = net.POLLIN, net.POLLOUT
ERR, HUP, NVAL = net.POLLERR, net.POLLHUP, net.POLLNVAL
RDHUP = net.POLLRDHUP
# of entries that ask for RDHUP, IN and both
ENDED = RDHUP, IN, IN | RDHUP


def poll(timeout, *wanted):
    """(count, [revents]) for (fd, events) pairs."""
    fds = [net.zsock_pollfd(fd, events) for fd, events in wanted]
    return net.zsock_poll(fds, timeout), [p.revents for p in fds]


# rows: zsock_pollfd
def test_pollfd_object():
    p = net.zsock_pollfd(3, IN)
    eq((p.fd, p.events, p.revents), (3, IN, 0))
    p.fd, p.events, p.revents = 4, OUT, 9
    eq((p.fd, p.events, p.revents), (4, OUT, 9))


# rows: zsock_poll POLLIN POLLOUT
def test_poll_udp():
    a, b = udp_pair()
    result, ms = took(poll, 0, (b, IN))
    eq(result, (0, [0]))
    between(ms, 0, 0)
    result, ms = took(poll, 30, (b, IN))
    eq(result, (0, [0]))
    between(ms, 30, 30)
    eq(at_once(poll, 1000, (a, OUT)), (1, [OUT]))
    eq(at_once(poll, 1000, (a, IN | OUT)), (1, [OUT]))
    net.zsock_send(a, b"x")
    eq(poll(1000, (b, IN)), (1, [IN]))
    eq(poll(0, (b, IN | OUT)), (1, [IN | OUT]))
    net.zsock_recv(b, 9)
    eq(poll(0, (b, IN)), (0, [0]))
    close(a, b)


# rows: zsock_poll POLLIN POLLOUT
def test_poll_tcp():
    client, server = pair()
    eq(poll(30, (client, IN), (server, IN)), (0, [0, 0]))
    eq(poll(1000, (client, OUT), (server, IN)), (1, [OUT, 0]))
    sendall(client, b"abc")
    eq(poll(1000, (client, IN), (server, IN)), (1, [0, IN]))
    eq(net.zsock_recv(server, 2), b"ab")
    eq(poll(0, (server, IN)), (1, [IN]), "a byte is left")
    eq(net.zsock_recv(server, 2), b"c")
    eq(poll(0, (server, IN)), (0, [0]))
    close(client, server)


def test_listener_is_readable_when_a_connection_waits():
    fd, addr = listener()
    eq(poll(0, (fd, IN | OUT)), (0, [0]))
    client = tcp()
    net.zsock_connect(client, addr)
    eq(poll(1000, (fd, IN | OUT)), (1, [IN]))
    server, _ = net.zsock_accept(fd)
    eq(poll(0, (fd, IN)), (0, [0]))
    close(client, server, fd)


# rows: POLLHUP
def test_fresh_socket_is_hung_up():
    fd = tcp()
    eq(poll(0, (fd, IN | OUT)), (1, [OUT | HUP]))
    eq(poll(0, (fd, 0)), (1, [HUP]))
    close(fd)


# rows: POLLNVAL
def test_closed_fd_is_invalid():
    a, b = udp_pair()
    close(b)
    eq(at_once(poll, 1000, (b, IN)), (1, [NVAL]))
    eq(at_once(poll, 1000, (a, IN), (b, IN)), (1, [0, NVAL]))
    eq(at_once(poll, 1000, (b, 0), (a, OUT), (999, IN)), (3, [NVAL, OUT, NVAL]))
    close(a)


def test_negative_fd_is_skipped():
    a, b = udp_pair()
    result, ms = took(poll, 30, (-1, IN), (a, IN), (-7, OUT))
    eq(result, (0, [0, 0, 0]))
    between(ms, 30, 30)
    eq(poll(30, (-1, IN), (a, OUT)), (1, [0, OUT]))
    close(a, b)


def test_revents_are_overwritten():
    a, b = udp_pair()
    p = net.zsock_pollfd(a, OUT)
    skipped = net.zsock_pollfd(-1, OUT)
    p.revents = skipped.revents = 0x7F
    eq(net.zsock_poll([p, skipped], 0), 1)
    eq((p.revents, skipped.revents), (OUT, 0))
    p.events = IN
    eq(net.zsock_poll([p, skipped], 0), 0)
    eq(p.revents, 0)
    close(a, b)


def test_the_list_is_reusable_and_may_change():
    a, b = udp_pair()
    p = net.zsock_pollfd(a, IN)
    fds = [p]
    eq(net.zsock_poll(fds, 0), 0)
    net.zsock_send(a, b"x")
    p.fd = b
    eq(net.zsock_poll(fds, 1000), 1)
    p.fd = a
    eq(net.zsock_poll(fds, 0), 0)
    fds.append(net.zsock_pollfd(b, IN | OUT))
    eq(net.zsock_poll(fds, 0), 1)
    eq([x.revents for x in fds], [0, IN | OUT])
    fds.pop()
    eq(net.zsock_poll(fds, 0), 0)
    # The same fd number, another socket.
    close(a, b)
    c, d = udp_pair()
    eq(sorted((c, d)), sorted((a, b)))
    net.zsock_send(d, b"y")
    p.fd = c
    eq((net.zsock_poll(fds, 1000), p.revents), (1, IN))
    close(c, d)
    eq((net.zsock_poll(fds, 0), p.revents), (1, NVAL))
    # And another one, with nothing of the list touched.
    c, d = udp_pair()
    eq(net.zsock_poll(fds, 0), 0)
    net.zsock_send(d if p.fd == c else c, b"z")
    eq((net.zsock_poll(fds, 1000), p.revents), (1, IN))
    close(c, d)
    # And with the platform's descriptors in another order, a file among them.
    with open("shift", "w"):
        c, d = udp_pair()
        eq((net.zsock_poll(fds, 0), p.revents), (0, 0))
        net.zsock_send(d if p.fd == c else c, b"z")
        eq((net.zsock_poll(fds, 1000), p.revents), (1, IN))
        close(c, d)


def test_an_entry_in_the_place_of_another():
    # Both were there before, and the list is as long as it was.
    a, b = udp_pair()
    p, q = net.zsock_pollfd(a, OUT), net.zsock_pollfd(b, IN)
    fds = [p]
    for _ in range(2):
        for fds[0], found in ((p, (1, OUT)), (q, (0, 0)), (p, (1, OUT))):
            for _ in range(3):
                eq((net.zsock_poll(fds, 0), fds[0].revents), found)
    close(a, b)


def test_one_pollfd_in_several_lists():
    a, b = udp_pair()
    pa, pb = net.zsock_pollfd(a, IN), net.zsock_pollfd(b, IN)
    lists = ([pa], [pb, pa], [pb], [pa, pb])
    for _ in range(2):
        eq([net.zsock_poll(fds, 0) for fds in lists], [0, 0, 0, 0])
        net.zsock_send(a, b"x")
        eq(net.zsock_poll(lists[1], 1000), 1)
        eq((pa.revents, pb.revents), (0, IN))
        eq([net.zsock_poll(fds, 0) for fds in lists], [0, 1, 1, 1])
        pb.events = OUT
        eq([net.zsock_poll(fds, 0) for fds in lists], [0, 1, 1, 1])
        eq((pa.revents, pb.revents), (0, OUT))
        pb.events = IN
        net.zsock_recv(b, 1)
    close(a, b)


def test_polling_in_two_threads():
    if not has("threads"):
        return "refused: threads"
    client, server = pair()
    one = Thread(ready, server, IN)
    two = Thread(ready, server, IN)
    sleep_ms(STARTED)
    sendall(client, b"x")
    eq((one.join(), two.join()), (IN, IN))
    close(client, server)


def test_same_fd_twice():
    a, b = udp_pair()
    net.zsock_send(a, b"x")
    ready(b, IN)
    eq(poll(0, (b, IN), (b, OUT), (b, IN | OUT)), (3, [IN, OUT, IN | OUT]))
    eq(poll(0, (a, IN), (a, OUT)), (1, [0, OUT]))
    close(a, b)


def test_same_entry_twice():
    a, b = udp_pair()
    c, d = udp_pair()
    close(d)
    p, q = net.zsock_pollfd(a, OUT), net.zsock_pollfd(b, IN)
    gone = net.zsock_pollfd(d, IN)
    for _ in range(2):
        for fds, count, revents in (
            ([p, q], 1, [OUT, 0]),
            ([p, p], 2, [OUT, OUT]),
            ([q, p, p, q], 2, [0, OUT, OUT, 0]),
            ([q, q], 0, [0, 0]),
            ([gone, p, gone], 3, [NVAL, OUT, NVAL]),
            ((p, q, p), 2, [OUT, 0, OUT]),
            ([q, p], 1, [0, OUT]),
        ):
            for _ in range(2):
                eq((net.zsock_poll(fds, 0), [x.revents for x in fds]), (count, revents))
    # The same list, with other events; another entry of the same fd beside it.
    other = net.zsock_pollfd(b, IN)
    fds = [q, other, q]
    eq(net.zsock_poll(fds, 0), 0)
    net.zsock_send(a, b"x")
    eq((net.zsock_poll(fds, 1000), q.revents, other.revents), (3, IN, IN))
    q.events = OUT
    eq((net.zsock_poll(fds, 0), q.revents, other.revents), (3, OUT, IN))
    net.zsock_recv(b, 9)
    eq((net.zsock_poll(fds, 0), q.revents, other.revents), (2, OUT, 0))
    result, ms = took(net.zsock_poll, [other, other], 30)
    eq(result, 0)
    between(ms, 30, 30)
    close(a, b, c)


def test_a_list_that_was_wrong():
    a, b = udp_pair()
    p, q = net.zsock_pollfd(a, OUT), net.zsock_pollfd(b, IN)
    for fds in ([p, q], [p], [q, p]):
        raises((TypeError, AttributeError), net.zsock_poll, fds + [None], 0)
        eq((net.zsock_poll(fds, 0), [x.revents for x in (p, q)]), (1, [OUT, 0]))
        p.events = q.events = IN
        eq(net.zsock_poll(fds, 0), 0)
        p.events = OUT
    close(a, b)


def test_no_fds():
    eq(net.zsock_poll([], 0), 0)
    result, ms = took(net.zsock_poll, [], 30)
    eq(result, 0)
    between(ms, 30, 30)


@needs("threads")
def test_a_timeout_of_zero_is_at_once():
    # Not even a short wait: a loop asks so between other things.
    a, b = udp_pair()
    same = [net.zsock_pollfd(b, IN)]
    for ask in (
        lambda: net.zsock_poll(same, 0),
        lambda: net.zsock_poll(tuple(same), 0),
        lambda: net.zsock_poll([net.zsock_pollfd(b, IN)], 0),
    ):
        begin = now()
        for _ in range(20):
            eq(ask(), 0)
        true(since(now(), begin) < 500, "20 polls took %d ms" % since(now(), begin))
    close(a, b)


def test_negative_timeout_waits():
    for timeout in (-1, -1000, None):
        client, server = pair()
        thread = Thread(poll, timeout, (server, IN))
        sleep_ms(STARTED)
        true(not thread.done, "poll returned with nothing ready")
        sendall(client, b"x")
        eq(thread.join(), (1, [IN]))
        close(client, server)


@needs("MSG_DONTWAIT")
def test_pollout_tcp():
    client, server = pair()
    eq(ready(client, OUT), OUT)
    sent = fill(client)
    eq(ready(client, OUT, 50), 0)
    drain(server, sent)
    eq(ready(client, OUT), OUT)
    close(client, server)


def test_poll_eof_no_wait():
    # The peer closed: readable at once, and for good. (Zephyr adds POLLHUP, Linux does not.)
    client, server = pair()
    sendall(client, b"end")
    close(client)
    eq(at_once(ready, server, IN), IN)
    eq(recv_exactly(server, 3), b"end")
    for _ in range(2):
        eq(at_once(ready, server, IN), IN)
        eq(net.zsock_recv(server, 5), b"")
    eq(ready(server, IN | OUT), IN | OUT)
    close(server)


def test_end_of_the_peer():
    # POLLRDHUP (poll(2)): the end has come, what was sent before it read or not.
    for make in (pair, stream_pair):
        a, b = make()
        eq(poll(0, (b, RDHUP)), (0, [0]))
        eq(poll(0, (b, IN | OUT | RDHUP)), (1, [OUT]))
        sendall(a, b"end")
        eq(ready(b, IN | RDHUP), IN)
        for _ in range(2):
            result, ms = took(poll, 30, (b, RDHUP))
            eq(result, (0, [0]))
            between(ms, 30, 30)
        hup = HUP if make is stream_pair and has("socketpair") else 0
        close(a)
        eq(ready(b, RDHUP), RDHUP | hup)
        eq(poll(0, (b, RDHUP), (b, IN), (b, IN | RDHUP))[1], [v | hup for v in ENDED])
        eq(ready(b, IN | OUT), IN | OUT | hup)
        eq(recv_exactly(b, 3), b"end")
        for _ in range(2):
            eq(poll(0, (b, IN | RDHUP)), (1, [IN | RDHUP | hup]))
            eq(net.zsock_recv(b, 5), b"")
        close(b)


def test_end_of_the_peer_in_the_same_list():
    a, b = stream_pair()
    p = net.zsock_pollfd(b, IN | RDHUP)
    fds = [p]
    eq(net.zsock_poll(fds, 0), 0)
    close(a)
    for timeout in (1000, -1, 0):
        eq((net.zsock_poll(fds, timeout), p.revents & ~HUP), (1, IN | RDHUP))
    close(b)


def test_end_of_the_peer_while_it_waits():
    for data in (b"", b"unread" * 100):
        a, b = pair()
        sendall(a, data)
        if data:
            ready(b, IN)
        thread = Thread(lambda: (sleep_ms(50), close(a)))
        result, ms = took(poll, 1000, (b, RDHUP))
        eq(result, (1, [RDHUP]))
        between(ms, 0, 50)
        thread.join()
        eq(recv_exactly(b, len(data)), data)
        eq(net.zsock_recv(b, 1), b"")
        close(b)


def test_end_of_the_peer_by_reset():
    a, b = pair()
    sendall(b, b"unread")
    ready(a, IN)
    close(a)  # with data unread: a reset
    eq(ready(b, RDHUP), RDHUP | ERR | HUP)
    eq(ready(b, IN | RDHUP), IN | RDHUP | ERR | HUP)
    raises("ECONNRESET", net.zsock_recv, b, 5)
    close(b)


def test_what_has_no_end():
    a, b = udp_pair()
    net.zsock_send(a, b"x")
    ready(b, IN)
    close(a)
    fresh = tcp()
    fd, addr = listener()
    eq(poll(0, (b, IN | RDHUP), (b, RDHUP), (fd, RDHUP)), (1, [IN, 0, 0]))
    eq(poll(0, (fresh, RDHUP)), (1, [HUP]))
    net.zsock_connect(fresh, addr)
    eq(ready(fd, IN | RDHUP), IN)
    server, _ = net.zsock_accept(fd)
    sendall(server, b"x")
    eq(recv_exactly(fresh, 1), b"x")
    close(b, fd, fresh, server)


# rows: POLLERR
@needs("SO_LINGER")
def test_reset():
    for events in (0, IN, OUT, IN | OUT):
        client, server = pair()
        reset(client)
        eq(ready(server, events), events | ERR | HUP)
        close(server)


@needs("shutdown")
def test_hang_up_when_both_ways_are_shut():
    client, server = pair()
    net.zsock_shutdown(client, net.SHUT_WR)
    eq(ready(server, IN | OUT), IN | OUT)
    net.zsock_shutdown(server, net.SHUT_WR)
    for fd in (client, server):
        eq(ready(fd, IN), IN | HUP)
        eq(ready(fd, 0), HUP)
    close(client, server)


# rows: D22
@needs("SO_ERROR")
def test_finished_connect_is_pollout():
    fd, addr = listener()
    for to, revents, error in (
        (addr, OUT, None),
        (closed_port(), OUT | ERR | HUP, "ECONNREFUSED"),
    ):
        client = tcp()
        nonblocking(client)
        raises("EINPROGRESS", net.zsock_connect, client, to)
        eq(ready(client, OUT), revents)
        eq(take_error(client), error)
        eq(take_error(client), None)
        close(client)
    close(fd)


@needs("MSG_PEEK")
def test_peek_leaves_it_readable():
    client, server = pair()
    sendall(client, b"abc")
    eq(net.zsock_recv(server, 9, net.MSG_PEEK), b"abc")
    eq(poll(0, (server, IN)), (1, [IN]))
    recv_exactly(server, 3)
    eq(poll(0, (server, IN)), (0, [0]))
    close(client, server)


@needs("SO_RCVTIMEO")
def test_timeouts_of_the_socket_do_not_bound_poll():
    client, server = pair()
    net.zsock_setsockopt(server, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.02)
    result, ms = took(poll, 100, (server, IN))
    eq(result, (0, [0]))
    between(ms, 100, 100)
    close(client, server)


def test_poll_on_every_kind():
    fds = [tcp(), udp()[0]]
    fds += stream_pair()
    if has("AF_INET6"):
        fds.append(udp(net.AF_INET6)[0])
    if has("AF_UNIX"):
        fds.append(net.zsock_socket(net.AF_UNIX, net.SOCK_DGRAM))
    count, revents = poll(0, *[(fd, OUT) for fd in fds])
    eq(count, len(fds))
    true(all(r & OUT for r in revents))
    close(*fds)


def test_many_fds_one_ready():
    pairs = [udp_pair() for _ in range(min(16, OPEN_MAX // 2))]
    wanted = [(b, IN) for _, b in pairs]
    for k in (0, len(pairs) // 2, len(pairs) - 1):
        net.zsock_send(pairs[k][0], b"x")
        count, revents = poll(1000, *wanted)
        eq((count, [i for i, r in enumerate(revents) if r]), (1, [k]))
        net.zsock_recv(pairs[k][1], 1)
    for a, b in pairs:
        close(a, b)


def test_bad_arguments():
    a, b = udp_pair()
    p = net.zsock_pollfd(a, OUT)
    for fds in (None, 3, [a], [None], ["x"]):
        raises((TypeError, AttributeError), net.zsock_poll, fds, 0)
    raises(TypeError, net.zsock_poll, [p], "soon")
    eq(net.zsock_poll([p], 0), 1)
    close(a, b)
