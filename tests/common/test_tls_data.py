# TLS sockets as Zephyr has them: data. Credentials and options are in test_tls.py, ends in
# test_tls_trust.py: a board of 32 bits has no room for all of it at once.
import gc

import secure
from secure import (
    LONG,
    VERSIONS,
    pair,
)

import usocket_compat as net
from check import (
    BOARD,
    MICROPYTHON,
    Thread,
    close,
    eq,
    has,
    needs,
    nonblocking,
    now,
    raises,
    raises_after,
    ready,
    recv_exactly,
    reset,
    sendall,
    since,
    sized,
    sleep_ms,
    tcp,
    took,
    true,
)
from usocket_compat import errno

S = net.SOL_TLS
NEEDED = "IPPROTO_TLS_1_2"


# -- data -------------------------------------------------------------------------------


@needs(NEEDED, "threads")
def test_data_goes_both_ways():
    for proto in VERSIONS:
        a, b = secure.pair(proto)
        for data in (b"x", b"hello", bytes(range(256)) * (6 if BOARD else 80)):
            sendall(a, data)
            eq(recv_exactly(b, len(data)), data)
            sendall(b, data)
            eq(recv_exactly(a, len(data)), data)
        buf = bytearray(9)
        sendall(a, b"12345")
        eq(net.zsock_recv(b, buf), 5)
        eq(bytes(buf), b"12345\0\0\0\0")
        if has("sendmsg"):
            eq(net.zsock_sendmsg(b, [b"ab", b"", b"cde"]), 5)
            bufs = [bytearray(2), bytearray(9)]
            eq(net.zsock_recvmsg(a, bufs)[0], 5)
            eq(bytes(bufs[0] + bufs[1][:3]), b"abcde")
        eq(net.zsock_sendto(b, b"to", 0, ("127.0.0.1", 1)), 2)
        eq(net.zsock_recvfrom(a, 9), (b"to", None))
        if has("getpeername"):
            eq(net.zsock_getpeername(a), net.zsock_getsockname(b))
        close(a, b)


@needs(NEEDED, "threads")
def test_what_has_no_bytes_is_not_sent():
    a, b = secure.pair()
    for data in ([1, 2], list(b"after"), "after", 5, None, {1: 2}):
        raises(TypeError, net.zsock_send, a, data)
        # Nothing of it is taken for what is still to go out.
        eq(net.zsock_send(a, b"after"), 5)
        eq(recv_exactly(b, 5), b"after")
    close(a, b)


@needs(NEEDED, "threads", "recvmsg", "MSG_WAITALL", "MSG_PEEK")
def test_a_message_that_waits_for_all():
    a, b = secure.pair()
    for data in (b"ab", b"cd", b"efghij"):
        sendall(a, data)
    # The first buffer is full in the middle of a record.
    net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_RCVTIMEO, 5)
    buffers = [bytearray(5), bytearray(5)]
    got, ms = took(net.zsock_recvmsg, b, buffers, 0, net.MSG_WAITALL)
    eq((got[0], bytes(buffers[0] + buffers[1])), (10, b"abcdefghij"))
    true(ms < 4000, "it has waited for more")
    sendall(a, b"hello")
    eq(net.zsock_recv(b, 5, net.MSG_PEEK | net.MSG_WAITALL), b"hello")
    close(a)
    got, ms = took(net.zsock_recvmsg, b, buffers, 0, net.MSG_WAITALL)
    eq((got[0], bytes(buffers[0])), (5, b"hello"))
    true(ms < 4000, "it has waited for more")
    close(b)


