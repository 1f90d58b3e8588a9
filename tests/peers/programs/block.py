# Blocks for ever in one call, to be interrupted: block.py WHAT.
import sys

import usocket_compat as net


def pair():
    if net.capabilities()["socketpair"]:
        return net.zsock_socketpair()
    listener = net.zsock_socket()
    port = 23456
    while True:
        try:
            net.zsock_bind(listener, ("127.0.0.1", port))
            break
        except OSError:
            port += 1
    net.zsock_listen(listener)
    client = net.zsock_socket()
    net.zsock_connect(client, ("127.0.0.1", port))
    return client, net.zsock_accept(listener)[0]


def recv():
    net.zsock_recv(pair()[0], 1)


def recv_into():
    net.zsock_recv(pair()[0], bytearray(1))


def recvfrom():
    fd = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    net.zsock_bind(fd, ("127.0.0.1", 0))
    net.zsock_recvfrom(fd, 1)


def send():
    fd = pair()[0]
    while True:
        net.zsock_send(fd, bytes(100000))


def accept():
    fd = net.zsock_socket()
    net.zsock_bind(fd, ("127.0.0.1", 0))
    net.zsock_listen(fd)
    net.zsock_accept(fd)


def poll():
    net.zsock_poll([net.zsock_pollfd(pair()[0], net.POLLIN)], -1)


def select():
    net.zsock_select([pair()[0]], [], [])


print("ready")
globals()[sys.argv[1]]()
