# What the drop-in does as CPython's socket and select do: CPython runs this too, with its own.
# Prints "NAME ok" or a traceback for each case; arguments: the cases, or none for all.
import gc
import select
import socket
import sys
import time

HOST = "127.0.0.1"
MICROPYTHON = sys.implementation.name == "micropython"
BOARD = sys.platform == "esp32"
EAFNOSUPPORT = 106 if BOARD else 97
port = 8300


def raises(kind, call, *args, **named):
    try:
        call(*args, **named)
    except kind as e:
        return e
    raise AssertionError("%s was not raised" % kind)


def listener(backlog=2):
    global port
    port += 1
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((HOST, port))
    s.listen(backlog)
    return s, (HOST, port)


def pair():
    server, addr = listener()
    a = socket.socket()
    a.connect(addr)
    b = server.accept()[0]
    server.close()
    for s in (a, b):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return a, b


def closed(*socks):
    for s in socks:
        s.close()


def test_defaults():
    s = socket.socket()
    assert (s.family, s.type, s.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)
    assert s.gettimeout() is None and s.getblocking() and s.timeout is None
    s.settimeout(0)
    assert s.gettimeout() == 0.0 and not s.getblocking()
    s.settimeout(1.5)
    assert s.gettimeout() == 1.5 == s.timeout
    s.setblocking(True)
    assert s.gettimeout() is None
    raises(ValueError, s.settimeout, -1)
    s.close()
    s.close()


def test_with():
    with socket.socket() as s:
        pass
    assert raises(OSError, s.send, b"x").errno == 9
    assert raises(OSError, s.recv, 1).errno == 9
    assert raises(OSError, s.listen).errno == 9
    assert s.fileno() == -1


def test_accept_gives_tuples():
    server, addr = listener()
    a = socket.socket()
    a.connect(addr)
    b, peer = server.accept()
    assert isinstance(b, socket.socket) and peer[0] == HOST
    assert peer == a.getsockname() and a.getpeername() == addr == b.getsockname()
    assert b.getpeername() == peer and server.getsockname() == addr
    closed(a, b, server)


def test_port_0():
    s = socket.socket()
    s.bind((HOST, 0))
    host, number = s.getsockname()
    assert host == HOST and number
    s.listen(1)
    a = socket.socket()
    a.connect((HOST, number))
    closed(a, s.accept()[0], s)


def test_recv_send():
    a, b = pair()
    assert a.send(b"hello") == 5
    assert b.recv(4) == b"hell" and b.recv(100) == b"o"
    a.sendall(bytearray(b"abc"))
    assert b.recv(100) == b"abc"
    assert a.sendall(memoryview(b"xyz")) is None
    assert b.recv(100) == b"xyz"
    assert a.send(b"") == 0
    closed(a)
    assert b.recv(10) == b"" == b.recv(10)
    closed(b)


def test_recv_into():
    a, b = pair()
    a.send(b"0123456789")
    buf = bytearray(4)
    assert b.recv_into(buf) == 4 and buf == b"0123"
    assert b.recv_into(buf, 2) == 2 and buf == b"4523"
    assert b.recv_into(memoryview(buf)[1:]) == 3 and buf == b"4678"
    raises(ValueError, b.recv_into, buf, 5)
    raises(ValueError, b.recv_into, buf, -1)
    assert b.recv_into(buf, 0) == 1 and buf[0:1] == b"9"
    closed(a, b)


def test_timeouts():
    a, b = pair()
    for seconds in (0.05, 0.15):
        a.settimeout(seconds)
        for call in (
            lambda: a.recv(1),
            lambda: a.recv_into(bytearray(1)),
            lambda: a.recvfrom(1),
            lambda: a.recv(1, socket.MSG_PEEK),
        ):
            begin = time.time() if not MICROPYTHON else time.ticks_ms()
            e = raises(socket.timeout, call)
            assert isinstance(e, OSError) and "timed out" in str(e)
            if MICROPYTHON:
                spent = time.ticks_diff(time.ticks_ms(), begin) / 1000
                assert e.errno == __import__("errno").ETIMEDOUT
            else:
                spent = time.time() - begin
            assert seconds - 0.02 <= spent < seconds + 0.5, spent
    b.send(b"late")
    assert a.recv(10) == b"late"
    a.settimeout(None)
    b.send(b"more")
    assert a.recv(10) == b"more"
    closed(a, b)


def ticks_seconds():
    return time.ticks_ms() / 1000


def test_timeout_is_total():
    # Signals come all the time: those of a handler, or of a garbage collection in another thread.
    stop = []
    if MICROPYTHON:
        import _thread

        def disturb():
            while not stop:
                gc.collect()
                time.sleep_ms(10)
            stop.append(1)

        _thread.start_new_thread(disturb, ())
        seconds = ticks_seconds
    else:
        import signal

        signal.signal(signal.SIGALRM, lambda *args: None)
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        seconds = time.monotonic
    a, b = pair()
    u = socket.socket(type=socket.SOCK_DGRAM)
    u.bind((HOST, port + 50))
    server = listener()[0]
    for s in (a, u, server):
        s.settimeout(0.2)
    calls = [lambda: a.recv(1), lambda: u.recvfrom(1), server.accept]
    if MICROPYTHON:
        calls += [lambda: a.read(1), lambda: a.readinto(bytearray(1)), a.readline]
    for call in calls:
        begin = seconds()
        raises(socket.timeout, call)
        spent = seconds() - begin
        assert 0.18 <= spent < 1, spent
    while True:
        begin = seconds()
        try:
            a.send(bytes(20000))
        except socket.timeout:
            spent = seconds() - begin
            break
    assert 0.18 <= spent < 1, spent
    stop.append(0)
    if MICROPYTHON:
        while len(stop) < 2:
            time.sleep_ms(10)
    else:
        signal.setitimer(signal.ITIMER_REAL, 0)
    closed(a, b, u, server)


