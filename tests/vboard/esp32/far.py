# SPDX-License-Identifier: MIT
# What a board sees of peers on the network: far.py FUNCTION ARGUMENTS. Prints what it gets, and
# waits for a line of input where the other side has to do something first.
import _thread
import gc
import hashlib
import sys
import time

import usocket_compat as net
from usocket_compat import errno

HOST = "10.0.2.2"
NOBODY = "10.0.2.99"
NAMES = (
    "EAGAIN EBADF ECONNREFUSED ECONNRESET EHOSTUNREACH EINPROGRESS ENETUNREACH ENOTCONN EPIPE"
    " ETIMEDOUT"
).split()


def got(f, *args):
    """What the call gives, or the name of its error."""
    try:
        return f(*args)
    except OSError as e:
        if isinstance(e, net.gaierror):
            for name in "EAI_AGAIN EAI_NONAME EAI_FAIL EAI_NODATA".split():
                if getattr(net, name) == e.errno:
                    return name
        for name in NAMES:
            if getattr(errno, name) == e.errno:
                return name
        return repr(e)


def connected(port):
    fd = net.zsock_socket()
    net.zsock_connect(fd, (HOST, port))
    return fd


def so_error(fd):
    code = net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_ERROR)
    return [name for name in NAMES if getattr(errno, name) == code] or code


def events(fd, wanted, ms=10000):
    p = net.zsock_pollfd(fd, wanted)
    net.zsock_poll([p], ms)
    names = "POLLIN POLLOUT POLLERR POLLHUP POLLNVAL".split()
    return [name for name in names if getattr(net, name) & p.revents]


def refused(closed, opened):
    fd = net.zsock_socket()
    print(got(net.zsock_connect, fd, (HOST, closed)))
    print(got(net.zsock_send, fd, b"x"))
    # As on Linux the socket may try again.
    print(got(net.zsock_connect, fd, (HOST, opened)))
    net.zsock_close(fd)
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM | net.SOCK_NONBLOCK)
    print(got(net.zsock_connect, fd, (HOST, closed)))
    print("POLLOUT" in events(fd, net.POLLOUT))
    print(so_error(fd), so_error(fd))
    net.zsock_close(fd)


def reset(port):
    fd = connected(port)
    print("there", events(fd, net.POLLIN))
    input()
    while "POLLHUP" not in events(fd, net.POLLIN):
        time.sleep(0.01)
    print(got(net.zsock_recv, fd, 4), got(net.zsock_recv, fd, 100))
    print([got(net.zsock_recv, fd, 100) for _ in range(3)], got(net.zsock_send, fd, b"x"))
    net.zsock_close(fd)
    # Found out in the middle of a blocking call.
    fd = connected(port)
    print(net.zsock_recv(fd, 9, net.MSG_WAITALL))
    print([got(net.zsock_recv, fd, 3) for _ in range(3)])
    net.zsock_close(fd)


def reset_before_it_looked(port):
    """The connection is made, brings data and is reset before the first call looks at it."""
    for ask in (True, False):
        fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM | net.SOCK_NONBLOCK)
        print(got(net.zsock_connect, fd, (HOST, port)))
        input()
        print(so_error(fd) if ask else "", [got(net.zsock_recv, fd, 9) for _ in range(3)])
        net.zsock_close(fd)


def connect_while_polled(port):
    """One thread connects, another asks poll whether it has."""
    results = []

    def connect(fd):
        try:
            results.append(net.zsock_connect(fd, (HOST, port)))
        except Exception as e:
            results.append(repr(e))

    for i in range(5):
        fd = net.zsock_socket()
        fds = [net.zsock_pollfd(fd, net.POLLOUT)]
        _thread.start_new_thread(connect, (fd,))
        while len(results) == i:
            net.zsock_poll(fds, 0)
        net.zsock_close(fd)
    print(results)


