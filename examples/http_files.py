# SPDX-License-Identifier: MIT
# An HTTP/1.1 file server for many clients at once on one thread: poll says which sockets can go
# on, and no call ever waits. It runs as it is on CPython, on MicroPython and on a board:
#   usocket run --target unix examples/http_files.py 8080 FOLDER [ADDRESS]
import os
import sys

import usocket_compat as net
from usocket_compat import errno

CHUNK = 4096
MAX_REQUEST = 4096


class Client:
    def __init__(self, fd, folder):
        self.fd = fd
        self.folder = folder
        self.pollfd = net.pollfd(fd, net.POLLIN)
        self.request = b""
        self.out = b""
        self.file = None
        self.last = False

    def ready(self):
        """Do what can be done now. False: the connection has ended."""
        if self.pollfd.events == net.POLLIN:
            data = net.recv(self.fd, CHUNK)
            self.request += data
            if not data or len(self.request) > MAX_REQUEST:
                return False
        else:
            self.out = self.out[net.send(self.fd, self.out) :]
            if not len(self.out) and self.file:
                self.out = memoryview(self.file.read(CHUNK))
        if not len(self.out):
            self.end()
            if self.last:
                return False
            if b"\r\n\r\n" in self.request:
                self.answer()
        self.pollfd.events = net.POLLOUT if len(self.out) else net.POLLIN
        return True

    def answer(self):
        head, _, self.request = self.request.partition(b"\r\n\r\n")
        method, path, version = (head.split(b"\r\n")[0].decode() + "  ").split(" ")[:3]
        self.last = version != "HTTP/1.1" or b"close" in head.lower()
        status, size = "404 Not Found" if method == "GET" else "501 Not Implemented", 0
        if method == "GET" and ".." not in path:
            try:
                found = os.stat(self.folder + path)
                if found[0] & 0x8000:  # not a folder
                    self.file = open(self.folder + path, "rb")
                    status, size = "200 OK", found[6]
            except (OSError, ValueError):
                pass
        head = "HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, size)
        self.out = memoryview(head.encode())

    def end(self):
        if self.file:
            self.file.close()
            self.file = None


def serve(port, folder, address="127.0.0.1"):
    server = net.socket(net.AF_INET, net.SOCK_STREAM | net.SOCK_NONBLOCK)
    net.setsockopt(server, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.bind(server, (address, port))
    net.listen(server, 100)
    listener = net.pollfd(server, net.POLLIN)
    print("serving", folder, "on port", net.getsockname(server)[1])
    clients, most = [], 100
    while True:
        listener.events = net.POLLIN if len(clients) < most else 0
        net.poll([listener] + [client.pollfd for client in clients], -1)
        for client in [client for client in clients if client.pollfd.revents]:
            try:
                alive = client.ready()
            except OSError as e:
                alive = e.errno == errno.EAGAIN
            if not alive:
                client.end()
                net.close(client.fd)
                clients.remove(client)
        if listener.revents:
            try:
                fd, _ = net.accept(server)
            except OSError as e:
                if e.errno == errno.ENFILE:
                    most = len(clients)  # the others wait until one of these leaves
                continue
            net.fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
            clients.append(Client(fd, folder))
            print(len(clients), "clients")


serve(int(sys.argv[1]), *sys.argv[2:])
