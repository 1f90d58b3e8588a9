# Sends that end when all has gone; a queue of sends. Expected values: Zephyr's zsock_send_all,
# libuv's write queue, and what the peer receives.
import usocket_compat as net
from check import (
    SOON,
    STARTED,
    Thread,
    close,
    drain,
    eq,
    has,
    nonblocking,
    pair,
    raises,
    ready,
    recv_exactly,
    sized,
    sleep_ms,
    took,
    true,
    udp,
)


# rows: zsock_send_all zsock_sendmsg_all
def test_send_all():
    a, b = pair()
    data = bytes(range(256)) * sized(800, 50)
    little_room(a, b)
    nonblocking(a)
    thread = Thread(drain_all, b, len(data))
    eq(net.zsock_send_all(a, data), len(data))  # it waits, whatever the fd says (Zephyr)
    eq(thread.join(SOON * 4), len(data))
    eq(net.send_all(a, b""), 0)
    if has("sendmsg"):
        parts = [b"ab", b"", bytearray(b"cd"), b"\0" * sized(200000, 600), b"e"]
        thread = Thread(drain_all, b, sum(len(part) for part in parts))
        eq(net.zsock_sendmsg_all(a, parts), sum(len(part) for part in parts))
        thread.join(SOON * 4)
    close(a, b)
    raises("EBADF", net.zsock_send_all, a, b"x")


def little_room(a, b):
    """Between them there is soon no more room; a board has little anyway."""
    if has("SO_SNDBUF"):
        net.zsock_setsockopt(a, net.SOL_SOCKET, net.SO_SNDBUF, 20000)
    if has("SO_RCVBUF"):
        net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_RCVBUF, 60000)


def drain_all(fd, n):
    drain(fd, n)
    return n


# rows: C38 zsock_send_all
def test_send_all_says_how_far_it_came():
    a, b = pair()
    little_room(a, b)
    data = bytes(range(251)) * sized(1200, 60)
    e, ms = took(raises, "ETIMEDOUT", net.zsock_send_all, a, data, 0, 0.2)
    true(0 < e.sent < len(data), e.sent)
    true(ms >= 190, ms)
    eq(ready(a, net.POLLOUT, 0), 0)
    # What is left goes on from there.
    rest = memoryview(data)[e.sent :]
    thread = Thread(net.send_all, a, rest)
    at = 0
    while at < len(data):
        got = net.zsock_recv(b, min(1024, len(data) - at))
        eq(got == data[at : at + len(got)], True)
        at += len(got)
    eq(thread.join(), len(rest))
    stream = net.Stream(a)
    stream.settimeout(0.05)
    e = raises("ETIMEDOUT", stream.send_all, data)
    eq(stream.getstats()[1], e.sent)
    eq(raises(("EPIPE", "EBADF"), closed_while, stream, a, data).sent >= 0, True)
    close(b)


def closed_while(stream, fd, data):
    stream.settimeout(None)
    thread = Thread(lambda: (sleep_ms(STARTED), close(fd)))
    try:
        stream.send_all(data)
    finally:
        thread.join()


def test_not_a_stream():
    fd, _ = udp()
    raises("EOPNOTSUPP", net.Stream, fd)
    raises("EOPNOTSUPP", net.SendQueue, fd)
    for call, data in ((net.zsock_send_all, b"x"), (net.zsock_sendmsg_all, [b"x"])):
        eq(raises("EOPNOTSUPP", call, fd, data).sent, 0)
    close(fd)
    raises("EBADF", net.Stream, fd)
    raises("EBADF", net.recv_line, 999)


def test_sent_of_what_is_closed():
    client, server = pair()
    stream = net.Stream(client)
    close(client)
    eq(raises("EBADF", stream.send_all, b"x").sent, 0)
    eq(raises("EBADF", net.zsock_send_all, client, b"x").sent, 0)
    eq(raises("EBADF", net.zsock_sendmsg_all, client, [b"x"]).sent, 0)
    close(server)


# rows: C25 C26
def test_statistics():
    a, b = pair()
    stream = net.Stream(a)
    stream.send_all(b"12345")
    eq(net.Stream(b).recv_exact(5), b"12345")
    received, sent, age = stream.getstats()
    eq((received, sent), (0, 5))
    true(0 <= age < 10)
    stream.setstats(7, 8, 100)
    received, sent, age = stream.getstats()
    eq((received, sent), (7, 8))
    true(100 <= age < 110)
    stream.setstats(sent=1)
    eq(stream.getstats()[:2], (7, 1))
    stream.flush()
    true("Stream fd=%d" % a in repr(stream))
    close(a, b)


# rows: A22
def test_queue_keeps_order():
    a, b = pair()
    little_room(a, b)
    queue = net.SendQueue(a)
    blocks = [bytes([n]) * sized(15000, 700) for n in range(1, 30)]
    total = sum(len(block) for block in blocks)
    for block in blocks:
        queue.write(block)
        true(queue.pending + queue.sent <= total)
    true(queue.pending > 0)
    raises("EAGAIN", queue.try_write, b"before the others")
    ends = has("shutdown")
    if ends:
        eq(queue.shutdown() > 0, True)
        raises("EPIPE", queue.write, b"late")
    else:
        raises("EOPNOTSUPP", queue.shutdown)
    raises("ETIMEDOUT", queue.drain, 0.02)
    thread = Thread(queue.drain)
    at = 0
    while at < total:
        got = net.zsock_recv(b, min(1024, len(blocks[0]) - at % len(blocks[0])))
        eq(got.count(bytes([at // len(blocks[0]) + 1])), len(got))
        at += len(got)
    thread.join()
    eq((queue.pending, queue.sent), (0, total))
    if ends:
        eq(net.zsock_recv(b, 1), b"")
    else:
        eq(queue.try_write(b"now"), 3)
        eq(recv_exactly(b, 3), b"now")
    close(a)
    raises("EBADF" if not ends else "EPIPE", queue.write, b"x")
    close(b)


def test_queue_of_a_peer_that_has_gone():
    a, b = pair()
    queue = net.SendQueue(a)
    while not queue.write(b"q" * sized(100000, 3000)):
        pass
    before = queue.pending
    close(b)
    start = None
    for _ in range(100):
        try:
            queue.flush()
        except OSError:
            start = True
            break
        sleep_ms(20)
    true(start, "the peer has gone, and no flush says so")
    eq(queue.pending > 0 and queue.pending <= before, True)
    close(a)
    raises("EBADF", queue.flush)
