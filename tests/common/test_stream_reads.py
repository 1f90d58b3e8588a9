# Streams: lines, counts, all of it; what was read ahead is the fd's. Expected values: LuaSocket's
# documentation, asyncio.IncompleteReadError, and what plain calls give for the same bytes.
import usocket_compat as net
from check import (
    SOON,
    STARTED,
    Thread,
    close,
    eq,
    has,
    needs,
    nodelay,
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
    stream_pair,
    took,
    true,
)

TEXT = b"one\r\ntwo\rtwo\n\n" + b"long" * sized(600, 100) + b"\nlast"
LINES = [b"one", b"twotwo", b"", b"long" * sized(600, 100)]


# rows: C32
def test_lines():
    for a, b in (pair(), stream_pair()):
        stream = net.Stream(b)
        thread = Thread(sendall, a, TEXT)
        eq([stream.recv_line() for _ in LINES], LINES)
        thread.join()
        close(a)
        e = raises(net.IncompleteReadError, stream.recv_line)
        eq(e.partial, b"last")
        eq(raises(net.IncompleteReadError, stream.recv_line).partial, b"")
        eq(stream.recv_all(), b"")
        eq(stream.getstats()[:2], (len(TEXT), 0))
        close(b)


# rows: C32 C34
def test_one_byte_at_a_time():
    a, b = pair()
    nodelay(a)

    def drip():
        for byte in b"a\rb\r\nxyz12":
            net.zsock_send(a, bytes([byte]))
            sleep_ms(3)
        close(a)

    thread = Thread(drip)
    stream = net.Stream(b)
    eq(stream.recv_line(), b"ab")
    eq(stream.recv_exact(3), b"xyz")
    eq(stream.recv_all(), b"12")
    thread.join()
    close(b)


# rows: C17
def test_what_is_read_ahead_is_the_fds():
    """Plain calls find it, in order, as if nothing had been read ahead."""
    for a, b in (pair(), stream_pair()):
        stream = net.Stream(b)
        eq(stream.dirty(), False)
        sendall(a, b"line\n0123456789")
        sleep_ms(50)
        eq(stream.recv_line(), b"line")
        eq(stream.dirty(), True)
        eq(ready(b, net.POLLIN | net.POLLOUT), net.POLLIN | net.POLLOUT)
        if has("FIONREAD"):
            eq(net.zsock_ioctl(b, net.FIONREAD), 10)
        eq(net.zsock_recv(b, 3, net.MSG_PEEK), b"012")
        eq(stream.peek(3), b"012")
        eq(net.zsock_recv(b, 2), b"01")
        buf = bytearray(3)
        eq(net.zsock_recv(b, buf), 3)
        eq(bytes(buf), b"234")
        eq(net.zsock_recvfrom(b, 1)[0], b"5")
        if has("recvmsg"):
            eq(net.zsock_recvmsg(b, [memoryview(buf)[:1]])[0], 1)
            eq(buf[0], ord("6"))
        else:
            eq(net.zsock_recv(b, 1), b"6")
        eq(net.zsock_recv(b, 0), b"")
        # Sends are as they were.
        eq(net.zsock_send(b, b"back"), 4)
        eq(net.zsock_recv(a, 10), b"back")
        sendall(a, b"AB")
        eq(net.zsock_recv(b, 5, net.MSG_WAITALL), b"789AB")
        eq(stream.dirty(), False)
        eq(ready(b, net.POLLIN | net.POLLOUT), net.POLLOUT)
        sendall(a, b"plain")
        eq(recv_exactly(b, 5), b"plain")
        raises("EAGAIN", net.zsock_recv, b, 1, net.MSG_DONTWAIT)
        close(a, b)


# rows: C17
def test_poll_made_before_and_after():
    """A list that was polled before something was read ahead, and is polled again."""
    a, b = pair()
    stream = net.Stream(b)
    other = net.zsock_pollfd(a, net.POLLIN)
    fds = [net.zsock_pollfd(b, net.POLLIN), other]
    for _ in range(3):
        eq(net.zsock_poll(fds, 0), 0)
        sendall(a, b"1\n2\n")
        eq(net.zsock_poll(fds, SOON), 1)
        eq(recv_exactly_line(stream), b"1")
        eq(net.zsock_poll(fds, 0), 1)
        eq((fds[0].revents, other.revents), (net.POLLIN, 0))
        eq(net.zsock_select([b], [], [], 0)[0], [b])
        net.zsock_send(b, b"x")
        eq(net.zsock_poll([other], SOON), 1)
        eq(net.zsock_poll(fds, 0), 2)
        eq(net.zsock_recv(a, 1), b"x")
        eq(stream.recv_line(), b"2")
    eq(net.zsock_poll(fds, 0), 0)
    close(a)
    # The one that is closed is told at once, the end comes through the network.
    eq(net.zsock_poll(fds[:1], SOON), 1)
    eq(net.zsock_poll(fds, SOON), 2)
    eq(fds[1].revents, net.POLLNVAL)
    close(b)