def test_accept_timeout():
    server, addr = listener()
    server.settimeout(0.1)
    raises(socket.timeout, server.accept)
    a = socket.socket()
    a.settimeout(2)
    a.connect(addr)
    b = server.accept()[0]
    assert b.gettimeout() is None and a.gettimeout() == 2.0
    closed(a, b, server)


def test_send_timeout():
    a, b = pair()
    a.settimeout(0.2)
    data = bytes(20000)
    for _ in range(1000):
        try:
            a.sendall(data)
        except socket.timeout as e:
            assert not MICROPYTHON or 0 <= e.sent < 20000, e.sent
            break
    else:
        raise AssertionError
    closed(a, b)


def test_nonblocking():
    a, b = pair()
    a.setblocking(False)
    assert raises(OSError, a.recv, 1).errno == 11
    assert raises(OSError, a.recv_into, bytearray(1)).errno == 11
    b.send(b"x")
    time.sleep(0.05)
    assert a.recv(5) == b"x"
    closed(a, b)


def test_refused():
    for timeout in (None, 2):
        s = socket.socket()
        s.settimeout(timeout)
        e = raises(OSError, s.connect, (HOST, 8299))
        assert e.errno == 111, e.errno
        assert s.connect_ex((HOST, 8299))
        closed(s)
    server, addr = listener()
    s = socket.socket()
    raises(OSError, s.connect, (HOST, 8299))
    s.connect(addr)
    b = server.accept()[0]
    b.send(b"after")
    assert s.recv(10) == b"after"
    closed(s, b, server)


def test_refused_nonblocking():
    import errno

    s = socket.socket()
    s.setblocking(False)
    assert s.connect_ex((HOST, 8299)) in (errno.EINPROGRESS, errno.ECONNREFUSED)
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    assert poll.poll(1000)
    assert raises(OSError, s.send, b"x").errno in (111, 32)
    closed(s)


def test_connect_nonblocking():
    if MICROPYTHON:
        from usocket_compat import errno  # the firmware names 22 of them
    else:
        import errno

    server, addr = listener()
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(addr)
    b = server.accept()[0]
    assert select.select([], [s], [], 2)[1] == [s]
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    # Linux tells of it once more, or not.
    assert s.connect_ex(addr) in (0, errno.EISCONN)
    assert s.connect_ex(addr) == errno.EISCONN
    assert s.send(b"now") == 3 and b.recv(10) == b"now"
    assert s.getpeername() == addr
    closed(s, b, server)


def test_peek():
    a, b = pair()
    a.send(b"peeked")
    assert b.recv(3, socket.MSG_PEEK) == b"pee"
    poll = select.poll()
    poll.register(b, select.POLLIN)
    assert poll.poll(1000)
    assert b.recv(100) == b"peeked"
    assert not poll.poll(0)
    a.send(b"more")
    assert poll.poll(1000) and b.recv(2) == b"mo" and b.recv(2) == b"re"
    closed(a, b)


def test_peek_while_it_is_polled():
    # Of what a peek left behind poll tells what it was asked for, and no more.
    for events in (select.POLLIN, select.POLLOUT, select.POLLIN | select.POLLOUT):
        for how in ("register", "modify"):
            a, b = pair()
            poll = select.poll()
            poll.register(b, events if how == "register" else select.POLLOUT)
            if how == "modify":
                poll.modify(b, events)
            a.send(b"peeked")
            assert b.recv(3, socket.MSG_PEEK) == b"pee"
            assert [ev for _, ev in poll.poll(1000)] == [events]
            # Still of the same poll object, but known by another handle perhaps.
            poll.modify(b, select.POLLIN)
            assert [ev for _, ev in poll.poll(1000)] == [select.POLLIN]
            assert b.recv(100) == b"peeked"
            assert poll.poll(0) == []
            poll.modify(b, select.POLLIN | select.POLLOUT)
            assert [ev for _, ev in poll.poll(1000)] == [select.POLLOUT]
            poll.unregister(b)
            assert poll.poll(0) == []
            closed(a, b)


def test_waitall_dontwait():
    a, b = pair()
    assert raises(OSError, b.recv, 1, socket.MSG_DONTWAIT).errno == 11
    a.send(b"ab")
    a.send(b"cd")
    assert b.recv(4, socket.MSG_WAITALL) == b"abcd"
    assert a.send(b"e", socket.MSG_DONTWAIT) == 1 and b.recv(1) == b"e"
    closed(a, b)


