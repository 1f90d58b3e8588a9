# A Poller with little or no heap left: what is told once is told, sooner or later; what could not
# be registered is not.
from shortage import starved
from starve import swept

import usocket_compat as net
from check import close, eq, has, ready, true, udp_pair

IN = net.POLLIN


def tokens(events):
    return [event.token for event in events or ()]


@swept
def test_what_is_told_once(free):
    a, b = udp_pair()
    c, d = udp_pair()
    poller = net.Poller()
    waker = net.Waker(poller, "waker")
    poller.register(b, "once", IN, poller.ONESHOT)
    poller.register(d, "edge", IN, poller.EDGE if has("edge") else poller.ONESHOT)
    for fd, to in ((a, b), (c, d)):
        net.zsock_send(fd, b"x")
        eq(ready(to, IN), IN)
    waker.wake()
    got = starved(free, poller.poll, 0)
    seen = tokens(got)
    while True:
        more = tokens(poller.poll(0))
        if not more:
            break
        seen += more
    # An edge may be told again, a one-shot never.
    eq(sorted(set(seen)), ["edge", "once", "waker"])
    eq(seen.count("once"), 1)
    poller.close()
    close(a, b, c, d)
    return got


def one_call(prepare, call):
    def test(free):
        a, b = udp_pair()
        poller = net.Poller()
        if prepare:
            poller.register(b, "before", IN)
        net.zsock_send(a, b"x")
        eq(ready(b, IN), IN)
        done = starved(free, call, poller, b)
        want = {True: ["after"], None: ["before"] if prepare else []}[done]
        eq(tokens(poller.poll(0)), want)
        # A second time it is made, or has been.
        if prepare:
            poller.reregister(b, "after", IN)
        elif not done:
            poller.register(b, "after", IN)
        eq(tokens(poller.poll(0)), ["after"])
        poller.close()
        close(a, b)
        return done

    return test


def register(poller, fd):
    poller.register(fd, "after", net.POLLIN)
    return True


def reregister(poller, fd):
    poller.reregister(fd, "after", net.POLLIN)
    return True


def test_register():
    return swept(one_call(False, register))()


def test_reregister():
    return swept(one_call(True, reregister))()


@swept
def test_close_needs_none(free):
    a, b = udp_pair()
    poller = net.Poller()
    poller.register(b, "b", net.POLLOUT)
    true(starved(free, closed, b), "a close needs memory")
    eq(poller.poll(0), [])
    poller.close()
    close(a)
    return True


def closed(fd):
    net.zsock_close(fd)
    return True


@swept
def test_wake_needs_none(free):
    poller = net.Poller()
    waker = net.Waker(poller, 1)
    true(starved(free, woken, waker), "a wake needs memory")
    eq(tokens(poller.poll(0)), [1])
    poller.close()
    return True


def woken(waker):
    waker.wake()
    return True
