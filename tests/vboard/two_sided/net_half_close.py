# SPDX-License-Identifier: MIT
# The end of the data is seen once it has all been read, and stays seen.
# ruff: noqa: F821, since the harness defines multitest and passes IP
import socket

PORT = 8000


def instance0():
    multitest.globals(IP=multitest.get_network_ip())
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", PORT))
    s.listen(1)
    multitest.next()
    client, _ = s.accept()
    multitest.wait("closed")
    data = b""
    while len(data) < 5000:
        data += client.recv(5000 - len(data))
    print(len(data), client.recv(10), client.recv(10))
    client.close()
    s.close()


def instance1():
    multitest.next()
    s = socket.socket()
    s.connect((IP, PORT))
    print(s.sendall(bytes(5000)))
    s.close()
    multitest.broadcast("closed")
