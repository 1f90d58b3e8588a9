# Contract 4: blocking is the default, non-blocking never blocks, timeouts are kept to 10 ms.
import usocket_compat as net
from check import (
    BIG,
    CHUNK,
    EARLY,
    SOON,
    STARTED,
    Thread,
    at_once,
    between,
    close,
    drain,
    eq,
    fill,
    listener,
    needs,
    nonblocking,
    now,
    pair,
    raises,
    raises_after,
    sendall,
    short,
    since,
    sized,
    sleep_ms,
    stream_pair,
    tcp,
    took,
    true,
    udp,
    udp_pair,
)

SOL = net.SOL_SOCKET
PRECISION = 10  # ms, by contract
TRIES = 5  # a busy machine spoils some of them


def rcvtimeo(fd, seconds):
    net.zsock_setsockopt(fd, SOL, net.SO_RCVTIMEO, seconds)


def sndtimeo(fd, seconds):
    net.zsock_setsockopt(fd, SOL, net.SO_SNDTIMEO, seconds)


# rows: C27 C30 SO_RCVTIMEO
@needs("SO_RCVTIMEO")
def test_expiry_is_precise():
    a, b = udp_pair()
    for ms in (10, 50, 130):
        rcvtimeo(b, ms / 1000)
        best = SOON
        for _ in range(TRIES):
            _, spent = took(raises, "EAGAIN", net.zsock_recv, b, 1)
            true(spent >= ms - EARLY, "too early: %s ms of %d" % (spent, ms))
            best = min(best, spent)
        true(best <= ms + PRECISION, "at best %s ms for %d" % (best, ms))
    close(a, b)


@needs("SO_RCVTIMEO", "recvmsg")
def test_waiting_for_all_expires_once():
    # Each in its own time, not one wait after another.
    client, server = pair()
    rcvtimeo(server, 0.08)
    for flags in (net.MSG_WAITALL, net.MSG_WAITALL | net.MSG_PEEK):
        best = SOON
        for _ in range(TRIES):
            _, spent = took(raises, "EAGAIN", net.zsock_recv, server, 3, flags)
            best = min(best, spent)
        true(best <= 80 + PRECISION, "at best %s ms for 80" % best)
    close(client, server)


# rows: C27 SO_RCVTIMEO
@needs("SO_RCVTIMEO", "recvmsg")
def test_every_receive_expires():
    client, server = pair()
    rcvtimeo(server, 0.05)
    for call, args in (
        (net.zsock_recv, (1,)),
        (net.zsock_recv, (bytearray(1),)),
        (net.zsock_recvfrom, (1,)),
        (net.zsock_recvfrom, (bytearray(1),)),
        (net.zsock_recvmsg, ([bytearray(1)],)),
        (net.zsock_recv, (1, net.MSG_PEEK)),
    ):
        raises_after(50, "EAGAIN", call, server, *args)
    # The limit stays, is changed, is taken away.
    raises_after(50, "EAGAIN", net.zsock_recv, server, 1)
    rcvtimeo(server, 0.1)
    raises_after(100, "EAGAIN", net.zsock_recv, server, 1)
    sendall(client, b"x")
    eq(at_once(net.zsock_recv, server, 1), b"x")
    close(client, server)


@needs("SO_RCVTIMEO", "threads")
def test_zero_waits_for_ever():
    client, server = pair()
    rcvtimeo(server, 0.02)
    rcvtimeo(server, 0)
    thread = Thread(net.zsock_recv, server, 1)
    sleep_ms(STARTED + 50)
    true(not thread.done, "the timeout is still there")
    sendall(client, b"x")
    eq(thread.join(), b"x")
    close(client, server)


@needs("SO_RCVTIMEO")
def test_a_tiny_timeout_is_not_for_ever():
    a, b = udp_pair()
    for seconds in (0.001, 0.00001):
        rcvtimeo(b, seconds)
        at_once(raises, "EAGAIN", net.zsock_recv, b, 1)
    close(a, b)


@needs("SO_RCVTIMEO", "SO_SNDTIMEO")
def test_the_two_timeouts_are_two():
    client, server = pair()
    sndtimeo(client, 0.01)
    rcvtimeo(client, 0.1)
    raises_after(100, "EAGAIN", net.zsock_recv, client, 1)
    sndtimeo(client, 0)
    raises_after(100, "EAGAIN", net.zsock_recv, client, 1)
    close(client, server)