def reset_in_the_queue(own):
    listener = net.zsock_socket()
    net.zsock_setsockopt(listener, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_setsockopt(listener, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    net.zsock_bind(listener, ("", own))
    net.zsock_listen(listener, 4)
    print("listening")
    input()
    data = None
    while data != b"served":
        fd, _ = net.zsock_accept(listener)
        data = got(net.zsock_recv, fd, 10)
        net.zsock_close(fd)
    net.zsock_close(listener)
    print(data, len(net.fds()))


def little_memory(port, size):
    """What is waiting is much, and there is no room for it."""
    fd = connected(port)
    net.zsock_ioctl(fd, net.FIONREAD)  # loads what it needs
    input()
    room = [None] * 400
    n = 0
    try:
        while True:
            room[n] = bytearray(1000)
            n += 1
    except MemoryError:
        room[n - 24 : n] = []
    gc.collect()
    print(got(net.zsock_ioctl, fd, net.FIONREAD) > 0)
    room = None
    gc.collect()
    digest = hashlib.sha256()
    while size:
        data = net.zsock_recv(fd, 1000)
        digest.update(data)
        size -= len(data)
    print(digest.digest().hex())
    net.zsock_close(fd)


def half_close(port, count):
    fd = connected(port)
    question = b""
    while True:
        data = net.zsock_recv(fd, 4)
        if not data:
            break
        question += data
    print(question, net.zsock_recv(fd, 4), net.zsock_recv(fd, bytearray(4)))
    print(events(fd, net.POLLIN | net.POLLOUT))
    for i in range(count):
        net.zsock_send(fd, b"%6d" % i)
    net.zsock_close(fd)


def in_time(limit, f, *args):
    """What the call gives, and by how many ms it missed the limit."""
    begin = time.ticks_ms()
    r = got(f, *args)
    return r, time.ticks_diff(time.ticks_ms(), begin) - limit


def black_hole(port):
    fd = connected(port)
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.15)
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.15)
    print("ready")
    input()
    for limit in (10, 150, 400):
        new = net.zsock_socket()
        net.zsock_setsockopt(new, net.SOL_SOCKET, net.SO_SNDTIMEO, limit / 1000)
        print(*in_time(limit, net.zsock_connect, new, (HOST, port)))
        net.zsock_close(new)
    print(*in_time(150, net.zsock_recv, fd, 10))
    # Nobody acknowledges, so lwIP's buffer fills.
    sent = 0
    while True:
        r, late = in_time(150, net.zsock_send, fd, bytes(1000))
        if r.__class__ is str or r < 1000:
            break
        sent += r
    print(r if r.__class__ is str else "EAGAIN", late, 2000 < sent < 100000)
    net.zsock_close(fd)


def nobody():
    fd = net.zsock_socket()
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.3)
    print(*in_time(300, net.zsock_connect, fd, (NOBODY, 80)))
    net.zsock_close(fd)


def link_down(port):
    """Whoever knows at once that there is no way says so; nothing waits longer than it may."""
    fd = net.zsock_socket()
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.3)
    print("ready")
    input()
    print(*in_time(300, net.zsock_connect, fd, (HOST, port)))
    net.zsock_close(fd)
    print("ready")
    input()
    fd = net.zsock_socket()
    # The radio first has to find its network again.
    while got(net.zsock_connect, fd, (HOST, port)) == "EHOSTUNREACH":
        time.sleep(0.1)
    net.zsock_send(fd, b"back")
    net.zsock_close(fd)


