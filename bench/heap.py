# SPDX-License-Identifier: MIT
# Heap that the layer keeps (MicroPython): after the import, and after a first TCP, UDP and poll.
import gc

gc.collect()
before = gc.mem_alloc()
import usocket_compat as net  # noqa: E402

gc.collect()
print("heap_import", gc.mem_alloc() - before)


def use():
    for kind in (net.SOCK_STREAM, net.SOCK_DGRAM):
        fd = net.socket(net.AF_INET, kind)
        net.setsockopt(fd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
        net.bind(fd, ("127.0.0.1", 0))
        net.poll([net.zsock_pollfd(fd, net.POLLIN)], 0)
        net.close(fd)


use()
gc.collect()
print("heap_tcp_udp_poll", gc.mem_alloc() - before)
fds = []
gc.collect()
open_before = gc.mem_alloc()
for _ in range(8):
    fds.append(net.socket())
gc.collect()
print("heap_per_socket", (gc.mem_alloc() - open_before) // 8)