# rows: C38 SO_SNDTIMEO
@needs("SO_SNDTIMEO", "MSG_DONTWAIT")
def test_a_send_that_expires_returns_what_it_sent():
    client, server = pair()
    sndtimeo(client, 0.2)
    big = bytes(sized(300000, 4096))  # in one piece of a heap that has been in use
    total = 0
    count = len(big)
    while count == len(big):
        count, ms = took(net.zsock_send, client, big)
        total += count
    true(0 < count < len(big), "a partial count, not %d" % count)
    between(ms, 200, 400)
    total += fill(client)
    raises_after(200, "EAGAIN", net.zsock_send, client, b"x")
    drain(server, total)
    nonblocking(server)
    raises("EAGAIN", net.zsock_recv, server, 1)
    close(client, server)


@needs("threads", "SO_SNDBUF")
def test_a_blocking_send_sends_everything():
    client, server = pair()
    net.zsock_setsockopt(client, SOL, net.SO_SNDBUF, 10000)
    size = 400000  # more than the buffers hold
    thread = Thread(net.zsock_send, client, bytes(size))
    sleep_ms(STARTED)
    true(not thread.done, "the send did not wait for its reader")
    drain(server, size)
    eq(thread.join(), size)
    close(client, server)


@needs("threads", "sendmsg", "SO_SNDBUF")
def test_a_blocking_sendmsg_sends_everything():
    # In parts, which end within a buffer; each byte once.
    client, server = pair()
    net.zsock_setsockopt(client, SOL, net.SO_SNDBUF, 10000)
    data = bytes(range(251)) * sized(800, 16)
    buffers = [data, data[:1], b"", memoryview(data)[2:], data]
    thread = Thread(net.zsock_sendmsg, client, buffers)
    sleep_ms(STARTED)
    true(not thread.done, "the send did not wait for its reader")
    for want in buffers:
        want = memoryview(want)
        while len(want):
            got = net.zsock_recv(server, min(len(want), CHUNK))
            true(got == bytes(want[: len(got)]), "other bytes than were sent")
            want = want[len(got) :]
    eq(thread.join(), sum([len(b) for b in buffers]))
    close(client, server)


# rows: B1
@needs("threads")
def test_blocking_is_the_default():
    fd, addr = listener()
    accepting = Thread(net.zsock_accept, fd)
    sleep_ms(STARTED)
    true(not accepting.done, "accept did not wait")
    client = tcp()
    net.zsock_connect(client, addr)
    server, _ = accepting.join()
    reading = Thread(net.zsock_recv, server, 5)
    sleep_ms(STARTED)
    true(not reading.done, "recv did not wait")
    sendall(client, b"x")
    eq(reading.join(), b"x")
    close(fd, client, server)


# rows: E20 O_NONBLOCK
def test_nonblocking_never_blocks():
    fd, _ = listener()
    a, b = udp_pair()
    client, server = pair()
    for each in (fd, b, client):
        nonblocking(each)
    at_once(raises, "EAGAIN", net.zsock_accept, fd)
    for each in (b, client):
        at_once(raises, "EAGAIN", net.zsock_recv, each, 10)
        at_once(raises, "EAGAIN", net.zsock_recv, each, bytearray(10))
        at_once(raises, "EAGAIN", net.zsock_recvfrom, each, 10)
    data = bytes(BIG)
    start = now()
    try:
        for _ in range(1000):
            true(net.zsock_send(client, data) > 0)
        raise AssertionError("a full socket took everything")
    except OSError as e:
        eq(e.errno, net.errno.EAGAIN)
    true(since(now(), start) < SOON)
    # Back to blocking, forth again.
    nonblocking(b, False)
    net.zsock_send(a, b"x")
    eq(net.zsock_recv(b, 1), b"x")
    nonblocking(b)
    at_once(raises, "EAGAIN", net.zsock_recv, b, 10)
    close(fd, a, b, client, server)


@needs("SO_RCVTIMEO")
def test_nonblocking_wins_over_a_timeout():
    a, b = udp_pair()
    rcvtimeo(b, 5)
    nonblocking(b)
    at_once(raises, "EAGAIN", net.zsock_recv, b, 1)
    nonblocking(b, False)
    rcvtimeo(b, 0.05)
    raises_after(50, "EAGAIN", net.zsock_recv, b, 1)
    close(a, b)


# rows: MSG_DONTWAIT
@needs("MSG_DONTWAIT")
def test_msg_dontwait():
    client, server = pair()
    for _ in range(2):
        at_once(raises, "EAGAIN", net.zsock_recv, server, 1, net.MSG_DONTWAIT)
        at_once(raises, "EAGAIN", net.zsock_recv, server, bytearray(1), net.MSG_DONTWAIT)
        at_once(raises, "EAGAIN", net.zsock_recvfrom, server, 1, net.MSG_DONTWAIT)
    eq(net.zsock_fcntl(server, net.F_GETFL) & net.O_NONBLOCK, 0)
    total = fill(client)
    at_once(raises, "EAGAIN", net.zsock_send, client, b"x", net.MSG_DONTWAIT)
    drain(server, total)
    close(client, server)


