# SPDX-License-Identifier: MIT
# The workloads on a board, the firmware's plain socket and the layer in turn, both ends of each
# connection on the board: prints what inturn.py says.
# Arguments: how many rounds.

import gc
import select
import socket
import sys
import time

from inturn import compare, middle

import usocket_compat as net

N = int(sys.argv[1]) if len(sys.argv) > 1 else 200
ROUNDS = 9
HOST = "127.0.0.1"
PORT = 8000
MESSAGE = bytes(64)


def plain_listener():
    listener = socket.socket()
    listener.setsockopt(net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    listener.bind((HOST, PORT))
    listener.listen(4)
    return listener


def layer_listener():
    listener = net.socket()
    net.bind(listener, (HOST, 0))
    net.listen(listener, 4)
    return listener, net.getsockname(listener)


def plain_pair():
    listener = plain_listener()
    client = socket.socket()
    client.connect((HOST, PORT))
    server = listener.accept()[0]
    listener.close()
    for s in (client, server):
        s.setsockopt(net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    return client, server


def layer_pair():
    listener, addr = layer_listener()
    client = net.socket()
    net.connect(client, addr)
    server = net.accept(listener)[0]
    net.close(listener)
    for fd in (client, server):
        net.setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    return client, server


def ping_pong():
    c, s = plain_pair()
    fc, fs = layer_pair()
    buf = bytearray(64)
    send, recv = net.send, net.recv

    def plain_into(count):
        csend, sread, ssend, cread = c.send, s.readinto, s.send, c.readinto
        for _ in range(count):
            csend(MESSAGE)
            sread(buf)
            ssend(buf)
            cread(buf)

    def plain_bytes(count):
        csend, srecv, ssend, crecv = c.send, s.recv, s.send, c.recv
        for _ in range(count):
            csend(MESSAGE)
            ssend(srecv(64))
            crecv(64)

    def layer_into(count):
        for _ in range(count):
            send(fc, MESSAGE)
            recv(fs, buf)
            send(fs, buf)
            recv(fc, buf)

    compare("pingpong64_into_vs_into", plain_into, layer_into, N, ROUNDS)
    compare("pingpong64_into_vs_recv", plain_bytes, layer_into, N, ROUNDS)

    part = bytes(1400)
    room = bytearray(1400)

    def plain_bulk(count):
        csend, sread = c.send, s.readinto
        for _ in range(count):
            csend(part)
            sread(room)

    def layer_bulk(count):
        for _ in range(count):
            send(fc, part)
            got = 0
            while got < 1400:
                got += recv(fs, room)

    compare("bulk1400", plain_bulk, layer_bulk, N, ROUNDS)
    pfds = [net.zsock_pollfd(fs, net.POLLIN)]
    poll = net.poll
    gc.collect()
    gc.disable()
    for i in range(60):
        if i == 10:
            before = gc.mem_alloc()
        send(fc, MESSAGE)
        poll(pfds, 1000)
        recv(fs, buf)
    print("heap_per_call %.1f bytes" % ((gc.mem_alloc() - before) / 150))
    gc.enable()
    c.close()
    s.close()
    net.close(fc)
    net.close(fs)


def connecting():
    plain = plain_listener()
    layered, addr = layer_listener()

    def plain_connect(count):
        for _ in range(count):
            client = socket.socket()
            client.connect((HOST, PORT))
            server = plain.accept()[0]
            client.close()
            server.close()

    def layer_connect(count):
        for _ in range(count):
            client = net.socket()
            net.connect(client, addr)
            server = net.accept(layered)[0]
            net.close(client)
            net.close(server)

    compare("connect_accept_close", plain_connect, layer_connect, max(N // 4, 1), ROUNDS)
    plain.close()
    net.close(layered)


def polling():
    socks = [socket.socket(2, 2) for _ in range(8)]
    poller = select.poll()
    for i, s in enumerate(socks):
        s.bind((HOST, PORT + i))
        poller.register(s, select.POLLIN)
    socks[0].sendto(b"x", (HOST, PORT + 4))

    def plain(count):
        ipoll = poller.ipoll
        for _ in range(count):
            for _s, _event in ipoll(1000):
                pass

    times = []
    plain(10)
    for _ in range(ROUNDS):
        begin = time.ticks_us()
        plain(N * 4)
        times.append(time.ticks_diff(time.ticks_us(), begin) / (N * 4))
    a = middle(times)
    for s in socks:
        s.close()
    # Not in turn: a board has no sockets for both.
    fds = [net.socket(net.AF_INET, net.SOCK_DGRAM) for _ in range(8)]
    for fd in fds:
        net.bind(fd, (HOST, 0))
    net.sendto(fds[0], b"x", 0, net.getsockname(fds[4]))
    pfds = [net.zsock_pollfd(fd, net.POLLIN) for fd in fds]
    poll = net.poll
    times = []
    for _ in range(ROUNDS + 1):
        begin = time.ticks_us()
        for _i in range(N * 4):
            poll(pfds, 1000)
        times.append(time.ticks_diff(time.ticks_us(), begin) / (N * 4))
    b = middle(times)
    print("poll8 %.3f %.3f %.3f" % (a / b, a, b))
    for fd in fds:
        net.close(fd)


ping_pong()
connecting()
polling()
