# SPDX-License-Identifier: MIT
# Heap that the layer keeps on a board: after the import, of the port's first file, after a first
# TCP, UDP and poll, and per open socket above a plain one.
import gc
import socket


def used():
    gc.collect()
    return gc.mem_alloc()


plain = []
before = used()
for _ in range(4):
    plain.append(socket.socket())
each = (used() - before) // 4
for s in plain:
    s.close()
plain = None

before = used()
import usocket_compat as net  # noqa: E402

print("heap_import", used() - before)
port = used()
from usocket_compat import _port  # noqa: E402

_port.load()
print("heap_port", used() - port)


def use():
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
        fd = net.socket(net.AF_INET, kind)
        net.bind(fd, ("127.0.0.1", 0))
        net.poll([net.zsock_pollfd(fd, net.POLLIN)], 0)
        net.close(fd)


use()
print("heap_tcp_udp_poll", used() - before)
fds = []
before = used()
for _ in range(4):
    fds.append(net.socket())
print("heap_per_socket", (used() - before) // 4 - each)
