# SPDX-License-Identifier: MIT
# Stream's recv_exact and recv_line against a loop written by hand on net.recv, in turn, for hosts
# and boards: prints what inturn.py says. Arguments: rounds.

import sys

from inturn import compare

import usocket_compat as net

N = int(sys.argv[1]) if len(sys.argv) > 1 else 150
MESSAGE = bytes(64)
LINE = b"0123456789abcdef0123456789abcdef\r\n"
MANY = 16
AHEAD = 512  # what a program asks for that waits for a line


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
