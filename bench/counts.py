# SPDX-License-Identifier: MIT
# What `make bench` counts the instructions of (MicroPython unix): counts.py WHAT TIMES.
import sys

import usocket_compat as net

what, times = sys.argv[1], int(sys.argv[2])
listener = net.socket()
net.bind(listener, ("127.0.0.1", 0))
net.listen(listener, 4)
addr = net.getsockname(listener)
client = net.socket()
net.connect(client, addr)
fd = net.accept(listener)[0]
message = bytes(64)
buf = bytearray(64)
fds = [net.pollfd(client, net.POLLIN), net.pollfd(fd, net.POLLOUT)]
send, recv, poll = net.send, net.recv, net.poll
if what == "send_recv":
    for _ in range(times):
        send(client, message)
        recv(fd, buf)
elif what == "dontwait":
    flag = net.MSG_DONTWAIT
    for _ in range(times):
        send(client, message, flag)
        recv(fd, buf, flag)
elif what == "nothing_there":
    flag = net.MSG_DONTWAIT
    for _ in range(times):
        try:
            recv(fd, buf, flag)
        except OSError:
            pass
elif what == "recv_bytes":
    for _ in range(times):
        send(client, message)
        recv(fd, 64)
elif what == "poll":
    for _ in range(times):
        poll(fds, 0)
elif what == "connect":
    for _ in range(times):
        a = net.socket()
        net.connect(a, addr)
        b = net.accept(listener)[0]
        net.close(a)
        net.close(b)
