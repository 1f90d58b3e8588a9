# Contract 12: with little or no heap left a call is made, or raises MemoryError and is not made.
# What is there before must be there afterwards: data, connections, fds, descriptors. Each is tried
# with every number of free bytes (a heap gives blocks) up to 128, and with each eighth up to 1 KB;
# with USOCKET_FULL_SWEEP set, on this machine, and wherever ALL is made True, with all of them.
from array import array

from shortage import starved
from starve import swept

import usocket_compat as net
from check import (
    SOON,
    close,
    eq,
    has,
    listener,
    needs,
    pair,
    raises,
    ready,
    sized,
    tcp,
    true,
    udp,
)
from usocket_compat import errno

NOW = net.MSG_DONTWAIT
DATA = b"0123456789abcdefghijklmnopqrstuvwxyz" * 3


QUIET = sized(0, 20)  # ms; on a board what was sent to itself takes its time


def rest(fd, n):
    """What is still to be received, n bytes if nothing was lost."""
    data = b""
    while ready(fd, net.POLLIN, SOON if len(data) < n else QUIET):
        data += net.recv(fd, 200, NOW)
    return data


def kept(got, fd, want=DATA):
    """What a call got, and what is left, are together what was sent."""
    got = bytes(got or b"")
    eq(got + rest(fd, len(want) - len(got)), want)
    return got or None


def sent(fd, to):
    """DATA is sent, and has arrived."""
    net.send(fd, DATA)
    eq(ready(to, net.POLLIN), net.POLLIN)


def from_it(addr, fd):
    """addr is that of fd, where it is known."""
    if has("getsockname"):
        eq(addr, net.getsockname(fd))


def streams():
    yield pair()
    if has("socketpair"):
        yield net.socketpair()


def received(n, flags=0):
    def test(free):
        got = None
        for a, b in streams():
            for size in (n, 5):
                sent(a, b)
                got = kept(starved(free, net.recv, b, size, flags), b) or got
            close(a, b)
        return got

    return test


@swept
def test_recv(free):
    return received(60)(free)


@swept
def test_recv_of_all(free):
    return received(len(DATA))(free)


@needs("MSG_DONTWAIT")
@swept
def test_recv_at_once(free):
    return received(60, NOW)(free)


@needs("MSG_WAITALL")
@swept
def test_recv_waits_for_all(free):
    return received(60, net.MSG_WAITALL)(free)


def received_into(make, flags=0):
    def test(free):
        made = None
        for a, b in streams():
            buf = make(64)
            sent(a, b)
            n = starved(free, net.recv, b, buf, flags)
            kept(bytes(buf)[: n or 0], b)
            close(a, b)
            made = n or made
        return made

    return test


def items(n):
    return array("H", bytes(n))


def view_of_items(n):
    return memoryview(items(n))


@swept
def test_recv_into(free):
    return received_into(bytearray)(free)


@swept
def test_recv_into_an_array(free):
    return received_into(items)(free)


@swept
def test_recv_into_a_view_of_one(free):
    return received_into(view_of_items)(free)


@needs("MSG_WAITALL")
@swept
def test_recv_into_waits_for_all(free):
    return received_into(bytearray, net.MSG_WAITALL)(free)


@needs("MSG_PEEK")
@swept
def test_recv_that_peeks(free):
    made = None
    for a, b in streams():
        sent(a, b)
        got = starved(free, net.recv, b, 60, net.MSG_PEEK)
        true(got is None or got == DATA[: len(got)])
        kept(b"", b)
        close(a, b)
        made = got or made
    return made


def datagrams(receive):
    def test(free):
        a, _ = udp()
        b, to = udp()
        for data in (DATA, b"second"):
            net.sendto(a, data, 0, to)
        eq(ready(b, net.POLLIN), net.POLLIN)
        got = starved(free, receive, b)
        left = []
        while len(left) < (1 if got else 2):
            eq(ready(b, net.POLLIN), net.POLLIN)
            left.append(net.recv(b, 200, NOW))
        raises("EAGAIN", net.recv, b, 200, NOW)
        eq(left, [b"second"] if got else [DATA, b"second"])
        if got and got.__class__ is tuple:
            eq(got[0], buffer_or(got[0]))
            from_it(got[-1], a)
        elif got:
            eq(got, buffer_or(got))
        close(a, b)
        return got

    return test


_buffer = bytearray(200)


def buffer_or(got):
    """What it must have got: a count, and all is in the buffer then."""
    if got.__class__ is not int:
        return DATA
    eq(_buffer[:got], DATA)
    return len(DATA)


@swept
def test_recv_of_a_datagram(free):
    return datagrams(lambda fd: net.recv(fd, 200))(free)


