# Connections and servers in one call, and what is done to a socket in one. Expected values:
# CPython's socket.create_connection and create_server, Hare's and LuaSocket's documentation,
# libuv's source.
import usocket_compat as net
from check import (
    BOARD,
    LOOPBACK,
    SOON,
    STARTED,
    Thread,
    black_hole,
    close,
    closed_port,
    eq,
    has,
    needs,
    pair,
    raises,
    ready,
    recv_exactly,
    sendall,
    sleep_ms,
    stream_pair,
    tcp,
    true,
    udp,
)

HOST = LOOPBACK[net.AF_INET]
NODELAY = (net.IPPROTO_TCP, net.TCP_NODELAY, 1)


def server(*args, **more):
    """A server on a free port, and its address."""
    if not has("getsockname"):
        fd = tcp()
        close(fd)
        addr = closed_port()
        return net.create_server(addr, *args, **more), addr
    fd = net.create_server((HOST, 0), *args, **more)
    return fd, net.zsock_getsockname(fd)


def refused(fn, *args):
    """It raises, and leaves no fd behind."""
    before = net.fds()
    e = raises((OSError, net.gaierror), fn, *args)
    eq(net.fds(), before)
    return e


# rows: B2 B4 B9 C41
def test_server_and_connection():
    fd, addr = server()
    true(addr[1] > 0)
    client = net.create_connection(addr, 5, options=[NODELAY] if has("TCP_NODELAY") else ())
    child, _ = net.zsock_accept(fd)
    sendall(client, b"hello")
    eq(recv_exactly(child, 5), b"hello")
    if has("TCP_NODELAY") and has("getsockopt"):
        eq(net.zsock_getsockopt(client, net.IPPROTO_TCP, net.TCP_NODELAY), 1)
    # It waits, as any new one, and its timeout was the connect's alone.
    eq(net.zsock_fcntl(client, net.F_GETFL), 2)
    eq(net.zsock_getsockopt(client, net.SOL_SOCKET, net.SO_SNDTIMEO), 0)
    close(client, child, fd)


# rows: C13
def test_by_name():
    fd, addr = server()
    for target in (("localhost", addr[1]), (HOST, str(addr[1]))):
        if target[0] == "localhost" and not has("fileno"):
            continue  # a board asks the name server for that
        client = net.create_connection(target)
        close(client, net.zsock_accept(fd)[0])
    client = net.dial("%s:%d" % addr[:2])
    close(client, net.zsock_accept(fd)[0])
    for text in ("host", ":80", "host:", "::1:80", "[::1]", ""):
        raises(ValueError, net.dial, text)
    close(fd)


@needs("AF_INET6", "getsockname")
def test_ipv6():
    fd = net.create_server(("::1", 0))
    port = net.zsock_getsockname(fd)[1]
    for client in (
        net.dial("[::1]:%d" % port),
        net.create_connection(("::1", port)),
        net.create_connection(("::1", port, 0, 0)),
    ):
        child, addr = net.zsock_accept(fd)
        eq(addr[0], "::1")
        close(client, child)
    eq(net.zsock_getsockopt(fd, net.IPPROTO_IPV6, net.IPV6_V6ONLY), 1)
    close(fd)
    fd = net.create_server(("::", 0), dualstack_ipv6=True)
    port = net.zsock_getsockname(fd)[1]
    client = net.create_connection((HOST, port))
    child, addr = net.zsock_accept(fd)
    eq(addr[0], "::ffff:127.0.0.1")
    close(client, child, fd)
    eq(refused(lambda: net.create_server((HOST, 0), dualstack_ipv6=True)).errno, net.errno.EINVAL)


# rows: C9 E26
def test_a_bare_port():
    """By IPv6 and IPv4 where there is IPv6, else by IPv4."""
    _, addr = closed_and_free()
    fd = net.create_server(addr[1])
    client = net.create_connection((HOST, addr[1]))
    close(client, net.zsock_accept(fd)[0])
    if has("AF_INET6") and has("getsockname"):
        eq(net.zsock_getsockname(fd)[0], "::")
        client = net.create_connection(("::1", addr[1]))
        close(client, net.zsock_accept(fd)[0])
    close(fd)
    for host in ("", "*"):
        fd = net.create_server((host, addr[1]))
        client = net.create_connection((HOST, addr[1]))
        close(client, net.zsock_accept(fd)[0], fd)


