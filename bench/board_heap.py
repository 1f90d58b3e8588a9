# SPDX-License-Identifier: MIT
# Heap that programs leave taken on a board, step by step: "heap_NAME bytes" lines.
# Arguments: the program, server (TCP with poll, then getaddrinfo and UDP), udp (a client), dns (a
# name looked up, of the name server on that port of the host), aiodns (the same with asyncio),
# wifi, poller, or an echo server by aio or by asyncio's streams.
import _thread
import gc
import sys
import time


def used():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def step(name):
    global last
    now = used()
    print("heap_%s %d" % (name, now - last))
    last = used()


last = used()
step("nothing")
begin = last
if sys.argv[1] in ("aio", "streams"):
    import asyncio

    async def nothing():
        pass

    asyncio.run(nothing())
    step("nothing")
if sys.argv[1] != "streams":
    import usocket_compat as net

if sys.argv[1] == "server":
    step("import")
    listener = net.socket(net.AF_INET, net.SOCK_STREAM)
    step("socket")
    net.setsockopt(listener, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.bind(listener, ("127.0.0.1", 7100))
    net.listen(listener, 2)
    step("bind_listen")
    fds = [net.pollfd(listener, net.POLLIN)]
    client = net.socket()
    net.connect(client, ("127.0.0.1", 7100))
    step("connect")
    net.poll(fds, 1000)
    step("poll")
    fd, addr = net.accept(listener)
    fds.append(net.pollfd(fd, net.POLLIN))
    buf = bytearray(64)

    def late(data):
        time.sleep_ms(30)
        net.send(fd, data)

    for again in range(3):
        net.send(client, b"hello")
        net.poll(fds, 1000)
        n = net.recv(fd, buf)
        if again:
            net.send(fd, memoryview(buf)[:n])
        else:  # the client waits
            _thread.start_new_thread(late, (bytes(buf[:n]),))
        net.recv(client, 10)
    late = None
    step("data")
    net.close(client)
    net.poll(fds, 1000)
    assert net.recv(fd, buf) == 0
    net.close(fd)
    step("end")
    print("heap_tcp_poll", last - begin)
    net.getaddrinfo("127.0.0.1", 80, net.AF_INET, net.SOCK_STREAM)
    step("getaddrinfo")
    fd = net.socket(net.AF_INET, net.SOCK_DGRAM)
    net.bind(fd, ("127.0.0.1", 0))
    net.sendto(fd, b"x", 0, net.getsockname(fd))
    net.recvfrom(fd, 10)
    net.close(fd)
    step("udp")
    print("heap_all", last - begin)
    fds = []
    net.close(listener)
    import socket

    step("nothing")
    # Each beside a plain one.
    fds = [net.socket() for _ in range(4)]
    layered = used() - last
    net.closeall()
    fds = []
    used()
    last = used()
    fds = [socket.socket() for _ in range(4)]
    print("heap_per_socket", (layered - (used() - last)) // 4)
elif sys.argv[1] == "udp":
    fd = net.socket(net.AF_INET, net.SOCK_DGRAM)
    net.sendto(fd, b"x", 0, ("127.0.0.1", 7101))
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_RCVTIMEO, 0.01)
    try:
        net.recvfrom(fd, 10)
    except OSError:
        pass
    net.close(fd)
    step("udp_client")
elif "dns" in sys.argv[1]:
    fd = net.socket(net.AF_INET, net.SOCK_DGRAM)
    net.sendto(fd, b"x", 0, ("127.0.0.1", 7101))
    net.close(fd)
    if sys.argv[1] == "dns":
        step("nothing")
        from usocket_compat import dns

        look = net.getaddrinfo
    else:
        import asyncio

        from usocket_compat import aio

        async def nothing():
            await aio.sleep_ms(1)

        def look(*args):
            asyncio.run(aio.getaddrinfo(*args))

        asyncio.run(nothing())
        step("nothing")
        from usocket_compat import dns
    # As if the firmware had said so; it knows no ports.
    dns._given = [("10.0.2.2", int(sys.argv[2]))]
    look("name.test", 80, net.AF_INET, net.SOCK_STREAM)
    step(sys.argv[1])
elif sys.argv[1] == "aio":
    from usocket_compat import aio

    async def echo():
        fd, _ = await aio.accept(listener)
        buf = bytearray(64)
        while True:
            n = await aio.recv(fd, buf)
            if not n:
                break
            await aio.sendall(fd, memoryview(buf)[:n])
        net.close(fd)

    async def main():
        task = asyncio.create_task(echo())
        client = net.socket()
        await aio.connect(client, ("127.0.0.1", 7100))
        for _ in range(3):
            await aio.sendall(client, b"hello")
            await asyncio.sleep_ms(20)
            await aio.recv(client, 10)
        net.close(client)
        await task

    listener = net.socket()
    net.bind(listener, ("127.0.0.1", 7100))
    net.listen(listener, 2)
    asyncio.run(main())
    net.close(listener)
    step("aio")
elif sys.argv[1] == "poller":
    fds = [net.socket(net.AF_INET, net.SOCK_DGRAM) for _ in range(2)]
    net.bind(fds[0], ("127.0.0.1", 7100))
    pollfds = [net.pollfd(fds[0], net.POLLIN)]
    net.sendto(fds[1], b"x", 0, ("127.0.0.1", 7100))
    net.poll(pollfds, 1000)
    step("nothing")
    poller = net.Poller()
    waker = net.Waker(poller, 1)
    for fd in fds:
        poller.register(fd, fd, net.POLLIN)
    waker.wake()
    assert len(poller.poll(1000)) == 2 and len(poller.poll(0)) == 1
    step("poller")
    svc = net.NET_SOCKET_SERVICE_SYNC_DEFINE(lambda pev: net.recv(pev.event.fd, 9), 1)
    net.net_socket_service_register(svc, pollfds)
    assert net.net_socket_service_step(1000) == 1
    step("service")
elif sys.argv[1] == "streams":

    async def echo(reader, writer):
        while True:
            data = await reader.read(64)
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 7100)
        reader, writer = await asyncio.open_connection("127.0.0.1", 7100)
        for _ in range(3):
            writer.write(b"hello")
            await writer.drain()
            await asyncio.sleep_ms(20)
            await reader.read(10)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep_ms(50)
        server.close()

    asyncio.run(main())
    step("streams")