@swept
def test_recvfrom(free):
    return datagrams(lambda fd: net.recvfrom(fd, 200))(free)


@swept
def test_recvfrom_into(free):
    return datagrams(lambda fd: net.recvfrom(fd, _buffer))(free)


@swept
def test_recv_of_a_datagram_into(free):
    return datagrams(lambda fd: net.recv(fd, _buffer))(free)


@needs("recvmsg")
@swept
def test_recvmsg_of_a_datagram(free):
    return datagrams(lambda fd: net.recvmsg(fd, [_buffer]))(free)


@needs("MSG_PEEK")
@swept
def test_recvfrom_that_peeks(free):
    a, _ = udp()
    b, to = udp()
    net.sendto(a, DATA, 0, to)
    eq(ready(b, net.POLLIN), net.POLLIN)
    got = starved(free, net.recvfrom, b, 60, net.MSG_PEEK)
    true(got is None or got[0] == DATA[:60])
    eq(net.recv(b, 200, NOW), DATA)
    close(a, b)
    return got


@needs("recvmsg")
@swept
def test_recvmsg(free):
    made = None
    for a, b in streams():
        buffers = [bytearray(20), bytearray(30)]
        sent(a, b)
        got = starved(free, net.recvmsg, b, buffers)
        kept(b"".join(buffers)[: got[0]] if got else b"", b)
        close(a, b)
        made = got or made
    return made


@needs("recvmsg", "MSG_WAITALL")
@swept
def test_recvmsg_waits_for_all(free):
    a, b = pair()
    buffers = [bytearray(20), bytearray(30)]
    sent(a, b)
    got = starved(free, net.recvmsg, b, buffers, 0, net.MSG_WAITALL)
    kept(b"".join(buffers)[: got[0]] if got else b"", b)
    close(a, b)
    return got


@needs("scm_rights")
@swept
def test_descriptors_in_a_message(free):
    a, b = net.socketpair()
    c, d = net.socketpair()
    rights = [(net.SOL_SOCKET, net.SCM_RIGHTS, array("i", [c, d]))]
    net.sendmsg(a, [b"two"], rights)
    opened = len(net.fds())
    got = starved(free, net.recvmsg, b, [bytearray(3)], 64)
    if not got:
        eq(len(net.fds()), opened)
        got_later = net.recvmsg(b, [bytearray(3)], 64)
    count, ancdata, flags, _ = got or got_later
    eq((count, flags & net.MSG_CTRUNC), (3, 0))
    fds = array("i", ancdata[0][2])
    eq((len(fds), len(net.fds())), (2, opened + 2))
    net.send(fds[0], b"alive")
    eq(net.recv(fds[1], 5), b"alive")
    close(a, b, c, d, *fds)
    return got


@swept
def test_sends(free):
    made = None
    for a, b in streams():
        sends = [
            lambda: net.send(a, DATA),
            lambda: net.send(a, memoryview(DATA)),
            lambda: net.send(a, DATA, NOW),
        ]
        if has("sendmsg"):
            sends.append(lambda: net.sendmsg(a, [DATA[:9], DATA[9:]]))
        for send in sends:
            n = starved(free, send) or 0
            eq(rest(b, n), DATA[:n])
            made = n or made
        close(a, b)
    return made


@swept
def test_sendto(free):
    a, _ = udp()
    b, to = udp()
    n = starved(free, net.sendto, a, DATA, 0, to) or 0
    eq(rest(b, n), DATA[:n])
    close(a, b)
    return n or None


@swept
def test_accept(free):
    fd, addr = listener()
    clients = [tcp(), tcp()]
    for client in clients:
        net.connect(client, addr)
    opened = len(net.fds())
    first = starved(free, net.accept, fd)
    eq(len(net.fds()), opened + (first is not None))
    for got in (first or net.accept(fd), net.accept(fd)):
        from_it(got[1], clients[0])
        net.send(clients.pop(0), b"hello")
        eq(net.recv(got[0], 5), b"hello")
    close(*net.fds())
    return first


@needs("SO_RCVTIMEO")
@swept
def test_accept_with_what_is_inherited(free):
    fd, addr = listener()
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 5)
    if has("TCP_NODELAY"):
        net.setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    client = tcp()
    net.connect(client, addr)
    got = starved(free, net.accept, fd)
    new, peer = got or net.accept(fd)
    from_it(peer, client)
    true(net.getsockopt(new, net.SOL_SOCKET, net.SO_RCVTIMEO) != 0)
    close(*net.fds())
    return got


def opened(make):
    """What make() opens is opened, or nothing is."""

    def test(free):
        got = starved(free, make)
        fds = [] if got is None else got if got.__class__ is tuple else [got]
        eq(net.fds(), sorted(fds))
        close(*fds)
        return got

    return test


