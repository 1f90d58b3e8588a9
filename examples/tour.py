"""POSIX sockets in forty lines, the same on every interpreter: TCP and UDP at once, by poll."""

import usocket_compat as net
from usocket_compat import errno

tcp = net.socket(net.AF_INET, net.SOCK_STREAM)
net.setsockopt(tcp, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
net.bind(tcp, ("127.0.0.1", 0))
net.listen(tcp, 4)
here = net.getsockname(tcp)
udp = net.socket(net.AF_INET, net.SOCK_DGRAM)
net.bind(udp, ("127.0.0.1", 0))
client = net.socket(net.AF_INET, net.SOCK_STREAM | net.SOCK_NONBLOCK)
try:
    net.connect(client, here)
except OSError as e:
    print("connecting:", e.errno == errno.EINPROGRESS)
net.sendto(udp, b"to myself", 0, net.getsockname(udp))

waiting = {tcp: net.POLLIN, udp: net.POLLIN, client: net.POLLOUT}
while waiting:
    fds = [net.pollfd(fd, waiting[fd]) for fd in waiting]
    net.poll(fds, 1000)
    waiting = {p.fd: p.events for p in fds if not p.revents}
print("connected:", net.getsockopt(client, net.SOL_SOCKET, net.SO_ERROR))
peer, address = net.accept(tcp)
print("accepted:", address == net.getsockname(client), net.getpeername(client) == here)
print("datagram:", net.recvfrom(udp, 100)[0])
net.send(client, b"hello, board")
print("stream:", net.recv(peer, 5), net.recv(peer, 100))
net.close(peer)
net.poll([net.pollfd(client, net.POLLIN)], 1000)
print("end:", net.recv(client, 100))
net.close(client)
net.close(tcp)
client = net.socket(net.AF_INET, net.SOCK_STREAM)
try:
    net.connect(client, here)
except OSError as e:
    print("refused:", e.errno == errno.ECONNREFUSED)