@needs(NEEDED, "threads", "recvmsg", "MSG_WAITALL", "MSG_PEEK", "SO_LINGER")
def test_a_message_that_is_cut():
    a, b = secure.pair()
    net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_RCVTIMEO, 5)
    sendall(a, b"hello")
    eq(net.zsock_recv(b, 5, net.MSG_PEEK | net.MSG_WAITALL), b"hello")
    nonblocking(a)
    reset(a)
    got, ms = took(net.zsock_recvmsg, b, [bytearray(10)], 0, net.MSG_WAITALL)
    eq(got[0], 5)
    true(ms < 4000, "it has waited for more")
    # The call behind it tells of the end.
    raises(("ECONNRESET", "ECONNABORTED"), net.zsock_recv, b, 10)
    close(b)


@needs(NEEDED, "threads", "MSG_WAITALL", "MSG_PEEK")
def test_looking_for_all_at_the_end():
    for target in (9, bytearray(9)):
        a, b = secure.pair()
        net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_RCVTIMEO, 5)
        sendall(a, b"hello")
        eq(net.zsock_recv(b, 5, net.MSG_PEEK | net.MSG_WAITALL), b"hello")
        close(a)
        got, ms = took(net.zsock_recv, b, target, net.MSG_PEEK | net.MSG_WAITALL)
        eq(got, 5 if isinstance(target, bytearray) else b"hello")
        true(ms < 4000, "it has waited for more")
        eq(net.zsock_recv(b, 9), b"hello")
        close(b)


@needs(NEEDED, "threads")
def test_finalizers_while_threads_share_it():
    """They let other threads run at any point, of which once two waited for each other."""
    if MICROPYTHON:
        return "its collector runs nothing of a program's"
    a, b = secure.pair()
    data, start = bytes(60000), now()
    before = gc.get_threshold()

    class Cycle:
        def __init__(self):
            self.itself = self

        def __del__(self):
            sleep_ms(1)

    def send():
        while since(now(), start) < 1500:
            sendall(a, data)
        close(a)

    def receive():
        while net.zsock_recv(b, 65536):
            pass

    def look():
        while not receiving.done:
            Cycle()
            try:
                net.zsock_recv(b, 100, net.MSG_PEEK | net.MSG_DONTWAIT)
            except OSError as e:
                eq(e.errno, errno.EAGAIN)

    gc.set_threshold(7)
    try:
        receiving = Thread(receive)
        threads = [Thread(call) for call in (send, look, look, look)]
        for thread in [receiving] + threads:
            thread.join(LONG)
    finally:
        gc.set_threshold(*before)
    close(b)


@needs(NEEDED, "threads")
def test_peek_and_waitall():
    a, b = secure.pair()
    sendall(a, b"abc")
    eq(net.zsock_recv(b, 2, net.MSG_PEEK), b"ab")
    eq(net.zsock_recv(b, 9, net.MSG_PEEK), b"abc")
    sendall(a, b"def")
    for _ in range(100):  # lwIP keeps small pieces for up to 250 ms
        if len(net.zsock_recv(b, 9, net.MSG_PEEK)) == 6:
            break
        sleep_ms(10)
    eq(net.zsock_recv(b, 9, net.MSG_PEEK), b"abcdef")
    buf = bytearray(4)
    eq(net.zsock_recv(b, buf, net.MSG_PEEK), 4)
    eq(net.zsock_recv(b, buf), 4)
    eq(bytes(buf), b"abcd")
    more = Thread(net.zsock_recv, b, 8, net.MSG_WAITALL)
    sleep_ms(30)
    sendall(a, b"123")
    sleep_ms(30)
    sendall(a, b"456")
    eq(more.join(LONG), b"ef123456")
    raises("EINVAL", net.zsock_recv, b, 1, net.MSG_OOB)
    raises("EOPNOTSUPP", net.zsock_send, b, b"x", net.MSG_OOB)
    close(a, b)


@needs(NEEDED, "threads")
def test_flags_of_send():
    a, b = pair()
    for name in ("MSG_NOSIGNAL", "MSG_MORE", "MSG_DONTWAIT"):
        eq(net.zsock_send(a, b"x", getattr(net, name)), 1)
    raises("EOPNOTSUPP", net.zsock_send, a, b"x", net.MSG_OOB)
    eq(recv_exactly(b, 3), b"xxx")
    close(a, b)


