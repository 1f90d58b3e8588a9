# SPDX-License-Identifier: MIT
# The workloads, raw and layered in turn, for CPython and MicroPython: prints what inturn.py says.
# Arguments: how many rounds, and the port of the peer (bench/peer.py).

import gc
import select
import socket
import struct
import sys

from inturn import MICROPYTHON, compare

import usocket_compat as net


def raw_address(port):
    return socket.getaddrinfo("127.0.0.1", port)[0][4]


def raw_pair():
    """Two connected plain TCP sockets. The port is chosen through the layer, which can say it."""
    fd = net.socket()
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.bind(fd, ("127.0.0.1", 0))
    port = net.getsockname(fd)[1]
    net.close(fd)
    listener = socket.socket()
    listener.setsockopt(net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    listener.bind(raw_address(port))
    listener.listen(64)
    client = socket.socket()
    client.connect(raw_address(port))
    server = listener.accept()[0]
    for s in (client, server):
        s.setsockopt(net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    return listener, client, server


def layer_pair():
    listener = net.socket()
    net.bind(listener, ("127.0.0.1", 0))
    net.listen(listener, 64)
    client = net.socket()
    net.connect(client, net.getsockname(listener))
    server = net.accept(listener)[0]
    for s in (client, server):
        net.setsockopt(s, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    return listener, client, server


def peer_pair():
    """Two connected sockets of chumicro-sockets, as their makers would have them used."""
    import chumicro_sockets

    for port in range(20000, 20100):
        try:
            waiting = chumicro_sockets.listener("127.0.0.1", port)
            break
        except OSError:
            pass
    connecting = chumicro_sockets.connector("127.0.0.1", port)
    while connecting.state != "ready":
        connecting.tick(0)
    server = waiting.accept()[0]
    waiting.close()
    return connecting.socket, server


def ping_pong(n):
    l1, c, s = raw_pair()
    l2, fc, fs = layer_pair()
    message = b"x" * 64
    buf = bytearray(64)
    send, recv = net.send, net.recv

    def raw_into(count):
        csend, ssend = c.send, s.send
        if MICROPYTHON:
            cread, sread = c.readinto, s.readinto
        else:
            cread, sread = c.recv_into, s.recv_into
        for _ in range(count):
            csend(message)
            sread(buf)
            ssend(buf)
            cread(buf)

    def raw_bytes(count):
        csend, ssend, crecv, srecv = c.send, s.send, c.recv, s.recv
        for _ in range(count):
            csend(message)
            ssend(srecv(64))
            crecv(64)

    def layer_into(count):
        for _ in range(count):
            send(fc, message)
            recv(fs, buf)
            send(fs, buf)
            recv(fc, buf)

    def layer_bytes(count):
        for _ in range(count):
            send(fc, message)
            send(fs, recv(fs, 64))
            recv(fc, 64)

    compare("pingpong64_into_vs_into", raw_into, layer_into, n)
    compare("pingpong64_into_vs_recv", raw_bytes, layer_into, n)
    compare("pingpong64_bytes_vs_recv", raw_bytes, layer_bytes, n)
    pc, ps = peer_pair()

    def peer_into(count):
        csend, ssend, cread, sread = pc.send, ps.send, pc.recv_into, ps.recv_into
        for _ in range(count):
            csend(message)
            sread(buf)
            ssend(buf)
            cread(buf)

    compare("pingpong64_peer", peer_into, layer_into, n)
    pc.close()
    ps.close()

    big = bytes(16384)
    room = bytearray(16384)

    # A part at a time until 16 KiB are through: TCP may deliver them in pieces.
    def raw_bulk(count):
        csend = c.send
        sread = s.readinto if MICROPYTHON else s.recv_into
        for _ in range(count):
            csend(big)
            got = sread(room)
            while got < 16384:
                got += sread(memoryview(room)[got:])

    def layer_bulk(count):
        for _ in range(count):
            send(fc, big)
            got = recv(fs, room)
            while got < 16384:
                got += recv(fs, memoryview(room)[got:])

    compare("bulk16k_one_thread", raw_bulk, layer_bulk, n // 4)
    for x in (l1, c, s):
        x.close()
    for fd in (l2, fc, fs):
        net.close(fd)


def bulk(n, port):
    """n blocks of 16 KiB to a peer process, and n back."""
    raw_socket = socket.socket()
    raw_socket.connect(raw_address(port))
    fd = net.socket()
    net.connect(fd, ("127.0.0.1", port))
    block = bytearray(16384)

    def raw(count):
        send = raw_socket.send
        receive = raw_socket.readinto if MICROPYTHON else raw_socket.recv_into
        send(struct.pack("!I", count * 16384))
        for _ in range(count):
            send(block)
        left = count * 16384
        while left:
            # readinto would wait for more than there is
            left -= receive(block if left >= 16384 else memoryview(block)[:left])

    def layered(count):
        send, recv = net.send, net.recv
        send(fd, struct.pack("!I", count * 16384))
        for _ in range(count):
            send(fd, block)
        left = count * 16384
        while left:
            left -= recv(fd, block)

    compare("bulk16k_stream", raw, layered, n)
    raw_socket.close()
    net.close(fd)


def crossing(n, port):
    """64 bytes to a peer process and back: each receive waits."""
    raw_socket = socket.socket()
    raw_socket.connect(raw_address(port))
    fd = net.socket()
    net.connect(fd, ("127.0.0.1", port))
    raw_socket.setsockopt(net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    net.setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    message = struct.pack("!I", 64) + bytes(64)
    buf = bytearray(64)

    def raw(count):
        send = raw_socket.send
        receive = raw_socket.readinto if MICROPYTHON else raw_socket.recv_into
        for _ in range(count):
            send(message)
            receive(buf)

    def layered(count):
        send, recv = net.send, net.recv
        for _ in range(count):
            send(fd, message)
            recv(fd, buf)

    compare("pingpong64_other_process", raw, layered, n)
    raw_socket.close()
    net.close(fd)


def connections(n):
    l1, c, s = raw_pair()
    l2, fc, fs = layer_pair()
    if not MICROPYTHON:
        target = l1.getsockname()
    else:
        # MicroPython cannot ask: the accepted side's port is known to the layer's getpeername
        target = raw_target(l1)
    there = net.getsockname(l2)
    make = socket.socket

    def raw(count):
        for _ in range(count):
            a = make()
            a.connect(target)
            b, _addr = l1.accept()
            a.close()
            b.close()

    socket_, connect, accept, close = net.socket, net.connect, net.accept, net.close

    def layered(count):
        for _ in range(count):
            a = socket_()
            connect(a, there)
            b, _addr = accept(l2)
            close(a)
            close(b)

    compare("connect_accept_close", raw, layered, n)
    for x in (l1, c, s):
        x.close()
    for fd in (l2, fc, fs):
        net.close(fd)


def raw_target(listener):
    # A handle of the layer's port is the descriptor, so the port can say what MicroPython cannot.
    from usocket_compat.zbase import p

    return raw_address(p.getsockname(listener.fileno())[1])


def polling(n, count=64):
    raws = [socket.socket(2, 2) for _ in range(count)]
    fds = [net.socket(net.AF_INET, net.SOCK_DGRAM) for _ in range(count)]
    for s in raws:
        s.bind(raw_address(0))
    for fd in fds:
        net.bind(fd, ("127.0.0.1", 0))
    # one of each has a datagram waiting
    one = net.getsockname(fds[count // 2])
    net.sendto(fds[0], b"x", 0, one)
    if MICROPYTHON:
        target = raw_target(raws[count // 2])
    else:
        target = raws[count // 2].getsockname()
    raws[0].sendto(b"x", target)
    poller = select.poll()
    for s in raws:
        poller.register(s, select.POLLIN)
    pfds = [net.zsock_pollfd(fd, net.POLLIN) for fd in fds]
    poll = net.poll

    if MICROPYTHON:

        def raw(times):
            ipoll = poller.ipoll
            for _ in range(times):
                for _s, _event in ipoll(1000):
                    pass
    else:

        def raw(times):
            p = poller.poll
            for _ in range(times):
                for _s, _event in p(1000):
                    pass

    def layered(times):
        for _ in range(times):
            poll(pfds, 1000)

    def layered_scan(times):
        for _ in range(times):
            poll(pfds, 1000)
            for pfd in pfds:
                if pfd.revents:
                    break

    compare("poll64", raw, layered, n)
    compare("poll64_and_scan", raw, layered_scan, n)
    for s in raws:
        s.close()
    for fd in fds:
        net.close(fd)


def steady(n):
    """Heap that a steady loop of recv, send and poll allocates per call (MicroPython)."""
    l2, fc, fs = layer_pair()
    message = memoryview(b"x" * 64)
    buf = bytearray(64)
    view = memoryview(buf)
    pfds = [net.zsock_pollfd(fs, net.POLLIN)]
    send, recv, poll = net.send, net.recv, net.poll

    def loop(count):
        for _ in range(count):
            send(fc, message)
            poll(pfds, 100)
            recv(fs, buf)
            send(fs, message)
            recv(fc, view)
            poll(pfds, 0)

    loop(10)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    loop(n)
    used = gc.mem_alloc() - before
    gc.enable()
    print("heap_per_call %.3f bytes" % (used / n / 6))
    for fd in (l2, fc, fs):
        net.close(fd)


def main():
    scale = int(sys.argv[1])
    port = int(sys.argv[2])
    ping_pong(scale)
    crossing(scale // 4, port)
    bulk(scale // 10, port)
    connections(max(scale // 20, 5))
    polling(scale)
    if MICROPYTHON:
        steady(scale)


main()
