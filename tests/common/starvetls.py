# A heap with little left for a call on a TLS socket (test_tls_no_memory*.py): MicroPython's alone.
import shortage
from secure import client, listener
from shortage import BLOCK, ballast
from starve import ALL, MOST, descriptors

import usocket_compat as net
from check import MICROPYTHON, close, eq, nodelay, nonblocking, now, raises, ready, true

NEEDED = "IPPROTO_TLS_1_2"
LONG = 30000
# blocks that are free
FEW = 0, 1, 2, 3, 5, 8, 16, 32


def swept(test):
    """As starve's, of fewer numbers: each takes long. What the fds are is closed at the end."""

    def run():
        if not MICROPYTHON:
            return "this heap has no end"
        # What it needs is loaded then.
        true(test(None) is not None, "it cannot be made")
        weight = ballast()
        before = descriptors()
        for free in range(0, MOST + 1, BLOCK):
            if ALL or free // BLOCK in FEW:
                test(free)
        weight = None
        eq(descriptors(), before, "descriptors")
        net.closeall()
        return weight

    return run


def starved(free, call, *args):
    return call(*args) if free is None else shortage.starved(free, call, *args)


# One pair for all that do not end it: a handshake takes a board a while.
_pair = []


def begun():
    """A handshake of two that do not wait: the client, the server."""
    lfd, addr = listener()
    nonblocking(lfd)
    a = client()
    nodelay(a)
    nonblocking(a)
    raises("EINPROGRESS", net.zsock_connect, a, addr)
    eq(ready(lfd, net.POLLIN, LONG), net.POLLIN)
    b, _ = net.zsock_accept(lfd)
    nodelay(b)
    nonblocking(b)
    close(lfd)
    return a, b


def ended(a, b):
    """Goes on with it until both are connected, or one has failed: whether they are."""
    fds = [net.zsock_pollfd(a, net.POLLOUT), net.zsock_pollfd(b, net.POLLOUT)]
    begin = now()
    while True:
        net.zsock_poll(fds, 2)
        for each in fds:
            if each.revents & net.POLLERR:
                return False
        if fds[0].revents and fds[1].revents:
            return True
        true(now() - begin < LONG, "it hangs")


def pair():
    if not _pair or _pair[0] not in net.fds():
        _pair[:] = begun()
        true(ended(*_pair))
    return _pair