def test_udp():
    global port
    port += 1
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.bind((HOST, port))
    v = socket.socket(type=socket.SOCK_DGRAM)
    assert v.type == socket.SOCK_DGRAM
    assert v.sendto(b"one", (HOST, port)) == 3
    data, addr = u.recvfrom(10)
    assert data == b"one" and addr == (HOST, v.getsockname()[1])
    assert v.sendto(b"", (HOST, port)) == 0
    assert u.recvfrom(10)[0] == b""
    assert v.sendto(b"after", 0, (HOST, port)) == 5
    assert u.recv(3) == b"aft"
    buf = bytearray(10)
    v.sendto(b"into", (HOST, port))
    assert u.recvfrom_into(buf) == (4, addr) and buf[:4] == b"into"
    u.settimeout(0.05)
    raises(socket.timeout, u.recvfrom, 10)
    raises(socket.timeout, u.recv, 10)
    v.connect((HOST, port))
    assert v.send(b"connected") == 9 and u.recv(20) == b"connected"
    assert v.getpeername() == (HOST, port)
    closed(u, v)


def test_messages():
    a, b = pair()
    assert a.sendmsg([b"ab", b"cd"]) == 4
    data, anc, flags, addr = b.recvmsg(10)
    assert (data, list(anc)) == (b"abcd", [])
    a.send(b"xyz")
    one, two = bytearray(2), bytearray(2)
    assert b.recvmsg_into([one, two])[0] == 3
    assert one == b"xy" and two[:1] == b"z"
    closed(a, b)


def test_poll():
    a, b = pair()
    p = select.poll()
    p.register(b, select.POLLIN)
    assert p.poll(20) == []
    a.send(b"x")
    if MICROPYTHON:
        assert p.poll(1000) == [(b, select.POLLIN)]
        assert [(s is b, ev) for s, ev in p.ipoll(0)] == [(True, select.POLLIN)]
    p.modify(b, select.POLLIN | select.POLLOUT)
    assert p.poll(1000)[0][1] == select.POLLIN | select.POLLOUT
    p.unregister(b)
    assert p.poll(0) == []
    assert b.recv(1) == b"x"
    closed(a, b)


def test_select():
    a, b = pair()
    assert select.select([a, b], [], [], 0) == ([], [], [])
    assert select.select([a, b], [a], [b], 1) == ([], [a], [])
    a.send(b"x")
    assert select.select([a, b], [], [], 1) == ([b], [], [])
    closed(b)
    raises(ValueError, select.select, [b], [], [], 0)
    raises(ValueError, select.select, [], [], [], -1)
    raises(ValueError, select.select, [-1], [], [], 0)
    closed(a)


def test_poll_of_fds():
    a, b = pair()
    fd = b.fileno()
    assert fd >= 0 and b.fileno() == fd
    p = select.poll()
    p.register(fd, select.POLLIN)
    p.register(a, select.POLLIN)
    assert p.poll(20) == []
    a.send(b"to b")
    assert p.poll(1000) == [(fd, select.POLLIN)]
    assert select.select([fd, a], [], [], 1) == ([fd], [], [])
    assert b.recv(2, socket.MSG_PEEK) == b"to" and b.recv(10) == b"to b"
    b.send(b"to a")
    found = p.poll(1000)
    assert len(found) == 1 and found[0][1] == select.POLLIN
    assert a.recv(10) == b"to a"
    b.settimeout(0.05)
    raises(socket.timeout, b.recv, 1)
    b.close()
    assert b.fileno() == -1
    assert p.poll(1000) and (fd, select.POLLNVAL) in p.poll(1000)
    assert raises(OSError, select.select, [fd], [], [], 0).errno == 9
    closed(a)


def test_detach_and_fileno():
    a, b = pair()
    fd = a.detach()
    assert fd >= 0 and a.fileno() == -1
    assert raises(OSError, a.send, b"x").errno == 9
    c = socket.socket(fileno=fd)
    assert c.fileno() == fd and c.type == socket.SOCK_STREAM
    c.send(b"by fd")
    assert b.recv(10) == b"by fd"
    d = c.dup()
    c.close()
    d.send(b"by dup")
    assert b.recv(10) == b"by dup"
    e = socket.fromfd(d.fileno(), socket.AF_INET, socket.SOCK_STREAM)
    closed(d)
    e.send(b"by fromfd")
    assert b.recv(10) == b"by fromfd"
    closed(e)
    assert b.recv(10) == b""
    closed(b)


def test_socketpair():
    a, b = socket.socketpair()
    a.send(b"pair")
    assert b.recv(10) == b"pair"
    assert select.select([b], [a], [], 0) == ([], [a], [])
    closed(a)
    assert b.recv(10) == b""
    closed(b)


def test_makefile_text():
    a, b = pair()
    with a.makefile("w") as f:
        f.write("one\ntwo\nthr\u00e9\u00e9")
        f.flush()
    r = b.makefile("r")
    assert r.readline() == "one\n"
    assert r.read(2) == "tw" and r.readline() == "o\n"
    assert r.read(5) == "thr\u00e9\u00e9"
    a.sendall(b"x\ny\n")
    a.close()
    assert [line for line in r] == ["x\n", "y\n"]
    assert r.read() == "" == r.readline()
    r.close()
    raises(ValueError, r.read)
    closed(b)


def test_makefile_bytes():
    a, b = pair()
    f = a.makefile("rwb")
    assert f.readable() and f.writable()
    f.write(b"bytes\n")
    f.flush()
    g = b.makefile("rb", 0)
    assert g.readline() == b"bytes\n"
    b.sendall(b"0123456789")
    assert f.read(4) == b"0123"
    buf = bytearray(3)
    assert f.readinto(buf) == 3 and buf == b"456"
    assert f.read(3) == b"789"
    raises(ValueError, a.makefile, "q")
    raises(ValueError, a.makefile, "r", 0)
    closed(f, g, a, b)


