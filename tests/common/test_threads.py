# Contract 9: a reader and a writer at once; a close ends what is blocked.
import usocket_compat as net
from check import (
    OPEN_MAX,
    SOON,
    STARTED,
    WAKE,
    Thread,
    black_hole,
    close,
    eq,
    fill,
    listener,
    needs,
    nodelay,
    now,
    pair,
    raises,
    recv_exactly,
    sendall,
    since,
    sized,
    sleep_ms,
    stream_pair,
    tcp,
    true,
    udp,
)
from usocket_compat import fdtable


def ended_by_close(fd, call, *args):
    """The call blocks; closing fd in this thread ends it with EBADF in time."""
    thread = Thread(call, *args)
    sleep_ms(STARTED)
    true(not thread.done, "%s did not block: %r" % (call.__name__, thread.result or thread.error))
    start = now()
    close(fd)
    raises("EBADF", thread.join)
    ms = since(thread.ended, start)
    true(ms <= WAKE, "%s ended %d ms after the close" % (call.__name__, ms))


@needs("threads")
def test_close_while_accept():
    fd, _ = listener()
    ended_by_close(fd, net.zsock_accept, fd)


@needs("threads")
def test_close_while_recv():
    for args in ((1,), (bytearray(1),), (1, net.MSG_PEEK)):
        client, server = pair()
        ended_by_close(server, net.zsock_recv, server, *args)
        close(client)


@needs("threads")
def test_close_while_recvfrom():
    fd, _ = udp()
    ended_by_close(fd, net.zsock_recvfrom, fd, 1)


@needs("threads", "recvmsg")
def test_close_while_recvmsg():
    fd, _ = udp()
    ended_by_close(fd, net.zsock_recvmsg, fd, [bytearray(1)])


@needs("threads", "MSG_WAITALL")
def test_close_while_waiting_for_all():
    client, server = pair()
    thread = Thread(net.zsock_recv, server, 5, net.MSG_WAITALL)
    sendall(client, b"12")
    sleep_ms(STARTED)
    true(not thread.done)
    close(server)
    # What had arrived is returned, or the close is told.
    try:
        eq(thread.join(), b"12")
    except OSError as e:
        eq(e.errno, net.errno.EBADF)
    close(client)


@needs("threads", "MSG_DONTWAIT")
def test_close_while_send():
    client, server = pair()
    fill(client)
    ended_by_close(client, net.zsock_send, client, b"x")
    close(server)


@needs("threads")
def test_close_while_connect():
    fd, addr, queued = black_hole()
    client = tcp()
    ended_by_close(client, net.zsock_connect, client, addr)
    close(queued, fd)


@needs("threads", "socketpair")
def test_close_while_recv_of_a_pair():
    a, b = net.zsock_socketpair()
    ended_by_close(b, net.zsock_recv, b, 1)
    close(a)


@needs("threads")
def test_close_while_poll():
    a, _ = udp()
    b, _ = udp()
    polls = [net.zsock_pollfd(a, net.POLLIN), net.zsock_pollfd(b, net.POLLIN)]
    thread = Thread(net.zsock_poll, polls, 10000)
    sleep_ms(STARTED)
    start = now()
    close(b)
    eq(thread.join(), 1)
    true(since(thread.ended, start) <= WAKE)
    eq([p.revents for p in polls], [0, net.POLLNVAL])
    close(a)


@needs("threads", "select")
def test_close_while_select():
    a, _ = udp()
    b, _ = udp()
    ended_by_close(b, net.zsock_select, [a, b], [], [], 10)
    close(a)


@needs("threads", "SO_RCVTIMEO")
def test_close_while_recv_with_a_timeout():
    client, server = pair()
    net.zsock_setsockopt(server, net.SOL_SOCKET, net.SO_RCVTIMEO, 10)
    ended_by_close(server, net.zsock_recv, server, 1)
    close(client)


@needs("threads")
def test_close_ends_every_blocked_call():
    client, server = pair()
    threads = [Thread(net.zsock_recv, server, 1) for _ in range(3)]
    sleep_ms(STARTED)
    close(server)
    for thread in threads:
        raises("EBADF", thread.join)
    close(client)


@needs("threads")
def test_a_reused_fd_is_not_read_by_the_old_reader():
    client, server = pair()
    thread = Thread(net.zsock_recv, server, 10)
    sleep_ms(STARTED)
    close(server)
    a, b = stream_pair()
    true(server in (a, b), "the fd is not reused")
    other = a if server == b else b
    sendall(other, b"not for you")
    raises("EBADF", thread.join)
    eq(recv_exactly(server, 11), b"not for you")
    close(a, b, client)


