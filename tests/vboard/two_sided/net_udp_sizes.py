# SPDX-License-Identifier: MIT
# Datagrams of every interesting size come back as they were sent.
# ruff: noqa: F821, since the harness defines multitest and passes IP
import socket

PORT = 8000
SIZES = (1, 2, 100, 536, 1400, 1471, 1472)


def instance0():
    multitest.globals(IP=multitest.get_network_ip())
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", PORT))
    s.settimeout(10)
    multitest.next()
    for _ in SIZES:
        data, address = s.recvfrom(2000)
        print(len(data), sum(data))
        s.sendto(data, address)
    multitest.wait("done")
    s.close()


def instance1():
    multitest.next()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(10)
    for size in SIZES:
        data = bytes(i & 0xFF for i in range(size))
        s.sendto(data, (IP, PORT))
        print(size, s.recvfrom(2000)[0] == data)
    multitest.broadcast("done")
    s.close()
