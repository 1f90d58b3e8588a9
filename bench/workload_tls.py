# SPDX-License-Identifier: MIT
# TLS 1.2 sockets against the platform's own TLS on a plain socket, in turn, as a client of another
# process (bench/peer_tls.py), for CPython and MicroPython: prints what inturn.py says. On CPython
# it is this process's CPU time.
# Arguments: how many rounds, the port; on a board also the host and the authority's certificate,
# in hexadecimal.

import socket
import struct
import sys
import time

from inturn import MICROPYTHON, compare, tell, ticks, timed

import usocket_compat as net

if MICROPYTHON:
    import tls as ssl
else:
    import ssl
    from functools import partial

    def ticks():
        return time.process_time_ns() / 1000


NAME = "server.test"
# How two ends keep step may stay as it was when a connection began: the medians are of several.
CONNECTIONS, ROUNDS = 5 if MICROPYTHON else 20, 5
port = int(sys.argv[2])
BOARD = len(sys.argv) > 3
if BOARD:
    from ubinascii import unhexlify

    HOST, CA = sys.argv[3], unhexlify(sys.argv[4])
    BLOCK = 4096  # a board has not the heap for more
else:
    from certs import CA  # of tests/common

    HOST, BLOCK = "127.0.0.1", 16384
# What MicroPython's connect takes.
there = socket.getaddrinfo(HOST, port)[0][4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
if MICROPYTHON:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CA)
else:
    context.load_verify_locations(cadata=CA)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
net.tls_credential_add(1, net.TLS_CREDENTIAL_CA_CERTIFICATE, CA)


def raw():
    s = socket.socket()
    s.connect(there)
    return s, context.wrap_socket(s, server_hostname=NAME)


def layered():
    fd = net.socket(net.AF_INET, net.SOCK_STREAM, net.IPPROTO_TLS_1_2)
    net.setsockopt(fd, net.SOL_TLS, net.TLS_SEC_TAG_LIST, [1])
    net.setsockopt(fd, net.SOL_TLS, net.TLS_HOSTNAME, NAME)
    net.connect(fd, (HOST, port))
    return fd


def handshakes(n):
    def plain(count):
        for _ in range(count):
            s, secure = raw()
            if not MICROPYTHON:
                # CPython's close sends no close_notify, as the layer's does and TLS demands.
                secure.setblocking(False)
                try:
                    secure.unwrap()
                except ssl.SSLError:
                    pass  # the peer's has not come
            secure.close()
            s.close()

    def ours(count):
        for _ in range(count):
            net.close(layered())

    compare("tls_handshake", plain, ours, n, clock=ticks)


def data(work, n):
    """What work took on a connection of each, as of timed()."""
    s, secure = raw()
    fd = layered()
    net.setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    # MicroPython has no number of it.
    (s if MICROPYTHON else secure).setsockopt(net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    if MICROPYTHON:
        write, take = secure.write, secure.readinto

        def send(data):
            return net.send(fd, data)

        def recv(buf):
            return net.recv(fd, buf)

    else:
        write, take = secure.send, secure.recv_into
        send, recv = partial(net.send, fd), partial(net.recv, fd)
    # the functions themselves, so that both are called alike
    both = (lambda count: work(count, write, take)), (lambda count: work(count, send, recv))
    times = timed(both, n, ROUNDS, ticks)
    net.close(fd)
    secure.close()
    s.close()
    return times


block, room = bytes(BLOCK), bytearray(BLOCK)
message, small, few = struct.pack("!II", 64, 64) + bytes(64), bytearray(64), bytearray(1)


def ping_pong(count, send, recv):
    for _ in range(count):
        send(message)
        got = recv(small)
        while got < 64:
            got += recv(memoryview(small)[got:])


def up(count, send, recv):
    send(struct.pack("!II", count * BLOCK, 1))
    for _ in range(count):
        sent = send(block)
        while sent < BLOCK:
            sent += send(memoryview(block)[sent:])
    recv(few)


def down(count, send, recv):
    send(struct.pack("!II", 0, count * BLOCK))
    left = count * BLOCK
    while left:
        # readinto waits for all of the buffer
        left -= recv(room if left >= BLOCK else memoryview(room)[:left])


rounds = int(sys.argv[1])
# One takes MicroPython 80 ms.
handshakes(3 if MICROPYTHON else max(rounds // 20, 5))
for name, work, n in (
    ("tls_pingpong64", ping_pong, rounds),
    ("tls_bulk16k_up", up, rounds // 4),
    ("tls_bulk16k_down", down, rounds // 4),
):
    times = [], []
    for _ in range(CONNECTIONS):
        for found, more in zip(times, data(work, n)):
            found += more
    tell(name, times)
