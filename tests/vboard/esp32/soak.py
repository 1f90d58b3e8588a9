# SPDX-License-Identifier: MIT
# The board's side of the soak (../soak.py): soak.py PORT CLIENTS CONNECTIONS. Threads that serve
# what comes to PORT, and clients that make CONNECTIONS in all to the host, which names its port
# on our input. Each side reads to the end of the stream and knows what has to be there.
import _thread
import random
import struct
import sys
import time

import usocket_compat as net
from usocket_compat import errno

PERIOD = 251
PIECE = 1000
BLOCK = memoryview(bytes(range(PERIOD)) * 6)
SERVERS = 2
HEAD = "!HHHH"  # kind, bytes there, bytes back, seed


def put(fd, seed, n):
    done = 0
    while done < n:
        at = (seed + done) % PERIOD
        done += net.send(fd, BLOCK[at : at + min(PIECE, n - done)])


def take(fd, buf, seed, n, to_the_end):
    """Reads n bytes, or to the end, which has to come after them."""
    done = 0
    while to_the_end or done < n:
        got = net.recv(fd, buf[: PIECE if to_the_end else min(PIECE, n - done)])
        if not got:
            break
        at = (seed + done) % PERIOD
        if buf[:got] != BLOCK[at : at + got]:
            raise ValueError("other bytes from %d on" % done)
        done += got
    if done != n:
        raise ValueError("%d of %d bytes" % (done, n))


def answer(fd, buf, head):
    if net.recv(fd, head, net.MSG_WAITALL) != len(head):
        raise ValueError("no header")
    kind, there, back, seed = struct.unpack(HEAD, head)
    take(fd, buf, seed, there, kind == 0)
    put(fd, seed, back)
    if kind == 2:
        take(fd, buf, 0, 0, True)


def connected(port):
    while True:
        fd = net.socket()
        try:
            net.connect(fd, ("10.0.2.2", port))
            return fd
        except OSError as e:
            net.close(fd)
            # CONFIG_NET_SOCKETS_CONNECT_TIMEOUT: two SYNs were lost.
            if e.errno != errno.ETIMEDOUT:
                raise


def ask(port, buf, kind, there, back, seed):
    fd = connected(port)
    try:
        net.send(fd, struct.pack(HEAD, kind, there, back, seed))
        if kind == 3:
            put(fd, seed, there)
            take(fd, buf, seed, back, True)
        else:
            take(fd, buf, seed, back, True)
            put(fd, seed, there)
    finally:
        net.close(fd)


def complain(what, e):
    print("lost", what, type(e).__name__, e)


def serve(listening):
    buf = memoryview(bytearray(PIECE))
    head = bytearray(struct.calcsize(HEAD))
    while True:
        fd, peer = net.accept(listening)
        try:
            answer(fd, buf, head)
        except (OSError, ValueError) as e:
            complain(("served", peer[1], struct.unpack(HEAD, head)), e)
        net.close(fd)


def client(port, left):
    buf = memoryview(bytearray(PIECE))
    while left[0] > 0:
        left[0] -= 1
        size = random.choice((40, 40, 700, 5000))
        kind, there, back = random.choice((3, 4)), random.randint(0, size), random.randint(0, size)
        seed = random.getrandbits(16)
        try:
            ask(port, buf, kind, there, back, seed)
        except (OSError, ValueError) as e:
            complain(("asked", kind, there, back, seed), e)
    left[1] += 1


def main(port, clients, connections):
    host_port = int(sys.stdin.readline())
    listening = net.socket()
    net.setsockopt(listening, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.bind(listening, ("", port))
    net.listen(listening, 5)
    for _ in range(SERVERS):
        _thread.start_new_thread(serve, (listening,))
    left = [connections, 0]
    for _ in range(clients):
        _thread.start_new_thread(client, (host_port, left))
    print("serving")
    while left[1] < clients:
        time.sleep(0.1)
    print("asked all")
    sys.stdin.readline()
    print("ended")


main(*[int(word) for word in sys.argv[1:]])
