# Helpers of the behaviour suite. They run unchanged on CPython and on MicroPython
# and reach the network only through the layer.
import os
import struct
import sys
import time

import usocket_compat as net
from usocket_compat import _config, errno

MICROPYTHON = sys.implementation.name == "micropython"

# Named allowances, in milliseconds.
EARLY = 5  # the kernel's clock and the interpreter's may disagree by this much
LATE = 300  # a busy two-core machine may wake a process up this late
SOON = 3000  # long enough for anything that does not hang
WAKE = 200  # contract 9: a close ends a blocked call within this time
SETTLED = 400  # a full socket that took nothing for so long, window probes included, stays so
STARTED = 50  # for a new thread to reach its blocking call

LOOPBACK = {net.AF_INET: "127.0.0.1", net.AF_INET6: "::1"}

# An ESP32 has a tenth of a megabyte for everything, ten sockets, and its lwIP holds some 11 KB of
# a connection that nobody reads.
BOARD = sys.platform == "esp32"


def sized(host, board):
    return board if BOARD else host


CHUNK = sized(65536, 512)  # bytes that are sent or received at once where many are
BIG = sized(500000, 4096)  # one buffer; a few of them are more than a connection holds
LOOPBACK_DEVICE = sized(b"lo\0", b"lo0\0")
QUEUED = sized(100, 6)  # datagrams that may wait to be received
OPEN_MAX = _config.ZVFS_OPEN_MAX

# errno names that POSIX gives to socket calls, and the ones of getaddrinfo.
ERRNOS = (
    "EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF ECONNABORTED"
    " ECONNREFUSED ECONNRESET EDESTADDRREQ EDOM EEXIST EFAULT EHOSTDOWN EHOSTUNREACH"
    " EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMSGSIZE ENAMETOOLONG ENETDOWN"
    " ENETRESET ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT ENOMEM ENOPROTOOPT ENOTCONN ENOTDIR"
    " ENOTSOCK EOPNOTSUPP EPERM EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE EROFS ETIMEDOUT"
).split()
EAIS = (
    "EAI_AGAIN EAI_BADFLAGS EAI_FAIL EAI_FAMILY EAI_MEMORY EAI_NONAME EAI_OVERFLOW"
    " EAI_SERVICE EAI_SOCKTYPE EAI_SYSTEM EAI_ADDRFAMILY EAI_NODATA"
).split()

threads = []  # every thread of the running test
failed = []  # rows of the running test that have failed
_names = 0


# -- assertions -------------------------------------------------------------------------


def eq(got, want, what=""):
    if got != want:
        raise AssertionError("%s got %s, wanted %s" % (what, short(got), short(want)))


def true(value, what=""):
    if not value:
        raise AssertionError(what or "not true")


def short(value):
    if isinstance(value, (bytes, bytearray)) and len(value) > 400:
        return "%d bytes %r ..." % (len(value), bytes(value[:100]))
    text = repr(value)
    return text if len(text) < 400 else text[:200] + " ... " + text[-150:]


def name_of(code, names, where):
    for name in names:
        if getattr(where, name, None) == code:
            return name
    return repr(code)


def errno_name(code):
    return name_of(code, ERRNOS, errno)


def describe(e):
    if isinstance(e, net.gaierror):
        return name_of(e.errno, EAIS, net)
    if isinstance(e, OSError):
        return "OSError(%s)" % errno_name(e.errno)
    return repr(e)


def matches(e, what):
    if isinstance(what, tuple):
        return any(matches(e, each) for each in what)
    if not isinstance(what, str):
        return isinstance(e, what)
    if what.startswith("EAI_"):
        return isinstance(e, net.gaierror) and e.errno == getattr(net, what)
    return (
        isinstance(e, OSError)
        and not isinstance(e, net.gaierror)
        and e.errno == getattr(errno, what)
    )


def raises(what, fn, *args):
    """fn(*args) must raise `what`: an errno's name, an EAI name, an exception class.

    A tuple of these is one of them.
    """
    try:
        got = fn(*args)
    except Exception as e:
        if matches(e, what):
            return e
        show(e)
        raise AssertionError("%s raised %s, wanted %s" % (called(fn, args), describe(e), what))
    raise AssertionError("%s returned %s, wanted %s" % (called(fn, args), short(got), what))


def called(fn, args):
    return "%s(%s)" % (getattr(fn, "__name__", "call"), ", ".join([short(arg) for arg in args]))


def show(e):
    if MICROPYTHON:
        sys.print_exception(e)
    else:
        import traceback

        traceback.print_exception(type(e), e, e.__traceback__)


# -- what the target can do -------------------------------------------------------------


_can = ""


