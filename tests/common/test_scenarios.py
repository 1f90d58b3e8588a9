# The scenarios that tell a faithful layer from a toy, one test a row.
# Row 11 with its own time limit: test_connect_timeout.py. Row 21 and the name and dup parts of
# row 25 speak of conveniences that this layer does not have.
import usocket_compat as net
from check import (
    CHUNK,
    STARTED,
    WAKE,
    Thread,
    at_once,
    black_hole,
    close,
    closed_port,
    eq,
    has,
    listener,
    needs,
    nonblocking,
    now,
    pair,
    raises,
    raises_after,
    ready,
    recv_exactly,
    reset,
    sendall,
    since,
    sized,
    sleep_ms,
    take_error,
    tcp,
    true,
    udp,
)

IN, OUT = net.POLLIN, net.POLLOUT
ERR, HUP, NVAL = net.POLLERR, net.POLLHUP, net.POLLNVAL


# rows: A22 E15 zsock_shutdown SHUT_WR
@needs("shutdown")
def test_s01_half_close():
    client, server = pair()
    sendall(client, b"early")
    net.zsock_shutdown(client, net.SHUT_WR)
    eq(recv_exactly(server, 5), b"early")
    eq(net.zsock_recv(server, 5), b"")
    eq(ready(client, IN | OUT), OUT)
    raises("EPIPE", net.zsock_send, client, b"x")
    sendall(server, b"late")
    close(server)
    eq(recv_exactly(client, 4), b"late")
    for _ in range(2):
        eq(net.zsock_recv(client, 5), b"")
    close(client)


@needs("SO_LINGER")
def test_s02_reset():
    client, server = pair()
    reset(client)
    ready(server, IN)  # it could be sent to before the reset came
    eq(ready(server, IN | OUT), IN | OUT | ERR | HUP)
    raises("ECONNRESET", net.zsock_recv, server, 1)
    for _ in range(2):
        eq(net.zsock_recv(server, 1), b"")
    raises("EPIPE", net.zsock_send, server, b"x")
    if has("getpeername"):
        raises("ENOTCONN", net.zsock_getpeername, server)
    close(server)


# rows: C5
def test_s04_close_with_unread_data():
    client, server = pair()
    sendall(client, b"never read")
    eq(ready(server, IN), IN)
    close(server)
    eq(ready(client, IN) & IN, IN)
    raises("ECONNRESET", net.zsock_recv, client, 1)
    close(client)


# rows: E33
def test_s04_listener_closed_with_a_pending_connection():
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, addr)
    close(fd)
    eq(ready(client, IN) & IN, IN)
    raises("ECONNRESET", net.zsock_recv, client, 1)
    close(client)


@needs("MSG_PEEK")
def test_s06_peek_data_and_eof():
    client, server = pair()
    sendall(client, b"abc")
    for _ in range(2):
        eq(net.zsock_recv(server, 5, net.MSG_PEEK), b"abc")
        eq(ready(server, IN), IN)
    eq(net.zsock_recv(server, 5), b"abc")
    close(client)
    for _ in range(2):
        eq(net.zsock_recv(server, 5, net.MSG_PEEK), b"")
    for _ in range(2):
        eq(net.zsock_recv(server, 5), b"")
    close(server)


@needs("MSG_PEEK", "SO_LINGER")
def test_s06_peek_at_reset():
    client, server = pair()
    reset(client)
    ready(server, IN)
    raises("ECONNRESET", net.zsock_recv, server, 1, net.MSG_PEEK)
    eq(net.zsock_recv(server, 1, net.MSG_PEEK), b"")
    eq(net.zsock_recv(server, 1), b"")
    close(server)