def closed_and_free():
    return None, closed_port()


# rows: B7
def test_what_is_in_use_is_refused():
    fd, addr = server()
    refused(net.create_server, addr)
    close(fd)
    refused(net.create_connection, addr)
    fd = net.create_server(addr)  # SO_REUSEADDR
    close(fd)


# rows: C15 C16
def test_all_addresses_in_turn():
    """Each is tried, to the first that answers; the errors of all."""
    fd, addr = server()
    dead = closed_port()
    real = net.zsock_getaddrinfo

    def several(*targets):
        def lookup(host, port, *more):
            return [(net.AF_INET, net.SOCK_STREAM, 6, "", target) for target in targets]

        return lookup

    try:
        net.zsock_getaddrinfo = several(dead, addr)
        client = net.create_connection(("two.test", 1), 5)
        close(client, net.zsock_accept(fd)[0])
        # With no time for it the first alone is tried (LuaSocket).
        raises_now_or_later(("two.test", 1), dead)
        net.zsock_getaddrinfo = several(dead, dead)
        e = refused(lambda: net.create_connection(("two.test", 1), 5, all_errors=True))
        eq(e.errno, net.errno.ECONNREFUSED)
        eq([each.errno for each in e.errors], [net.errno.ECONNREFUSED] * 2)
        e = refused(lambda: net.create_connection(("two.test", 1), 5))
        eq(e.errno, net.errno.ECONNREFUSED)
    finally:
        net.zsock_getaddrinfo = real
    close(fd)


def raises_now_or_later(target, dead):
    """timeout 0: the first address refuses, at once or as poll and take_error tell."""
    try:
        fd = net.create_connection(target, 0)
    except OSError as e:
        eq(e.errno, net.errno.ECONNREFUSED)
        return
    true(ready(fd, net.POLLOUT, SOON))
    try:
        net.zsock_connect(fd, dead)
        raise AssertionError("connected to what refuses")
    except OSError as e:
        eq(e.errno, net.errno.ECONNREFUSED)
    close(fd)


# rows: B3
def test_timeouts():
    fd, addr, queued = black_hole()
    if has("fileno"):  # a board's loopback has no queue that is full
        e = refused(net.create_connection, addr, 0.1)
        eq(e.errno, net.errno.ETIMEDOUT)
    client = net.create_connection(addr, nonblock=True)
    true(net.zsock_fcntl(client, net.F_GETFL) & net.O_NONBLOCK)
    close(client, queued, fd)
    for bad in (-1, "1"):
        raises(ValueError, net.create_connection, addr, bad)


# rows: D2
@needs("getsockname")
def test_source_address():
    fd, addr = server()
    source = closed_port()
    client = net.create_connection(addr, 5, source)
    eq(net.zsock_getsockname(client), source)
    child, peer = net.zsock_accept(fd)
    eq(peer, source)
    close(client, child)
    other = net.create_connection(addr, 5, (HOST, 0))
    child, _ = net.zsock_accept(fd)
    close(other, child, fd)


# rows: B15
def test_nothing_is_left_of_what_failed():
    fd, addr = server()
    # An option that no system has.
    for call in (net.create_connection, net.create_server):
        refused(lambda call=call: call(addr, options=[(99, 99, 1)]))
    refused(net.create_connection, addr, 5, ("203.0.113.7", 0)) if not BOARD else None
    refused(net.create_server, ("203.0.113.7", 0)) if not BOARD else None
    close(fd)


def test_what_is_no_address():
    """The same on every target; a path is one for a client."""
    for address in (None, 1.5, [HOST, 0], {}):
        for call in (net.create_connection, net.create_server):
            raises(TypeError, call, address)
    for address in (HOST, "ab", "", b"127.0.0.1"):
        text = str(raises(TypeError, net.create_server, address))
        true("(host, port)" in text, text)
    raises(TypeError, net.create_connection, 80)
    eq(net.fds(), [])