def has(feature):
    global _can
    if not _can:
        # Asked once: each time costs a socket for every option. A text, since a board has no room
        # to keep so many names: " NAME " of what it can, " -NAME " of what not.
        can = net.capabilities()
        _can = " %s " % " ".join([name if can[name] else "-" + name for name in can])
    if " %s " % feature in _can:
        return True
    if " -%s " % feature in _can:
        return False
    raise KeyError(feature)


def needs(*features):
    """Where the target lacks a feature, the test becomes the check that it is refused."""

    def wrap(test):
        def run():
            for feature in features:
                if not has(feature):
                    import refusals

                    return refusals.check(feature) + ": " + feature
            return test()

        return run

    return wrap


def row(name, fn, *args):
    """What fn(*args) does is the outcome of this row of docs/matrix.md alone.

    fn returns "refused" where it has seen that. The other rows of the test go on; it fails after.
    """
    try:
        outcome = fn(*args) or "pass"
    except Exception as e:
        show(e)
        failed.append(name)
        outcome = "failed"
        net.closeall()
    print("@@ row", name, outcome)


# -- time -------------------------------------------------------------------------------

if MICROPYTHON:
    now = time.ticks_ms
    since = time.ticks_diff
    sleep_ms = time.sleep_ms
else:

    def now():
        return time.monotonic() * 1000

    def since(a, b):
        return a - b

    def sleep_ms(ms):
        time.sleep(ms / 1000)


def took(fn, *args):
    """(result, milliseconds)"""
    start = now()
    result = fn(*args)
    return result, since(now(), start)


def between(ms, low, high, what=""):
    if not low - EARLY <= ms <= high + LATE:
        raise AssertionError("%s took %d ms, wanted %d to %d" % (what, ms, low, high))


def at_once(fn, *args):
    result, ms = took(fn, *args)
    between(ms, 0, 0, getattr(fn, "__name__", "call"))
    return result


def raises_after(ms, what, fn, *args):
    _, spent = took(raises, what, fn, *args)
    between(spent, ms, ms, getattr(fn, "__name__", "call"))


# -- sockets ----------------------------------------------------------------------------


def close(*fds):
    for fd in fds:
        net.zsock_close(fd)


def tcp(family=net.AF_INET):
    return net.zsock_socket(family, net.SOCK_STREAM)


def udp(family=net.AF_INET):
    """A datagram socket bound to a free loopback port, and its address."""
    fd = net.zsock_socket(family, net.SOCK_DGRAM)
    return fd, bind_free(fd, LOOPBACK[family])


def bind_free(fd, host):
    """Bind to a free port, also where a port 0 could not be read back."""
    if has("getsockname"):
        net.zsock_bind(fd, (host, 0))
        return net.zsock_getsockname(fd)
    return bind_low(fd, host)


def bind_low(fd, host):
    """Bind to a free port below those that the kernel gives to clients by itself."""
    port = 20000 + struct.unpack("H", os.urandom(2))[0] % 12000
    while True:
        try:
            net.zsock_bind(fd, (host, port))
        except OSError as e:
            if e.errno != errno.EADDRINUSE:
                raise
            port += 1
        else:
            return (host, port, 0, 0) if ":" in host else (host, port)


def listener(family=net.AF_INET, backlog=16):
    fd = tcp(family)
    addr = bind_free(fd, LOOPBACK[family])
    net.zsock_listen(fd, backlog)
    return fd, addr


def closed_port(family=net.AF_INET):
    """An address on which nobody listens; no client's own port, it would connect to itself."""
    fd = tcp(family)
    addr = bind_low(fd, LOOPBACK[family])
    close(fd)
    return addr


def pair(family=net.AF_INET):
    """Two connected TCP sockets: the client, the server's end."""
    fd, addr = listener(family)
    client = tcp(family)
    net.zsock_connect(client, addr)
    server, _ = net.zsock_accept(fd)
    close(fd)
    return client, server


def stream_pair():
    """Two connected stream sockets, by socketpair where there is one."""
    return net.zsock_socketpair() if has("socketpair") else pair()


def udp_pair(family=net.AF_INET):
    """Two datagram sockets, each connected to the other."""
    a, a_addr = udp(family)
    b, b_addr = udp(family)
    net.zsock_connect(a, b_addr)
    net.zsock_connect(b, a_addr)
    return a, b


def packed(addr):
    """The sockaddr of an IPv4 or IPv6 address, as the kernel lays it out."""
    if ":" not in addr[0]:
        host = net.zsock_inet_pton(net.AF_INET, addr[0])
        return sockaddr_family(net.AF_INET) + struct.pack(">H", addr[1]) + host + bytes(8)
    flowinfo, scope_id = (addr[2:] + (0, 0))[:2]
    return (
        sockaddr_family(net.AF_INET6)
        + struct.pack(">HI", addr[1], flowinfo)
        + net.zsock_inet_pton(net.AF_INET6, addr[0])
        + struct.pack("I", scope_id)
    )


