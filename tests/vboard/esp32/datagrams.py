# SPDX-License-Identifier: MIT
# Datagrams where lwIP or the firmware and Linux differ: datagrams.py FUNCTION ARGUMENTS.
import gc
import sys

import network

import usocket_compat as net
from usocket_compat import errno

NAMES = "EACCES EADDRNOTAVAIL EAGAIN ENOMEM ENETUNREACH".split()


def got(f, *args):
    try:
        return f(*args)
    except OSError as e:
        return ([name for name in NAMES if getattr(errno, name) == e.errno] or [e.errno])[0]
    except MemoryError:
        return "MemoryError"


def udp(*addr):
    fd = net.socket(net.AF_INET, net.SOCK_DGRAM)
    net.bind(fd, addr or ("127.0.0.1", 0))
    return fd


def option(fd, value):
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_BROADCAST, value)


def broadcasts(near, far):
    """near: everybody on the board's network; far: a host elsewhere, which only looks like it."""
    ap = network.WLAN(network.AP_IF)
    ap.active(True)
    fd = udp("", 0)
    for host in (near, "192.168.4.255", "255.255.255.255", far):
        to = (host, 9)
        other = net.socket(net.AF_INET, net.SOCK_DGRAM)
        print(got(net.sendto, fd, b"x", 0, to), got(net.connect, other, to), end=" ")
        option(fd, 1)
        option(other, 1)
        print(got(net.sendto, fd, b"x", 0, to), got(net.connect, other, to), end=" ")
        option(fd, 0)
        option(other, 0)
        # Linux asks when it connects.
        print(got(net.sendto, fd, b"x", 0, to), got(net.send, other, b"x"))
        net.close(other)
    for host in (near, "192.168.4.255", far):
        other = net.socket(net.AF_INET, net.SOCK_DGRAM)
        print(got(net.bind, other, (host, 5000)), net.getsockname(other))
        net.close(other)
    net.close(fd)


def room_for(size):
    """Fills the heap but for one piece of that size, or a little more."""
    gc.collect()
    piece = bytearray(size)
    # In small lists: there may be no other large piece.
    rest = [[None] * 250 for _ in range(16)]
    n = 0
    for step in (1000, 100):
        try:
            while True:
                rest[n // 250][n % 250] = bytearray(step)
                n += 1
        except MemoryError:
            pass
    for last in range(n - 30, n):
        rest[last // 250][last % 250] = None
    del piece
    gc.collect()
    return rest


def little_room(size):
    """Each way to receive a datagram of that size, with room for it and without."""
    size = int(size)
    data = bytes(range(256)) * (size // 256)
    a, b = udp(), udp()
    to = net.getsockname(b)
    # what it needs is loaded first
    print(net.sendto(a, b"x", 0, to), net.recv(b, 10, net.MSG_PEEK), net.recv(b, 10))
    net.ioctl(b, net.FIONREAD)
    for room in (size * 2, size // 2):
        for flags in (0, net.MSG_PEEK):
            net.sendto(a, data, 0, to)
            rest = room_for(room)
            r = got(net.recv, b, 65535, flags)
            del rest
            gc.collect()
            print(r if r.__class__ is str else r == data, end=" ")
            r = None
            gc.collect()
            left = got(net.recv, b, 65535, net.MSG_DONTWAIT)
            print(left if left.__class__ is str else left == data)
            left = None
            gc.collect()
    for fd in (a, b):
        net.close(fd)


globals()[sys.argv[1]](*sys.argv[2:])