def test_a_file_outlives_the_socket():
    a, b = pair()
    f = a.makefile("rwb", 0)
    a.close()
    f.write(b"still")
    assert b.recv(10) == b"still"
    f.close()
    assert b.recv(10) == b""
    closed(b)


def test_create_connection():
    server, addr = listener()
    a = socket.create_connection(addr, 2)
    assert a.gettimeout() == 2.0
    b = server.accept()[0]
    b.send(b"x")
    assert a.recv(1) == b"x"
    closed(a, b, server)
    assert raises(OSError, socket.create_connection, addr).errno == 111
    server = socket.create_server((HOST, 0))
    a = socket.create_connection(server.getsockname())
    closed(a, server.accept()[0], server)


def test_default_timeout():
    assert socket.getdefaulttimeout() is None
    socket.setdefaulttimeout(0.05)
    try:
        s = socket.socket(type=socket.SOCK_DGRAM)
        assert s.gettimeout() == 0.05
        raises(socket.timeout, s.recv, 1)
        s.close()
    finally:
        socket.setdefaulttimeout(None)


def test_getaddrinfo():
    found = socket.getaddrinfo(HOST, 80)
    assert found[0][0] == socket.AF_INET and found[0][4] == (HOST, 80)
    assert len(found) == 3
    found = socket.getaddrinfo(HOST, 80, socket.AF_INET, socket.SOCK_STREAM)
    assert found == [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (HOST, 80))]
    found = socket.getaddrinfo(HOST, "80", type=socket.SOCK_DGRAM)
    assert found == [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (HOST, 80))]
    e = raises(socket.gaierror, socket.getaddrinfo, "no such name", 80)
    assert isinstance(e, OSError)
    assert socket.gethostbyname("127.0.0.1") == HOST
    assert socket.getnameinfo((HOST, 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV) == (
        HOST,
        "80",
    )
    assert socket.inet_aton(HOST) == b"\x7f\0\0\1" == socket.inet_pton(socket.AF_INET, HOST)
    assert socket.inet_ntoa(b"\x7f\0\0\1") == HOST
    assert socket.ntohs(socket.htons(0x1234)) == 0x1234
    assert socket.gethostname()
    assert socket.error is OSError
    assert issubclass(socket.timeout, OSError) and issubclass(socket.herror, OSError)


def test_services():
    assert [socket.getservbyport(n) for n in (80, 22, 123)] == ["http", "ssh", "ntp"]
    assert socket.getservbyport(53, "udp") == socket.getservbyport(53, "tcp") == "domain"
    assert socket.getservbyname("http") == 80 == socket.getservbyname("http", "tcp")
    assert socket.getservbyname("ntp") == 123 == socket.getservbyname("ntp", "udp")
    for args in ((80, "udp"), (123, "tcp"), (65000,), (80, "nothing")):
        raises(OSError, socket.getservbyport, *args)
    for args in (("ntp", "tcp"), ("no-such-service",), ("http", "nothing"), ("80",), ("",)):
        raises(OSError, socket.getservbyname, *args)
    raises(OverflowError, socket.getservbyport, 65536)
    raises(OverflowError, socket.getservbyport, -1)
    raises(TypeError, socket.getservbyname, None)
    raises(TypeError, socket.getservbyport, "80")


def test_protocols():
    names = "ip icmp igmp tcp TCP udp UDP ipv6 ipv6-icmp gre esp sctp udplite".split()
    found = [socket.getprotobyname(name) for name in names]
    assert found == [0, 1, 2, 6, 6, 17, 17, 41, 58, 47, 50, 132, 136], found
    for name in ("no-such-protocol", "", "Tcp", "6", "none"):
        raises(OSError, socket.getprotobyname, name)
    raises(TypeError, socket.getprotobyname, 6)
    assert socket.getprotobyname("tcp") == socket.IPPROTO_TCP
    assert (socket.IPPROTO_ESP, socket.IPPROTO_GRE, socket.IPPROTO_NONE) == (50, 47, 59)
    assert socket.INADDR_ALLHOSTS_GROUP == 0xE0000001 and socket.IPPORT_RESERVED == 1024
    assert socket.EWOULDBLOCK == 11 and socket.EBADF == 9


def refused(call, *args):
    assert raises(OSError, call, *args).errno == 95


def test_interfaces():
    if BOARD:  # its firmware does not tell them
        refused(socket.if_nameindex)
        refused(socket.if_nametoindex, "lo")
        refused(socket.if_indextoname, 1)
        return
    found = socket.if_nameindex()
    assert (socket.if_nametoindex("lo"), "lo") in found
    for number, name in found:
        assert socket.if_nametoindex(name) == number and socket.if_indextoname(number) == name
    raises(OSError, socket.if_nametoindex, "no such one")
    raises(OSError, socket.if_indextoname, 0)
    raises(OSError, socket.if_indextoname, 77777)
    raises(OverflowError, socket.if_indextoname, -1)
    raises(TypeError, socket.if_indextoname, "lo")
    raises(TypeError, socket.if_nametoindex, 1)


def test_inheritable():
    s = socket.socket()
    if BOARD:  # which starts no programs
        assert s.get_inheritable() is False and s.set_inheritable(False) is None
        refused(s.set_inheritable, True)
        closed(s)
        return
    for flag in (False, True, False):
        s.set_inheritable(flag)
        assert s.get_inheritable() is flag
    s.fileno()
    assert s.get_inheritable() is False
    s.set_inheritable(True)
    assert s.get_inheritable() is True
    closed(s)
    raises(OSError, s.get_inheritable)
    raises(OSError, s.set_inheritable, True)


def test_host_names():
    raises(OSError, socket.gethostbyaddr, "192.0.2.1.5")
    name, aliases, found = socket.gethostbyaddr(HOST)
    assert name and found == [HOST], (name, found)
    if BOARD:
        import network

        before = socket.gethostname()
        socket.sethostname("renamed")
        assert socket.gethostname() == "renamed" == network.hostname()
        socket.sethostname(before)


def test_options():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    closed(s)


def test_shutdown():
    a, b = pair()
    if BOARD:
        # lwIP could, stock firmware cannot: refused, not pretended.
        assert raises(OSError, a.shutdown, socket.SHUT_WR).errno == 95
    else:
        a.shutdown(socket.SHUT_WR)
        assert b.recv(1) == b""
        b.send(b"other way")
        assert a.recv(20) == b"other way"
    a.shutdown(socket.SHUT_RDWR)
    assert b.recv(1) == b""
    closed(a, b)


def test_repr():
    s = socket.socket()
    s.bind((HOST, 0))
    text = repr(s)
    assert text.startswith("<socket.socket fd=") and "type=" in text
    if "laddr" not in text:
        assert raises(OSError, s.getsockname).errno == 95  # refused
    else:
        assert "laddr=('127.0.0.1'" in text
    s.close()
    assert "[closed]" in repr(s)


def test_sendfile():
    import io

    a, b = pair()
    assert a.sendfile(io.BytesIO(b"0123456789"), 2, 5) == 5
    assert b.recv(20) == b"23456"
    closed(a, b)


def test_subclass():
    class Counted(socket.socket):
        sent = 0

        def send(self, data, flags=0):
            self.sent += len(data)
            return super().send(data, flags)

    server, addr = listener()
    a = Counted()
    a.connect(addr)
    b = server.accept()[0]
    for timeout in (None, 2):
        a.settimeout(timeout)
        a.send(b"12345")
        assert b.recv(10) == b"12345"
    assert a.sent == 10
    closed(a, b, server)


def test_families():
    # No kernel has 99; a board has IPv4 alone.
    for family in (99, 10, 1) if BOARD else (99,):
        e = raises(OSError, socket.socket, family, socket.SOCK_STREAM)
        assert e.errno == EAFNOSUPPORT, e
        e = raises(OSError, socket.socket, family, socket.SOCK_DGRAM)
        assert e.errno == EAFNOSUPPORT, e


def test_bad_arguments():
    s = socket.socket()
    raises(TypeError, s.bind, None)
    raises((TypeError, OSError, ValueError), s.connect, (HOST, "x"))
    raises((TypeError, AttributeError), s.sendall, 5)
    raises(OverflowError, s.bind, (HOST, 65536))
    raises(AttributeError, getattr, s, "no_such_method")
    raises(AttributeError, getattr, socket, "no_such_name")
    closed(s)


def wrong(kind, call, *args):
    """Each of args, a tuple, is a wrong argument."""
    for each in args:
        try:
            call(*each)
        except kind:
            continue
        except OSError:
            raise
        except Exception as e:
            raise AssertionError("%r: %r" % (each, e))
        raise AssertionError("%r was taken" % (each,))


def test_wrong_addresses():
    s = socket.socket()
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    global port
    port += 1
    u_port = port
    u.bind((HOST, u_port))
    types = [((HOST, "80"),), ((HOST, 80.5),), ((HOST, None),), (HOST,), ([HOST, 80],), ((HOST,),)]
    sizes = [((HOST, -1),), ((HOST, 65536),)]
    for call in (s.bind, s.connect, s.connect_ex):
        wrong(TypeError, call, *types)
        wrong(OverflowError, call, *sizes)
    wrong(TypeError, lambda addr: u.sendto(b"x", addr), *types, (None,))
    wrong(OverflowError, lambda addr: u.sendto(b"x", addr), *sizes)
    wrong(TypeError, u.sendto, (b"x", 0.5, (HOST, 80)), (b"x", "0", (HOST, 80)))
    wrong(TypeError, u.sendto, (None, (HOST, 80)), (5, (HOST, 80)))
    wrong(TypeError, u.recvfrom, ("x",), (1.5,), (None,), (1, 0.5), (1, "x"))
    wrong(ValueError, u.recvfrom, (-1,))
    wrong(TypeError, u.recvfrom_into, (None,), (b"read only",), (bytearray(2), 1.5))
    wrong(ValueError, u.recvfrom_into, (bytearray(2), -1), (bytearray(2), 3))
    # All are as they were.
    server, addr = listener()
    s.connect(addr)
    assert server.accept()[0].send(b"x") == 1 and s.recv(1) == b"x"
    assert u.sendto(b"y", (HOST, u_port)) == 1 and u.recv(2) == b"y"
    closed(s, u, server)


def test_wrong_sizes_flags_and_buffers():
    # What blocks on unix has the interpreter's own recv and send, which take anything for an int.
    native = MICROPYTHON and not BOARD
    for timeout in (3,) if native else (None, 0, 3):
        a, b = pair()
        b.send(b"data")
        a.settimeout(timeout)
        wrong(TypeError, a.recv, ("x",), (1.5,), (None,), (b"x",), (1, 0.5), (1, "x"))
        wrong(ValueError, a.recv, (-1,))
        wrong(TypeError, a.send, (None,), (5,), (b"x", 0.5), (b"x", "x"))
        wrong(TypeError, a.sendall, (None,), (5,), (b"x", 0.5), (b"x", "x"))
        wrong(TypeError, a.recv_into, (None,), ("x",), (b"read only",), (bytearray(2), 1.5))
        wrong(TypeError, a.recv_into, (bytearray(2), "x"), (bytearray(2), 1, 0.5))
        wrong(ValueError, a.recv_into, (bytearray(2), -1), (bytearray(2), 3))
        assert a.recv(1) == b"d" and a.recv(10) == b"ata"
        assert a.send(b"sent") == 4 and b.recv(10) == b"sent"
        closed(a, b)


def test_wrong_messages():
    a, b = pair()
    wrong(TypeError, a.sendmsg, (None,), (5,), ([None],))
    wrong(TypeError, a.recvmsg, ("x",), (1.5,))
    wrong(ValueError, a.recvmsg, (-1,))
    wrong(TypeError, a.recvmsg_into, ([b"read only"],), (5,))
    closed(a, b)


def test_wrong_options():
    s = socket.socket()
    level, option = socket.SOL_SOCKET, socket.SO_REUSEADDR
    wrong(
        TypeError, s.setsockopt, (level, option, 1.5), (level, option, "x"), (level, option, None)
    )
    wrong(TypeError, s.setsockopt, ("x", option, 1), (level, "x", 1), (level, 2.0, 1))
    wrong(TypeError, s.getsockopt, ("x", option), (level, 2.0), (level, option, "x"))
    wrong(TypeError, s.settimeout, ("x",), (b"1",), ([],), ({},), ("",))
    wrong(TypeError, s.listen, ("x",), (1.5,), (None,))
    wrong(TypeError, s.shutdown, ("x",), (1.0,), (None,))
    wrong(TypeError, s.makefile, (5,), ("rb", "x"))
    assert s.gettimeout() is None
    closed(s)
    wrong(TypeError, socket.socket, ("x",), (2.0,), (2, "x"), (2, 1.0), (2, 1, "x"), (None,))
    wrong(TypeError, socket.socket, (2, 1, 0, "x"), (2, 1, 0, 1.5))
    wrong(ValueError, socket.socket, (2, 1, 0, -1))
    wrong(TypeError, socket.create_connection, (None,), ((HOST, 80), "x"))
    wrong(TypeError, socket.create_server, (HOST,), ((HOST, "80"),))
    wrong(TypeError, socket.getaddrinfo, (5, 80), (HOST, 80, "x"), (HOST, 80, 0, "x"))
    wrong(TypeError, socket.gethostbyname, (5,), (None,))
    wrong(TypeError, socket.setdefaulttimeout, ("x",))
    wrong(ValueError, socket.setdefaulttimeout, (-1,))
    wrong(TypeError, socket.close, ("x",))
    assert socket.getdefaulttimeout() is None


def test_micropython_calls():
    if not MICROPYTHON:
        return
    a, b = pair()
    for timeout in (None, 2):
        b.settimeout(timeout)
        a.settimeout(timeout)
        assert a.write(b"line\nrest of it") == 15
        assert b.readline() == b"line\n"
        assert b.read(4) == b"rest"
        buf = bytearray(6)
        assert b.readinto(buf) == 6 and buf == b" of it"
        assert a.write("str") == 3 and b.read(3) == b"str"
        a.send("text")
        assert b.recv(10) == b"text"
    b.setblocking(False)
    assert b.read(1) is None and b.readline() is None and b.readinto(buf) is None
    b.settimeout(0.05)
    for call in (lambda: b.read(1), b.readline, lambda: b.readinto(buf)):
        assert raises(OSError, call).errno == __import__("errno").ETIMEDOUT
    a.write(b"to the end")
    a.close()
    b.settimeout(2)
    assert b.read() == b"to the end" and b.read() == b""
    closed(b)


def test_micropython_calls_by_fd():
    if not MICROPYTHON:
        return
    a, b = pair()
    b.fileno()
    a.write(b"line\nrest of it")
    assert b.readline() == b"line\n" and b.read(4) == b"rest"
    buf = bytearray(6)
    assert b.readinto(buf) == 6 and buf == b" of it"
    assert b.write(b"back") == 4 and a.read(4) == b"back"
    b.setblocking(False)
    assert b.read(1) is None and b.readline() is None and b.readinto(buf) is None
    closed(a, b)


def test_zephyr_calls():
    if not MICROPYTHON:
        return
    import usocket_compat as net

    a, b = pair()
    fd = net.adopt(a)
    assert net.adopt(a) == fd == a.fileno()
    net.zsock_send(fd, b"z")
    assert b.recv(5) == b"z"
    b.send(b"both")
    assert net.zsock_recv(fd, 2) == b"bo" and a.recv(2) == b"th"
    fds = [net.zsock_pollfd(fd, net.POLLIN)]
    assert net.zsock_poll(fds, 0) == 0
    net.zsock_close(fd)
    assert raises(OSError, a.send, b"x").errno == 9
    assert b.recv(1) == b""
    raises(TypeError, net.adopt, "5")
    assert raises(OSError, a.close).errno == 9  # as CPython's whose descriptor is closed
    closed(b)
    c = net.zsock_socket()
    s = socket.socket(fileno=c)
    assert s.fileno() == c
    closed(s)
    assert net.fds() == [], net.fds()


def test_firmwares_own_poll():
    if not MICROPYTHON:
        return
    a, b = pair()
    p = select.native.poll()
    p.register(b, select.POLLIN)
    assert p.poll(0) == []
    a.send(b"x")
    time.sleep(0.05)
    assert p.poll(1000) == [(b, select.POLLIN)]
    assert b.ioctl(99, 0) < 0
    closed(a, b)
    assert b.ioctl(3, 1) == select.POLLNVAL
    assert b.ioctl(99, 0) < 0


def test_a_stream_for_c_code():
    if not MICROPYTHON:
        return
    import json

    for timeout in (None, 2):
        a, b = pair()
        b.settimeout(timeout)
        print('{"x": [1, 2]}', file=a, end="")
        a.close()
        assert json.load(b) == {"x": [1, 2]}
        b.close()
    a, b = pair()
    a.fileno()
    print("[3]", file=a, end="")
    a.close()
    b.fileno()
    assert json.load(b) == [3]
    b.close()


def test_a_line_in_pieces():
    if not MICROPYTHON:
        return
    a, b = pair()
    b.setblocking(False)
    assert b.readline() is None
    a.send(b"half ")
    time.sleep(0.05)
    assert b.readline() == b"half "
    a.send(b"a line\nand the next")
    time.sleep(0.05)
    assert b.readline() == b"a line\n"
    assert b.readline(3) == b"and"
    assert b.readline() == b" the next" and b.readline() is None
    line = b"x" * 700 + b"\n"
    a.sendall(line)
    time.sleep(0.05)
    got = b""
    while len(got) < len(line):
        got += b.readline() or b""
    assert got == line
    a.sendall(b"end")
    a.close()
    b.setblocking(True)
    assert b.readline() == b"end" and b.readline() == b""
    b.close()


def dribbles(s, data, pause):
    """A thread that sends a byte at a time; wait() ends when it has sent all."""
    import _thread

    done = []

    def run():
        for i in range(len(data)):
            s.send(data[i : i + 1])
            time.sleep(pause)
        done.append(True)

    def wait():
        while not done:
            time.sleep(0.01)

    _thread.start_new_thread(run, ())
    return wait


def test_a_byte_at_a_time():
    for timeout in (None, 3):
        a, b = pair()
        a.settimeout(timeout)
        wait = dribbles(b, b"first\nsecond\r\nthird and more\nlast", 0.002)
        file = a.makefile("rb")
        assert file.readline() == b"first\n" and file.readline(2) == b"se"
        assert file.readline() == b"cond\r\n" and file.read(5) == b"third"
        buf = bytearray(4)
        assert file.readinto(buf) == 4 and buf == b" and"
        assert file.readline() == b" more\n"
        wait()
        closed(b)
        assert file.readline() == b"last" and file.readline() == b"" == file.read(3)
        closed(file, a)
        a, b = pair()
        a.settimeout(timeout)
        wait = dribbles(b, b"gr\xc3\xbc\xc3\x9fe\r\nzwei\n", 0.002)
        file = a.makefile("r")
        assert file.read(3) == "gr\xfc" and file.readline() == "\xdfe\n"
        assert file.readline() == "zwei\n"
        wait()
        closed(file, a, b)
    # The timeout is of each wait, and not of the whole line; what is late is too late.
    a, b = pair()
    a.settimeout(0.4)
    file = a.makefile("rb")
    wait = dribbles(b, b"slowly now\npart", 0.06)
    assert file.readline() == b"slowly now\n"
    raises(socket.timeout, file.readline)
    raises(OSError, file.readline)
    wait()
    closed(file, a, b)


def test_a_byte_at_a_time_for_micropythons_own():
    if not MICROPYTHON:
        return
    for timeout in (None, 3):
        a, b = pair()
        a.settimeout(timeout)
        wait = dribbles(b, b"first\nsecond\nthird and more\nlast", 0.002)
        assert a.readline() == b"first\n" and a.readline(2) == b"se"
        assert a.readline() == b"cond\n" and a.read(5) == b"third"
        buf = bytearray(6)
        assert a.readinto(buf, 4) == 4 and buf == b" and\0\0"
        assert a.readinto(buf) == 6 and buf == b" more\n"
        wait()
        closed(b)
        assert a.readline() == b"last" and a.readline() == b"" == a.read(3)
        assert a.readinto(buf) == 0
        closed(a)
        a, b = pair()
        a.settimeout(timeout)
        wait = dribbles(b, b"to the end", 0.002)
        assert a.read(6) == b"to the"
        wait()
        closed(b)  # a board keeps six segments in front of an end
        assert a.read() == b" end" and a.read() == b""
        closed(a)
    a, b = pair()
    a.settimeout(0.4)
    wait = dribbles(b, b"slowly now\nand six", 0.06)
    assert a.readline() == b"slowly now\n" and a.read(7) == b"and six"
    for call in (a.readline, lambda: a.read(1), lambda: a.readinto(bytearray(1))):
        raises(socket.timeout, call)
    wait()
    closed(a, b)


def test_a_byte_at_a_time_for_asyncio():
    if not MICROPYTHON and hasattr(socket, "native"):
        return  # CPython's asyncio wants descriptors
    import asyncio

    global port
    port += 1
    data = b"first\nsecond line\n0123456789rest"

    async def serve(reader, writer):
        for i in range(len(data)):
            writer.write(data[i : i + 1])
            await writer.drain()
            await asyncio.sleep(0.002)
        assert await reader.readline() == b"stay\n"
        writer.close()
        await writer.wait_closed()

    async def main():
        server = await asyncio.start_server(serve, HOST, port)
        reader, writer = await asyncio.open_connection(HOST, port)
        assert await asyncio.wait_for(reader.readline(), 5) == b"first\n"
        assert await reader.readline() == b"second line\n"
        assert await reader.readexactly(10) == b"0123456789"
        text = b""
        while len(text) < 4:
            text += await reader.read(4 - len(text))
        assert text == b"rest"
        try:
            await asyncio.wait_for(reader.readline(), 0.1)
            raise AssertionError
        except asyncio.TimeoutError:
            pass
        writer.write(b"stay\n")
        await writer.drain()
        assert await reader.read(1) == b""
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    asyncio.run(main())


def test_forgotten():
    if not MICROPYTHON:
        return
    # More than a board has; on unix the native socket has no finaliser (docs/parity.md).
    for _ in range(30):
        s = socket.socket()
        s.settimeout(0.5)
        s.getsockname()
    s = None
    gc.collect()


def test_super():
    # A subclass's own methods call those of the class, in each state of the socket.
    class Own(socket.socket):
        def recv(self, n):
            return super().recv(n)

        def send(self, data):
            return super().send(data)

        def accept(self):
            return super().accept()

        def sendall(self, data):
            return super().sendall(data.upper())

        def settimeout(self, t):
            super().settimeout(t)

        def recv_into(self, buf):
            return super().recv_into(buf) + 100

    for asked in (False, True):
        for t in (None, 0.1):
            server, addr = listener()
            a = Own()
            if asked:
                a.fileno()
            a.settimeout(t)
            a.connect(addr)
            b = server.accept()[0]
            b.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if t:
                raises(socket.timeout, a.recv, 1)
            b.send(b"12345")
            if not asked:
                time.sleep(0.05)
                assert socket.socket.recv(a, 1, socket.MSG_PEEK) == b"1"
            assert a.recv(2) == b"12"
            buf = bytearray(3)
            assert a.recv_into(buf) == 103 and buf == b"345"
            assert a.send(b"x") == 1
            assert b.recv(1) == b"x"
            a.sendall(b"abc")
            assert b.recv(3) == b"ABC"
            closed(a, b, server)
    global port
    for asked in (False, True):
        port += 1
        s = Own()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((HOST, port))
        s.listen(1)
        if asked:
            s.fileno()
        s.settimeout(0.1)
        raises(socket.timeout, s.accept)
        a = socket.socket()
        a.connect((HOST, port))
        s.settimeout(1)
        b = s.accept()[0]
        assert b.__class__ is socket.socket
        closed(a, b, s)


def test_poll_keeps_its_own():
    # A socket in a poll that closes, or whose handle is another meanwhile, is the same to poll.
    def asks(s):
        s.fileno()

    def peeks(s):
        s.recv(1, socket.MSG_PEEK)

    for step in (asks, peeks, None):
        a, b = pair()
        p = select.poll()
        p.register(a, select.POLLIN)
        b.send(b"hello")
        assert p.poll(1000)
        if step:
            step(a)
            p.modify(a, select.POLLOUT)
            assert [e for _, e in p.poll(1000)] == [select.POLLOUT]
            p.modify(a, select.POLLIN)
            assert [e for _, e in p.poll(1000)] == [select.POLLIN]
            p.register(a, select.POLLIN)
            assert [e for _, e in p.poll(1000)] == [select.POLLIN]
            p.unregister(a)
        elif MICROPYTHON:
            # CPython's has no number for it any more.
            a.close()
            p.unregister(a)
        else:
            p.unregister(a)
        assert p.poll(20) == []
        closed(a, b)
        assert p.poll(20) == []


def test_close_after_detach():
    for t in (None, 0, 1):
        s = socket.socket()
        s.settimeout(t)
        fd = s.detach()
        s.close()
        assert s.fileno() == -1
        socket.close(fd)


def test_kept_call():
    for t in (None, 0, 0.1):
        a, b = pair()
        a.settimeout(t)
        calls = a.recv, a.send, a.getpeername
        a.close()
        for call, args in zip(calls, ((1,), (b"x",), ())):
            assert raises(OSError, call, *args).errno == 9
        b.close()


def main():
    chosen = sys.argv[1:]
    for name in sorted(globals()):
        if name[:5] == "test_" and (not chosen or name in chosen):
            try:
                globals()[name]()
                print(name, "ok")
            except Exception as e:
                print(name, "FAILED")
                if MICROPYTHON:
                    sys.print_exception(e)
                else:
                    __import__("traceback").print_exc(file=sys.stdout)
            gc.collect()


main()
