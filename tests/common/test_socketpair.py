# socketpair: what Zephyr's suite looks at, with Linux's answers where its kernel makes the pair.
import usocket_compat as net
from check import (
    STARTED,
    Thread,
    at_once,
    between,
    close,
    drain,
    eq,
    fill,
    needs,
    nonblocking,
    path,
    raises,
    ready,
    recv_exactly,
    sendall,
    sized,
    sleep_ms,
    take_error,
    took,
    true,
)

IN, OUT, HUP = net.POLLIN, net.POLLOUT, net.POLLHUP


def both_ways(*args):
    a, b = net.zsock_socketpair(*args)
    true(a != b)
    for source, sink in ((a, b), (b, a)):
        eq(net.zsock_send(source, b"hello"), 5)
        eq(net.zsock_recv(sink, 10), b"hello")
    close(a)
    eq(net.zsock_recv(b, 10), b"")
    close(b)


@needs("socketpair")
def test_AF_UNIX__SOCK_STREAM__0():
    both_ways()
    both_ways(net.AF_UNIX)
    both_ways(net.AF_UNIX, net.SOCK_STREAM, 0)


@needs("socketpair")
def test_AF_LOCAL__SOCK_STREAM__0():
    eq(net.AF_LOCAL, net.AF_UNIX)
    both_ways(net.AF_LOCAL, net.SOCK_STREAM, 0)


@needs("socketpair", "AF_UNIX")
def test_datagram_pair():
    a, b = net.zsock_socketpair(net.AF_UNIX, net.SOCK_DGRAM)
    for message in (b"one", b"", b"three"):
        eq(net.zsock_send(a, message), len(message))
    eq([net.zsock_recv(b, 10) for _ in range(3)], [b"one", b"", b"three"])
    close(a, b)


@needs("socketpair")
def test_expected_failures():
    pair = net.zsock_socketpair
    raises("EAFNOSUPPORT", pair, 99, net.SOCK_STREAM, 0)
    raises("EPROTONOSUPPORT", pair, net.AF_UNIX, net.SOCK_STREAM, net.IPPROTO_TCP)
    raises("EOPNOTSUPP", pair, net.AF_INET, net.SOCK_STREAM, 0)
    raises("EINVAL", pair, net.AF_UNIX, 99, 0)
    raises(TypeError, pair, "unix")
    raises(TypeError, pair, net.AF_UNIX, None)


@needs("socketpair")
def test_unsupported_calls():
    a, b = net.zsock_socketpair()
    raises("EINVAL", net.zsock_listen, a)
    raises("EINVAL", net.zsock_accept, a)
    close(a, b)


@needs("socketpair", "AF_UNIX")
def test_connect_again():
    a, b = net.zsock_socketpair()
    fd = net.zsock_socket(net.AF_UNIX, net.SOCK_STREAM)
    name = path()
    net.zsock_bind(fd, name)
    net.zsock_listen(fd)
    raises("EISCONN", net.zsock_connect, a, name)
    raises("ENOENT", net.zsock_connect, a, name + "x")
    close(a, b, fd)


@needs("socketpair")
def test_sock_nonblock_in_the_type():
    a, b = net.zsock_socketpair(net.AF_UNIX, net.SOCK_STREAM | net.SOCK_NONBLOCK)
    for fd in (a, b):
        eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
        at_once(raises, "EAGAIN", net.zsock_recv, fd, 1)
    close(a, b)


@needs("socketpair", "threads", "MSG_DONTWAIT")
def test_write_block():
    a, b = net.zsock_socketpair()
    sent = fill(a)
    thread = Thread(net.zsock_send, a, b"last")
    sleep_ms(STARTED)
    true(not thread.done, "the send did not wait")
    drain(b, sent)
    eq(thread.join(), 4)
    eq(net.zsock_recv(b, 9), b"last")
    close(a, b)


@needs("socketpair", "threads")
def test_read_block():
    a, b = net.zsock_socketpair()
    thread = Thread(net.zsock_recv, b, 9)
    sleep_ms(STARTED)
    true(not thread.done, "the receive did not wait")
    sendall(a, b"x")
    eq(thread.join(), b"x")
    close(a, b)


@needs("socketpair")
def test_write_nonblock():
    a, b = net.zsock_socketpair()
    nonblocking(a)
    total = 0
    try:
        while True:
            total += net.zsock_send(a, bytes(sized(4096, 512)))
    except OSError as e:
        eq(e.errno, net.errno.EAGAIN)
    true(total > 0)
    drain(b, total)
    eq(net.zsock_send(a, b"x"), 1)
    close(a, b)


@needs("socketpair")
def test_read_nonblock():
    a, b = net.zsock_socketpair()
    nonblocking(b)
    at_once(raises, "EAGAIN", net.zsock_recv, b, 1)
    at_once(raises, "EAGAIN", net.zsock_recv, b, bytearray(1))
    sendall(a, b"x")
    eq(net.zsock_recv(b, 9), b"x")
    close(a, b)


@needs("socketpair")
def test_fcntl():
    a, b = net.zsock_socketpair()
    for fd in (a, b):
        eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, 0)
        eq(net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK), 0)
        eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
        eq(net.zsock_fcntl(fd, net.F_SETFL, 0), 0)
        eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, 0)
    close(a, b)


