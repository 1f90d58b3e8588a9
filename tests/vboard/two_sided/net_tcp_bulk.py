# SPDX-License-Identifier: MIT
# 300 KB each way at once over one connection, byte for byte.
# ruff: noqa: F821, since the harness defines multitest and passes IP
import hashlib
import select
import socket

PORT = 8000
TOTAL = 300 * 1024


def transfer(s, seed):
    """Send our pattern while the other one comes in; the digest of that."""
    s.setblocking(False)
    poll = select.poll()
    poll.register(s, select.POLLIN | select.POLLOUT)
    piece = bytes((seed + 7 * i) & 0xFF for i in range(251))
    digest = hashlib.sha256()
    sent = received = 0
    while sent < TOTAL or received < TOTAL:
        events = poll.poll(10000)
        if not events:
            return "nothing moves: %d sent, %d received" % (sent, received)
        if received < TOTAL and events[0][1] & select.POLLIN:
            data = s.recv(min(2048, TOTAL - received))
            if not data:
                return "ended after %d bytes" % received
            digest.update(data)
            received += len(data)
        if sent < TOTAL and events[0][1] & select.POLLOUT:
            at = sent % len(piece)
            try:
                sent += s.send(piece[at : at + TOTAL - sent])
            except OSError:
                pass  # no room after all
        if sent == TOTAL:
            poll.modify(s, select.POLLIN)
    return digest.digest()


def instance0():
    multitest.globals(IP=multitest.get_network_ip())
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", PORT))
    s.listen(1)
    multitest.next()
    client, _ = s.accept()
    print(transfer(client, 1))
    multitest.wait("done")
    client.close()
    s.close()


def instance1():
    multitest.next()
    s = socket.socket()
    s.connect((IP, PORT))
    print(transfer(s, 2))
    multitest.broadcast("done")
    s.close()
