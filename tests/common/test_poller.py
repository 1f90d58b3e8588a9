# Poller: what is ready by token, level, one-shot and edge, misuse, closes. The rules are mio's,
# the readiness that of poll(2).
from polled import QUIET, tokens

import usocket_compat as net
from check import (
    BOARD,
    OPEN_MAX,
    SOON,
    STARTED,
    Thread,
    between,
    close,
    closed_port,
    drain,
    eq,
    fill,
    listener,
    needs,
    nonblocking,
    pair,
    raises,
    ready,
    recv_exactly,
    sendall,
    sized,
    sleep_ms,
    stack_of_threads,
    stream_pair,
    took,
    true,
    udp,
    udp_pair,
)

# A poll of a list that was changed goes deeper than they have.
stack_of_threads(8192)

IN, OUT = net.POLLIN, net.POLLOUT
# A board is asked for the end of the peer's data, which elsewhere comes with POLLIN.
END = IN | net.POLLRDHUP if BOARD else IN


def one(poller, ms=SOON):
    """The one event that there is."""
    events = poller.poll(ms)
    eq(len(events), 1, "events")
    return events[0]


# rows: D21
def test_what_is_ready_by_its_token():
    a, b = pair()
    token = ["any", {"object": 1}]
    with net.Poller() as poller:
        poller.register(b, token, IN)
        poller.register(a, None, OUT)
        event = one(poller)
        eq((event.token, event.readable, event.writable), (None, False, True))
        sendall(a, b"xy")
        poller.deregister(a)
        for _ in range(2):  # as long as it is so
            event = one(poller)
            true(event.token is token)
            eq((event.readable, event.writable, event.error), (True, False, False))
            eq((event.priority, event.read_closed, event.write_closed), (False, False, False))
            recv_exactly(b, 1)
        eq(poller.poll(0), [])
        result, ms = took(poller.poll, 60)
        eq(result, [])
        between(ms, 60, 60)
    close(a, b)


# rows: D21
def test_all_that_is_asked_is_one_event():
    a, b = udp_pair()
    with net.Poller() as poller:
        poller.register(b, 7, IN | OUT)
        eq(one(poller).revents, OUT)
        net.zsock_send(a, b"x")
        ready(b, IN)
        event = one(poller)
        eq((event.token, event.revents), (7, IN | OUT))
        poller.reregister(b, 8, IN)
        eq(one(poller).revents, IN)
        poller.reregister(b, 9, OUT)
        event = one(poller)
        eq((event.token, event.revents), (9, OUT))
    close(a, b)


def test_misuse():
    a, b = udp_pair()
    with net.Poller() as poller:
        raises("ENOENT", poller.reregister, a, 1, IN)
        raises("ENOENT", poller.deregister, a)
        poller.register(a, 1, OUT)
        raises("EEXIST", poller.register, a, 2, IN)
        eq(tokens(poller), [1])
        for interests in (0, net.POLLERR, net.POLLHUP | net.POLLNVAL, 1 << 20, -1):
            raises("EINVAL", poller.register, b, 1, interests)
            raises("EINVAL", poller.reregister, a, 1, interests)
        for opts in (4, -1):
            raises("EINVAL", poller.register, b, 1, IN, opts)
        for args in ((b, 1, "x"), (b, 1, None), (b, 1, IN, None), ("x", 1, IN), (None, 1, IN)):
            raises(TypeError, poller.register, *args)
        for fd in (-1, 1000000):
            raises("EBADF", poller.register, fd, 1, IN)
            raises("EBADF", poller.reregister, fd, 1, IN)
            raises("EBADF", poller.deregister, fd)
        raises(TypeError, poller.poll, "soon")
        eq(tokens(poller), [1])
        poller.deregister(a)
        raises("ENOENT", poller.deregister, a)
        eq(poller.poll(0), [])
        poller.register(a, 3, OUT)
        eq(tokens(poller, None), [3])
    for call in (poller.poll, poller.deregister):
        raises("EBADF", call, a)
    raises("EBADF", poller.register, b, 1, IN)
    poller.close()
    close(a, b)


def test_as_long_as_one_likes():
    a, b = udp_pair()
    with net.Poller() as poller:
        poller.register(a, 1, OUT)
        for end in (28, 29, 31, 32, 63, 1400):
            for ms in ((1 << end) + 1, 1 << end, -(1 << end) - 1):
                eq([tokens(poller, ms) for _ in range(2)], [[1]] * 2)
        poller.reregister(a, 1, OUT, poller.ONESHOT)
        eq(tokens(poller, 1 << 40), [1])
    close(a, b)


