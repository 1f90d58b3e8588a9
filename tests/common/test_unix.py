# AF_UNIX: streams and datagrams, paths, abstract names, unnamed sockets.
import usocket_compat as net
from check import (
    STARTED,
    Thread,
    close,
    eq,
    has,
    needs,
    nonblocking,
    path,
    raises,
    ready,
    recv_exactly,
    sendall,
    sleep_ms,
    sockaddr_family,
    true,
)

UNIX = net.AF_UNIX
STREAM, DGRAM = net.SOCK_STREAM, net.SOCK_DGRAM


def stream_server(name):
    fd = net.zsock_socket(UNIX, STREAM)
    net.zsock_bind(fd, name)
    net.zsock_listen(fd)
    return fd


def datagram(name=None):
    fd = net.zsock_socket(UNIX, DGRAM)
    if name is not None:
        net.zsock_bind(fd, name)
    return fd


def exchange(name):
    """A stream by that name; the address of accept."""
    fd = stream_server(name)
    client = net.zsock_socket(UNIX, STREAM)
    net.zsock_connect(client, name)
    server, peer = net.zsock_accept(fd)
    sendall(client, b"ping")
    eq(recv_exactly(server, 4), b"ping")
    sendall(server, b"pong")
    eq(recv_exactly(client, 4), b"pong")
    close(client)
    eq(net.zsock_recv(server, 1), b"")
    close(server, fd)
    return peer


# rows: AF_UNIX AF_LOCAL
@needs("AF_UNIX")
def test_stream():
    eq(exchange(path()), "")


# rows: E25 AF_UNIX
@needs("AF_UNIX")
def test_forms_of_a_path():
    exchange("./" + path())
    exchange(path().encode())
    exchange(bytearray(path().encode()))
    exchange(sockaddr_family(UNIX) + path().encode())


@needs("AF_UNIX")
def test_path_that_is_not_ascii():
    exchange(path() + "-\u00e9\u4e2d")


@needs("AF_UNIX", "getsockname", "getpeername")
def test_names():
    name, other = path(), path()
    fd = stream_server(name)
    eq(net.zsock_getsockname(fd), name)
    client = net.zsock_socket(UNIX, STREAM)
    eq(net.zsock_getsockname(client), "")
    raises("ENOTCONN", net.zsock_getpeername, client)
    net.zsock_bind(client, other)
    net.zsock_connect(client, name)
    server, peer = net.zsock_accept(fd)
    eq(peer, other)
    eq((net.zsock_getpeername(client), net.zsock_getpeername(server)), (name, other))
    eq((net.zsock_getsockname(client), net.zsock_getsockname(server)), (other, name))
    close(client, server, fd)


@needs("AF_UNIX")
def test_long_paths():
    # 107 bytes and the terminating zero fill sun_path.
    for n in (60, 107):
        exchange("x" * n)
    for n in (108, 109, 200, 5000):
        fd = net.zsock_socket(UNIX, STREAM)
        raises("EINVAL", net.zsock_bind, fd, "x" * n)
        raises("EINVAL", net.zsock_connect, fd, "x" * n)
        close(fd)


@needs("AF_UNIX", "getsockname")
def test_a_long_name_comes_back_whole():
    name = "y" * 100
    fd, sender = datagram(), datagram(name)
    to = path()
    net.zsock_bind(fd, to)
    eq(net.zsock_getsockname(sender), name)
    net.zsock_sendto(sender, b"x", 0, to)
    eq(net.zsock_recvfrom(fd, 5), (b"x", name))
    close(fd, sender)


@needs("AF_UNIX")
def test_abstract_names():
    for name in (b"\0usocket-%d" % id([]), b"\0with\0zero\0", bytearray(b"\0array\xff")):
        eq(exchange(name), "")


