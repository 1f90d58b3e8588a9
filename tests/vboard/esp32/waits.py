# SPDX-License-Identifier: MIT
# A reader that waits, and what goes on beside it: waits.py FUNCTION HOST PORT [ARGUMENT].
import _thread
import gc
import sys
import time

import usocket_compat as net
from usocket_compat import errno

PIECE = 256
PIECES = 12
BURSTS = 25


def connected(host, port):
    fd = net.socket()
    net.connect(fd, (host, int(port)))
    net.setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    return fd


def stalls(recv, send):
    """How many of the peer's bursts stall; it sends one for each byte that it gets."""
    late = 0
    for _ in range(BURSTS):
        send(b"k")
        left = PIECE * PIECES
        last = time.ticks_ms()
        stalled = False
        while left:
            left -= recv()
            now = time.ticks_ms()
            stalled = stalled or time.ticks_diff(now, last) > 150
            last = now
        late += stalled
    return late


def layered(host, port, form):
    fd = connected(host, port)
    buf = bytearray(PIECE)
    view = memoryview(buf)
    if form == "bytes":
        recv = lambda: len(net.recv(fd, PIECE))  # noqa: E731
    elif form == "view":
        recv = lambda: net.recv(fd, view)  # noqa: E731
    else:
        recv = lambda: net.recv(fd, buf)  # noqa: E731
    print("stalls", stalls(recv, lambda data: net.send(fd, data)))
    net.close(fd)


def heap(host, port):
    """What receives that wait, into the same buffer, leave on the heap."""
    fd = connected(host, port)
    buf = bytearray(PIECE)
    for turn in range(60):
        if turn == 10:
            # By now all is loaded. The firmware makes a thread's id, which takes memory above 30
            # bits, for each wait, of which a busy machine has more: this one is as large on all
            # boards, and there already.
            for name in "stream", "waits":
                file = sys.modules["usocket_compat.port.esp32." + name]
                file.get_ident = lambda: 0x56789ABC12345678
        if turn == 20:
            gc.collect()
            gc.disable()
            before = gc.mem_alloc()
        net.send(fd, b"k")
        left = PIECE * PIECES
        while left:
            left -= net.recv(fd, buf)
    left = gc.mem_alloc() - before
    print("left", left)
    net.close(fd)


def plain(host, port):
    import socket

    s = socket.socket()
    s.connect((host, int(port)))
    print("stalls", stalls(lambda: len(s.recv(PIECE)), s.send))
    s.close()


def beside(host, port):
    """While a thread waits for good: sends, a receive and a close that do not."""
    fd = connected(host, port)
    net.setsockopt(fd, net.SOL_SOCKET, net.SO_SNDTIMEO, 5000)
    found = []
    # More than its buffer holds, so that it waits within lwIP from here on.
    net.send(fd, b"k")
    net.recv(fd, bytearray(4))
    net.send(fd, b"k")
    net.recv(fd, bytearray(4))

    def reader():
        try:
            found.append(net.recv(fd, bytearray(4)))
        except OSError as e:
            found.append(e.errno == errno.EBADF)

    _thread.start_new_thread(reader, ())
    time.sleep_ms(150)
    worst = sent = 0
    data = bytes(2000)
    while True:
        begin = time.ticks_ms()
        try:
            sent += net.send(fd, data if sent % 3 else data[:100], net.MSG_DONTWAIT)
        except OSError as e:
            assert e.errno == errno.EAGAIN
            break
        worst = max(worst, time.ticks_diff(time.ticks_ms(), begin))
    for call in (net.recv, net.send):
        begin = time.ticks_ms()
        try:
            call(fd, bytearray(4) if call is net.recv else data[:100], net.MSG_DONTWAIT)
        except OSError as e:
            assert e.errno == errno.EAGAIN
        worst = max(worst, time.ticks_diff(time.ticks_ms(), begin))
    print("worst", worst)
    begin = time.ticks_ms()
    net.close(fd)
    while not found:
        time.sleep_ms(1)
    print("closed", found[0], time.ticks_diff(time.ticks_ms(), begin))


def waiting(host, port):
    """A stream whose reader waits within lwIP: as much came as it asked for."""
    fd = connected(host, port)
    for _ in range(2):
        net.send(fd, b"k")
        got = net.recv(fd, bytearray(4))
        assert got == 4
    return fd


