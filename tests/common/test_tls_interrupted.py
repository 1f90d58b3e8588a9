# What has interrupted a TLS socket's calls on MicroPython, Ctrl-C or for want of memory, anywhere
# in what `tls` calls: the bytes beneath are counted once, so that the connection goes on.
from sys import modules

from secure import pair

import usocket_compat as net
from check import MICROPYTHON, close, eq, now, raises, recv_exactly, sendall, since, true
from usocket_compat.zbase import tab

NEEDED = "IPPROTO_TLS_1_2"


class Interruption(Exception):
    """As Ctrl-C, which the suite itself does not catch."""


class Interrupts:
    """A bytearray, in the place of a stream's `head`, that raises once where it is written."""

    def __init__(self, of, at):
        self.of, self.at = of, at

    def __getitem__(self, at):
        return self.of[at]

    def __setitem__(self, at, value):
        if at == self.at:
            self.at = None
            raise Interruption
        self.of[at] = value


class Hand:
    """In the place of what follows a handshake: raises once when a record goes out."""

    def __init__(self, eng):
        self.eng = eng

    def wrote(self, buf, n):
        self.eng.hand = None
        raise Interruption


def engines(*fds):
    return [tab[fd].p.eng for fd in fds]


def driven(test):
    """OpenSSL itself holds what CPython's signals interrupt: tests/peers/test_tls_later.py."""

    def run():
        if not MICROPYTHON or not net.capabilities()[NEEDED]:
            return "not MicroPython's tls"
        return test()

    return run


@driven
def test_a_record_that_comes_is_counted_once():
    a, b = pair()
    (eng,) = engines(b)
    head = eng.head
    for at in range(5):
        sendall(a, b"%d is one record" % at)
        eng.head = Interrupts(head, at)
        raises(Interruption, net.zsock_recv, b, 100)
        eq(recv_exactly(b, 15), b"%d is one record" % at)
    eng.head = head
    close(a, b)


@driven
def test_a_poll_that_is_interrupted_loses_nothing():
    a, b = pair()
    (eng,) = engines(b)
    head = eng.head
    pfd = net.zsock_pollfd(b, net.POLLIN)
    for at in range(5):
        sendall(a, b"%d is one record" % at)
        eng.head = Interrupts(head, at)
        raises(Interruption, net.zsock_poll, [pfd], 5000)
        eq(net.zsock_poll([pfd], 5000), 1)
        eq(recv_exactly(b, 15), b"%d is one record" % at)
    eng.head = head
    # It was decrypted, and not kept yet.
    sendall(a, b"the end")
    t = tab[b].p
    get = eng.get

    def gets(buf):
        n = get(buf)
        if n:
            eng.get = get
            raise Interruption
        return n

    eng.get = gets
    raises(Interruption, net.zsock_poll, [pfd], 5000)
    eq((t.back, len(t.part)), (b"", 1))
    eq(recv_exactly(b, 7), b"the end")
    eq((t.back, t.part), (b"", None))
    close(a, b)


@driven
def test_a_record_that_goes_is_counted_once():
    a, b = pair()
    (eng,) = engines(a)
    for again in (b"one record", b"another"):
        eng.hand = Hand(eng)
        raises(Interruption, net.zsock_send, a, b"one record")
        eq(net.zsock_send(a, again), len(again))
        eq(recv_exactly(b, 10), b"one record")
        if again != b"one record":
            eq(recv_exactly(b, len(again)), again)
    # It has gone, and nothing of it goes again.
    eq(net.zsock_send(a, b"end"), 3)
    eq(recv_exactly(b, 3), b"end")
    close(a, b)


@driven
def test_the_engine_is_free_afterwards():
    a, b = pair()
    (eng,) = engines(a)
    eng.hand = Hand(eng)
    raises(Interruption, net.zsock_send, a, b"x")
    t = tab[a].p
    eq((t._lock.locked(), t._own[1]), (False, None))
    # Who comes in meanwhile waits for nothing.
    leave = modules["usocket_compat.tls"].leave
    mine = t.enter()
    eq((mine, t.enter()), (True, False))
    leave[False](t)
    true(t._lock.locked())
    leave[mine](t)
    eq((t._lock.locked(), t._own[1]), (False, None))
    close(a, b)


def test_who_has_ended_keeps_nobody_waiting():
    """Of a call that a signal's handler has ended the engine is free before the next signal."""
    if MICROPYTHON or not net.capabilities()[NEEDED]:
        return "not CPython's ssl"
    a, b = pair()
    begin = now()
    for _ in range(10):
        for fd in a, b:
            tab[fd].p._owners.append(object())
        sendall(a, b"x")
        eq(recv_exactly(b, 1), b"x")
    true(since(now(), begin) < 500)
    close(a, b)
