"""A TCP echo server and its client in one program: echo.py [PORT]"""

import sys

import usocket_compat as net
from usocket_compat import errno

server = net.socket(net.AF_INET, net.SOCK_STREAM)
net.setsockopt(server, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
net.bind(server, ("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
net.listen(server, 1)

client = net.socket()
net.connect(client, net.getsockname(server))
peer, address = net.accept(server)
print("accepted", address == net.getsockname(client))

net.send(client, b"hello, board")
net.send(peer, net.recv(peer, 64))
buffer = bytearray(64)
count = net.recv(client, buffer)
print("echoed", bytes(buffer[:count]))

net.setsockopt(peer, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.05)
try:
    net.recv(peer, 64)
except OSError as e:
    print("nothing more", e.errno == errno.EAGAIN)
for fd in (client, peer, server):
    net.close(fd)
