# TLS sockets whose peer stops, sends rubbish, ends or resets in each message of the handshake,
# with the layer's as client and as server; many handshakes of which half fail. One thread for all
# ends: nothing waits, and a relay of plain sockets between the two sees each record.
import gc

from secure import CA, OTHER, client, listener

import usocket_compat as net
from check import (
    MICROPYTHON,
    close,
    eq,
    has,
    needs,
    nodelay,
    nonblocking,
    now,
    raises,
    ready,
    sendall,
    sized,
    tcp,
    true,
)
from usocket_compat import errno

NEEDED = "IPPROTO_TLS_1_2"
ENDS = errno.ECONNABORTED, errno.ECONNRESET
RUBBISH = b"\x17\x03\x03\x00\x30" + bytes(range(48))
# No limit of ours: how long a busy machine may take.
LONG = 30000


def begun(lfd, addr, tag=CA):
    """A client on its way to addr, and who is accepted there."""
    fd = client(tags=(tag,))
    nodelay(fd)
    nonblocking(fd)
    raises("EINPROGRESS", net.zsock_connect, fd, addr)
    eq(ready(lfd, net.POLLIN, LONG), net.POLLIN)
    other, _ = net.zsock_accept(lfd)
    nodelay(other)
    nonblocking(other)
    return fd, other


class Relay:
    """Between a client and a server; counts the records of each direction."""

    def __init__(self, server, server_addr):
        from check import listener as plain

        lfd, addr = plain()
        self.client, self.near = begun(lfd, addr)
        self.far = tcp()
        nodelay(self.far)
        nonblocking(self.far)
        raises("EINPROGRESS", net.zsock_connect, self.far, server_addr)
        eq(ready(server, net.POLLIN, LONG), net.POLLIN)
        self.server, _ = net.zsock_accept(server)
        nodelay(self.server)
        nonblocking(self.server)
        close(lfd)
        self.held = {self.near: b"", self.far: b""}
        # records that came from each: their lengths
        self.records = {self.near: [], self.far: []}

    def turn(self, until=None):
        """Passes on what is whole; until: (from, n): stops before the nth record of that one."""
        fds = [net.zsock_pollfd(fd, net.POLLIN) for fd in (self.near, self.far)]
        # These make the handshakes go on.
        fds += [net.zsock_pollfd(fd, net.POLLOUT) for fd in (self.client, self.server)]
        net.zsock_poll(fds, 0 if fds[2].revents else 2)
        for fd, to in ((self.near, self.far), (self.far, self.near)):
            held = self.held[fd] + (piece(fd) or b"")
            while len(held) > 4:
                size = 5 + (held[3] << 8 | held[4])
                if len(held) < size:
                    break
                if until == (fd, len(self.records[fd])):
                    self.held[fd] = held
                    return held[:size]
                self.records[fd].append(size)
                sendall(to, held[:size])
                held = held[size:]
            self.held[fd] = held
        return None

    def over(self):
        """Whether both are connected."""
        fds = [net.zsock_pollfd(fd, net.POLLOUT) for fd in (self.client, self.server)]
        net.zsock_poll(fds, 0)
        return [each.revents for each in fds] == [net.POLLOUT, net.POLLOUT]

    def close(self):
        close(*[fd for fd in (self.client, self.server, self.near, self.far) if fd is not None])


def piece(fd):
    try:
        return net.zsock_recv(fd, 600, net.MSG_DONTWAIT)
    except OSError:
        return None


def soon(done, *args):
    """Until done(*args) gives something."""
    begin = now()
    while True:
        got = done(*args)
        if got:
            return got
        true(now() - begin < LONG, "it takes too long")


def whole():
    """How many records each side sends, in a handshake that goes well."""
    lfd, addr = listener()
    nonblocking(lfd)
    relay = Relay(lfd, addr)
    begin = now()
    while not relay.over():
        relay.turn()
        true(now() - begin < LONG)
    counts = len(relay.records[relay.near]), len(relay.records[relay.far])
    relay.close()
    close(lfd)
    return counts


