# SPDX-License-Identifier: MIT
# The drop-in socket and select against the native modules, in turn: on a board and on MicroPython
# unix, with the drop-in in place. Prints lines of "name ratio native dropin", as inturn.py.
# Arguments: how many rounds.

import asyncio
import select
import socket
import sys

from inturn import middle, timed

N = int(sys.argv[1]) if len(sys.argv) > 1 else 300
ROUNDS = 31
HOST = "127.0.0.1"
PORT = 8100
MESSAGE = bytes(64)


def compare(name, native, dropin, n):
    times = timed((native, dropin), n, ROUNDS)
    # Of each pair by itself: what else the machine does comes and goes.
    ratio = middle([a / b for a, b in zip(*times)])
    print("%s %.3f %.3f %.3f" % (name, ratio, middle(times[0]), middle(times[1])))


def pair(module):
    addr = module.getaddrinfo(HOST, PORT)[0][-1]
    listener = module.socket()
    listener.setsockopt(module.SOL_SOCKET, module.SO_REUSEADDR, 1)
    listener.bind(addr)
    listener.listen(4)
    client = module.socket()
    client.connect(addr)
    server = listener.accept()[0]
    listener.close()
    for s in (client, server):
        s.setsockopt(6, 1, 1)  # TCP_NODELAY
    return client, server


def by_recv(c, s):
    def run(count):
        csend, srecv, ssend, crecv = c.send, s.recv, s.send, c.recv
        for _ in range(count):
            csend(MESSAGE)
            ssend(srecv(64))
            crecv(64)

    return run


def by_readinto(c, s):
    buf = bytearray(64)

    def run(count):
        csend, sread, ssend, cread = c.send, s.readinto, s.send, c.readinto
        for _ in range(count):
            csend(MESSAGE)
            sread(buf)
            ssend(buf)
            cread(buf)

    return run


def ping_pong():
    native = pair(socket.native)
    dropin = pair(socket)
    compare("dropin_recv", by_recv(*native), by_recv(*dropin), N)
    compare("dropin_readinto", by_readinto(*native), by_readinto(*dropin), N)
    for s in native + dropin:
        s.settimeout(5)
    compare("dropin_timeout_recv", by_recv(*native), by_recv(*dropin), N)
    compare("dropin_timeout_readinto", by_readinto(*native), by_readinto(*dropin), N)
    for s in native + dropin:
        s.close()


async def serve(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(count):
    reader, writer = await asyncio.open_connection(HOST, PORT + 1)
    for _ in range(count):
        writer.write(b"hello\n")
        await writer.drain()
        assert await reader.readline() == b"hello\n"
    writer.close()
    await writer.wait_closed()


async def clients(count):
    server = await asyncio.start_server(serve, HOST, PORT + 1)
    await asyncio.gather(*[ask(count) for _ in range(4)])
    server.close()
    await server.wait_closed()


def echo(sockets, selects):
    def run(count):
        sys.modules["socket"] = sockets
        asyncio.core.select = selects
        asyncio.new_event_loop()
        asyncio.run(clients(count))

    return run


def forgotten():
    """30 sockets that nobody closes, on ten."""
    for _ in range(30):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setblocking(False)
    print("dropin_forgotten 30")


ping_pong()
native, dropin = echo(socket.native, select.native), echo(socket, select)
compare("dropin_asyncio", native, dropin, max(N // 3, 5))
forgotten()
