# SPDX-License-Identifier: MIT
# Runs the programs of steps.py, which the test makes, and prints what each step gives. A step is
# an expression, or NAMES=EXPRESSION that keeps what it gives. The same under any interpreter.
import sys
import time

import steps

import usocket_compat as net
from usocket_compat import errno

BOARD = sys.platform == "esp32"
NAMES = (
    "EAGAIN EALREADY EBADF ECONNABORTED ECONNREFUSED ECONNRESET EDESTADDRREQ EINPROGRESS EINVAL"
    " EISCONN EMSGSIZE ENFILE ENOPROTOOPT ENOTCONN EOPNOTSUPP EPIPE ETIMEDOUT"
).split()
EVENTS = "POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL".split()
LOOPBACK = "127.0.0.1"
SETTLE = 10  # ms, for what one step sends to arrive before the next looks
TIMEOUT = 0.04  # of every socket, so that nothing hangs

if BOARD:
    # Before the files are loaded that change states: each that a handle gets has to be allowed.
    from usocket_compat.zbase import p as port

    def set_state(h, st, real=port.set_state):
        real(h, st)
        for bit, allowed in steps.STATES:
            if h.st & bit and h.st & ~allowed:
                print("-- program with a state that the port's table does not have:", h.st)

    port.set_state = set_state

IN, OUT, PRI = net.POLLIN, net.POLLOUT, net.POLLPRI
PEEK, DONTWAIT, WAITALL, TRUNC = net.MSG_PEEK, net.MSG_DONTWAIT, net.MSG_WAITALL, net.MSG_TRUNC
close, send, recv, sendto = net.zsock_close, net.zsock_send, net.zsock_recv, net.zsock_sendto
recvfrom, listen, connect = net.zsock_recvfrom, net.zsock_listen, net.zsock_connect
sockname, peername = net.zsock_getsockname, net.zsock_getpeername

if BOARD:
    now, since, sleep_ms = time.ticks_ms, time.ticks_diff, time.sleep_ms
else:

    def now():
        return int(time.monotonic() * 1000)

    def since(a, b):
        return a - b

    def sleep_ms(ms):
        time.sleep(ms / 1000)


def limited(fd):
    for option in (net.SO_RCVTIMEO, net.SO_SNDTIMEO):
        net.zsock_setsockopt(fd, net.SOL_SOCKET, option, TIMEOUT)
    return fd


def tcp(nonblock=0):
    fd = net.zsock_socket(net.AF_INET, net.SOCK_STREAM | (net.SOCK_NONBLOCK if nonblock else 0))
    # Or lwIP waits 250 ms for the acknowledgement of each small piece.
    net.zsock_setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)
    return limited(fd)


def udp(nonblock=0):
    fd = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM | (net.SOCK_NONBLOCK if nonblock else 0))
    net.zsock_bind(fd, (LOOPBACK, 0))
    return limited(fd)


def listener(backlog, nonblock=0):
    fd = tcp(nonblock)
    net.zsock_bind(fd, (LOOPBACK, 0))
    listen(fd, backlog)
    return fd


def accept(fd):
    new, addr = net.zsock_accept(fd)
    return limited(new), addr


def pair():
    fd = listener(1)
    client = tcp()
    connect(client, sockname(fd))
    server, _ = accept(fd)
    close(fd)
    return client, server


def unix_pair(kind=net.SOCK_STREAM):
    a, b = net.zsock_socketpair(net.AF_UNIX, kind)
    return limited(a), limited(b)


def recv_into(fd, n, flags=0):
    buf = bytearray(n)
    return recv(fd, buf, flags), bytes(buf)


def recv_view(fd, n, flags=0):
    buf = bytearray(n + 4)
    return recv(fd, memoryview(buf)[2 : n + 2], flags), bytes(buf)


def recvfrom_into(fd, n, flags=0):
    buf = bytearray(n)
    return recvfrom(fd, buf, flags), bytes(buf)


def recvmsg(fd, sizes, flags=0):
    buffers = [bytearray(n) for n in sizes]
    n, _, msg_flags, addr = net.zsock_recvmsg(fd, buffers, 0, flags)
    return n, [bytes(b) for b in buffers], bool(msg_flags & TRUNC), addr


def sendmsg(fd, buffers, flags=0):
    return net.zsock_sendmsg(fd, buffers, (), flags)


def nonblock(fd, on):
    return net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK if on else 0)


def fionread(fd):
    return net.zsock_ioctl(fd, net.FIONREAD)


def so_error(fd):
    return name(net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_ERROR))


def pollfds(*items):
    return [net.zsock_pollfd(fd, events) for fd, events in items]


def poll(fds, ms=0):
    n = net.zsock_poll(fds, ms)
    return n, [[e[4:] for e in EVENTS if getattr(net, e) & p.revents] for p in fds]


def want(p, events):
    p.events = events


def select(rlist, wlist):
    return net.zsock_select(rlist, wlist, [], 0)


def empty(fd):
    """Reads all there is."""
    try:
        while recv(fd, 500, DONTWAIT):
            pass
    except OSError:
        pass


def name(code):
    for each in NAMES:
        if getattr(errno, each) == code:
            return each
    return code


ports = {}


def shown(value):
    """Ports by the order in which they are seen, since the systems choose them."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and value[1]:
        return "%s:P%d" % (value[0], ports.setdefault(value[1], len(ports)))
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join([shown(each) for each in value]) + "]"
    if isinstance(value, net.zsock_pollfd):
        return "pollfd"
    return repr(value)


def run(program):
    ports.clear()
    kept = dict(globals())
    for step in program:
        names, _, expression = step.rpartition("=")
        begin = now()
        try:
            value = eval(expression, kept)
            result = shown(value)
            if "," in names:
                kept.update(zip(names.split(","), value))
            elif names:
                kept[names] = value
        except OSError as e:
            result = name(e.errno)
        except (TypeError, ValueError, NameError) as e:
            result = e.__class__.__name__
        print("%s -> %s @%d" % (step, result, since(now(), begin)))
        sleep_ms(SETTLE)
    for fd in range(30):
        try:
            close(fd)
        except OSError:
            pass
    sleep_ms(SETTLE)


for program in steps.PROGRAMS:
    print("-- program")
    run(program)
