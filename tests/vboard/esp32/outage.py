# SPDX-License-Identifier: MIT
# A board that loses its link, its address or its memory: outage.py FUNCTION ARGUMENTS. Prints what
# it gets; it prints DOWN, UP ... where the other side has to do that, and waits until it is done.
import sys
import time

import network

import usocket_compat as net
from usocket_compat import errno

HOST = "10.0.2.2"
WLAN = network.WLAN()
NAMES = (
    "EAGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH ENETDOWN ENETUNREACH ENOBUFS ENOMEM ENOTCONN"
    " EPIPE ETIMEDOUT"
).split()


def name_of(code):
    return ([name for name in NAMES if getattr(errno, name) == code] or [code])[0]


def got(f, *args):
    try:
        return f(*args)
    except OSError as e:
        return name_of(e.errno)


def pattern(n, at=0):
    at %= 251
    return (bytes(range(251)) * (n // 251 + 2))[at : at + n]


def link(up):
    print("UP" if up else "DOWN")
    while WLAN.isconnected() is not up:
        time.sleep_ms(10)


def memory(largest):
    print("MEMORY", largest)
    input()


def connected(port, seconds=25):
    fd = net.socket()
    net.connect(fd, (HOST, int(port)))
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, seconds)
    return fd


def revents(fd, wanted=net.POLLIN | net.POLLOUT):
    p = net.pollfd(fd, wanted)
    net.poll([p], 0)
    return [n for n in "POLLIN POLLOUT POLLERR POLLHUP".split() if getattr(net, n) & p.revents]


def echo(port):
    fd = connected(port)
    net.send(fd, b"one")
    print(net.recv(fd, 10))
    link(False)
    print(got(net.send, fd, b"two"), revents(fd), got(net.recv, fd, 10, net.MSG_DONTWAIT))
    print(net.getsockopt(fd, net.SOL_SOCKET, net.SO_ERROR), net.getpeername(fd)[1] == int(port))
    link(True)
    print(got(net.recv, fd, 10), got(net.send, fd, b"three"), got(net.recv, fd, 10))
    net.close(fd)


def again_and_again(port):
    """Each outage anew, one of them while it has nothing to send."""
    fd = connected(port)
    for i in range(4):
        link(False)
        if i != 1:
            print(got(net.send, fd, b"a%d" % i), got(net.send, fd, b"b%d" % i))
        link(True)
        net.send(fd, b"c%d" % i)
        answer = b""
        while answer[-2:] != b"c%d" % i:
            answer += net.recv(fd, 10)
        print(answer)
    net.close(fd)


def send_by(way, fd, data):
    if way == "send":
        return net.send(fd, data)
    if way == "dontwait":
        return net.send(fd, memoryview(data), net.MSG_DONTWAIT)
    if way == "sendto":
        return net.sendto(fd, data, 0, (HOST, 9))
    return net.sendmsg(fd, [data[:10], data[10:]])


def fill(port, way, size, before):
    """How much fits the send buffer; the peer compares what comes."""
    fd = connected(port)
    if before == "eof":
        print(net.recv(fd, 10), "SHUT")
        print(net.recv(fd, 10))
    elif before == "held":
        print(net.recv(fd, 10, net.MSG_PEEK))
    link(False)
    net.fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
    sent = 0
    counts = []
    while True:
        r = got(send_by, way, fd, pattern(int(size), sent))
        if r == "EAGAIN":
            break
        counts.append(r)
        sent += r
    print(sent, len(counts), revents(fd, net.POLLOUT))
    link(True)
    net.fcntl(fd, net.F_SETFL, 0)
    for _ in range(3):
        sent += net.send(fd, pattern(4000, sent))
    print("SENT", sent)
    net.close(fd)


def blocking(port, size):
    """One call from before to after; another that may not wait as long."""
    fd = connected(port)
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.5)
    link(False)
    t = time.ticks_ms()
    sent = net.send(fd, pattern(int(size)))
    print(0 < sent <= 5760, 490 <= time.ticks_diff(time.ticks_ms(), t) <= 700)
    print(got(net.send, fd, b"x"))
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0)
    print("UP")
    while sent < int(size):
        sent += net.send(fd, pattern(int(size), 0)[sent:])
    print("SENT", sent)
    net.close(fd)