# rows: A17 D22
@needs("SO_ERROR")
def test_s07_nonblocking_connect_refused():
    client = tcp()
    nonblocking(client)
    raises("EINPROGRESS", net.zsock_connect, client, closed_port())
    eq(ready(client, IN | OUT), OUT | IN | ERR | HUP)
    eq(take_error(client), "ECONNREFUSED")
    eq(take_error(client), None)
    if has("getpeername"):
        raises("ENOTCONN", net.zsock_getpeername, client)
    eq(net.zsock_fcntl(client, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
    close(client)


# rows: A17 D1 D3 D22
@needs("SO_ERROR", "getpeername")
def test_s08_nonblocking_connect():
    fd, addr = listener()
    client = tcp()
    nonblocking(client)
    raises("EINPROGRESS", net.zsock_connect, client, addr)
    eq(ready(client, IN | OUT), OUT)
    eq(take_error(client), None)
    eq(net.zsock_getpeername(client), addr)
    eq(net.zsock_connect(client, addr), None)
    for _ in range(2):
        raises("EISCONN", net.zsock_connect, client, addr)
    at_once(raises, "EAGAIN", net.zsock_recv, client, 1)
    close(client, fd)


# rows: A17
def test_s10_blocking_connect_refused():
    addr = closed_port()
    for _ in range(50):
        fd = tcp()
        raises("ECONNREFUSED", net.zsock_connect, fd, addr)
        close(fd)


@needs("SO_SNDTIMEO")
def test_s11_connect_to_a_black_hole():
    fd, addr, queued = black_hole()
    client = tcp()
    net.zsock_setsockopt(client, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.3)
    raises_after(300, "EINPROGRESS", net.zsock_connect, client, addr)
    close(client)
    eq(at_once(ready, client, IN | OUT), NVAL)
    close(queued, fd)


def test_s13_close_while_registered_in_poll():
    client, server = pair()
    fds = [net.zsock_pollfd(server, IN), net.zsock_pollfd(client, IN)]
    eq(net.zsock_poll(fds, 0), 0)
    close(server)
    eq(at_once(net.zsock_poll, fds, 1000) > 0, True)
    eq(fds[0].revents, NVAL)
    close(client)


@needs("threads")
def test_s13_close_during_poll():
    client, server = pair()
    thread = Thread(ready, server, IN, 10000)
    sleep_ms(STARTED)
    close(server)
    eq(thread.join(), NVAL)
    close(client)


def test_s13_listen_then_close():
    fd, _ = listener()
    eq(ready(fd, IN, 0), 0)
    close(fd)
    eq(at_once(ready, fd, IN), NVAL)


# rows: C11
def test_s14_close_twice_with_a_new_socket_between():
    # The platform reuses its descriptors in another order than the layer its fds.
    a, b, c = tcp(), tcp(), tcp()
    close(b, a)
    fresh, _ = udp()
    other, addr = udp()
    eq(sorted((fresh, other)), sorted((a, b)))
    close(c)
    raises("EBADF", net.zsock_close, c)
    close(fresh)
    raises("EBADF", net.zsock_close, fresh)
    net.zsock_sendto(other, b"alive", 0, addr)
    eq(net.zsock_recv(other, 9), b"alive")
    close(other)


def woken(thread, fd):
    """Close fd under the thread's blocking call; that must end it in time."""
    sleep_ms(STARTED)
    true(not thread.done, "the call did not block")
    start = now()
    close(fd)
    raises("EBADF", thread.join)
    ms = since(thread.ended, start)
    true(ms <= WAKE, "the call ended %d ms after the close" % ms)


@needs("threads")
def test_s15_close_during_accept():
    fd, _ = listener()
    woken(Thread(net.zsock_accept, fd), fd)


@needs("threads")
def test_s15_close_during_recv():
    client, server = pair()
    woken(Thread(net.zsock_recv, server, 1), server)
    # To the peer this is a plain close.
    eq(net.zsock_recv(client, 1), b"")
    close(client)


# rows: D18
@needs("recvmsg")
def test_s17_scatter_read():
    client, server = pair()
    sendall(client, b"abcdefg")
    head, tail = bytearray(3), bytearray(b"????.")
    eq(net.zsock_recvmsg(server, [head, tail])[0], 7)
    eq((bytes(head), bytes(tail)), (b"abc", b"defg."))
    close(client, server)


def chunk_at(position, n):
    """n bytes of an endless pattern, from a position on."""
    start = position % 251
    return (PATTERN[start:] + PATTERN * (n // 251 + 1))[:n]


PATTERN = bytes(range(251))
BLOCK = 251 * sized(256, 4)
MEGA = sized(1000000, 100000)


# rows: E31
def test_s17_full_duplex():
    fds = pair()
    sent, got = [0, 0], [0, 0]
    buf = bytearray(CHUNK)
    block = chunk_at(0, BLOCK)
    polls = [net.zsock_pollfd(fd, IN | OUT) for fd in fds]
    for fd in fds:
        nonblocking(fd)
    while got != [MEGA, MEGA]:
        true(net.zsock_poll(polls, 5000), "both directions stand still")
        for i, p in enumerate(polls):
            if p.revents & IN:
                n = net.zsock_recv(p.fd, buf)
                true(n and buf[:n] == chunk_at(got[i], n), "changed at %d" % got[i])
                got[i] += n
            if p.revents & OUT:
                start = sent[i] % 251
                n = min(MEGA - sent[i], len(block) - start)
                sent[i] += net.zsock_send(p.fd, memoryview(block)[start : start + n])
                if sent[i] == MEGA:
                    p.events = IN
    eq(sent, got)
    close(*fds)


# rows: A22
@needs("shutdown", "threads")
def test_s18_long_stream_and_its_end():
    client, server = pair()
    total = 10 * MEGA

    def send():
        block = chunk_at(0, BLOCK)
        sent = 0
        while sent < total:
            n = min(len(block), total - sent)
            sendall(client, memoryview(block)[:n])
            sent += n
        sendall(client, b"!")
        net.zsock_shutdown(client, net.SHUT_WR)

    thread = Thread(send)
    buf = bytearray(CHUNK)
    got = 0
    while got < total:
        n = net.zsock_recv(server, memoryview(buf)[: min(len(buf), total - got)])
        true(n and buf[:n] == chunk_at(got, n), "changed or cut at %d" % got)
        got += n
    eq(net.zsock_recv(server, 5), b"!")
    for _ in range(2):
        eq(net.zsock_recv(server, 5), b"")
    thread.join()
    close(client, server)


def drip(fd, data):
    for i in range(len(data)):
        sleep_ms(20)
        sendall(fd, data[i : i + 1])


# rows: E22 MSG_WAITALL
@needs("MSG_WAITALL", "threads")
def test_s20_waitall_drip():
    client, server = pair()
    thread = Thread(drip, client, b"12345")
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL), b"12345")
    thread.join()
    close(client, server)


@needs("MSG_WAITALL")
def test_s20_waitall_eof():
    client, server = pair()
    sendall(client, b"123")
    close(client)
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL), b"123")
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL), b"")
    close(server)