@swept
def test_socket(free):
    return opened(lambda: net.socket())(free)


@swept
def test_datagram_socket(free):
    return opened(lambda: net.socket(net.AF_INET, net.SOCK_DGRAM))(free)


@needs("socketpair")
@swept
def test_socketpair(free):
    return opened(lambda: net.socketpair())(free)


@needs("socketpair")
@swept
def test_datagram_pair(free):
    return opened(lambda: net.socketpair(1, net.SOCK_DGRAM))(free)


@needs("eventfd")
@swept
def test_eventfd(free):
    return opened(lambda: net.eventfd(1))(free)


@swept
def test_dup(free):
    fd = tcp()
    twin = starved(free, net.dup, fd)
    eq(len(net.fds()), 1 + (twin is not None))
    close(*net.fds())
    return twin


@needs("getsockname")
@swept
def test_bind_and_listen(free):
    """Each can be made again where it was not made."""
    fd = tcp()
    made = starved(free, bound, fd)
    if not made:
        try:
            net.bind(fd, ("127.0.0.1", 0))
        except OSError as e:
            eq(e.errno, errno.EINVAL)  # it was
            true(net.getsockname(fd)[1])
    if starved(free, listens, fd) is None:
        net.listen(fd)
    client = tcp()
    net.connect(client, net.getsockname(fd))
    close(net.accept(fd)[0], client, fd)
    return made


def bound(fd):
    net.bind(fd, ("127.0.0.1", 0))
    return True


def listens(fd):
    net.listen(fd)
    return True


@swept
def test_connect(free):
    fd, addr = listener()
    client = tcp()
    made = starved(free, connected, client, addr)
    if not made:
        try:
            net.connect(client, addr)
        except OSError as e:
            eq(e.errno, errno.EISCONN)  # it went on meanwhile
    server, peer = net.accept(fd)
    from_it(peer, client)
    net.send(client, b"hello")
    eq(net.recv(server, 5), b"hello")
    close(client, server, fd)
    return made


def connected(fd, addr):
    net.connect(fd, addr)
    return True


@swept
def test_poll(free):
    a, b = pair()
    net.send(a, b"x")
    polls = [net.pollfd(b, net.POLLIN), net.pollfd(a, net.POLLIN)]
    got = starved(free, net.poll, polls, 1000)
    eq((net.poll(polls, 1000), polls[0].revents), (1, net.POLLIN))
    eq(net.recv(b, 5), b"x")
    close(a, b)
    return got


@swept
def test_poll_for_the_end(free):
    # A board reads ahead for it; without room for that there is data all the same.
    a, b = pair()
    sent(a, b)
    polls = [net.pollfd(b, net.POLLIN | net.POLLRDHUP)]
    got = starved(free, net.poll, polls, 0)
    true(got in (None, 1), got)
    eq((net.poll(polls, 1000), polls[0].revents), (1, net.POLLIN))
    kept(b"", b)
    close(a, b)
    return got


@needs("eventfd")
@swept
def test_eventfd_read_and_write(free):
    fd = net.eventfd(0, net.EFD_NONBLOCK)
    most = (1 << 64) - 2
    if starved(free, writes, fd, most) is None:
        net.eventfd_write(fd, most)
    raises("EAGAIN", net.eventfd_write, fd, 1)
    got = starved(free, net.eventfd_read, fd)
    eq(got or net.eventfd_read(fd), most)
    raises("EAGAIN", net.eventfd_read, fd)
    close(fd)
    return got


def writes(fd, value):
    net.eventfd_write(fd, value)
    return True


@needs("SO_ERROR", "SO_LINGER")
@swept
def test_an_error_that_is_told_once(free):
    a, b = pair()
    net.setsockopt(a, net.SOL_SOCKET, net.SO_LINGER, (1, 0))
    close(a)
    eq(net.poll([net.pollfd(b, 0)], 1000), 1)
    got = starved(free, net.getsockopt, b, net.SOL_SOCKET, net.SO_ERROR)
    eq(got or net.getsockopt(b, net.SOL_SOCKET, net.SO_ERROR), errno.ECONNRESET)
    close(b)
    return got


@needs("FIONREAD")
@swept
def test_how_much_can_be_read(free):
    made = None
    for a, b in streams():
        sent(a, b)
        got = starved(free, net.ioctl, b, net.FIONREAD)
        true(got in (None, len(DATA)), got)
        kept(b"", b)
        close(a, b)
        made = got or made
    return made


@swept
def test_close(free):
    """It needs no memory."""
    for fd in (tcp(), udp()[0]) + (net.socketpair() if has("socketpair") else ()):
        eq(starved(free, closed, fd), True)
    return True


def closed(fd):
    net.close(fd)
    return True