def test_keepalive_and_reuse_port():
    for name, more in (("SO_KEEPALIVE", "keepalive"), ("SO_REUSEPORT", "reuse_port")):
        if has(name) and has("getsockopt"):
            fd, addr = server(**{more: True})
            eq(net.zsock_getsockopt(fd, net.SOL_SOCKET, getattr(net, name)), 1)
            if more == "keepalive":
                client = net.create_connection(addr, keepalive=True)
                child, _ = net.zsock_accept(fd)
                for end in (client, child):
                    eq(net.zsock_getsockopt(end, net.SOL_SOCKET, net.SO_KEEPALIVE), 1)
                close(client, child)
            else:
                close(net.create_server(addr, reuse_port=True))
            close(fd)
        elif not has(name):
            e = refused(lambda more=more: net.create_server((HOST, 20999), **{more: True}))
            true(e.errno in (net.errno.ENOPROTOOPT, net.errno.EOPNOTSUPP), e.errno)


# rows: B1
def test_accept4():
    fd, addr = server()
    client = net.create_connection(addr)
    child, _ = net.accept4(fd, net.SOCK_NONBLOCK | net.SOCK_CLOEXEC)
    raises("EAGAIN", net.zsock_recv, child, 1)
    close(child, client)
    client = net.create_connection(addr)
    child, _ = net.accept4(fd)
    eq(net.zsock_fcntl(child, net.F_GETFL), 2)
    raises("EINVAL", net.accept4, fd, 1)
    raises(TypeError, net.accept4, fd, "1")
    close(child, client, fd)
    raises("EBADF", net.accept4, fd)


# rows: B12
@needs("getpeername")
def test_peeraddr():
    fd, addr = server()
    eq(net.peeraddr(fd), None)
    client = net.create_connection(addr)
    child, _ = net.zsock_accept(fd)
    eq(net.peeraddr(client), addr)
    eq(net.peeraddr(child), net.zsock_getsockname(client))
    close(client, child, fd)
    raises("EBADF", net.peeraddr, fd)


def test_a_close_while_it_accepts():
    fd, _ = server()
    thread = Thread(raises, "EBADF", net.accept4, fd)
    sleep_ms(STARTED)
    close(fd)
    thread.join()


# -- socket(AF_UNSPEC) ------------------------------------------------------------------------


