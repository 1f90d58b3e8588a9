# SPDX-License-Identifier: MIT
# Stream's recv_exact and recv_line against a loop written by hand on net.recv, in turn, for hosts
# and boards. Prints lines of "name ratio by-hand stream", as workload.py. Arguments: rounds.

import gc
import sys
import time

import usocket_compat as net

N = int(sys.argv[1]) if len(sys.argv) > 1 else 150
ROUNDS = 15
MICROPYTHON = sys.implementation.name == "micropython"
ticks = time.ticks_us if MICROPYTHON else lambda: time.perf_counter_ns() / 1000
diff = time.ticks_diff if MICROPYTHON else lambda a, b: a - b
MESSAGE = bytes(64)
LINE = b"0123456789abcdef0123456789abcdef\r\n"
MANY = 16
AHEAD = 512  # what a program asks for that waits for a line


def compare(name, by_hand, stream, n):
    times = ([], [])
    by_hand(max(n // 10, 1))
    stream(max(n // 10, 1))
    for i in range(ROUNDS):
        for which in (0, 1) if i % 2 else (1, 0):
            f = (by_hand, stream)[which]
            gc.collect()
            begin = ticks()
            f(n)
            times[which].append(diff(ticks(), begin) / n)
    a, b = [sorted(t)[ROUNDS // 2] for t in times]
    print("%s %.3f %.3f %.3f" % (name, a / b, a, b))


class ByHand:
    """What a program would have that reads by lines and counts itself."""

    def __init__(self, fd):
        self.fd = fd
        self.data = b""

    def recv_exact(self, n):
        data = self.data[:n]
        self.data = self.data[n:]
        while len(data) < n:
            part = net.recv(self.fd, n - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def recv_line(self):
        while True:
            i = self.data.find(b"\n")
            if i >= 0:
                line = self.data[:i]
                self.data = self.data[i + 1 :]
                return line.replace(b"\r", b"")
            part = net.recv(self.fd, AHEAD)
            if not part:
                raise EOFError
            self.data += part


def rounds(a, reader, data, count):
    """A function of how often data is sent, and read by count calls of reader."""

    def run(n):
        send = net.send
        for _ in range(n):
            send(a, data)
            for _ in range(count):
                reader()

    return run


listener = net.create_server(("127.0.0.1", 0))
a = net.create_connection(net.getsockname(listener))
b, _ = net.accept(listener)
net.close(listener)
for fd in (a, b):
    net.setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
hand, stream = ByHand(b), net.Stream(b)


def exact(source):
    return lambda: source.recv_exact(64)


compare("recv_exact", rounds(a, exact(hand), MESSAGE, 1), rounds(a, exact(stream), MESSAGE, 1), N)
for name, data, count in (("recv_line", LINE, 1), ("recv_lines", LINE * MANY, MANY)):
    compare(
        name, rounds(a, hand.recv_line, data, count), rounds(a, stream.recv_line, data, count), N
    )
net.closeall()
