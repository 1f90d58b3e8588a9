# SPDX-License-Identifier: MIT
# An echo server on one thread that takes as many clients as the board has sockets; the next ones
# wait in lwIP's backlog. Answers to the commands on its input: "state", "end".
import gc
import select
import socket as native
import sys

import usocket_compat as net
from usocket_compat import errno


def free_sockets():
    """How many sockets lwIP still has. Asked by datagram sockets: TCP has limits besides."""
    found = []
    try:
        while True:
            found.append(native.socket(native.AF_INET, native.SOCK_DGRAM))
    except OSError:
        pass
    for s in found:
        s.close()
    return len(found)


def state():
    gc.collect()
    alloc = gc.mem_alloc()
    print("state", served, len(clients), free_sockets(), alloc)


def leave(client):
    net.close(client.fd)
    clients.remove(client)
    watch(True)


def watch(accepting):
    # With no socket left the listener is not asked: it would stay ready.
    pollfds[:] = clients
    if accepting:
        pollfds.append(listening)


server = net.socket(net.AF_INET, net.SOCK_STREAM)
net.setsockopt(server, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
net.bind(server, ("0.0.0.0", int(sys.argv[1])))
net.listen(server, 5)
net.fcntl(server, net.F_SETFL, net.O_NONBLOCK)
listening = net.pollfd(server, net.POLLIN)
clients = []
pollfds = [listening]
buf = bytearray(512)
view = memoryview(buf)
served = 0
commands = select.poll()
commands.register(sys.stdin, select.POLLIN)
print("serving")
while True:
    if commands.poll(0):
        if sys.stdin.readline().strip() == "end":
            break
        state()
    net.poll(pollfds, 20)
    for client in clients[:]:
        if client.revents:
            try:
                n = net.recv(client.fd, buf)
                if n:
                    net.send(client.fd, view[:n])
                else:
                    leave(client)
            except OSError as e:
                print("client", e)
                leave(client)
    if listening.revents:
        listening.revents = 0
        try:
            fd, _ = net.accept(server)
        except OSError as e:
            if e.errno == errno.ENFILE:
                watch(False)
                print("full")
            elif e.errno != errno.EAGAIN:
                print("accept", e)
            continue
        served += 1
        clients.append(net.pollfd(fd, net.POLLIN))
        watch(True)
for client in clients:
    net.close(client.fd)
net.close(server)
print("ended", served, free_sockets())