@needs("MSG_DONTWAIT", "threads")
def test_msg_dontwait_leaves_the_socket_blocking():
    client, server = pair()
    raises("EAGAIN", net.zsock_recv, server, 1, net.MSG_DONTWAIT)
    thread = Thread(net.zsock_recv, server, 1)
    sleep_ms(STARTED)
    true(not thread.done, "the socket no longer blocks")
    sendall(client, b"x")
    eq(thread.join(), b"x")
    close(client, server)


# rows: B1 zsock_accept
def test_an_accepted_socket_blocks_by_itself():
    # O_NONBLOCK of the listener is not inherited on Linux.
    fd, addr = listener()
    client = tcp()
    net.zsock_connect(client, addr)
    nonblocking(fd)
    server, _ = net.zsock_accept(fd)
    eq(net.zsock_fcntl(server, net.F_GETFL) & net.O_NONBLOCK, 0)
    close(fd, client, server)


# rows: E8 zsock_fcntl F_GETFL F_SETFL O_NONBLOCK
@needs("fcntl")
def test_fcntl():
    for fd in (tcp(), udp()[0]):
        eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, 0)
        eq(net.zsock_fcntl(fd, net.F_GETFL) & 3, 2, "O_RDWR")
        for value in (net.O_NONBLOCK, net.O_NONBLOCK | 2):
            eq(net.zsock_fcntl(fd, net.F_SETFL, value), 0)
            eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
        eq(net.zsock_fcntl(fd, net.F_SETFL, 0), 0)
        eq(net.zsock_fcntl(fd, net.F_GETFL) & net.O_NONBLOCK, 0)
        raises("EINVAL", net.zsock_fcntl, fd, 9999)
        raises(TypeError, net.zsock_fcntl, fd, "F_GETFL")
        raises(TypeError, net.zsock_fcntl, fd, net.F_SETFL, "O_NONBLOCK")
        close(fd)


# rows: zsock_ioctl FIONBIO
@needs("FIONBIO")
def test_fionbio():
    a, b = stream_pair()
    eq(net.zsock_ioctl(a, net.FIONBIO, 1), 0)
    eq(net.zsock_fcntl(a, net.F_GETFL) & net.O_NONBLOCK, net.O_NONBLOCK)
    at_once(raises, "EAGAIN", net.zsock_recv, a, 1)
    eq(net.zsock_ioctl(a, net.FIONBIO, 0), 0)
    eq(net.zsock_fcntl(a, net.F_GETFL) & net.O_NONBLOCK, 0)
    raises("EOPNOTSUPP", net.zsock_ioctl, a, 0x12345678)
    raises(TypeError, net.zsock_ioctl, a, "FIONBIO")
    close(a, b)


@needs("threads")
def test_collecting_garbage_does_not_end_a_wait():
    # MicroPython interrupts its threads to scan their stacks: EINTR beneath.
    import gc

    fd, _ = listener()
    client, server = pair()
    a, b = udp_pair()
    waiting = [
        Thread(net.zsock_recv, server, 5),
        Thread(net.zsock_recvfrom, b, 5),
        Thread(net.zsock_recv, client, bytearray(5)),
        Thread(net.zsock_poll, [net.zsock_pollfd(fd, net.POLLIN)], 10000),
    ]
    for _ in range(5):
        sleep_ms(10)
        gc.collect()
    for thread in waiting:
        true(not thread.done, "%s %s" % (short(thread.result), thread.error))
    net.zsock_send(a, b"x")
    sendall(client, b"x")
    sendall(server, b"x")
    eq(waiting[0].join(), b"x")
    eq(waiting[1].join()[0], b"x")
    eq(waiting[2].join(), 1)
    close(fd)
    waiting[3].join()
    close(client, server, a, b)


@needs("SO_RCVTIMEO", "threads")
def test_collecting_garbage_does_not_lengthen_a_timeout():
    import gc

    a, b = udp_pair()
    rcvtimeo(b, 0.3)
    thread = Thread(took, raises, "EAGAIN", net.zsock_recv, b, 1)
    while not thread.done:
        sleep_ms(50)
        gc.collect()
    between(thread.join()[1], 300, 300)
    close(a, b)
