# SPDX-License-Identifier: MIT
# An HTTP/1.1 file server for many clients at once on one thread: poll says which sockets can go
# on, and no call ever waits. It runs as it is on CPython, on MicroPython and on a board:
#   usocket run --target unix examples/http_files.py 8080 FOLDER [ADDRESS]
import os
import sys

import usocket_compat as net
from usocket_compat import errno

CHUNK = 4096  # and the longest request


class Client:
    def __init__(self, fd, folder):
        self.fd = fd
        self.folder = folder
        self.pollfd = net.pollfd(fd, net.POLLIN)
        self.request = self.out = b""
        self.file = None
        self.last = self.idle = False

    def ready(self):
        """Do what can be done now. False: the connection has ended."""
        self.idle = False
        if self.pollfd.events == net.POLLIN:
            data = net.recv(self.fd, CHUNK)
            self.request += data
            if not data or len(self.request) > CHUNK:
                return False
        else:
            self.out = self.out[net.send(self.fd, self.out) :]
            if not len(self.out) and self.file:
                self.out = memoryview(self.file.read(CHUNK))
        if not len(self.out):
            self.file = self.file and self.file.close()
            if self.last:
                return False
            if b"\r\n\r\n" in self.request:
                self.answer()
            else:
                self.idle = not self.request  # between two requests
        self.pollfd.events = net.POLLOUT if len(self.out) else net.POLLIN
        return True

    def answer(self):
        head, _, self.request = self.request.partition(b"\r\n\r\n")
        method, path, version = (head.split(b"\r\n")[0].decode() + "  ").split(" ")[:3]
        self.last = version != "HTTP/1.1" or b"close" in head.lower()
        status, size = b"404 Not Found" if method == "GET" else b"501 Not Implemented", 0
        if method == "GET" and ".." not in path:
            try:
                found = os.stat(self.folder + path)
                if found[0] & 0x8000:  # not a folder
                    self.file = open(self.folder + path, "rb")
                    status, size = b"200 OK", found[6]
            except (OSError, ValueError):
                pass
        self.out = memoryview(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, size))


def serve(port, folder, address="127.0.0.1"):
    server = net.socket(net.AF_INET, net.SOCK_STREAM | net.SOCK_NONBLOCK)
    net.setsockopt(server, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.bind(server, (address, port))
    net.listen(server, 100)
    listener = net.pollfd(server, net.POLLIN)
    print("serving", folder, "on port", net.getsockname(server)[1])
    clients, most = [], 100
    while True:
        room = len(clients) < most or any([client.idle for client in clients])
        listener.events = net.POLLIN if room else 0
        net.poll([listener] + [client.pollfd for client in clients], -1)
        full = listener.revents and len(clients) >= most
        for client in clients[:]:
            makes_room = full and client.idle and not client.pollfd.revents
            try:
                alive = client.ready() if client.pollfd.revents else not makes_room
            except (OSError, ValueError) as e:  # not UTF-8
                alive = getattr(e, "errno", 0) == errno.EAGAIN
            if not alive:
                full = False
                if client.file:
                    client.file.close()
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