def upload(port, size, piece):
    """Sends on and on while the other side takes the link away."""
    fd = connected(port)
    size, piece = int(size), int(piece)
    sent = 0
    while sent < size:
        sent += net.send(fd, pattern(min(piece, size - sent), sent))
    print("SENT", sent)
    net.close(fd)


def nobody_can_tell(port):
    """More than half of the send buffer is under way when the link goes."""
    fd = connected(port)
    print("LOSE")
    input()
    sent = 0
    for _ in range(15):
        sent += net.send(fd, pattern(200, sent))
    link(False)
    print(got(net.send, fd, pattern(200, sent)), got(net.send, fd, b"x"), revents(fd))
    link(True)
    print(got(net.send, fd, b"x"), sent)
    net.close(fd)


def address_lost(port):
    """What lwIP calls aborted, by each call that may hear of it first."""
    mine = WLAN.ifconfig()
    ways = (
        lambda fd: got(net.send, fd, b"x"),
        lambda fd: got(net.recv, fd, 10),
        lambda fd: name_of(net.getsockopt(fd, net.SOL_SOCKET, net.SO_ERROR)),
        lambda fd: (revents(fd), got(net.recv, fd, 10)),
    )
    fds = [connected(port) for _ in ways]
    print("CONNECTED")
    WLAN.ifconfig(("10.0.2.77",) + mine[1:])
    time.sleep_ms(100)
    for fd, way in zip(fds, ways):
        print(way(fd), got(net.send, fd, b"x"), got(net.recv, fd, 10), got(net.recv, fd, 10))
        net.close(fd)
    WLAN.ifconfig(mine)


def no_memory(port):
    fd = connected(port)
    udp = net.socket(net.AF_INET, net.SOCK_DGRAM)
    net.sendto(udp, b"x", 0, (HOST, 9))
    net.send(fd, b"one")
    print(net.recv(fd, 10))
    memory(100)
    print(got(net.send, fd, pattern(1000), net.MSG_DONTWAIT))
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 0.3)
    print(got(net.send, fd, pattern(1000)))
    print(got(net.sendto, udp, pattern(1000), 0, (HOST, 9)))
    print(got(net.socket))
    memory(0)
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 5)
    print(got(net.send, fd, b"two"), got(net.recv, fd, 10))
    net.close(fd)
    net.close(udp)


def no_memory_for_connect(port):
    fd = net.socket()
    net.bind(fd, ("", 0))
    memory(40)
    print(got(net.connect, fd, (HOST, int(port))))
    memory(0)
    print(got(net.connect, fd, (HOST, int(port))), net.send(fd, b"connected"))
    net.close(fd)


def no_memory_after_a_refusal(port, closed):
    fd = net.socket()
    net.fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
    got(net.connect, fd, (HOST, int(closed)))
    net.poll([net.pollfd(fd, net.POLLOUT)], 5000)
    memory(40)
    print(got(net.connect, fd, (HOST, int(port))))
    memory(0)
    net.fcntl(fd, net.F_SETFL, 0)
    print(got(net.connect, fd, (HOST, int(port))))
    print(got(net.connect, fd, (HOST, int(port))), net.send(fd, b"connected"))
    net.close(fd)


def no_way(port):
    """Datagrams and connects: nothing was sent, and the socket is as before."""
    udp = net.socket(net.AF_INET, net.SOCK_DGRAM)
    bound = net.socket(net.AF_INET, net.SOCK_DGRAM)
    net.setsockopt(bound, net.SOL_SOCKET, net.SO_BINDTODEVICE, b"st1")
    net.setsockopt(bound, net.SOL_SOCKET, net.SO_BROADCAST, 1)
    tcp = net.socket()
    link(False)
    print(got(net.sendto, udp, b"x", 0, (HOST, int(port))))
    print(got(net.sendto, bound, b"x", 0, ("255.255.255.255", 9)))
    print(got(net.connect, tcp, (HOST, int(port))))
    link(True)
    print(got(net.sendto, udp, b"x", 0, (HOST, int(port))))
    print(got(net.connect, tcp, (HOST, int(port))), net.send(tcp, b"connected"))
    for fd in (udp, bound, tcp):
        net.close(fd)


globals()[sys.argv[1]](*sys.argv[2:])