def names(port, own):
    fd = connected(port)
    print(net.zsock_getsockname(fd))
    print(net.zsock_getpeername(fd))
    net.zsock_close(fd)
    udp = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    net.zsock_connect(udp, (HOST, port))
    net.zsock_send(udp, b"x")
    print(net.zsock_getsockname(udp))
    print(net.zsock_getpeername(udp))
    net.zsock_close(udp)
    listener = net.zsock_socket()
    net.zsock_setsockopt(listener, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_bind(listener, ("", own))
    net.zsock_listen(listener)
    print("listening")
    fd, addr = net.zsock_accept(listener)
    print(net.zsock_getsockname(fd))
    print(addr)
    print(net.zsock_getpeername(fd))
    net.zsock_recv(fd, 1)
    net.zsock_close(fd)
    net.zsock_close(listener)


def udp_echo(port, tries):
    fd = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    for size in (0, 1, 0, 0, 100, 1472):
        data = bytes([size % 251]) * size
        for _ in range(tries):
            net.zsock_sendto(fd, data, 0, (HOST, port))
            if events(fd, net.POLLIN, 1000):
                break
        echo, addr = net.zsock_recvfrom(fd, 2000, net.MSG_DONTWAIT)
        print(size, echo == data, addr)
        # Late echoes of what was sent again.
        while events(fd, net.POLLIN, 200 if tries > 1 else 0):
            net.zsock_recv(fd, 1)
    print(got(net.zsock_recvfrom, fd, 10, net.MSG_DONTWAIT))
    net.zsock_close(fd)


def empty_datagrams(own):
    """From the network: each is one receive, and none ends anything."""
    fd = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    net.zsock_bind(fd, ("", own))
    print("bound")
    buf = bytearray(10)
    while True:
        if not events(fd, net.POLLIN):
            break
        n, addr = net.zsock_recvfrom(fd, buf)
        net.zsock_sendto(fd, b"", 0, addr)
        print(n)
        if n:
            break
    print(got(net.zsock_recv, fd, 10, net.MSG_DONTWAIT))
    net.zsock_close(fd)


BLOCK = bytes(range(251)) * 9


def both_ways(port, size):
    fd = connected(port)
    net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
    pollfd = net.zsock_pollfd(fd, net.POLLIN | net.POLLOUT)
    block = memoryview(BLOCK)
    buf = bytearray(2048)
    view = memoryview(buf)
    digest = hashlib.sha256()
    sent = received = 0
    while sent < size or received < size:
        net.zsock_poll([pollfd], -1)
        if pollfd.revents & net.POLLIN:
            n = net.zsock_recv(fd, buf)
            if not n:
                break
            digest.update(view[:n])
            received += n
        if pollfd.revents & net.POLLOUT:
            at = sent % 251
            sent += net.zsock_send(fd, block[at : min(len(block), at + size - sent)])
            if sent >= size:
                pollfd.events = net.POLLIN
    print(received, "".join(["%02x" % b for b in digest.digest()]))
    net.zsock_close(fd)


def look(*names):
    for name in names:
        found = got(net.zsock_getaddrinfo, name, 80, 0, net.SOCK_STREAM)
        print(found if found.__class__ is str else [each[4] for each in found])


def by_name(name, port):
    fd = net.zsock_socket()
    net.zsock_connect(fd, (name, port))
    net.zsock_send(fd, b"by name")
    net.zsock_close(fd)


def accept_late(own, count):
    listener = net.zsock_socket()
    net.zsock_setsockopt(listener, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.zsock_bind(listener, ("", own))
    net.zsock_listen(listener, 100)
    print("listening")
    input()
    for _ in range(count):
        fd, _ = net.zsock_accept(listener)
        net.zsock_send(fd, net.zsock_recv(fd, 10))
        net.zsock_close(fd)
    net.zsock_close(listener)
    print(len(net.fds()), "left")


class Block:
    """Calls that never end by themselves."""

    def recv(self, port):
        net.zsock_recv(connected(port), 1)

    def recv_into(self, port):
        net.zsock_recv(connected(port), bytearray(1))

    def recv_waitall(self, port):
        net.zsock_recv(connected(port), 9, net.MSG_WAITALL)

    def recv_with_a_timeout(self, port):
        fd = connected(port)
        net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 60)
        net.zsock_recv(fd, 1)

    def recvfrom(self, port):
        fd = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
        net.zsock_bind(fd, ("", 0))
        net.zsock_recvfrom(fd, 1)

    def send(self, port):
        fd = connected(port)
        while True:
            net.zsock_send(fd, bytes(2000))

    def accept(self, port):
        fd = net.zsock_socket()
        net.zsock_bind(fd, ("", 0))
        net.zsock_listen(fd)
        net.zsock_accept(fd)

    def connect(self, port):
        net.zsock_connect(net.zsock_socket(), (NOBODY, 80))

    def poll(self, port):
        net.zsock_poll([net.zsock_pollfd(connected(port), net.POLLIN)], -1)

    def poll_with_a_timeout(self, port):
        net.zsock_poll([net.zsock_pollfd(connected(port), net.POLLIN)], 60000)

    def select(self, port):
        net.zsock_select([connected(port)], [], [])

    def sleep(self, port):
        time.sleep(60)


def block(name, port):
    call = getattr(Block(), name)
    print("ready")
    call(port)


globals()[sys.argv[1]](*[int(a) if a.isdigit() else a for a in sys.argv[2:]])