@needs("threads")
def test_one_reader_one_writer():
    # Both directions of both sockets, each in a thread of its own.
    a, b = pair()
    size = sized(400000, 60000)
    pattern = bytes(range(251))
    whole = pattern * sized(40, 6)

    def write(fd):
        data = whole
        sent = 0
        while sent < size:
            n = min(len(data), size - sent)
            sendall(fd, memoryview(data)[:n])
            sent += n

    def read(fd):
        buf = bytearray(sized(4096, 512))
        data = whole
        got = 0
        while got < size:
            n = net.zsock_recv(fd, memoryview(buf)[: min(len(buf), size - got)])
            start = got % 251
            if not n or buf[:n] != data[start : start + n]:
                return "changed or cut at %d" % got
            got += n
        return "same"

    readers = [Thread(read, fd) for fd in (a, b)]
    writers = [Thread(write, fd) for fd in (a, b)]
    for thread in readers:
        eq(thread.join(10 * SOON), "same")
    for thread in writers:
        thread.join()
    close(a, b)


@needs("threads")
def test_a_writer_is_not_held_up_by_a_blocked_reader():
    a, b = pair()
    nodelay(a)
    thread = Thread(net.zsock_recv, a, 1)
    sleep_ms(STARTED)
    start = now()
    for _ in range(20):
        sendall(a, b"x")
        eq(net.zsock_recv(b, 1), b"x")
    true(since(now(), start) < SOON / 2)
    true(not thread.done)
    sendall(b, b"!")
    eq(thread.join(), b"!")
    close(a, b)


@needs("threads")
def test_two_acceptors():
    fd, addr = listener()
    threads = [Thread(net.zsock_accept, fd) for _ in range(2)]
    sleep_ms(STARTED)
    clients = [tcp(), tcp()]
    for client in clients:
        net.zsock_connect(client, addr)
    servers = [thread.join()[0] for thread in threads]
    eq(len(set(servers + clients)), 4)
    close(fd, *servers + clients)


@needs("threads")
def test_two_readers_share_what_comes():
    client, server = pair()
    threads = [Thread(net.zsock_recv, server, 1) for _ in range(3)]
    sleep_ms(STARTED)
    sendall(client, b"abc")
    eq(sorted(thread.join() for thread in threads), [b"a", b"b", b"c"])
    close(client, server)


@needs("threads")
def test_sockets_made_in_many_threads():
    def work(n):
        for _ in range(n):
            fds = [tcp() for _ in range(3)]
            if len(set(fds)) != 3:
                return "an fd was given twice"
            a, b = pair()
            sendall(a, b"x")
            if net.zsock_recv(b, 1) != b"x":
                return "a stranger's byte"
            close(a, b, *fds)
        return "fine"

    threads = [Thread(work, 30) for _ in range(min(4, OPEN_MAX // 6))]
    for thread in threads:
        eq(thread.join(10 * SOON), "fine")
    eq(fdtable.used(), 0)


@needs("threads")
def test_only_one_close_succeeds():
    for _ in range(sized(30, 10)):
        fd = tcp()

        def attempt():
            try:
                net.zsock_close(fd)
                return 1
            except OSError as e:
                eq(e.errno, net.errno.EBADF)
                return 0

        threads = [Thread(attempt) for _ in range(3)]
        eq(sum(thread.join() for thread in threads), 1)


@needs("threads")
def test_many_wait_for_the_same_thing():
    # Long enough that none of them is in its first try any more.
    fd, addr = listener()
    sink, sink_addr = udp()
    client, server = pair()
    acceptors = [Thread(net.zsock_accept, fd) for _ in range(2)]
    readers = [Thread(net.zsock_recvfrom, sink, 1) for _ in range(2)]
    both = [Thread(net.zsock_recv, server, 1) for _ in range(2)]
    sleep_ms(400)
    for thread in acceptors + readers + both:
        true(not thread.done, "it ended with %r" % (thread.error or thread.result,))
    for _ in range(2):
        fds = tcp(), udp()[0]
        net.zsock_connect(fds[0], addr)
        net.zsock_sendto(fds[1], b"x", 0, sink_addr)
        sendall(client, b"x")
        close(*fds)
    for thread in acceptors:
        close(thread.join()[0])
    for thread in readers + both:
        thread.join()
    close(fd, sink, client, server)