# rows: C17
def test_poll_made_before_the_stream():
    a, b = pair()
    fds = [net.zsock_pollfd(b, net.POLLIN)]
    eq(net.zsock_poll(fds, 0), 0)
    stream = net.Stream(b)
    sendall(a, b"1\n2\n")
    eq(recv_exactly_line(stream), b"1")
    eq(net.zsock_poll(fds, 0), 1)
    eq(fds[0].revents, net.POLLIN)
    eq(stream.recv_line(), b"2")
    eq(net.zsock_poll(fds, 0), 0)
    close(a, b)


def recv_exactly_line(stream):
    """A line, once all that was sent is here."""
    while len(stream.peek(10)) < 4:
        sleep_ms(1)
    return stream.recv_line()


def test_several_streams_share_it():
    a, b = pair()
    sendall(a, b"1\n2\n3\n4")
    eq(net.recv_line(b), b"1")
    eq(net.Stream(b).recv_line(), b"2")
    clone = net.zsock_dup(b)
    eq(net.recv_line(clone), b"3")
    eq(net.recv_exact(b, 1), b"4")
    sendall(a, b"5\n6")
    eq(net.recv_line(b), b"5")
    close(b)
    eq(net.recv_exact(clone, 1), b"6")
    close(a)
    eq(net.recv_all(clone), b"")
    close(clone)


# rows: C34 C35 D25
def test_counts_and_prefix():
    a, b = pair()
    sendall(a, b"0123456789")
    stream = net.Stream(b)
    eq(stream.recv_exact(4), b"0123")
    eq(stream.recv_exact(5, b"ab"), b"ab456")
    eq(stream.recv_exact(2, b"xyz"), b"xyz")
    eq(stream.recv_exact(0), b"")
    eq(stream.recv_exact(3), b"789")
    nonblocking(b)
    raises("EAGAIN", stream.recv_exact, 0)
    raises(ValueError, stream.recv_exact, -1)
    net.zsock_send(a, b"ab")
    ready(b, net.POLLIN)
    e = raises("EAGAIN", stream.recv_exact, 5, b"!")
    eq(e.partial, b"!ab")
    net.zsock_send(a, b"cd")
    ready(b, net.POLLIN)
    eq(stream.recv_exact(5, e.partial), b"!abcd")
    close(a)
    eq(ready(b, net.POLLIN) & net.POLLIN, net.POLLIN)
    eq(raises(net.IncompleteReadError, stream.recv_exact, 2, b"p").partial, b"p")
    raises(net.IncompleteReadError, stream.recv_exact, 0)
    close(b)


# rows: C33
def test_much():
    a, b = pair()
    data = bytes(range(256)) * sized(600, 16)

    def send():
        eq(net.zsock_send_all(a, data), len(data))
        close(a)

    sender = Thread(send)
    stream = net.Stream(b)
    half = len(data) // 2
    eq(stream.recv_exact(half) == data[:half], True)
    eq(stream.recv_all() == data[half:], True)
    sender.join()
    close(b)


# rows: C36
def test_retry_after_a_timeout():
    """What a timeout leaves is in `partial`; with it as prefix nothing is lost or repeated."""
    a, b = pair()
    nodelay(a)
    stream = net.Stream(b)
    stream.settimeout(0.06)
    eq(stream.gettimeouts(), (0.06, None))
    raises_after(60, "ETIMEDOUT", stream.recv_line)
    net.zsock_send(a, b"par")
    e = raises("ETIMEDOUT", stream.recv_exact, 6)
    eq(e.partial, b"par")
    net.zsock_send(a, b"tial\n")
    eq(stream.recv_exact(6, e.partial), b"partia")
    eq(stream.recv_line(), b"l")
    stream.settimeout(None)
    eq(stream.gettimeouts(), (None, None))
    nonblocking(b)
    net.zsock_send(a, b"x")
    ready(b, net.POLLIN)
    eq(raises("EAGAIN", stream.recv_line).partial, b"x")
    for bad in (-1, "1"):
        raises(ValueError, stream.settimeout, bad)
    raises(ValueError, stream.settimeout, 1, "x")
    close(a, b)


def dripped(a, gap, n):
    def drip():
        for _ in range(n):
            sleep_ms(gap)
            try:
                net.zsock_send(a, b"x")
            except OSError:
                return

    return Thread(drip)