@needs(NEEDED, "threads")
def test_a_send_of_many_records_goes_once():
    """One call with more than the engine takes at once, which goes on where that ended."""
    a, b = pair()
    # No two pieces are the same.
    data = b"".join([b"%07d." % n * 25 for n in range(sized(900, 21))])
    # A board has no room for a copy.
    for kind in sized((bytes, bytearray, memoryview), (bytes, memoryview)):
        sending = Thread(net.zsock_send, a, kind(data))
        for at in range(0, len(data), 1000):
            eq(recv_exactly(b, min(1000, len(data) - at)), data[at : at + 1000], at)
        eq(sending.join(LONG), len(data))
    # Nothing else is on its way.
    eq(net.zsock_send(a, b"end"), 3)
    eq(recv_exactly(b, 3), b"end")
    close(a, b)


@needs(NEEDED, "threads")
def test_a_record_that_another_thread_brings_out():
    """Who has begun it is told so when it asks again: it does not go twice."""
    a, b = pair()
    nonblocking(a)
    block = bytes(range(200)) * sized(20, 1)
    size = len(block)
    sent = 0
    try:
        while True:
            sent += net.zsock_send(a, block)
    except OSError as e:
        eq(e.errno, errno.EAGAIN)

    def give():
        while True:
            ready(a, net.POLLOUT, LONG)
            try:
                return net.zsock_send(a, b"\xff" * size)
            except OSError as e:
                eq(e.errno, errno.EAGAIN)

    nonblocking(b)
    buf = bytearray(777)
    got = [0, 0]

    def take():
        if ready(b, net.POLLIN, 20):
            n = net.zsock_recv(b, buf)
            got[0] += n
            got[1] += bytes(buf[:n]).count(b"\xff")

    other = Thread(give)
    while not other.done:
        take()
    eq(other.join(), size)
    eq(net.zsock_send(a, block), size)
    total = sent + 2 * size
    while got[0] < total:
        take()
    eq(net.zsock_send(a, b"end"), 3)
    eq(ready(b, net.POLLIN, LONG), net.POLLIN)
    eq((net.zsock_recv(b, 777), got), (b"end", [total, size]))
    close(a, b)


@needs(NEEDED, "threads")
def test_a_buffer_of_wider_items():
    import array

    a, b = pair()
    sendall(a, b"0123456789")
    eq(ready(b, net.POLLIN, LONG), net.POLLIN)
    buf = array.array("H", [0] * 5)
    n = net.zsock_recv(b, buf)
    got = b"".join([bytes((item & 255, item >> 8)) for item in buf])[:n]
    true(got)
    eq(got + recv_exactly(b, 10 - n), b"0123456789")
    close(a, b)


@needs(NEEDED, "threads")
def test_poll_knows_what_tls_holds():
    a, b = secure.pair()
    eq(ready(b, net.POLLIN | net.POLLOUT, 0), net.POLLOUT)
    eq(ready(b, net.POLLIN, 20), 0)
    sendall(a, b"abcdef")
    eq(ready(b, net.POLLIN), net.POLLIN)
    # The connection beneath has nothing more: it is all in TLS's hands.
    for n in range(6):
        eq(ready(b, net.POLLIN, 0), net.POLLIN)
        eq(net.zsock_select([b], [], [], 0), ([b], [], []))
        if has("FIONREAD"):
            true(net.zsock_ioctl(b, net.FIONREAD) > 0)
        eq(net.zsock_recv(b, 1), b"abcdef"[n : n + 1])
    eq(ready(b, net.POLLIN, 0), 0)
    eq(net.zsock_select([b], [b], [], 0), ([], [b], []))
    # Beside a plain one.
    fd = tcp()
    fds = [net.zsock_pollfd(b, net.POLLIN), net.zsock_pollfd(fd, 0), net.zsock_pollfd(-1, 1)]
    eq(net.zsock_poll(fds, 0), 1)
    sendall(a, b"x")
    eq(ready(b, net.POLLIN), net.POLLIN)
    eq(net.zsock_poll(fds, 2000), 2)
    eq([each.revents for each in fds], [net.POLLIN, net.POLLHUP, 0])
    fds[0].events = net.POLLOUT
    eq(net.zsock_poll(fds, 0), 2)
    eq(fds[0].revents, net.POLLOUT)
    close(a, b, fd)
    eq(net.zsock_poll(fds, 0), 2)
    eq(fds[0].revents, net.POLLNVAL)


