# SPDX-License-Identifier: MIT
# shutdown on a board: shut.py FUNCTION PORT. Prints what it gets; waits for a line of input where
# the other side has to do something first.
import gc
import sys

import usocket_compat as net
from usocket_compat import errno

HOST = "10.0.2.2"


def connected(port):
    fd = net.socket()
    net.connect(fd, (HOST, int(port)))
    return fd


def shut(fd, how):
    try:
        return net.shutdown(fd, how)
    except OSError as e:
        return "ENOMEM" if e.errno == errno.ENOMEM else e.errno


def rest(fd):
    data = b""
    while True:
        more = net.recv(fd, 2000)
        if not more:
            return data
        data += more


def unread(port):
    fd = connected(port)
    print("READY")
    input()
    net.send(fd, b"last words")
    print(shut(fd, net.SHUT_RDWR))
    print("SHUT")
    input()
    data = rest(fd)
    print(len(data), data == bytes(range(250)) * (len(data) // 250))
    net.close(fd)


def fill():
    """Takes all of the heap but some 1 KB; gives what holds it."""
    room = [None] * 8000
    n = 0
    for size in (1000, 200):
        try:
            while True:
                room[n] = bytearray(size)
                n += 1
        except MemoryError:
            pass
    del room[n - 5 : n]
    gc.collect()
    return room


def no_room(port):
    fd = connected(port)
    other = connected(port)
    shut(other, net.SHUT_RDWR)  # what it needs is loaded
    net.close(other)
    net.ioctl(fd, net.FIONREAD)
    print("READY")
    input()
    room = fill()
    print(shut(fd, net.SHUT_RDWR))
    room = None  # noqa: F841
    gc.collect()
    print(net.send(fd, b"alive"), net.recv(fd, 5000, net.MSG_PEEK) == bytes(range(250)) * 16)
    print(shut(fd, net.SHUT_RDWR), rest(fd) == bytes(range(250)) * 16)
    net.close(fd)


def no_room_after_a_reset(port):
    fd = connected(port)
    other = connected(port)
    shut(other, net.SHUT_RDWR)
    net.close(other)
    net.ioctl(fd, net.FIONREAD)
    print("READY")
    input()
    room = fill()
    print(shut(fd, net.SHUT_RDWR))
    room = None  # noqa: F841
    gc.collect()
    print(shut(fd, net.SHUT_RDWR) == errno.ENOTCONN)
    net.close(fd)


globals()[sys.argv[1]](*sys.argv[2:])