def form_of(form):
    buf = bytearray(256)
    if form == "bytes":
        return lambda fd: net.recv(fd, 256)
    buf = memoryview(buf) if form == "view" else buf
    return lambda fd: bytes(memoryview(buf)[: net.recv(fd, buf)])


def interrupted(host, port, form, times):
    """Ctrl-C in a wait, again and again; then all comes, and nothing blocks."""
    fd = waiting(host, port)
    recv = form_of(form)
    hits = 0
    while hits < int(times):
        try:
            print("go")
            recv(fd)
            print("it gave something")
        except KeyboardInterrupt:
            hits += 1
    begin = time.ticks_ms()
    try:
        net.recv(fd, 4, net.MSG_DONTWAIT)
    except OSError as e:
        assert e.errno == errno.EAGAIN
    print("worst", time.ticks_diff(time.ticks_ms(), begin))
    net.send(fd, b"k")
    found = []

    def reader():  # another thread: none has kept the stream to itself
        data = b""
        while len(data) < 1000:
            data += recv(fd)
        found.append(data)

    _thread.start_new_thread(reader, ())
    while not found:
        time.sleep_ms(1)
    print("all", found[0] == bytes([n % 251 for n in range(1000)]))
    net.close(fd)


def starved(host, port, form):
    """All memory goes while a thread waits: it gets what comes, or gets it later."""
    fd = waiting(host, port)
    buf = bytearray(256)
    recv = form_of(form)
    net.send(fd, b"k")
    found = [recv(fd)]  # and all is loaded
    failed = [0]
    room = 256 if form == "bytes" else memoryview(buf) if form == "view" else buf

    def reader(found=found, failed=failed):
        got = None
        while True:
            try:
                if got is None:
                    got = net.recv(fd, room)
                if not got:
                    break
                # Only now is there memory to keep it; what has come is not asked for again.
                while chain[0]:
                    time.sleep_ms(1)
                found.append(got if form == "bytes" else bytes(buf[:got]))
                got = None
            except MemoryError:
                failed[0] += got is None
                while chain[0]:
                    time.sleep_ms(1)
        found.append(None)

    chain = [None]
    _thread.start_new_thread(reader, ())
    for free in range(0, 1024, 64):
        net.send(fd, b"k")  # what it brings comes in 50 ms
        gc.collect()
        spare = bytearray(free)
        for size in (8192, 256, 16):
            try:
                while True:
                    chain[0] = [chain[0], bytearray(size)]
            except MemoryError:
                pass
        spare = None  # noqa: F841
        time.sleep_ms(150)
        # Link by link: the collector may take an old word on the stack for the first of them.
        link = chain[0]
        while link:
            before, link[0] = link[0], None
            link[1] = None
            link = before
        chain[0] = None
        gc.collect()
        time.sleep_ms(30)
    net.send(fd, b"e")
    while found[-1] is not None:
        time.sleep_ms(1)
    data = b"".join(found[:-1])
    print("failed", failed[0])
    print("all", data == b"".join([bytes([n] * 100) for n in range(17)]), len(data))
    net.close(fd)


def closes(host, port, form, times):
    """A close as data comes to a waiting reader: it gets data or EBADF, and nothing is left."""
    from usocket_compat.zbase import p

    recv = form_of(form)
    begin = p.odd_handles[0]
    gave = 0
    for turn in range(int(times)):
        fd = waiting(host, port)
        found = []

        def reader(fd=fd, found=found):
            try:
                found.append(len(recv(fd)))
            except OSError as e:
                found.append(-e.errno)

        _thread.start_new_thread(reader, ())
        time.sleep_ms(10)
        net.send(fd, b"k")  # what it brings comes in 5 ms
        time.sleep_ms(3)
        time.sleep_us(turn * 97 % 5000)
        net.close(fd)
        while not found:
            time.sleep_ms(1)
        assert found[0] == -errno.EBADF or 0 < found[0] <= 256, found
        gave += found[0] > 0
    print("left", net.fds(), p.odd_handles[0] - begin, gave)


globals()[sys.argv[1]](*sys.argv[2:])