# rows: D21
def test_one_shot():
    a, b = udp_pair()
    with net.Poller() as poller:
        poller.register(b, 1, IN, poller.ONESHOT)
        poller.register(a, 2, OUT)
        eq(tokens(poller), [2])
        for token in (1, 5):
            net.zsock_send(a, b"x")
            while 1 not in tokens(poller):
                sleep_ms(1)
            # Given once, though there is more.
            eq(tokens(poller), [2])
            net.zsock_send(a, b"x")
            eq(tokens(poller, QUIET), [2])
            poller.reregister(b, token, IN, poller.ONESHOT)
        eq(sorted(tokens(poller)), [2, 5])
        poller.reregister(b, 6, IN)
        eq([sorted(tokens(poller)) for _ in range(2)], [[2, 6]] * 2)
    close(a, b)


# rows: D21
@needs("edge")
def test_edge():
    a, b = pair()
    with net.Poller() as poller:
        poller.register(b, 1, IN | OUT, poller.EDGE)
        eq(one(poller).revents, OUT)
        eq(poller.poll(QUIET), [])
        for _ in range(2):
            sendall(a, b"xy")
            event = one(poller)
            true(event.readable)
            # It is still readable, but that is nothing new.
            eq(poller.poll(QUIET), [])
            recv_exactly(b, 1)
            eq(poller.poll(QUIET), [])
        poller.reregister(b, 2, IN, poller.EDGE | poller.ONESHOT)
        eq(tokens(poller), [2])
        sendall(a, b"z")
        eq(poller.poll(QUIET), [])
    close(a, b)


WAYS = {"listener": (True, False), "client": (False, True)}


# rows: D22
def test_a_connection_and_its_end():
    fd, addr = listener()
    with net.Poller() as poller:
        poller.register(fd, "listener", IN)
        client = net.zsock_socket()
        nonblocking(client)
        raises("EINPROGRESS", net.zsock_connect, client, addr)
        poller.register(client, "client", OUT)
        seen = set()
        while len(seen) < 2:
            for event in poller.poll(SOON):
                seen.add(event.token)
                eq((event.readable, event.writable), WAYS[event.token])
        server = net.zsock_accept(fd)[0]
        poller.reregister(client, "client", END)
        eq(poller.poll(0), [])
        sendall(server, b"bye")
        close(server)
        event = one(poller)
        while not event.read_closed:
            event = one(poller)
        true(event.readable)
        eq(recv_exactly(client, 3), b"bye")
        eq(net.zsock_recv(client, 1), b"")
        event = one(poller)
        eq((event.readable, event.read_closed), (True, True))
        # Refused: both ways are at an end, and there is an error.
        other = net.zsock_socket()
        nonblocking(other)
        raises(("EINPROGRESS", "ECONNREFUSED"), net.zsock_connect, other, closed_port())
        poller.deregister(client)
        poller.register(other, "other", IN | OUT)
        event = one(poller)
        eq((event.token, event.error, event.writable), ("other", True, True))
        eq((event.read_closed, event.write_closed), (True, True))
    close(fd, client, other)


def test_room_to_send():
    a, b = pair()
    with net.Poller() as poller:
        n = fill(a)
        poller.register(a, 1, OUT)
        eq(poller.poll(0), [])
        drain(b, n)
        eq(tokens(poller), [1])
    close(a, b)


# rows: D21
def test_a_close_deregisters():
    with net.Poller() as poller:
        for _ in range(3):
            a, b = udp_pair()
            poller.register(b, "old", IN | OUT)
            eq(tokens(poller), ["old"])
            net.zsock_send(a, b"x")
            close(b)
            eq(poller.poll(0), [])
            c, addr = udp()
            eq(c, b, "the fd is not used again")
            raises("ENOENT", poller.deregister, c)
            net.zsock_sendto(a, b"x", 0, addr)
            eq(poller.poll(QUIET), [])
            poller.register(c, "new", IN)
            eq(tokens(poller), ["new"])
            close(a, c)
        eq(poller.poll(0), [])


def test_fds_of_one_socket():
    a, b = udp_pair()
    c = net.zsock_dup(b)
    with net.Poller() as poller:
        poller.register(b, "b", IN)
        poller.register(c, "c", IN | OUT)
        eq(tokens(poller), ["c"])
        net.zsock_send(a, b"x")
        while len(poller.poll(SOON)) < 2:
            sleep_ms(1)
        eq(sorted(tokens(poller)), ["b", "c"])
        close(b)
        eq(tokens(poller), ["c"])
        net.zsock_recv(c, 1)
        eq(one(poller).revents, OUT)
        poller.deregister(c)
        eq(poller.poll(0), [])
        poller.register(c, "again", OUT)
        eq(tokens(poller), ["again"])
    close(a, c)


@needs("socketpair", "eventfd")
def test_of_every_kind():
    """Pairs and counters are in memory on some."""
    a, b = net.zsock_socketpair()
    c, d = net.zsock_socketpair(net.AF_UNIX, net.SOCK_DGRAM)
    n = net.zvfs_eventfd()
    with net.Poller() as poller:
        for fd in (b, d, n):
            poller.register(fd, fd, IN)
        eq(poller.poll(QUIET), [])
        sendall(a, b"x")
        eq(tokens(poller), [b])
        net.zsock_send(c, b"y")
        eq(sorted(tokens(poller)), sorted([b, d]))
        net.zvfs_eventfd_write(n, 1)
        eq(sorted(tokens(poller)), sorted([b, d, n]))
        recv_exactly(b, 1)
        net.zvfs_eventfd_read(n)
        eq(tokens(poller), [d])
        close(a)
        net.zsock_recv(d, 1)
        event = one(poller)
        eq((event.token, event.read_closed), (b, True))
    close(b, c, d, n)


