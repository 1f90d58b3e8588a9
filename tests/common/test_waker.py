# Waker: a poll is ended from elsewhere, once for however many wakes, and none is lost.
import sys

from polled import QUIET, tokens

import usocket_compat as net
from check import (
    BOARD,
    MICROPYTHON,
    SOON,
    STARTED,
    Thread,
    close,
    eq,
    needs,
    raises,
    ready,
    sleep_ms,
    stack_of_threads,
    true,
    udp_pair,
)

# See test_poller.py.
stack_of_threads(8192)

IN = net.POLLIN


def test_wakes_are_one_event():
    a, b = udp_pair()
    with net.Poller() as poller:
        poller.register(b, "b", IN)
        waker = net.Waker(poller, "waker")
        eq(poller.poll(QUIET), [])
        for n in (1, 3, 100):
            for _ in range(n):
                waker.wake()
            (event,) = poller.poll(SOON)
            eq((event.token, event.readable, event.writable), ("waker", True, False))
            eq(poller.poll(0), [])
        net.zsock_send(a, b"x")
        ready(b, net.POLLIN)
        waker.wake()
        eq(sorted(tokens(poller)), ["b", "waker"])
        eq(tokens(poller), ["b"])
        raises("EEXIST", net.Waker, poller, "another")
        waker.close()
        raises("EBADF", waker.wake)
        waker = net.Waker(poller, "another")
        waker.wake()
        eq(sorted(tokens(poller)), ["another", "b"])
        waker.wake()
        waker.close()
        eq(tokens(poller), ["b"])
        net.Waker(poller, "third")
    raises("EBADF", net.Waker, poller, "fourth")
    close(a, b)


@needs("threads")
def test_from_another_thread():
    with net.Poller() as poller:
        waker = net.Waker(poller, "waker")
        for _ in range(5):
            thread = Thread(tokens, poller, 10 * SOON)
            sleep_ms(STARTED)
            true(not thread.done)
            waker.wake()
            eq(thread.join(), ["waker"])
        thread = Thread(poller.poll, None)
        sleep_ms(STARTED)
    raises("EBADF", thread.join)


@needs("threads")
def test_no_wake_is_lost():
    """Whoever has written down what is to be done, and wakes, is seen after the poll."""
    todo, done = [0], [0]
    rounds = 30 if BOARD else 500
    with net.Poller() as poller:
        waker = net.Waker(poller, None)

        def produce():
            for n in range(1, rounds + 1):
                todo[0] = n
                waker.wake()
                while n % 5 == 0 and done[0] < n:
                    sleep_ms(0)
            return "done"

        thread = Thread(produce)
        while done[0] < rounds:
            eq(tokens(poller, 10 * SOON), [None], "a wake was lost")
            done[0] = todo[0]
        eq(thread.join(), "done")


def test_from_a_callback():
    """A timer's, or of micropython.schedule; a signal's handler on CPython."""
    with net.Poller() as poller:
        waker = net.Waker(poller, "waker")
        if MICROPYTHON:
            import micropython

            micropython.schedule(waker.wake, 0)
        else:
            import os
            import signal

            before = signal.signal(signal.SIGUSR1, waker.wake)
            os.kill(os.getpid(), signal.SIGUSR1)
            sleep_ms(1)
            signal.signal(signal.SIGUSR1, before)
        eq(tokens(poller), ["waker"])
        eq(poller.poll(0), [])


def test_from_a_callback_within_the_poll():
    """The poll waits when the callback comes."""
    with net.Poller() as poller:
        waker = net.Waker(poller, "waker")
        if BOARD:
            from machine import Timer

            timer = Timer(0)
            timer.init(mode=Timer.ONE_SHOT, period=STARTED, callback=waker.wake)
            eq(tokens(poller), ["waker"])
            timer.deinit()
        elif MICROPYTHON:
            return "no timers here"
        else:
            import signal

            before = signal.signal(signal.SIGALRM, waker.wake)
            signal.setitimer(signal.ITIMER_REAL, STARTED / 1000)
            eq(tokens(poller), ["waker"])
            signal.signal(signal.SIGALRM, before)


def test_it_allocates_nothing():
    """As a hard interrupt must not."""
    if not MICROPYTHON:
        return "CPython has no heap to lock"
    import micropython

    with net.Poller() as poller:
        waker = net.Waker(poller, "waker")
        micropython.heap_lock()
        try:
            waker.wake()
            waker.wake()
        finally:
            micropython.heap_unlock()
        eq(tokens(poller), ["waker"])
        eq(poller.poll(0), [])
    return sys.platform