def sockaddr_family(family):
    return struct.pack("H", family)


def path():
    """A fresh relative path for an AF_UNIX socket; the runner's folder is private."""
    global _names
    _names += 1
    return "sock%d" % _names


def untouched(n):
    """A buffer of n bytes for a call that must refuse it; a board has no room for so many."""
    if not BOARD:
        return bytes(n)
    import uctypes

    return uctypes.bytearray_at(uctypes.addressof(bytearray(1)), n)


def interface():
    """The address of an interface that takes part in multicast."""
    if not BOARD:
        return LOOPBACK[net.AF_INET]
    import network

    return network.WLAN(network.STA_IF).ifconfig()[0]


def foreign(fd):
    """A bind to an address that no machine has (TEST-NET-1) is refused.

    A board with no interface up does not know what it has, and asks lwIP, which takes any.
    """
    if BOARD:
        import network

        if not network.WLAN(network.STA_IF).active():
            return
    raises("EADDRNOTAVAIL", net.zsock_bind, fd, ("192.0.2.1", 0))


def nonblocking(fd, on=True):
    net.zsock_fcntl(fd, net.F_SETFL, net.O_NONBLOCK if on else 0)


def reset(fd):
    """Close with an RST."""
    net.zsock_setsockopt(fd, net.SOL_SOCKET, net.SO_LINGER, (1, 0))
    net.zsock_close(fd)


def nodelay(fd):
    """For many small sends: lwIP keeps each until the one before is acknowledged, 250 ms later."""
    if has("TCP_NODELAY"):
        net.zsock_setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, 1)


def take_error(fd):
    """SO_ERROR by its name, or None."""
    code = net.zsock_getsockopt(fd, net.SOL_SOCKET, net.SO_ERROR)
    return errno_name(code) if code else None


def ready(fd, events, timeout_ms=SOON):
    """revents of one fd."""
    p = net.zsock_pollfd(fd, events)
    n = net.zsock_poll([p], timeout_ms)
    eq(n, 1 if p.revents else 0, "zsock_poll")
    return p.revents


def sendall(fd, data):
    view = memoryview(data)
    while view:
        view = view[net.zsock_send(fd, view) :]


def recv_exactly(fd, n):
    data = b""
    while len(data) < n:
        chunk = net.zsock_recv(fd, n - len(data))
        true(chunk, "EOF after %d of %d bytes" % (len(data), n))
        data += chunk
    return data


def drain(fd, n):
    """Receive and forget n bytes."""
    buf = memoryview(bytearray(CHUNK))
    while n:
        count = net.zsock_recv(fd, buf[: min(n, len(buf))])
        true(count, "EOF, %d bytes early" % n)
        n -= count


def fill(fd):
    """Send without waiting until the socket takes not one byte more; returns the count."""
    total = 0
    last = now()
    while since(now(), last) < SETTLED:
        for chunk in (bytes(CHUNK), b"x"):
            try:
                while True:
                    total += net.zsock_send(fd, chunk, net.MSG_DONTWAIT)
                    last = now()
            except OSError as e:
                if e.errno != errno.EAGAIN:
                    raise
        sleep_ms(20)
    return total


def black_hole():
    """A listener whose queue is full, its address, and the connection that fills it.

    A further connect to the address neither succeeds nor fails.
    """
    fd, addr = listener(backlog=0)
    queued = tcp()
    net.zsock_connect(queued, addr)
    return fd, addr, queued


# -- threads ----------------------------------------------------------------------------


def stack_of_threads(size):
    """Those that are started next have it: a board's firmware gives 5 KB."""
    if BOARD:
        import _thread

        _thread.stack_size(size)


class Thread:
    """fn(*args) in another thread; join() gives its result or raises its exception."""

    def __init__(self, fn, *args):
        import _thread

        self.fn = fn
        self.args = args
        self.done = False
        self.result = None
        self.error = None
        self.ended = 0
        threads.append(self)
        _thread.start_new_thread(self._run, ())

    def _run(self):
        try:
            self.result = self.fn(*self.args)
        except Exception as e:
            self.error = e
        self.ended = now()
        self.done = True

    def join(self, timeout_ms=SOON):
        start = now()
        while not self.done:
            if since(now(), start) > timeout_ms:
                # Another may have failed, for which this one waits.
                for each in threads:
                    if each.error:
                        show(each.error)
                raise AssertionError("the thread still runs after %d ms" % timeout_ms)
            sleep_ms(1)
        if self.error:
            raise self.error
        return self.result