def test_many_and_one_ready():
    pairs = [udp_pair() for _ in range(min(sized(40, 4), OPEN_MAX // 2 - 1))]
    with net.Poller() as poller:
        for n, (_, b) in enumerate(pairs):
            poller.register(b, n, IN)
        for n, (a, b) in enumerate(pairs):
            net.zsock_send(a, b"x")
            eq(tokens(poller), [n])
            net.zsock_recv(b, 1)
        eq(poller.poll(0), [])
        for a, b in pairs:
            net.zsock_send(a, b"x")
            ready(b, IN)
        eq(sorted(tokens(poller)), list(range(len(pairs))))
    for fds in pairs:
        close(*fds)


@needs("threads")
def test_a_poll_that_waits_sees_what_changes():
    a, a_addr = udp()
    b, b_addr = udp()
    sender = udp()[0]
    with net.Poller() as poller:
        thread = Thread(poller.poll, 10 * SOON)
        sleep_ms(STARTED)
        poller.register(b, "b", IN)
        sleep_ms(STARTED)
        true(not thread.done)
        net.zsock_sendto(sender, b"x", 0, b_addr)
        eq([event.token for event in thread.join()], ["b"])
        net.zsock_recv(b, 1)
        poller.register(a, "a", IN)
        thread = Thread(poller.poll, 10 * SOON)
        sleep_ms(STARTED)
        close(b)
        sleep_ms(STARTED)
        true(not thread.done)
        net.zsock_sendto(sender, b"x", 0, a_addr)
        eq([event.token for event in thread.join()], ["a"])
        close(a)
        thread = Thread(poller.poll, -1)
        sleep_ms(STARTED)
        true(not thread.done)
    raises("EBADF", thread.join)
    close(sender)


@needs("threads")
def test_a_number_used_again_while_poll_waits():
    """The old socket's token is never told of the new one, whatever comes in between."""
    keep = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    stop, odd = [], []
    with net.Poller() as poller:

        def watch():
            while not stop:
                for event in poller.poll(5):
                    if event.token[1]:
                        odd.append(event)
            return "done"

        thread = Thread(watch)
        for n in range(20 if BOARD else 200):
            a, b = udp_pair()
            # token: (a name, whether it is closed)
            old = [n, False]
            poller.register(b, old, IN | OUT)
            if n % 3 == 0:
                sleep_ms(0)
            # What is told now may be told late, so it is not counted.
            poller.deregister(b)
            poller.register(b, ["quiet", True], IN)
            close(b)
            c, addr = udp()
            eq(c, b)
            poller.register(c, ["new", False], IN)
            net.zsock_sendto(a, b"x", 0, addr)
            close(a, c)
        stop.append(1)
        eq(thread.join(10 * SOON), "done")
        eq(odd, [])
    close(keep)


def test_what_a_stream_has_read_ahead():
    """It is of the fd as before: as long as some is held, poll tells of it."""
    a, b = pair()
    c, d = stream_pair()
    with net.Poller() as poller:
        poller.register(b, "b", IN)
        poller.register(d, "d", IN)
        stream = net.Stream(b)
        sendall(a, b"one\ntwo\nthree\n")
        eq(tokens(poller), ["b"])
        eq(stream.recv_line(), b"one")
        # The kernel has no more of it.
        for line in (b"two", b"three"):
            eq(tokens(poller), ["b"])
            eq(stream.recv_line(), line)
        eq(poller.poll(QUIET), [])
        sendall(c, b"x")
        sendall(a, b"four\nfive\n")
        while len(poller.poll(SOON)) < 2:
            sleep_ms(1)
        eq(stream.recv_line(), b"four")
        eq(sorted(tokens(poller)), ["b", "d"])
        poller.reregister(b, "once", IN, poller.ONESHOT)
        eq(sorted(tokens(poller)), ["d", "once"])
        eq(tokens(poller), ["d"])
        poller.reregister(b, "both", IN | OUT)
        recv_exactly(d, 1)
        event = one(poller)
        eq((event.token, event.revents & (IN | OUT)), ("both", IN | OUT))
        eq(recv_exactly(b, 5), b"five\n")
        eq(one(poller).revents, OUT)
        poller.deregister(b)
        sendall(a, b"six\nseven\n")
        eq(stream.recv_line(), b"six")
        # Held already when it is registered.
        poller.register(b, "late", IN)
        eq(tokens(poller), ["late"])
        close(b)
        eq(poller.poll(0), [])
    close(a, c, d)