@needs(NEEDED, "threads")
def test_nothing_there_is_eagain():
    a, b = secure.pair()
    raises("EAGAIN", net.zsock_recv, a, 1, net.MSG_DONTWAIT)
    raises("EAGAIN", net.zsock_recv, a, bytearray(3), net.MSG_DONTWAIT)
    raises("EAGAIN", net.zsock_recv, a, 1, net.MSG_DONTWAIT | net.MSG_PEEK)
    net.zsock_setsockopt(a, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.2)
    raises_after(200, "EAGAIN", net.zsock_recv, a, 1)
    nonblocking(a)
    raises("EAGAIN", net.zsock_recv, a, 1)
    sendall(b, b"x")
    eq(ready(a, net.POLLIN), net.POLLIN)
    eq(net.zsock_recv(a, 9), b"x")
    close(a, b)


@needs(NEEDED, "threads")
def test_a_full_connection():
    """A send that found no room is repeated with the same, and nothing is lost or sent twice."""
    a, b = secure.pair()
    nonblocking(a)
    data = bytes([n % 251 for n in range(1000)])
    sent = 0
    while True:
        try:
            sent += net.zsock_send(a, data[sent % 1000 :])
        except OSError as e:
            eq(e.errno, errno.EAGAIN)
            if not ready(a, net.POLLOUT, 200):
                break
    got = 0

    def take():
        nonlocal got
        part = net.zsock_recv(b, 1000)
        for at in (0, len(part) // 2, len(part) - 1):
            eq(part[at], data[(got + at) % 1000])
        got += len(part)

    pending = 5
    while pending:
        try:
            sent += net.zsock_send(a, data[sent % 1000 :])
            pending -= 1
        except OSError as e:
            eq(e.errno, errno.EAGAIN)
        if ready(b, net.POLLIN, 50):
            take()
    while got < sent:
        take()
    eq(got, sent)
    eq(ready(b, net.POLLIN, 50), 0)
    net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.3)
    begun = 0
    try:
        while True:
            net.zsock_send(b, data)
            begun += 1
            true(begun < 100000)
    except OSError as e:
        eq(e.errno, errno.EAGAIN)
    close(a, b)


def taken(fd, got, data):
    """What there is by now, behind so many bytes: how many these are then."""
    try:
        while True:
            part = net.zsock_recv(fd, 500)
            eq(part, data[got % 250 :][: len(part)])
            got += len(part)
    except OSError as e:
        eq(e.errno, errno.EAGAIN)
    return got


@needs(NEEDED)
def test_a_large_send_that_is_repeated():
    """After EAGAIN, with the same bytes: all of these arrive, and once."""
    a, b = pair()
    for fd in a, b:
        nonblocking(fd)
    data = bytes(range(250)) * sized(240, 4)
    sent = got = 0
    for _ in range(2):
        full = False
        while not full:
            try:
                sent += net.zsock_send(a, data[sent % 250 :])
            except OSError as e:
                eq(e.errno, errno.EAGAIN)
                full = True
        while ready(a, net.POLLOUT, 0) == 0:
            got = taken(b, got, data)
    sent += net.zsock_send(a, data[sent % 250 :])
    while got < sent:
        eq(ready(b, net.POLLIN), net.POLLIN)
        got = taken(b, got, data)
    eq((got, ready(b, net.POLLIN, 60)), (sent, 0))
    close(a, b)