@needs("AF_UNIX", "getsockname")
def test_abstract_names_come_back():
    name = b"\0usocket\0name"
    fd = stream_server(name)
    eq(net.zsock_getsockname(fd), name)
    client = net.zsock_socket(UNIX, STREAM)
    net.zsock_connect(client, net.zsock_getsockname(fd))
    eq(net.zsock_getpeername(client), name)
    other = net.zsock_socket(UNIX, STREAM)
    raises("EADDRINUSE", net.zsock_bind, other, name)
    close(other)
    close(net.zsock_accept(fd)[0], client, fd)


@needs("AF_UNIX")
def test_abstract_names_go_with_their_socket():
    name = b"\0usocket-gone"
    close(stream_server(name))
    fd = net.zsock_socket(UNIX, STREAM)
    raises("ECONNREFUSED", net.zsock_connect, fd, name)
    net.zsock_bind(fd, name)
    close(fd)


@needs("AF_UNIX", "getsockname")
def test_autobind():
    # unix(7): a bind to nothing gives an abstract name.
    fd = net.zsock_socket(UNIX, DGRAM)
    net.zsock_bind(fd, "")
    name = net.zsock_getsockname(fd)
    eq((name[:1], len(name)), (b"\0", 6))
    client = datagram()
    net.zsock_sendto(client, b"x", 0, name)
    eq(net.zsock_recv(fd, 5), b"x")
    close(fd, client)


@needs("AF_UNIX")
def test_datagrams():
    a_name, b_name = path(), path()
    a, b = datagram(a_name), datagram(b_name)
    for data in (b"one", b"", b"three"):
        eq(net.zsock_sendto(a, data, 0, b_name), len(data))
    eq(net.zsock_recvfrom(b, 10), (b"one", a_name))
    eq(net.zsock_recvfrom(b, bytearray(10)), (0, a_name))
    eq(net.zsock_recv(b, 3), b"thr")
    nonblocking(b)
    raises("EAGAIN", net.zsock_recv, b, 3)
    net.zsock_connect(a, b_name)
    eq(net.zsock_send(a, b"hi"), 2)
    eq(ready(b, net.POLLIN), net.POLLIN)
    eq(net.zsock_recvfrom(b, 10), (b"hi", a_name))
    close(a, b)


@needs("AF_UNIX", "threads")
def test_a_full_receiver_makes_sendto_wait():
    name = path()
    a, b = datagram(), datagram(name)
    queued = 0
    try:
        while queued < 10000:
            net.zsock_sendto(a, b"x", net.MSG_DONTWAIT, name)
            queued += 1
    except OSError as e:
        eq(e.errno, net.errno.EAGAIN)
    thread = Thread(net.zsock_sendto, a, b"last", 0, name)
    sleep_ms(STARTED)
    true(not thread.done, "it did not wait for room")
    for _ in range(queued):
        eq(net.zsock_recv(b, 9), b"x")
    eq(thread.join(), 4)
    eq(net.zsock_recv(b, 9), b"last")
    close(a, b)


@needs("AF_UNIX")
def test_unnamed_sender():
    name = path()
    a, b = datagram(), datagram(name)
    net.zsock_sendto(a, b"who", 0, name)
    data, addr = net.zsock_recvfrom(b, 10)
    eq(data, b"who")
    true(not addr, "an unnamed sender has no address: " + repr(addr))
    close(a, b)


@needs("AF_UNIX")
def test_errors():
    name = path()
    fd = net.zsock_socket(UNIX, STREAM)
    raises("ENOENT", net.zsock_connect, fd, path())
    raises("ENOENT", net.zsock_bind, fd, path() + "/no/such/folder")
    plain = path()
    with open(plain, "w") as f:
        f.write("no socket")
    raises("ECONNREFUSED", net.zsock_connect, fd, plain)
    raises("EADDRINUSE", net.zsock_bind, fd, plain)
    raises("ENOTDIR", net.zsock_bind, fd, plain + "/below")
    server = stream_server(name)
    close(server)
    raises("ECONNREFUSED", net.zsock_connect, fd, name)
    raises("EADDRINUSE", net.zsock_bind, fd, name)
    close(fd)


