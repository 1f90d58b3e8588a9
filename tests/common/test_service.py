# Zephyr's socket service. The rules are those of sockets_service.c.
import usocket_compat as net
from check import (
    MICROPYTHON,
    SOON,
    STARTED,
    Thread,
    close,
    eq,
    needs,
    now,
    raises,
    ready,
    since,
    sleep_ms,
    true,
    udp,
)
from usocket_compat import _config

IN, OUT = net.POLLIN, net.POLLOUT
QUIET = 30
DEFINE = net.NET_SOCKET_SERVICE_SYNC_DEFINE
register, unregister = net.net_socket_service_register, net.net_socket_service_unregister
step = net.net_socket_service_step
got = []


def receive(pev):
    got.append((pev.event.fd, pev.event.revents, pev.user_data, net.zsock_recv(pev.event.fd, 9)))


def fresh(callback, count):
    """A service; those of other tests have no fds any more."""
    got.clear()
    return DEFINE(callback, count)


def pollfds(*fds):
    return [net.zsock_pollfd(fd, IN) for fd in fds]


def until(done):
    start = now()
    while not done():
        true(since(now(), start) < SOON, "it does not come")
        sleep_ms(1)


# rows: net_socket_service_register net_socket_service_unregister net_socket_service_foreach
def test_stepped_by_hand():
    a, a_addr = udp()
    b, b_addr = udp()
    svc = fresh(receive, 2)
    other = DEFINE(receive, 1)
    register(svc, pollfds(a), "user")
    register(other, pollfds(b), None)
    eq((step(), step(QUIET)), (0, 0))
    net.zsock_sendto(a, b"1", 0, a_addr)
    eq((step(SOON), got), (1, [(a, IN, "user", b"1")]))
    got.clear()
    # In the order of the services.
    net.zsock_sendto(a, b"2", 0, b_addr)
    net.zsock_sendto(b, b"3", 0, a_addr)
    for fd in (a, b):
        ready(fd, IN)
    eq(step(SOON), 2)
    eq(got, [(a, IN, "user", b"3"), (b, IN, None, b"2")])
    got.clear()
    # What is registered takes the place of what was.
    net.zsock_sendto(a, b"4", 0, a_addr)
    register(svc, pollfds(b))
    unregister(other)
    eq(step(QUIET), 0)
    net.zsock_sendto(a, b"5", 0, b_addr)
    eq((step(SOON), got), (1, [(b, IN, None, b"5")]))
    seen = []
    net.net_socket_service_foreach(lambda each, data: seen.append((each, data)), 7)
    eq(seen[-2:], [(svc, 7), (other, 7)])
    unregister(svc)
    eq(step(), 0)
    close(a, b)


# rows: net_socket_service_register net_socket_service_unregister
def test_misuse():
    a = udp()[0]
    svc = fresh(receive, 1)
    for what in (None, 5, "svc"):
        raises("ENOENT", register, what, pollfds(a))
        raises("ENOENT", unregister, what)
    register(svc, pollfds(a), "before")
    raises("ENOMEM", register, svc, pollfds(a, a), "after")
    # As Zephyr's: it has none then.
    eq(svc.pev, [])
    eq(step(), 0)
    raises("EINVAL", DEFINE, receive, 0)
    most = _config.ZVFS_POLL_MAX
    raises("ENOMEM", register, DEFINE(receive, most), pollfds(*[a] * most))
    for args in ((None, 1), (receive, "1")):
        raises(TypeError, DEFINE, *args)
    # A closed one is told, again and again, until it is taken out.
    told = []
    svc.callback = None  # what was registered has its own
    closed = fresh(lambda pev: told.append(pev.event.revents), 1)
    register(closed, pollfds(a))
    close(a)
    eq((step(), step(), told), (1, 1, [net.POLLNVAL] * 2))
    unregister(closed)
    eq(step(), 0)


# rows: net_socket_service_unregister
def test_a_callback_changes_what_is_registered():
    a, addr = udp()
    b, b_addr = udp()

    def once(pev):
        receive(pev)
        raises("EALREADY", step)
        unregister(pev.svc)
        unregister(second)

    svc = fresh(once, 1)
    second = DEFINE(receive, 1)
    register(svc, pollfds(a))
    register(second, pollfds(b))
    for to in (addr, addr, b_addr):
        net.zsock_sendto(a, b"x", 0, to)
    for fd in (a, b):
        ready(fd, IN)
    # The second is not called any more, though it was ready with the first.
    eq((step(SOON), len(got)), (1, 1))
    eq(step(QUIET), 0)

    def fails(pev):
        net.zsock_recv(pev.event.fd, 9)
        raise ValueError("mine")

    third = DEFINE(fails, 1)
    fourth = DEFINE(receive, 1)
    register(third, pollfds(a))
    register(fourth, pollfds(b))
    # What one raises comes through; the others are called by the next step.
    raises(ValueError, step, SOON)
    eq((step(SOON), got[1:]), (1, [(b, IN, None, b"x")]))
    unregister(third)
    unregister(fourth)
    close(a, b)


@needs("threads")
def test_in_a_thread():
    a, addr = udp()
    svc = fresh(receive, 2)
    register(svc, pollfds(a), 1)
    net.net_socket_service_start()
    raises("EALREADY", net.net_socket_service_start)
    raises("EALREADY", step)
    for n in range(3):
        net.zsock_sendto(a, b"x", 0, addr)
        until(lambda: len(got) == n + 1)
    # It sees at once what is registered meanwhile.
    b, b_addr = udp()
    net.zsock_sendto(a, b"y", 0, b_addr)
    sleep_ms(QUIET)
    eq(len(got), 3)
    register(svc, pollfds(a, b), 2)
    until(lambda: got[3:] == [(b, IN, 2, b"y")])
    net.net_socket_service_stop()
    net.zsock_sendto(a, b"z", 0, addr)
    sleep_ms(QUIET)
    eq(len(got), 4)
    eq(step(SOON), 1)
    net.net_socket_service_stop()
    unregister(svc)
    close(a, b)


@needs("threads")
def test_a_callback_ends_the_thread():
    a, addr = udp()

    def last(pev):
        receive(pev)
        net.net_socket_service_stop()

    svc = fresh(last, 1)
    register(svc, pollfds(a))
    net.net_socket_service_start()
    net.zsock_sendto(a, b"x", 0, addr)
    until(lambda: got)

    def ended():
        # EALREADY until the thread is out of the way.
        try:
            return step() == 0
        except OSError:
            return False

    until(ended)
    eq(net.fds(), [a])
    unregister(svc)
    close(a)


@needs("threads")
def test_what_a_thread_registers_is_seen_by_the_loop():
    import asyncio

    a, addr = udp()
    svc = fresh(receive, 1)

    def later():
        sleep_ms(STARTED)
        register(svc, pollfds(a), "later")

    async def main():
        task = asyncio.create_task(net.net_socket_service_task())
        thread = Thread(later)
        net.zsock_sendto(a, b"x", 0, addr)
        start = now()
        while not got and since(now(), start) < SOON:
            await asyncio.sleep(0.005)
        eq(got, [(a, IN, "later", b"x")])
        thread.join()
        raises("EALREADY", step)
        net.net_socket_service_stop()
        await task
        task = asyncio.create_task(net.net_socket_service_task())
        await asyncio.sleep(0.01)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"

    eq(asyncio.run(main()), "cancelled")
    if MICROPYTHON:
        asyncio.new_event_loop()
    unregister(svc)
    close(a)