@needs("MSG_WAITALL", "SO_RCVTIMEO")
def test_s20_waitall_timeout():
    client, server = pair()
    sendall(client, b"12")
    net.zsock_setsockopt(server, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.1)
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL), b"12")
    raises_after(100, "EAGAIN", net.zsock_recv, server, 5, net.MSG_WAITALL)
    sendall(client, b"345")
    buf = bytearray(5)
    eq(net.zsock_recv(server, buf, net.MSG_WAITALL), 3)
    eq(bytes(buf), b"345\0\0")
    close(client, server)


@needs("getsockopt", "TCP_NODELAY", "IP_TOS", "TCP_KEEPIDLE")
def test_s23_options_honest():
    # Round trips, limits and inheritance of every option: test_options.py.
    client, server = pair()
    TCP, IP, SOL = net.IPPROTO_TCP, net.IPPROTO_IP, net.SOL_SOCKET
    net.zsock_setsockopt(client, IP, net.IP_TOS, 0x10)
    eq(net.zsock_getsockopt(client, TCP, net.TCP_NODELAY), 0, "IP_TOS must not set TCP_NODELAY")
    eq(net.zsock_getsockopt(client, IP, net.IP_TOS), 0x10)
    net.zsock_setsockopt(client, TCP, net.TCP_NODELAY, 1)
    eq(net.zsock_getsockopt(client, TCP, net.TCP_NODELAY), 1)
    for option in (net.TCP_KEEPIDLE, net.TCP_KEEPINTVL, net.TCP_KEEPCNT):
        raises("EINVAL", net.zsock_setsockopt, client, TCP, option, 0)
    for ttl in (0, 256):
        raises("EINVAL", net.zsock_setsockopt, client, IP, net.IP_TTL, ttl)
    net.zsock_setsockopt(client, IP, net.IP_TTL, 10)
    eq(net.zsock_getsockopt(client, IP, net.IP_TTL), 10)
    net.zsock_setsockopt(client, SOL, net.SO_RCVBUF, 20000)
    true(net.zsock_getsockopt(client, SOL, net.SO_RCVBUF) >= 20000)
    raises("ENOPROTOOPT", net.zsock_setsockopt, client, TCP, 12345, 1)
    raises("ENOPROTOOPT", net.zsock_getsockopt, client, SOL, 12345)
    close(client, server)


# rows: C15
@needs("getaddrinfo", "AF_INET6")
def test_s25_second_address_is_tried():
    # No name is needed: without a host the answers are ::1, where nobody listens, and 127.0.0.1.
    fd, addr = listener()
    tried = []
    for family, kind, proto, _, to in net.zsock_getaddrinfo(None, addr[1], 0, net.SOCK_STREAM):
        client = net.zsock_socket(family, kind, proto)
        try:
            net.zsock_connect(client, to)
        except OSError as e:
            eq(e.errno, net.errno.ECONNREFUSED)
            close(client)
            tried.append(to[0])
        else:
            break
    eq((tried, to), (["::1"], addr))
    close(client, fd)