@needs("socketpair", "FIONREAD")
def test_ioctl_fionread():
    a, b = net.zsock_socketpair()
    eq(net.zsock_ioctl(b, net.FIONREAD), 0)
    total = 0
    for n in (1, 20, sized(300, 200)):  # a pair in a board's memory holds 256
        sendall(a, bytes(n))
        total += n
        eq(net.zsock_ioctl(b, net.FIONREAD), total)
    eq(net.zsock_ioctl(a, net.FIONREAD), 0)
    close(a, b)


@needs("socketpair")
def test_close_one_end_and_write_to_the_other():
    a, b = net.zsock_socketpair()
    close(a)
    for _ in range(2):
        raises("EPIPE", net.zsock_send, b, b"x")
    close(b)


@needs("socketpair")
def test_close_one_end_and_read_from_the_other():
    a, b = net.zsock_socketpair()
    sendall(a, b"left over")
    close(a)
    eq(net.zsock_recv(b, 4), b"left")
    eq(recv_exactly(b, 5), b" over")
    for _ in range(3):
        eq(net.zsock_recv(b, 5), b"")
    close(b)


@needs("socketpair")
def test_poll_timeout():
    a, b = net.zsock_socketpair()
    for blocking in (True, False):
        nonblocking(b, not blocking)
        revents, ms = took(ready, b, IN, 50)
        eq(revents, 0)
        between(ms, 50, 50)
    close(a, b)


@needs("socketpair")
def test_poll_immediate_data():
    a, b = net.zsock_socketpair()
    sendall(a, b"x")
    eq(at_once(ready, b, IN), IN)
    eq(at_once(ready, b, IN | OUT), IN | OUT)
    close(a, b)


@needs("socketpair", "threads")
def test_poll_delayed_data():
    a, b = net.zsock_socketpair()
    thread = Thread(ready, b, IN)
    sleep_ms(STARTED)
    true(not thread.done)
    sendall(a, b"x")
    eq(thread.join(), IN)
    close(a, b)


@needs("socketpair", "MSG_DONTWAIT", "threads")
def test_poll_signalling_POLLOUT():
    a, b = net.zsock_socketpair()
    sent = fill(a)
    thread = Thread(ready, a, OUT)
    sleep_ms(STARTED)
    true(not thread.done, "POLLOUT on a full socket")
    drain(b, sent)
    eq(thread.join(), OUT)
    close(a, b)


@needs("socketpair")
def test_poll_close_remote_end_POLLIN():
    a, b = net.zsock_socketpair()
    close(a)
    eq(at_once(ready, b, IN), IN | HUP)
    eq(net.zsock_recv(b, 1), b"")
    close(b)


@needs("socketpair")
def test_poll_close_remote_end_POLLOUT():
    a, b = net.zsock_socketpair()
    close(a)
    eq(at_once(ready, b, OUT) & HUP, HUP)
    raises("EPIPE", net.zsock_send, b, b"x")
    close(b)


@needs("socketpair", "shutdown")
def test_shutdown():
    a, b = net.zsock_socketpair()
    net.zsock_shutdown(a, net.SHUT_WR)
    eq(net.zsock_recv(b, 1), b"")
    raises("EPIPE", net.zsock_send, a, b"x")
    sendall(b, b"late")
    eq(recv_exactly(a, 4), b"late")
    close(a, b)


@needs("socketpair", "getsockname", "getpeername", "AF_UNIX")
def test_names_are_empty():
    a, b = net.zsock_socketpair()
    eq((net.zsock_getsockname(a), net.zsock_getpeername(b)), ("", ""))
    close(a)
    close(b)


@needs("socketpair")
def test_datagrams_when_the_other_end_is_closed():
    a, b = net.zsock_socketpair(net.AF_UNIX, net.SOCK_DGRAM)
    net.zsock_send(a, b"last")
    close(a)
    eq(ready(b, IN | OUT), IN | OUT)
    eq(net.zsock_recv(b, 10), b"last")
    # That is no end: a datagram socket has none.
    eq(ready(b, IN | OUT), OUT)
    raises("EAGAIN", net.zsock_recv, b, 10, net.MSG_DONTWAIT)
    raises("ECONNREFUSED", net.zsock_send, b, b"x")
    raises("ENOTCONN", net.zsock_send, b, b"x")
    close(b)


@needs("socketpair", "SO_ERROR", "MSG_PEEK")
def test_reset_of_a_pair():
    for look in (False, True):
        a, b = net.zsock_socketpair()
        net.zsock_send(a, b"unread")
        net.zsock_send(b, b"last")
        if look:
            eq(net.zsock_recv(b, 1, net.MSG_PEEK), b"u")
            eq(net.zsock_recv(a, 1, net.MSG_PEEK), b"l")
        close(b)
        eq(ready(a, 0), net.POLLERR | HUP)
        eq(take_error(a), "ECONNRESET")
        eq(ready(a, 0), HUP)
        eq(net.zsock_recv(a, 10), b"last")
        eq(net.zsock_recv(a, 10), b"")
        close(a)


@needs("socketpair")
def test_an_end_takes_no_internet_address():
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
        a, b = net.zsock_socketpair(net.AF_UNIX, kind)
        for call, args in (
            (net.zsock_sendto, (b"x", 0, ("127.0.0.1", 9))),
            (net.zsock_connect, (("127.0.0.1", 9),)),
            (net.zsock_bind, (("127.0.0.1", 9),)),
        ):
            raises(TypeError, call, a, *args)
        raises("EAGAIN", net.zsock_recv, b, 1, net.MSG_DONTWAIT)
        close(a, b)