elif sys.argv[1] in ("reads", "queue", "dial", "control", "lazy", "luastyle", "errnostyle"):
    listener = net.socket()
    net.setsockopt(listener, net.SOL_SOCKET, net.SO_REUSEADDR, 1)
    net.bind(listener, ("127.0.0.1", 7100))
    net.listen(listener, 2)
    client = net.socket()
    net.connect(client, ("127.0.0.1", 7100))
    fd, _ = net.accept(listener)
    net.send(client, b"x")
    net.recv(fd, 10)
    net.close(net.socket())
    step("nothing")
    if sys.argv[1] == "reads":
        net.send(client, b"a line\n01234567")
        stream = net.Stream(fd)
        stream.recv_line()
        stream.recv_exact(8)
        net.close(client)
        stream.recv_all()
        stream = None
    elif sys.argv[1] == "queue":
        queue = net.SendQueue(client)
        queue.write(b"hello")
        queue.drain()
        queue = None
    elif sys.argv[1] == "dial":
        net.close(listener)
        net.close(client)
        listener = net.create_server(("127.0.0.1", 7101))
        net.close(net.create_connection(("127.0.0.1", 7101), 5))
    elif sys.argv[1] == "control":
        net.take_error(fd)
        net.send(client, b"x")
        net.peek(fd, 1)
    elif sys.argv[1] == "lazy":
        lazy = net.socket(net.AF_UNSPEC)
        net.connect(lazy, ("127.0.0.1", 7100))
        net.close(lazy)
    elif sys.argv[1] == "luastyle":
        lua = net.luastyle.Tcp(client)
        lua.send(b"line\n")
        lua.close()
        lua = None
    else:
        net.errnostyle.send(client, b"x")
    net.closeall()
    step(sys.argv[1])
else:
    net.close(net.socket())
    step("nothing")
    from usocket_compat import wifi  # noqa: F401

    step("wifi")