@needs("AF_UNIX")
def test_kinds_do_not_mix():
    name, stream_name = path(), path()
    a, server = datagram(name), stream_server(stream_name)
    client = net.zsock_socket(UNIX, STREAM)
    raises("EPROTOTYPE", net.zsock_connect, client, name)
    raises("EPROTOTYPE", net.zsock_connect, a, stream_name)
    raises("EPROTOTYPE", net.zsock_sendto, a, b"x", 0, stream_name)
    close(a, server, client)


@needs("AF_UNIX")
def test_unconnected():
    a, b = datagram(), net.zsock_socket(UNIX, STREAM)
    raises("ENOTCONN", net.zsock_send, a, b"x")
    raises("ENOTCONN", net.zsock_send, b, b"x")
    raises("EINVAL", net.zsock_recv, b, 1)
    raises("EOPNOTSUPP", net.zsock_listen, a)
    raises("EINVAL", net.zsock_accept, b)
    close(a, b)


@needs("AF_UNIX")
def test_closed_listener_refuses_at_once():
    # Unlike TCP a full or closed listener is told without waiting.
    name = path()
    fd = net.zsock_socket(UNIX, STREAM)
    net.zsock_bind(fd, name)
    client = net.zsock_socket(UNIX, STREAM)
    raises("ECONNREFUSED", net.zsock_connect, client, name)
    net.zsock_listen(fd, 0)
    net.zsock_connect(client, name)
    second = net.zsock_socket(UNIX, STREAM)
    nonblocking(second)
    raises("EAGAIN", net.zsock_connect, second, name)
    close(fd, client, second)


@needs("AF_UNIX")
def test_nonblocking_connect_is_immediate():
    name = path()
    fd = stream_server(name)
    client = net.zsock_socket(UNIX, STREAM | net.SOCK_NONBLOCK)
    net.zsock_connect(client, name)
    eq(ready(client, net.POLLOUT), net.POLLOUT)
    close(fd, client)


@needs("AF_UNIX")
def test_malformed():
    fd = net.zsock_socket(UNIX, STREAM)
    for addr in (None, 5, 1.5, ("path", 1), ["path"], ()):
        raises(TypeError, net.zsock_connect, fd, addr)
        raises(TypeError, net.zsock_bind, fd, addr)
    net.zsock_bind(fd, path())
    close(fd)


@needs("AF_UNIX", "SO_LINGER")
def test_closed_peer_with_unread_data():
    name = path()
    fd = stream_server(name)
    client = net.zsock_socket(UNIX, STREAM)
    net.zsock_connect(client, name)
    server, _ = net.zsock_accept(fd)
    sendall(client, b"unread")
    close(server)
    raises("ECONNRESET", net.zsock_recv, client, 1)
    eq(net.zsock_recv(client, 1), b"")
    raises("EPIPE", net.zsock_send, client, b"x")
    if has("getpeername"):
        eq(net.zsock_getpeername(client), name)
    close(client, fd)


@needs("AF_UNIX", "socketpair", "MSG_WAITALL")
def test_seqpacket_keeps_the_bounds_of_messages():
    a, b = net.zsock_socketpair(net.AF_UNIX, net.SOCK_SEQPACKET)
    for message in (b"one", b"second", b"three"):
        eq(net.zsock_send(a, message), len(message))
    eq(net.zsock_recv(b, 10), b"one")
    eq(net.zsock_recv(b, 10, net.MSG_WAITALL), b"second")
    eq(net.zsock_recv(b, 2), b"th")
    nonblocking(b)
    raises("EAGAIN", net.zsock_recv, b, 10)
    close(a)
    eq(net.zsock_recv(b, 10), b"")
    close(b)


@needs("AF_UNIX", "getsockname")
def test_a_path_that_is_no_text_comes_back_usable():
    raw = b"\xff\xfe-no-utf8"
    fd = stream_server(raw)
    client = net.zsock_socket(UNIX, STREAM)
    net.zsock_connect(client, net.zsock_getsockname(fd))
    close(client, fd)