# rows: A4 C1
def test_a_lazy_socket_takes_its_family_from_connect():
    fd, addr = server()
    lazy = net.zsock_socket(net.AF_UNSPEC, net.SOCK_STREAM)
    if has("TCP_NODELAY"):
        net.zsock_setsockopt(lazy, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    net.zsock_setsockopt(lazy, net.SOL_SOCKET, net.SO_RCVTIMEO, 2)
    net.zsock_connect(lazy, addr)
    child, _ = net.zsock_accept(fd)
    if has("TCP_NODELAY") and has("getsockopt"):
        eq(net.zsock_getsockopt(lazy, net.IPPROTO_TCP, net.TCP_NODELAY), 1)
    eq(net.zsock_getsockopt(lazy, net.SOL_SOCKET, net.SO_RCVTIMEO), 2)
    sendall(lazy, b"hello")
    eq(recv_exactly(child, 5), b"hello")
    eq(ready(lazy, net.POLLIN | net.POLLOUT), net.POLLOUT)
    close(lazy, child, fd)


# rows: A4 C1
def test_a_lazy_socket_takes_its_family_from_bind():
    addr = closed_port()
    lazy = net.zsock_socket(net.AF_UNSPEC, net.SOCK_STREAM)
    net.zsock_setsockopt(lazy, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_bind(lazy, addr)
    net.zsock_listen(lazy, 2)
    client = net.create_connection(addr)
    child, _ = net.zsock_accept(lazy)
    sendall(client, b"x")
    eq(recv_exactly(child, 1), b"x")
    close(client, child, lazy)
    raises("EBADF", net.zsock_listen, lazy)
    # Closed before it had one; of datagrams.
    close(net.zsock_socket(net.AF_UNSPEC))
    a = net.zsock_socket(net.AF_UNSPEC, net.SOCK_DGRAM)
    b, b_addr = udp()
    net.zsock_sendto(a, b"dgram", 0, b_addr)
    eq(net.zsock_recv(b, 10), b"dgram")
    close(a, b)


@needs("AF_INET6", "getsockname")
def test_a_lazy_socket_keeps_its_options():
    """What was set before is so on the one of IPv6, which takes the place of the first."""
    lazy = net.zsock_socket(net.AF_UNSPEC, net.SOCK_STREAM)
    net.zsock_setsockopt(lazy, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_setsockopt(lazy, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 1)
    p = net.zsock_pollfd(lazy, net.POLLOUT)
    net.zsock_poll([p], 0)
    net.zsock_bind(lazy, ("::1", 0))
    net.zsock_listen(lazy, 2)
    addr = net.zsock_getsockname(lazy)
    eq(addr[0], "::1")
    for level, option in (
        (net.SOL_SOCKET, net.SO_REUSEADDR),
        (net.IPPROTO_IPV6, net.IPV6_V6ONLY),
    ):
        eq(net.zsock_getsockopt(lazy, level, option), 1)
    p.events = net.POLLIN
    eq(net.zsock_poll([p], 0), 0)
    client = net.create_connection(addr)
    eq(net.zsock_poll([p], SOON), 1)
    close(net.zsock_accept(lazy)[0], client, lazy)
    # libuv: IPV6ONLY with an address of IPv4
    lazy = net.zsock_socket(net.AF_UNSPEC, net.SOCK_STREAM)
    net.zsock_setsockopt(lazy, net.IPPROTO_IPV6, net.IPV6_V6ONLY, 1)
    raises("EINVAL", net.zsock_bind, lazy, (HOST, 0))
    close(lazy)


@needs("AF_INET6", "getsockname")
def test_a_lazy_socket_connects_by_ipv6():
    """Whatever was asked of it before, and who waits for it hears of the one that is in place."""
    fd = net.create_server(("::1", 0))
    addr = net.zsock_getsockname(fd)
    lazy = net.zsock_socket(net.AF_UNSPEC)
    poller = net.Poller()
    poller.register(lazy, "lazy", net.POLLIN)
    for _ in range(4):
        raises("ENOTCONN", net.zsock_recv, lazy, 1, net.MSG_DONTWAIT)
    net.zsock_connect(lazy, addr)
    child, _ = net.zsock_accept(fd)
    sendall(child, b"x")
    eq([(e.token, e.readable) for e in poller.poll(SOON)], [("lazy", True)])
    eq(recv_exactly(lazy, 1), b"x")
    eq(poller.poll(0), [])
    poller.close()
    close(lazy, child, fd)


# -- control ----------------------------------------------------------------------------------


# rows: A19 A20
def test_close_reset():
    a, b = pair()
    if not has("SO_LINGER"):
        raises(("ENOPROTOOPT", "EOPNOTSUPP"), net.close_reset, a)
        sendall(a, b"intact")
        eq(recv_exactly(b, 6), b"intact")
        close(a, b)
        return "refused: SO_LINGER"
    net.close_reset(a)
    raises("EBADF", net.close_reset, a)
    raises("ECONNRESET", net.zsock_recv, b, 1)
    close(b)
    if has("shutdown"):
        a, b = pair()
        net.zsock_shutdown(a, net.SHUT_WR)
        raises("EINVAL", net.close_reset, a)
        eq(net.zsock_recv(b, 1), b"")
        close(a, b)


# rows: A8 A9 D11 D12
def test_keepalive_has_libuvs_rules():
    a, b = pair()
    for values in ((0,), (-1,), (1, 0), (1, 1, 0)):
        raises("EINVAL", net.set_keepalive, a, True, *values)
    if not has("TCP_KEEPIDLE"):
        raises(("ENOPROTOOPT", "EOPNOTSUPP"), net.set_keepalive, a, True, 5)
        if not has("SO_KEEPALIVE"):
            raises(("ENOPROTOOPT", "EOPNOTSUPP"), net.get_keepalive, a)
        close(a, b)
        return "refused: TCP_KEEPIDLE"
    if not has("getsockopt"):
        net.set_keepalive(a, True, 7)
        raises("ENOPROTOOPT", net.get_keepalive, a)
        close(a, b)
        return "refused: getsockopt"
    # Nothing was touched by what was refused.
    eq(net.get_keepalive(a), None)
    net.set_keepalive(a, True, 7)
    eq(net.get_keepalive(a), (7, 1, 10))
    net.set_keepalive(a, True, 8, 2, 3)
    eq(net.get_keepalive(a), (8, 2, 3))
    eq(net.zsock_getsockopt(a, net.IPPROTO_TCP, net.TCP_KEEPIDLE), 8)
    net.set_keepalive(a, False, 0)
    eq(net.get_keepalive(a), None)
    close(a, b)
    raises("EBADF", net.set_keepalive, a, True, 0)


# rows: C22 D15
def test_linger():
    a, b = pair()
    if not has("SO_LINGER"):
        raises(("ENOPROTOOPT", "EOPNOTSUPP"), net.set_linger, a, 1)
        raises(("ENOPROTOOPT", "EOPNOTSUPP"), net.get_linger, a)
        close(a, b)
        return "refused: SO_LINGER"
    if not has("getsockopt"):
        raises("ENOPROTOOPT", net.get_linger, a)
        net.set_linger(a, 0)
        close(a)
        raises("ECONNRESET", net.zsock_recv, b, 1)
        close(b)
        return "refused: getsockopt"
    eq(net.get_linger(a), None)
    for seconds in (3, None, 0):
        net.set_linger(a, seconds)
        eq(net.get_linger(a), seconds)
    close(a)
    raises("ECONNRESET", net.zsock_recv, b, 1)
    close(b)


# rows: D16
def test_take_error():
    fd = tcp()
    if not has("getsockopt"):
        raises("ENOPROTOOPT", net.take_error, fd)
        close(fd)
        return "refused: getsockopt"
    eq(net.take_error(fd), None)
    net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
    addr = closed_port()
    try:
        net.zsock_connect(fd, addr)
    except OSError as e:
        if e.errno == net.errno.EINPROGRESS:
            ready(fd, net.POLLOUT)
            eq(net.take_error(fd).errno, net.errno.ECONNREFUSED)
    eq(net.take_error(fd), None)
    close(fd)
    raises("EBADF", net.take_error, fd)


# rows: D17 D18 D19
def test_peek_and_buffers():
    for a, b in (pair(), stream_pair()):
        sendall(a, b"abcdef")
        ready(b, net.POLLIN)
        sleep_ms(20)
        eq(net.peek(b, 3), b"abc")
        buf = bytearray(2)
        eq(net.peek(b, buf), 2)
        eq(bytes(buf), b"ab")
        if has("recvmsg"):
            bufs = [bytearray(2), bytearray(1), bytearray(9)]
            eq(net.read_bufs(b, bufs), 6)
            eq(bytes(bufs[0] + bufs[1] + bufs[2][:3]), b"abcdef")
            raises("EAGAIN", net.read_bufs, b, bufs)
            eq(net.writev(a, [b"x", b"", bytearray(b"yz")]), 3)
            eq(net.readv(b, bufs), 3)
            eq(net.write_bufs(a, [b"12", b"3"]), 3)
        eq(recv_exactly(b, 3), b"123" if has("recvmsg") else b"abc")
        eq(net.simultaneous_accepts(a, True), None)
        close(a, b)
    raises("EBADF", net.simultaneous_accepts, a, False)


# -- descriptors ------------------------------------------------------------------------------


# rows: A6 C18 D4 D20
def test_detach_and_adopt():
    a, b = pair()
    if not has("fileno"):
        raises("EOPNOTSUPP", net.detach, a)
        raises(("EOPNOTSUPP", "EBADF"), net.adopt, 12345)
        close(a, b)
        return "refused: fileno"
    if not has("scm_rights"):  # nor adopts it numbers
        raises("EOPNOTSUPP", net.adopt, net.fileno(a))
        close(a, b)
        return "refused: adopt"
    raises("EEXIST", net.adopt, net.zsock_fileno(a))
    raises(TypeError, net.adopt, "a")
    raises(TypeError, net.adopt, True)
    clone = net.zsock_dup(a)
    raises("EBUSY", net.detach, a)
    close(clone)
    sendall(b, b"1\n2")
    sleep_ms(20)
    eq(net.recv_line(a), b"1")
    raises("EBUSY", net.detach, a)
    eq(net.recv_exact(a, 1), b"2")
    for nonblock in (0, net.O_NONBLOCK):
        net.zsock_fcntl(a, net.F_SETFL, nonblock)
        number = net.detach(a)
        raises("EBADF", net.zsock_send, a, b"x")
        a = net.adopt(number)
        eq(net.zsock_fcntl(a, net.F_GETFL), 2 | nonblock)
        sendall(a, b"still")
        eq(recv_exactly(b, 5), b"still")
        sendall(b, b"there")
        ready(a, net.POLLIN)
        eq(recv_exactly(a, 5), b"there")
    close(a, b)
    raises("EBADF", net.adopt, number)
    raises("EBADF", net.detach, a)
