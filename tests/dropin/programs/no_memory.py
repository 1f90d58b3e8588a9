# Methods of a socket with little or no heap left: made, or MemoryError and not made; the socket
# does what it did afterwards. Prints "NAME MODE ok", or what was wrong.
import gc
import os
import select
import socket
import sys

from shortage import BLOCK, ballast, starved

import usocket_compat as net

BOARD = sys.platform == "esp32"
DATA = b"0123456789abcdefghijklmnopqrstuvwxyz\n"
FREE = [n for n in range(0, 1025, BLOCK) if n < 129 or n // BLOCK % (8 if BOARD else 4) == 0]
port = 9300


def sockets(mode):
    global port
    port += 1
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(2)
    a = socket.socket()
    a.connect(("127.0.0.1", port))
    b = s.accept()[0]
    for each in (a, b, s):
        each.settimeout(2 if mode == "timeout" else None)
    if mode == "fd":
        b.fileno()
        s.fileno()
    return a, b, s


def rest(s, n):
    s.settimeout(1)
    data = b""
    try:
        while len(data) < n:
            part = s.recv(200)
            if not part:
                break
            data += part
    except OSError as e:
        data += b"<%r>" % e.errno
    return data


def takes(call):
    def test(a, b, s, free):
        a.sendall(DATA)
        buf = bytearray(len(DATA))
        got = starved(free, lambda: call(b, buf))
        if got.__class__ is tuple:
            got = got[0]
        if got.__class__ is int:
            got = bytes(buf[:got])
        got = got or b""
        got += rest(b, len(DATA) - len(got))
        return None if got == DATA else "lost, there is %r" % got

    return test


def gives(call):
    def test(a, b, s, free):
        got = starved(free, lambda: (call(b),))
        want = DATA if got else b""
        if got and got[0] is not None:
            want = DATA[: got[0]]
        got = rest(a, len(want))
        a.settimeout(0.02)
        try:
            got += a.recv(100)
        except OSError:
            pass
        return None if got == want else "sent %r, said %r" % (got, want)

    return test


def leaves(call):
    def test(a, b, s, free):
        starved(free, lambda: (call(b),))
        for one, other in (a, b), (b, a):
            one.sendall(DATA)
            got = rest(other, len(DATA))
            if got != DATA:
                return "afterwards %r" % got

    return test


def accepts(a, b, s, free):
    c = socket.socket()
    c.connect(("127.0.0.1", port))
    found = starved(free, s.accept)
    if found is None:
        s.settimeout(0.5)
        found = s.accept()
    c.sendall(DATA)
    got = rest(found[0], len(DATA))
    found[0].close()
    c.close()
    return None if got == DATA else "accepted, %r" % got


def polls(b):
    p = select.poll()
    p.register(b, 4)
    p.register(b.fileno(), 4)
    p.poll(1000)


TESTS = (
    ("recv_into", takes(lambda b, buf: b.recv_into(buf))),
    ("read", takes(lambda b, buf: b.read(37))),
    ("recvmsg", takes(lambda b, buf: b.recvmsg(37))),
    ("send", gives(lambda b: b.send(DATA, socket.MSG_DONTWAIT))),
    ("sendmsg", gives(lambda b: b.sendmsg([DATA[:10], DATA[10:]]))),
    ("accept", accepts),
    ("fileno", leaves(lambda b: b.fileno())),
    ("dup", leaves(lambda b: b.dup().close())),
    ("polls", leaves(polls)),
    ("settimeout", leaves(lambda b: b.settimeout(2))),
    ("getpeername", leaves(lambda b: b.getpeername())),
    ("select", leaves(lambda b: select.select([], [b], [], 1))),
)


def descriptors():
    gc.collect()
    return len(net.fds()) if BOARD else len(list(os.ilistdir("/proc/self/fd")))


def run(test, mode, free):
    gc.collect()
    socks = sockets(mode)
    try:
        return test(*socks, free)
    except Exception as e:
        return repr(e)
    finally:
        for s in socks:
            s.close()


# What loads when it is first asked for, in the middle of which the memory ends; and again.
for module, name in (select, "select"), (socket, "create_server"):
    for free in range(0, 2048, BLOCK):
        gc.collect()
        for each in ("usocket_compat.sopoll", "usocket_compat.somod"):
            sys.modules.pop(each, None)
        if hasattr(module, "__dict__"):
            module.__dict__.pop(name, None)
        elif name in dir(module):
            delattr(module, name)
        starved(free, lambda: getattr(module, name))
        getattr(module, name)
print("load - ok")
for mode in ("native", "timeout", "fd"):
    for name, test in TESTS:
        weight = wrong = None
        for _ in range(2):
            wrong = wrong or run(test, mode, 1024)
        b = sockets(mode)
        for s in b:
            s.close()
        b = s = None
        before = descriptors()
        weight = ballast()
        for free in FREE:
            found = run(test, mode, free)
            if found and not wrong:
                wrong = "%s with %d bytes" % (found, free)
        weight = None
        if not wrong and descriptors() != before:
            wrong = "%d descriptors, %d before" % (descriptors(), before)
        print(name, mode, wrong or "ok")
