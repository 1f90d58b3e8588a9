# socketpair: what Zephyr's suite looks at, with Linux's answers where its kernel makes the pair.
import os
import sys

import usocket_compat as net
from check import (
    BOARD,
    STARTED,
    Thread,
    at_once,
    between,
    close,
    drain,
    eq,
    fill,
    has,
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


# rows: A21 zsock_socketpair
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


# rows: POLLOUT
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


# Linux's answers to a pair's end that goes to a path: connect, sendto on datagrams, bind.
PATHS = (
    ("no/such/folder", "ENOENT", "ENOENT"),
    ("/no/such/folder", "ENOENT", "ENOENT"),
    ("no/", "ENOENT", "ENOENT"),
    ("a-file/x", "ENOTDIR", "ENOTDIR"),
    ("a-file", "ECONNREFUSED", "EADDRINUSE"),
    ("/", "ECONNREFUSED", "EADDRINUSE"),
    ("no-such-file", "ENOENT", None),
    (b"no-such-file", "ENOENT", None),
    ("no\0thing", "ENOENT", None),
    ("\0no-such-name", "ECONNREFUSED", None),
    ("", "EINVAL", None),
    ("x" * 109, "EINVAL", "EINVAL"),
)


def with_paths(test):
    """The port in memory has none."""
    return (lambda: None) if "loopback_port" in sys.modules else needs("socketpair")(test)


@with_paths
def test_an_end_goes_to_no_path():
    open("a-file", "w").close()
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
        for where, goes, binds in PATHS:
            a, b = net.zsock_socketpair(net.AF_UNIX, kind)
            raises(goes, net.zsock_connect, a, where)
            sends = "EISCONN" if kind == net.SOCK_STREAM and len(where) < 109 else goes
            raises(sends, net.zsock_sendto, a, b"x", 0, where)
            if has("sendmsg") and where:
                raises(sends, net.zsock_sendmsg, a, [b"x"], (), 0, where)
            if binds:
                raises(binds, net.zsock_bind, a, where)
            elif BOARD:
                raises("EOPNOTSUPP", net.zsock_bind, a, where)  # there are pairs alone
            # It is as good as before.
            eq(net.zsock_send(a, b"x"), 1)
            eq(net.zsock_recv(b, 9), b"x")
            if has("getsockname"):
                eq(net.zsock_getsockname(a), "")
            close(a, b)
            raises("EBADF", net.zsock_connect, a, where)
            raises("EBADF", net.zsock_bind, a, where)
    os.remove("a-file")


@with_paths
def test_an_end_whose_other_end_is_closed_goes_to_no_path():
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
        a, b = net.zsock_socketpair(net.AF_UNIX, kind)
        close(b)
        raises("ENOENT", net.zsock_connect, a, "no/such/folder")
        raises("ENOENT", net.zsock_bind, a, "no/such/folder")
        goes = "EISCONN" if kind == net.SOCK_STREAM else "ENOENT"
        raises(goes, net.zsock_sendto, a, b"x", 0, "no/such/folder")
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


@needs("socketpair", "threads")
def test_what_several_threads_write_stays_whole():
    """What finds room at once is not mixed with what others write."""
    a, b = net.zsock_socketpair()
    size, rounds = 100, sized(200, 40)
    turn = [0]

    def write(byte):
        data = bytes([byte]) * size
        for n in range(1, rounds + 1):
            while turn[0] < n:
                sleep_ms(0)
            net.zsock_send(a, data)
        return "done"

    threads = [Thread(write, byte) for byte in (65, 66)]
    for n in range(1, rounds + 1):
        turn[0] = n
        got = recv_exactly(b, 2 * size)
        true(got in (b"A" * size + b"B" * size, b"B" * size + b"A" * size), got)
    eq([thread.join() for thread in threads], ["done"] * 2)
    close(a, b)


@needs("socketpair", "threads")
def test_several_threads_read():
    """What each gets is in one piece, and nothing is got twice or by none."""
    for into in (False, True):
        a, b = net.zsock_socketpair()
        whole = bytes(range(250)) * sized(40, 8)

        def read():
            buf, pieces = bytearray(30), []
            while True:
                data = buf[: net.zsock_recv(b, buf)] if into else net.zsock_recv(b, 30)
                if not data:
                    return pieces
                pieces.append(bytes(data))

        threads = [Thread(read) for _ in range(3)]
        sendall(a, whole)
        close(a)
        counts = [0] * 250
        for thread in threads:
            for data in thread.join():
                eq(data, (bytes(range(250)) * 2)[data[0] : data[0] + len(data)])
                for byte in data:
                    counts[byte] += 1
        eq(counts, [len(whole) // 250] * 250)
        close(b)


@needs("socketpair", "threads")
def test_datagrams_of_several_threads():
    a, b = net.zsock_socketpair(net.AF_UNIX, net.SOCK_DGRAM)
    rounds = sized(100, 30)

    def write(byte):
        for n in range(rounds):
            net.zsock_send(a, bytes([byte, n]))

    def read():
        got = []
        while True:
            data = net.zsock_recv(b, 9)
            if not data:
                return got
            got.append((data[0], data[1]))

    readers = [Thread(read) for _ in range(2)]
    for thread in [Thread(write, byte) for byte in range(3)]:
        thread.join()
    for thread in readers:
        net.zsock_send(a, b"")
    got = []
    for thread in readers:
        got += thread.join()
    eq(sorted(got), [(byte, n) for byte in range(3) for n in range(rounds)])
    close(a, b)


@needs("socketpair", "MSG_DONTWAIT")
def test_callbacks_and_the_program_use_a_pair():
    try:
        from micropython import schedule
    except ImportError:
        return "no scheduled callbacks here"
    a, b = net.zsock_socketpair()
    data = bytes(range(65, 75))
    state = [0, b""]  # how many it sent; what it read

    def callback(left):
        try:
            state[0] += net.zsock_send(a, data, net.MSG_DONTWAIT)
            if left % 3 == 0:
                state[1] += net.zsock_recv(b, 7, net.MSG_DONTWAIT)
        except OSError as e:
            eq(e.errno, net.errno.EAGAIN)
        if left:
            schedule(callback, left - 1)

    schedule(callback, sized(2000, 200))
    sent = read = 0
    buf = bytearray(16)
    for _ in range(sized(3000, 300)):
        try:
            sent += net.zsock_send(a, data, net.MSG_DONTWAIT)
            read += net.zsock_recv(b, buf, net.MSG_DONTWAIT)
        except OSError as e:
            eq(e.errno, net.errno.EAGAIN)
    sleep_ms(STARTED)
    total = sent + state[0] - read - len(state[1])
    true(total >= 0, total)
    if total:
        eq(len(recv_exactly(b, total)), total)
    raises("EAGAIN", net.zsock_recv, b, 1, net.MSG_DONTWAIT)
    close(a, b)