def broken(lfd, addr, side, n, what):
    """In the middle of the nth record of one side its peer sees that the other does that."""
    relay = Relay(lfd, addr)
    fd = (relay.near, relay.far)[side]
    to = (relay.far, relay.near)[side]
    victim = (relay.server, relay.client)[side]
    record = soon(relay.turn, (fd, n))
    half = len(record) // 2
    if what == "rubbish":
        half = max(half, 5)  # else it may promise more than comes
    sendall(to, record[:half])
    if what == "stop":
        # It waits, and takes nothing for data.
        eq(ready(victim, net.POLLIN | net.POLLOUT, 20), 0)
        raises("EAGAIN", net.zsock_recv, victim, 1)
        raises("EAGAIN", net.zsock_send, victim, b"secret")
        close(victim)
        eq([victim in net.fds()], [False])
    else:
        if what == "rubbish":
            sendall(to, RUBBISH * (2 + len(record) // len(RUBBISH)))
        elif what == "reset":
            # What is unread in its buffer makes it one.
            reset(to)
        else:
            close(to)
        if what != "rubbish":
            if side:
                relay.near = None
            else:
                relay.far = None
        true(ready(victim, net.POLLIN, LONG) & net.POLLERR, what)
        for call in (net.zsock_send, b"secret"), (net.zsock_recv, 1):
            try:
                call[0](victim, call[1])
                true(False, "it is open")
            except OSError as e:
                true(e.errno in ENDS, (what, side, n, e))
        close(victim)
    if side:
        relay.client = None
    else:
        relay.server = None
    relay.close()


def reset(fd):
    if has("SO_LINGER"):
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_LINGER, (1, 0))
    close(fd)


def breaks_off(side):
    """In each message that this side sends."""
    counts = whole()
    true(counts[0] > 2 and counts[1] > 2, counts)
    lfd, addr = listener()
    nonblocking(lfd)
    for k, what in enumerate(("stop", "rubbish", "end", "reset")):
        # A board takes a second for four of them.
        for n in range(k % sized(1, 2), counts[side], sized(1, 2)):
            broken(lfd, addr, side, n, what)
            eq(net.fds(), [lfd])
    # The listener goes on.
    relay = Relay(lfd, addr)
    begin = now()
    while not relay.over():
        relay.turn()
        true(now() - begin < LONG)
    relay.close()
    close(lfd)
    eq(net.fds(), [])


@needs(NEEDED)
def test_a_client_breaks_off():
    breaks_off(0)


@needs(NEEDED)
def test_a_server_breaks_off():
    breaks_off(1)


# -- many -------------------------------------------------------------------------------

MANY = sized(200, 20)
# What a table that has grown once may keep; a leak is kept by each.
KEPT = 4096


def shaken(lfd, addr, tag):
    """One handshake, of a client that trusts whom the tag says: whether it was made."""
    fd, other = begun(lfd, addr, tag)
    fds = [net.zsock_pollfd(fd, net.POLLOUT), net.zsock_pollfd(other, net.POLLOUT)]
    begin = now()
    while not (fds[0].revents and fds[1].revents):
        net.zsock_poll(fds, 2)
        true(now() - begin < LONG)
    made = fds[0].revents == fds[1].revents == net.POLLOUT
    if made:
        eq(net.zsock_send(fd, b"hello"), 5)
        eq(ready(other, net.POLLIN, LONG), net.POLLIN)
        eq(net.zsock_recv(other, 9), b"hello")
    else:
        raises("ECONNABORTED", net.zsock_send, fd, b"hello")
    close(fd, other)
    return made


def kept():
    gc.collect()
    gc.collect()
    return gc.mem_alloc() if MICROPYTHON else len(gc.get_objects())


@needs(NEEDED)
def test_nothing_is_left_of_many():
    """Half of them fail: no fd, no memory; a board has not the memory for ten that were kept."""
    lfd, addr = listener()
    nonblocking(lfd)
    made = before = 0
    for n in range(MANY):
        made += shaken(lfd, addr, (CA, OTHER)[n % 2])
        eq(net.fds(), [lfd])
        if n == MANY // 10 * 5 - 1:
            before = kept()
    eq(made, MANY // 2)
    grown = kept() - before
    true(grown < KEPT, grown)
    close(lfd)
