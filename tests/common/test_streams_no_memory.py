# Streams with little or no heap left, as test_no_memory.py: a call is made, or raises MemoryError,
# and nothing of what came is lost, nor sent twice.
from shortage import starved
from starve import swept

import usocket_compat as net
from check import SOON, close, eq, pair, ready, sized
from usocket_compat import errno

LINE = b"0123456789abcdefghijklmnopqrstuvwxyz\r\n"
DATA = LINE * 3
QUIET = sized(0, 20)


def left(fd, n):
    """What is still to be received, n bytes if nothing was lost."""
    data = b""
    while ready(fd, net.POLLIN, SOON if len(data) < n else QUIET):
        data += net.recv(fd, 200, net.MSG_DONTWAIT)
    return data


def received(call, *args):
    """A test of a method of Stream, which gets some of DATA, or all."""

    def test(free):
        a, b = pair()
        stream = net.Stream(b)
        net.send(a, DATA)
        ready(b, net.POLLIN)
        got = starved(free, getattr(stream, call), *args)
        taken = 0
        if got is not None:
            taken = len(got) + 2 if call == "recv_line" else len(got)
            eq(got, LINE[:-2] if call == "recv_line" else DATA[: len(got)])
        eq(stream.getstats()[0], taken)
        eq(left(b, len(DATA) - taken), DATA[taken:])
        close(a, b)
        return got

    return test


@swept
def test_lines(free):
    return received("recv_line")(free)


@swept
def test_counts(free):
    return received("recv_exact", len(DATA))(free)


@swept
def test_what_is_held(free):
    """The line before has left more, which plain calls take."""
    a, b = pair()
    stream = net.Stream(b)
    net.send(a, DATA)
    eq(left_line(stream), LINE[:-2])
    got = starved(free, stream.recv_line)
    taken = len(LINE) * (1 if got is None else 2)
    other = starved(free, net.recv, b, 10)
    if other is not None:
        eq(other, DATA[taken : taken + 10])
        taken += len(other)
    eq(left(b, len(DATA) - taken), DATA[taken:])
    close(a, b)
    return got


def left_line(stream):
    while len(stream.peek(len(DATA))) < len(DATA):
        pass
    return stream.recv_line()


@swept
def test_all_of_it(free):
    # The end stays readable: what is left is what recv gives until then.
    a, b = pair()
    stream = net.Stream(b)
    net.send(a, DATA)
    close(a)
    got = starved(free, stream.recv_all)
    rest = b""
    while True:
        part = net.recv(b, 100)
        if not part:
            break
        rest += part
    eq((got or b"") + rest, DATA)
    close(b)
    return got


@swept
def test_sends(free):
    """What went is what the call says."""
    a, b = pair()
    n = None
    try:
        n = starved(free, net.send_all, a, DATA)
    except OSError as e:
        eq(e.errno, errno.ENOMEM)
        n = e.sent
    eq(left(b, n or 0), DATA[: n or 0])
    close(a, b)
    return n


@swept
def test_queues(free):
    a, b = pair()
    queue = net.SendQueue(a)
    done = starved(free, queue.write, DATA)
    queue.drain(SOON / 1000)
    eq((queue.pending, queue.sent in (0, len(DATA))), (0, True))
    eq(left(b, queue.sent), DATA[: queue.sent])
    if done is not None:
        eq(queue.sent, len(DATA))
    close(a, b)
    return done
