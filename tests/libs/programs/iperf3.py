# uiperf3. Arguments: "server" or "client", host, port, "tcp" or "udp", "" or "reverse".
import socket
import sys
import time

import uiperf3

MODE, HOST, PORT, KIND, REVERSE = sys.argv[1:]
FASTER = 20  # its ten seconds are too long here


class Socket:
    """The module that it has imported, with our port in the place of 5201."""

    def __getattr__(self, name):
        return getattr(socket, name)

    def getaddrinfo(self, host, port):
        return socket.getaddrinfo(host, int(PORT))


class Time:
    def sleep(self, seconds):
        """Only for a client that comes next."""


uiperf3.socket = Socket()
uiperf3.time = Time()
if sys.platform == "linux":
    # For this name it takes CPython's way, on which poll gives descriptors.
    uiperf3.pollable_is_sock = lambda pollable, s: pollable[0] == s
    uiperf3.ticks_diff = time.ticks_diff
uiperf3.ticks_us = time.ticks_us
if MODE == "client":
    uiperf3.ticks_us = lambda: time.ticks_us() * FASTER & 0x3FFFFFFF
    uiperf3.ticks_diff = lambda a, b: (a - b + 0x20000000 & 0x3FFFFFFF) - 0x20000000
    uiperf3.client(HOST, udp=KIND == "udp", reverse=bool(REVERSE), bandwidth=200000)
else:
    print("ready")
    uiperf3.server_once()
print("done")