# rows: C28 C29
def test_block_and_total():
    """Each wait for itself, and all of the call: LuaSocket's documentation of 'b' and 't'."""
    a, b = pair()
    nodelay(a)
    stream = net.Stream(b)
    stream.settimeout(1)
    thread = dripped(a, 120, 10)
    eq(stream.recv_exact(10), b"x" * 10)  # longer than one wait may take
    thread.join()
    thread = dripped(a, 50, 20)
    stream.settimeout(0.3, "t")
    e, ms = took(raises, "ETIMEDOUT", stream.recv_exact, 20)
    true(250 <= ms < 2000, ms)
    true(e.partial)
    thread.join()
    recv_exactly(b, 20 - len(e.partial))
    # Whichever ends first.
    stream.settimeout(0.1)
    stream.settimeout(60, "t")
    raises_after(100, "ETIMEDOUT", stream.recv_line)
    close(a, b)


def test_closed_by_another_thread():
    for call in ("recv_line", "recv_all", "recv_exact"):
        a, b = pair()
        stream = net.Stream(b)
        sendall(a, b"some")
        eq(ready(b, net.POLLIN), net.POLLIN)
        thread = Thread(raises, "EBADF", getattr(stream, call), *((9,) if "ex" in call else ()))
        start = now()
        while ready(b, net.POLLIN, 0) and since(now(), start) < SOON:
            sleep_ms(1)  # until it has taken what is there
        sleep_ms(STARTED)
        close(b)
        eq(thread.join().partial, b"some")
        raises("EBADF", getattr(stream, call), *((9,) if "ex" in call else ()))
        stream.close()
        close(a)


def test_closed_with_something_held():
    """Its number is another's at once, and what was held is gone."""
    a, b = pair()
    sendall(a, b"1\n2")
    stream = net.Stream(b)
    eq(stream.recv_line(), b"1")
    with stream:
        pass
    stream.close()
    raises("EBADF", stream.recv_line)
    other = net.zsock_socket()
    raises("EBADF", stream.recv_line)
    raises("ENOTCONN", net.zsock_recv, other, 1)
    close(other)
    # The connection is closed too: its peer sees the end, or a reset for what is unread.
    try:
        eq(net.zsock_recv(a, 1), b"")
    except OSError:
        pass
    close(a)


def reset_after(text, call, *args):
    a, b = pair()
    if text:
        sendall(a, text)
        eq(ready(b, net.POLLIN), net.POLLIN)
        sleep_ms(STARTED)
    thread = Thread(raises, "ECONNRESET", getattr(net.Stream(b), call), *args)
    sleep_ms(STARTED)
    reset(a)
    e = thread.join()
    close(b)
    return e.partial


# rows: C36
@needs("SO_LINGER")
def test_reset_at_each_point():
    text = b"abcd"
    for n in range(len(text) + 1):
        eq(reset_after(text[:n], "recv_line"), text[:n])
        eq(reset_after(text[:n], "recv_exact", 9, b"-"), b"-" + text[:n])
        eq(reset_after(text[:n], "recv_all"), text[:n])


# rows: C36
@needs("SO_LINGER")
def test_reset_before_the_call():
    """The first that asks is told of it, as of a plain recv, and no end is made of it."""
    for text, call, args, got in (
        (b"", "recv_line", (), None),
        (b"", "recv_exact", (2,), None),
        (b"", "recv_all", (), None),
        (b"a\n", "recv_line", (), b"a"),
        (b"ab", "recv_exact", (2,), b"ab"),
    ):
        a, b = pair()
        stream = net.Stream(b)
        sendall(a, text)
        if text:
            eq(ready(b, net.POLLIN), net.POLLIN)
        reset(a)
        while not ready(b, 0, 1000) & net.POLLERR:
            pass
        if got:
            eq(getattr(stream, call)(*args), got)
        eq(raises("ECONNRESET", getattr(stream, call), *args).partial, b"")
        close(b)


def test_a_descriptor_that_another_closes():
    """Its calls are EBADF, and do not wait for it."""
    if not has("fileno") or not has("scm_rights"):
        return "refused: adopt"
    a, b = pair()
    number = net.detach(b)
    b = net.adopt(number)
    stream = net.Stream(b)
    open(number, "rb").close()
    raises("EBADF", stream.recv_line)
    raises("EBADF", stream.recv_exact, 1)
    raises("EBADF", net.zsock_recv, b, 1)
    raises("EBADF", net.zsock_send, b, b"x")
    close(a)
    try:
        close(b)
    except OSError as e:
        eq(e.errno, net.errno.EBADF)
