# TCP: what Zephyr's tcp suite looks at, with Linux's answers.

import usocket_compat as net
from check import (
    LOOPBACK,
    Thread,
    bind_free,
    close,
    eq,
    fill,
    has,
    listener,
    needs,
    nodelay,
    pair,
    raises,
    raises_after,
    ready,
    recv_exactly,
    sendall,
    sized,
    sleep_ms,
    take_error,
    tcp,
    true,
)

V4 = net.AF_INET
V6 = net.AF_INET6
PATTERN = bytes((i * 7 + i // 256) % 256 for i in range(sized(60000, 3000)))


def send_recv(family):
    fd, addr = listener(family)
    client = tcp(family)
    net.zsock_connect(client, addr)
    server, peer = net.zsock_accept(fd)
    eq(len(peer), 4 if family == V6 else 2, "address of accept")
    eq(peer[0], LOOPBACK[family], "host of accept")
    eq(net.zsock_send(client, b"test"), 4)
    eq(net.zsock_recv(server, 16, net.MSG_PEEK), b"test")
    eq(net.zsock_recv(server, 16), b"test")
    close(client)
    for _ in range(3):
        eq(net.zsock_recv(server, 16), b"")
    close(server, fd)


# rows: A1 C39 E4 zsock_send zsock_recv
@needs("MSG_PEEK")
def test_v4_send_recv():
    send_recv(V4)


@needs("AF_INET6", "MSG_PEEK")
def test_v6_send_recv():
    send_recv(V6)


def send_recv_large(family):
    client, server = pair(family)
    thread = Thread(sendall, client, PATTERN)
    got = bytearray()
    while len(got) < len(PATTERN):
        got += net.zsock_recv(server, 1001)
    true(got == PATTERN, "the pattern arrived changed")
    thread.join()
    close(client, server)


@needs("threads")
def test_v4_send_recv_large_normal():
    send_recv_large(V4)


@needs("threads", "AF_INET6")
def test_v6_send_recv_large_normal():
    send_recv_large(V6)


@needs("threads", "TCP_NODELAY")
def test_v4_send_recv_large_nodelay():
    client, server = pair()
    net.zsock_setsockopt(client, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    thread = Thread(sendall, client, PATTERN)
    true(recv_exactly(server, len(PATTERN)) == PATTERN)
    thread.join()
    close(client, server)


def sendto_recvfrom(family):
    # On a connected stream the address of sendto is ignored.
    fd, addr = listener(family)
    client = tcp(family)
    net.zsock_connect(client, addr)
    server, peer = net.zsock_accept(fd)
    eq(peer, net.zsock_getsockname(client))
    eq(net.zsock_sendto(client, b"ping", 0, addr), 4)
    eq(net.zsock_recvfrom(server, 16, net.MSG_PEEK)[0], b"ping")
    eq(net.zsock_recvfrom(server, 16)[0], b"ping")
    eq(net.zsock_sendto(server, b"pong", 0, peer), 4)
    buf = bytearray(16)
    eq(net.zsock_recvfrom(client, buf)[0], 4)
    eq(bytes(buf[:4]), b"pong")
    close(client, server, fd)


# rows: zsock_sendto zsock_recvfrom
@needs("getsockname", "MSG_PEEK")
def test_v4_sendto_recvfrom():
    sendto_recvfrom(V4)


@needs("getsockname", "MSG_PEEK", "AF_INET6")
def test_v6_sendto_recvfrom():
    sendto_recvfrom(V6)


def test_v4_sendto_recvfrom_null_dest():
    # Zephyr's test asks for no source address; here that is recv.
    client, server = pair()
    eq(net.zsock_sendto(client, b"ping", 0, None), 4)
    eq(net.zsock_recv(server, 16), b"ping")
    close(client, server)
    fd = tcp()
    raises("EPIPE", net.zsock_sendto, fd, b"x", 0, None)
    close(fd)


@needs("recvmsg", "MSG_PEEK")
def test_v4_sendto_recvmsg():
    client, server = pair()
    sendall(client, b"0123456789")
    for flags in (net.MSG_PEEK, 0):
        buffers = [bytearray(3), bytearray(1), bytearray(8)]
        count, ancdata, msg_flags, _ = net.zsock_recvmsg(server, buffers, 0, flags)
        eq((count, ancdata, msg_flags & net.MSG_TRUNC), (10, [], 0))
        eq([bytes(b) for b in buffers], [b"012", b"3", b"456789\0\0"])
    close(client, server)


def recv_enotconn(family):
    fd = tcp(family)
    raises("ENOTCONN", net.zsock_recv, fd, 1)
    raises("ENOTCONN", net.zsock_recv, fd, bytearray(1))
    bind_free(fd, LOOPBACK[family])
    net.zsock_listen(fd)
    raises("ENOTCONN", net.zsock_recv, fd, 1)
    close(fd)


def test_v4_recv_enotconn():
    recv_enotconn(V4)


@needs("AF_INET6")
def test_v6_recv_enotconn():
    recv_enotconn(V6)


SHUT_EVENTS = net.POLLIN | net.POLLOUT | net.POLLRDHUP


# rows: E15 zsock_shutdown SHUT_RD
@needs("SHUT_RD")
def test_shutdown_rd_synchronous():
    client, server = pair()
    net.zsock_shutdown(server, net.SHUT_RD)
    eq(net.zsock_recv(server, 1), b"")
    eq(net.zsock_recv(server, bytearray(1)), 0)
    sendall(server, b"still")
    eq(recv_exactly(client, 5), b"still")
    close(client, server)


# rows: D7 SHUT_RD
@needs("SHUT_RD", "threads")
def test_shutdown_rd_while_recv():
    client, server = pair()
    thread = Thread(net.zsock_recv, server, 1)
    eq(ready(server, net.POLLIN, 50), 0)
    net.zsock_shutdown(server, net.SHUT_RD)
    eq(thread.join(), b"")
    close(client, server)


# rows: zsock_shutdown SHUT_RDWR
@needs("shutdown")
def test_shutdown_both_and_errors():
    client, server = pair()
    raises("EINVAL", net.zsock_shutdown, client, 3)
    net.zsock_shutdown(client, net.SHUT_RDWR)
    eq(net.zsock_recv(client, 1), b"")
    raises("EPIPE", net.zsock_send, client, b"x")
    eq(net.zsock_recv(server, 1), b"")
    fresh = tcp()
    raises("ENOTCONN", net.zsock_shutdown, fresh, net.SHUT_WR)
    close(client, server, fresh)


@needs("SHUT_RD")
def test_shutdown_rd_keeps_what_arrived():
    # Linux: what arrives later can be read too, and the other way goes on.
    client, server = pair()
    nodelay(client)
    nodelay(server)
    sendall(client, b"before")
    ready(server, net.POLLIN)
    for _ in range(2):
        net.zsock_shutdown(server, net.SHUT_RD)
    eq(ready(server, SHUT_EVENTS), SHUT_EVENTS)
    if has("FIONREAD"):
        eq(net.zsock_ioctl(server, net.FIONREAD), 6)
    eq(net.zsock_recv(server, 3, net.MSG_PEEK), b"bef")
    eq(net.zsock_recv(server, 3), b"bef")
    sendall(client, b"after")
    sleep_ms(50)
    eq(recv_exactly(server, 8), b"oreafter")
    for _ in range(2):
        eq(net.zsock_recv(server, 5), b"")
        eq(net.zsock_recv(server, bytearray(5), net.MSG_WAITALL), 0)
        eq(ready(server, SHUT_EVENTS), SHUT_EVENTS)
    for data in (b"still", b"there"):
        sendall(server, data)
        eq(recv_exactly(client, 5), data)
    close(server)
    eq(net.zsock_recv(client, 5), b"")
    close(client)


@needs("SHUT_RDWR")
def test_shutdown_both_keeps_what_arrived():
    # The peer gets all that was sent and the end, no reset; what it sent stays readable.
    for size in (0, 6, 4000):
        client, server = pair()
        data = bytes(range(250)) * (size // 250) or b"before"[:size]
        sendall(client, data)
        if size:
            ready(server, net.POLLIN)
            sleep_ms(50)
        sendall(server, b"last words")
        for _ in range(2):
            net.zsock_shutdown(server, net.SHUT_RDWR)
        eq(ready(server, SHUT_EVENTS), SHUT_EVENTS | net.POLLHUP)
        eq(ready(server, 0), net.POLLHUP)
        if has("getsockopt"):
            eq(take_error(server), None)
            eq(net.zsock_getpeername(server), net.zsock_getsockname(client))
            eq(net.zsock_getsockname(server), net.zsock_getpeername(client))
        raises("EPIPE", net.zsock_send, server, b"x")
        raises("EISCONN", net.zsock_connect, server, net.zsock_getpeername(client))
        eq(recv_exactly(client, 10), b"last words")
        for _ in range(2):
            eq(net.zsock_recv(client, 5), b"")
        eq(ready(client, net.POLLIN | net.POLLOUT), net.POLLIN | net.POLLOUT)
        if size:
            eq(net.zsock_recv(server, 2), data[:2])
            eq(recv_exactly(server, size - 2), data[2:])
        for _ in range(2):
            eq(net.zsock_recv(server, 5), b"")
        close(client, server)


# rows: D7 SHUT_RDWR
@needs("SHUT_RDWR", "threads")
def test_shutdown_both_while_recv():
    for flags in (0, net.MSG_WAITALL, net.MSG_PEEK):
        client, server = pair()
        thread = Thread(net.zsock_recv, server, 5, flags)
        eq(ready(server, net.POLLIN, 50), 0)
        net.zsock_shutdown(server, net.SHUT_RDWR)
        eq(thread.join(), b"")
        close(client, server)


@needs("SHUT_RDWR")
def test_shutdown_of_one_way_after_the_other():
    client, server = pair()
    net.zsock_shutdown(server, net.SHUT_RD)
    net.zsock_shutdown(server, net.SHUT_RDWR)
    net.zsock_shutdown(server, net.SHUT_RD)
    eq(net.zsock_recv(client, 5), b"")
    raises("EINVAL", net.zsock_shutdown, server, 3)
    raises("EINVAL", net.zsock_shutdown, server, -1)
    close(client, server)
    raises("EBADF", net.zsock_shutdown, server, net.SHUT_RD)
    fresh = tcp()
    for how in (net.SHUT_RD, net.SHUT_RDWR):
        raises("ENOTCONN", net.zsock_shutdown, fresh, how)
    close(fresh)


@needs("SHUT_RDWR")
def test_shutdown_after_a_reset():
    # A reset connection is none.
    client, server = pair()
    sendall(server, b"unread")
    ready(client, net.POLLIN)
    close(client)
    ready(server, 0)
    raises("ENOTCONN", net.zsock_shutdown, server, net.SHUT_RDWR)
    close(server)


def so_rcvtimeo(family):
    client, server = pair(family)
    for ms in (250, 200):
        net.zsock_setsockopt(client, net.SOL_SOCKET, net.SO_RCVTIMEO, ms / 1000)
        raises_after(ms, "EAGAIN", net.zsock_recv, client, 1)
        raises_after(ms, "EAGAIN", net.zsock_recv, client, bytearray(1))
    sendall(server, b"x")
    eq(net.zsock_recv(client, 1), b"x")
    close(client, server)


@needs("SO_RCVTIMEO")
def test_v4_so_rcvtimeo():
    so_rcvtimeo(V4)


@needs("SO_RCVTIMEO", "AF_INET6")
def test_v6_so_rcvtimeo():
    so_rcvtimeo(V6)


def so_sndtimeo(family):
    client, server = pair(family)
    fill(client)
    for ms in (200, 500):
        net.zsock_setsockopt(client, net.SOL_SOCKET, net.SO_SNDTIMEO, ms / 1000)
        raises_after(ms, "EAGAIN", net.zsock_send, client, b"x")
    close(client, server)


@needs("SO_SNDTIMEO", "MSG_DONTWAIT")
def test_v4_so_sndtimeo():
    so_sndtimeo(V4)


@needs("SO_SNDTIMEO", "MSG_DONTWAIT", "AF_INET6")
def test_v6_so_sndtimeo():
    so_sndtimeo(V6)


def drip(fd, data):
    for i in range(len(data)):
        ready(fd, 0, 10)
        sendall(fd, data[i : i + 1])


def msg_waitall(family):
    client, server = pair(family)
    thread = Thread(drip, client, b"abcde")
    eq(net.zsock_recv(server, 5, net.MSG_WAITALL), b"abcde")
    thread.join()
    thread = Thread(drip, client, b"12345")
    buf = bytearray(5)
    eq(net.zsock_recv(server, buf, net.MSG_WAITALL), 5)
    eq(bytes(buf), b"12345")
    thread.join()
    close(client, server)


# rows: E22 MSG_WAITALL
@needs("MSG_WAITALL", "threads")
def test_v4_msg_waitall():
    msg_waitall(V4)


@needs("MSG_WAITALL", "threads", "AF_INET6")
def test_v6_msg_waitall():
    msg_waitall(V6)


def ioctl_fionread(family):
    client, server = pair(family)
    eq(net.zsock_ioctl(server, net.FIONREAD), 0)
    total = 0
    for size in (1, 30, 300):
        sendall(client, bytes(size))
        total += size
        while net.zsock_ioctl(server, net.FIONREAD) < total:
            ready(server, 0, 1)
        eq(net.zsock_ioctl(server, net.FIONREAD), total)
    recv_exactly(server, 31)
    eq(net.zsock_ioctl(server, net.FIONREAD), 300)
    close(client, server)


@needs("FIONREAD")
def test_ioctl_fionread_of_a_listener():
    fd, _ = listener()
    raises("EINVAL", net.zsock_ioctl, fd, net.FIONREAD)
    close(fd)


# rows: zsock_ioctl FIONREAD
@needs("FIONREAD")
def test_ioctl_fionread_v4():
    ioctl_fionread(V4)


@needs("FIONREAD", "AF_INET6")
def test_ioctl_fionread_v6():
    ioctl_fionread(V6)


# rows: POLLPRI
@needs("MSG_OOB")
def test_urgent_byte():
    client, server = pair()
    sendall(client, b"ab")
    eq(net.zsock_send(client, b"!", net.MSG_OOB), 1)
    eq(ready(server, net.POLLPRI) & net.POLLPRI, net.POLLPRI)
    eq(net.zsock_recv(server, 1, net.MSG_OOB), b"!")
    eq(recv_exactly(server, 2), b"ab")
    raises("EINVAL", net.zsock_recv, server, 1, net.MSG_OOB)
    close(client, server)


# rows: A13
@needs("SO_REUSEADDR")
def test_a_port_that_is_listened_on_is_taken():
    """Linux: SO_REUSEADDR is for what does not listen."""
    fd = tcp()
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    port = bind_free(fd, "")[1]
    net.zsock_listen(fd, 1)
    other = tcp()
    net.zsock_setsockopt(other, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    raises("EADDRINUSE", net.zsock_bind, other, ("127.0.0.1", port))
    raises("EADDRINUSE", net.zsock_bind, other, ("", port))
    close(fd)
    net.zsock_bind(other, ("127.0.0.1", port))
    close(other)


def test_tcp_and_udp_have_their_own_ports():
    fd, addr = listener()
    other = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    net.zsock_bind(other, addr)
    net.zsock_sendto(other, b"x", 0, addr)
    eq(net.zsock_recv(other, 9), b"x")
    close(fd, other)
