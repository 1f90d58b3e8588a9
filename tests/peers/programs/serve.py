# An HTTP/1.1 server of one generated file, for curl: prints its port, serves until /stop.
# poll, non-blocking sockets, keep-alive, many connections.
import sys

import usocket_compat as net
from usocket_compat import errno

SIZE = int(sys.argv[1])
BLOCK = bytes(range(251)) * 64


def block(start):
    """The file's content from `start` on, as far as one piece of it goes."""
    n = min(SIZE - start, len(BLOCK) - start % 251)
    return memoryview(BLOCK)[start % 251 : start % 251 + n]


class Client:
    def __init__(self):
        self.request = b""
        self.head = b""
        self.sent = SIZE
        self.keep = True

    def answer(self):
        head, _, self.request = self.request.partition(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n")[0].split(b" ")
        self.keep = b"Connection: close" not in head
        length = SIZE if path == b"/file" else 0
        self.head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n" % (
            b"404 Not Found" if path not in (b"/file", b"/stop") else b"200 OK",
            length,
            b"keep-alive" if self.keep else b"close",
        )
        self.sent = 0 if method == b"GET" and length else SIZE
        return path != b"/stop"

    def busy(self):
        return self.head or self.sent < SIZE


listener = net.zsock_socket()
net.zsock_setsockopt(listener, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
port = int(sys.argv[2])
net.zsock_bind(listener, ("127.0.0.1", port))
net.zsock_listen(listener, 64)
net.zsock_fcntl(listener, net.F_SETFL, net.O_NONBLOCK)
print("port", port)

clients = {}
polls = [net.zsock_pollfd(listener, net.POLLIN)]
served = 0
running = True


def step(p, client):
    """One turn of a connection; False when it is to be closed."""
    global running, served
    if p.revents & (net.POLLIN | net.POLLERR | net.POLLHUP) and not client.busy():
        data = net.zsock_recv(p.fd, 4096)
        if not data:
            return False
        client.request += data
    if not client.busy() and b"\r\n\r\n" in client.request:
        running = client.answer() and running
        served += 1
    while client.head:
        n = net.zsock_send(p.fd, client.head)
        client.head = client.head[n:]
    while client.sent < SIZE:
        client.sent += net.zsock_send(p.fd, block(client.sent))
    return client.keep


while running or any(c.busy() for c in clients.values()):
    net.zsock_poll(polls, 1000)
    for p in polls[:]:
        if not p.revents:
            continue
        if p.fd == listener:
            try:
                fd, _ = net.zsock_accept(listener)
            except OSError as e:
                if e.errno != errno.EAGAIN and e.errno != errno.ENFILE:
                    raise
                continue
            net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK)
            clients[fd] = Client()
            polls.append(net.zsock_pollfd(fd, net.POLLIN))
            continue
        client = clients[p.fd]
        try:
            alive = step(p, client)
        except OSError as e:
            alive = e.errno == errno.EAGAIN
        if alive:
            p.events = net.POLLOUT if client.busy() else net.POLLIN
        else:
            net.zsock_close(p.fd)
            del clients[p.fd]
            polls.remove(p)

for fd in list(clients) + [listener]:
    net.zsock_close(fd)
print("served", served)
