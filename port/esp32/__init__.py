# SPDX-License-Identifier: MIT
# Stock MicroPython on an ESP32: the firmware's socket over lwIP, and what it takes to make that
# tell the truth. This file has what a program needs while all goes well; the rest loads later.
# The native socket does not block, since a blocking one cannot read what is there into a buffer.
# What Linux remembers of a socket and lwIP does not is remembered in its Handle.

# The firmware's modules, by names that no file can stand in for.
from sys import modules

import uselect
import usocket
import ustruct as struct  # noqa: F401
from micropython import const
from uarray import array  # noqa: F401
from uio import BytesIO, IOBase  # noqa: F401
from urandom import getrandbits
from utime import sleep_ms, ticks_add, ticks_diff, ticks_ms, ticks_us  # noqa: F401

# Where a drop-in module has these names, it has the firmware's own as `native`.
usocket = getattr(usocket, "native", usocket)
native, resolve = usocket.socket, usocket.getaddrinfo
poll = getattr(uselect, "native", uselect).poll

# Handle.st, in bits: conn.py says what each means. 0 is a stream that is connected and has nothing
# held back, and of which no thread takes data: that is what the fast paths ask for.
# Each file says them again: a constant with a _ costs no heap, an imported name does.
_NEW = const(1)
_PENDING = const(2)
_LISTEN = const(4)
_DEAD = const(8)
_EOF = const(16)
_HELD = const(32)
_DGRAM = const(64)
_GONE = const(128)
_BLOCKS = const(256)
_FAILED = const(512)
_AWAY = const(1024)
_TAKES = const(4096)
_TAKEN = const(2048 | 4096)
# What the firmware's poll does not know of.
_ODD = const(_NEW | _DEAD | _EOF | _HELD)
# lwIP's and the firmware's numbers
_EAGAIN = const(11)
_EADDRINUSE = const(112)
_EALREADY = const(120)
_EINPROGRESS = const(119)
_ETIMEDOUT = const(116)
_DONTWAIT = const(8)
_WINDOW = const(5760)
_MSS = const(1440)
_MOST = const(2816)
_SMALL = const(256)
_HUGE = const(1 << 22)
_ALL = const((1 << 22) - 1)
_IN = const(1)
_OUT = const(4)
_HUP = const(16)
_SOL_SOCKET = const(4095)
_NODELAY = const(4)

# What is looked up again and again, or with no memory left to load numbers.py, which has them all.
_NAMES = (
    " AF_UNIX=1 MSG_PEEK=1 MSG_WAITALL=2 MSG_OOB=4 MSG_DONTWAIT=8 MSG_ERRQUEUE=8192 MSG_CTRUNC=128"
    " SOL_SOCKET=4095 SO_RCVTIMEO=4102 SO_SNDTIMEO=4101 SO_LINGER=128 SOCK_NONBLOCK=2048"
    " SOCK_CLOEXEC=524288 EBADF=9 EAGAIN=11 EINVAL=22 ENFILE=23 EPIPE=32 ECONNRESET=104"
    " ECONNREFUSED=111 O_NONBLOCK=16384 F_GETFL=3 F_SETFL=4 FIONBIO=21537 FIONREAD=21531"
    " ENOTCONN=128 ENOMEM=12 EINTR=4 EISCONN=127 EALREADY=120 EINPROGRESS=119 ECONNABORTED=113"
    " POLLRDHUP=8192 "
)
TLS = "tlsmake"  # drives the firmware's TLS, which goes over these calls
# A file and the operations it is loaded for.
LATER = (
    "|stream writable |waits receive |polls pollset zsock_poll "
    "|dgram sendto recvfrom recvfrom_into |msg sendmsg recvmsg |memory socketpair "
    "|events eventfd eventfd_read eventfd_write eventfd_set |options getsockopt setsockopt ioctl "
    "|shut shutdown |local getsockname getpeername |netif use_interface "
    "|wrapping wrap plain failed |sockaddr unpack |inet inet_pton inet_ntop |resolver getaddrinfo "
    "|lookup getnameinfo gethostname sethostname "
    "|numbers names forget_names LACKS |errors gaierror |loops source hidden look SPIN "
    "|servers nameservers urandom "
)


def load(name):
    """The file of that name, loaded when first asked for."""
    return __import__(__name__ + "." + name, None, None, ("x",))


def __getattr__(name):
    at = LATER.find(" " + name + " ")
    if at < 0:
        raise AttributeError(name)
    # MicroPython crashes on a second import of what had no memory for its module.
    room()
    line = LATER.rfind("|", 0, at) + 1
    value = globals()[name] = getattr(load(LATER[line : LATER.find(" ", line)]), name)
    return value


def number(name):
    name = " " + name + "="
    # For those above no branch, where a callback might come in: files ask while they load.
    try:
        at = _NAMES.index(name) + len(name)
        return int(_NAMES[at : _NAMES.index(" ", at)])
    except ValueError:
        pass
    # Loaded for this one question: 4 KB are much on a board.
    value = load("numbers").find(name)
    if "names" not in globals():  # which keeps it anyway, for who asks for many
        modules.pop(__name__ + ".numbers", None)
        globals().pop("numbers", None)
    if value is None:
        raise KeyError(name[1:-1])
    return value


error = OSError


def last_error(r):
    return -r


def gone(h):
    """The errno of a call on a closed handle, or on what is no socket: EBADF, ENOTSOCK."""
    return 9 if h.domain else 108


class Handle:
    """The native socket and what lwIP does not tell of it."""

    st = _NEW | _BLOCKS
    # the error that SO_ERROR, or else the next call, reports
    err = 0
    # what was read ahead: bytes, or (bytes, addr) of a datagram
    back = None
    name = peer = None
    # a poller that tells of data; while it connects, of the connection; one that tells of room
    ipoll = poller = room = None
    many = behind = None  # see waits.py
    who = 0  # the thread that takes data
    # SO_REUSEADDR 1, SO_BROADCAST 2, TCP_NODELAY 4, as they were set; what else was set
    opts = 0
    rare = None
    # a raw socket's protocol
    proto = 0
    domain = 2  # 1 for a pair in memory, 0 for what is no socket
    # a connect that ended well, which the next connect is still to tell
    fresh = False
    # whether `name` is of a native socket before this one
    stale = False
    # while a thread is in the native connect, which a native close would leave there for ever
    busy = False

    def __init__(self, s):
        self.s = s


# How many handles there are that the firmware's poll does not tell the truth about.
odd_handles = [0]


def set_state(h, st):
    """h goes to another state; what is closed stays so."""
    if h.st & _GONE:
        return
    # No branch in between, where Ctrl-C might come. Who takes data says himself when that ends.
    odd_handles[0] += (st & _ODD != 0) - (h.st & _ODD != 0)
    h.st = st & ~_TAKEN | h.st & _TAKEN


CLOSED = Handle(None)
CLOSED.st = _GONE


def room(n=800):
    """MemoryError unless n bytes can be had for what follows a step that cannot be undone."""
    BytesIO(n).close()


# -- opening and closing ----------------------------------------------------------------


def socket(family, type, proto):
    if family != 2 or not 0 < type < 3 or proto:
        load("conn").check_socket(family, type, proto)
    h = Handle(None)
    h.s = open_native(type, proto)
    if type == 1:
        odd_handles[0] += 1
    else:
        h.st = _DGRAM
        h.s.setblocking(False)
        if type == 3:
            # Linux: a raw socket's protocol stands where others have a port.
            h.proto, h.name = proto, ("0.0.0.0", proto)
    return h


def open_native(type, proto):
    try:
        return native(2, type, proto)
    except OSError as e:
        return load("conn").socket(type, proto, e)


def arm(h):
    """Makes a stream's native socket non-blocking: for the firmware two messages to lwIP."""
    h.s.setblocking(False)
    set_state(h, h.st & ~_BLOCKS)


def close(h):
    set_state(h, _GONE)
    if h.back and h.domain == 1:
        h.s.count = 1  # it is unread, and so a reset for the other end
    # None in what accept has not got its connection for yet.
    if h.s and not h.busy:
        h.s.close()


# -- names and connections --------------------------------------------------------------

_last = None  # the last address in numbers: a program names the same one again and again


def address(family, addr):
    global _last
    if addr is not _last or family != 2:
        if family != 2 or not in_numbers(addr):
            return load("sockaddr").resolve(family, addr)
        _last = addr
    return addr


def in_numbers(addr):
    """Whether addr is as the firmware takes it: ("127.0.0.1", 80)."""
    if addr.__class__ is not tuple or len(addr) != 2:
        return False
    if addr[1].__class__ is not int or not 0 <= addr[1] <= 65535 or addr[0].__class__ is not str:
        return False
    parts = addr[0].split(".")
    for part in parts:
        if not part.isdigit() or int(part) > 255 or part[0] == "0" != part:
            return False
    return len(parts) == 4


listeners = []  # those that listen, and some that did
_port = getrandbits(14)


def bind(h, addr):
    host, port = addr
    if h.name or h.st & ~(_DGRAM | _NEW | _BLOCKS) or listeners and not h.st & _DGRAM:
        port = load("conn").bind(h, host, port)
    if host != "0.0.0.0" and host != "127.0.0.1":
        load("netif").bind(h, host)
    if port:
        bind_native(h, host, port)
    else:
        choose_port(h, host)


def bind_native(h, host, port):
    room()
    try:
        h.s.bind((host, port))
    except OSError as e:
        raise OSError(load("conn").positive(e.errno))
    h.name = (host, port)
    h.stale = False


def choose_port(h, host="0.0.0.0"):
    """Binds to a free port of our own choice: lwIP would not say which one it took."""
    global _port
    for _ in range(64):
        _port = (_port + 1) & 0x3FFF
        try:
            return bind_native(h, host, 49152 + _port)
        except OSError as e:
            if e.errno != _EADDRINUSE:
                raise
    raise OSError(_EADDRINUSE)


def listen(h, backlog):
    if h.st & ~_BLOCKS != _NEW or h.stale or not h.name:
        if not load("conn").listen(h):
            return
    arm(h)
    room()
    # ESP-IDF's DEFAULT_ACCEPTMBOX_SIZE is 6. lwIP resets a connection that finds this queue full,
    # but lets its client try again while the backlog is.
    h.s.listen(min(backlog, 6))
    listeners.append(h)
    set_state(h, _LISTEN)


def connect(h, addr, wait):
    if h.st & _PENDING:
        settle(h)
        if h.st & _PENDING:
            return -_EALREADY
    if h.st & ~_BLOCKS != _NEW or h.stale:
        if h.st & ~_BLOCKS == 0 and h.fresh:
            # The first call that sees the connection succeeds, later ones say EISCONN.
            h.fresh = False
            return 0
        return load("conn").connect(h, addr, wait)
    if not h.name:
        choose_port(h)
    return start_connect(h, addr, wait)


def start_connect(h, addr, wait):
    if addr[0] == "0.0.0.0":
        addr = ("127.0.0.1", addr[1])  # Linux: this host
    if wait:
        # So its connect waits for 100 ms, and learns at once of what poll would look for every
        # 10 ms. Then it says ETIMEDOUT: lwIP goes on.
        h.s.settimeout(0.05)
    else:
        arm(h)
    h.peer = addr
    set_state(h, h.st & _BLOCKS | _PENDING)
    code = 0
    h.busy = True
    try:
        h.s.connect(addr)
    except OSError as e:
        code = e.errno
    finally:
        h.busy = False
        if h.st & _GONE:
            h.s.close()  # another thread has closed it meanwhile
    if not code:
        set_state(h, h.st & _BLOCKS)
    elif code == _ETIMEDOUT:
        code = _EINPROGRESS
    elif code != _EINPROGRESS:
        return load("conn").fail_connect(h, addr, code)
    return -code


def settle(h):
    """Looks whether a pending connect has ended, and how."""
    poller = h.poller
    if poller is None:
        poller = h.poller = poll()
        poller.register(h.s, _OUT | _HUP)
    for _, ev in poller.ipoll(0):
        # Another thread may have seen it first.
        if h.st & _PENDING:
            st = load("conn").outcome(h) if ev & _HUP else 0
            h.fresh = True
            # From here on the same poller tells what can be read.
            poller.modify(h.s, _IN | _HUP)
            h.ipoll, h.poller = poller.ipoll, None
            set_state(h, st | h.st & _BLOCKS)
        return


def accept(h, entry):
    if h.st != _LISTEN:
        return load("conn").accept(h, entry, None)
    child = Handle(None)
    options = (h.opts & _NODELAY or h.rare) and load("options")
    room()
    try:
        child.s, addr = h.s.accept()
    except OSError as e:
        return load("conn").accept(h, entry, e) if e.errno != _EAGAIN else -_EAGAIN
    child.st = _BLOCKS
    # Linux: it has the listener's options. lwIP hands on SO_REUSEADDR alone.
    child.name, child.peer, child.opts = h.name, addr, h.opts
    if options:
        options.inherit(child, h)
    entry.h = child
    return addr


# -- data -------------------------------------------------------------------------------

# MicroPython takes a frame of more than 11 words from the heap, which costs more than the rest of
# these calls. `except ... as e` is 6 of them: so the hot ones leave it to stream.py to find out.

# The layer gives these (zsock.py): its table, and what goes on where these calls end.
layer = tab = send_rest = recv_rest = None
NOTHING = (None, 0)
_BYTES = bytes, bytearray, memoryview  # of others the length need not be in bytes
_WRITABLE = bytearray, memoryview


def zsock_send(fd, data, flags=0):
    if (flags == 0 or flags == _DONTWAIT) and 0 <= fd < len(tab) and data.__class__ in _BYTES:
        sock = tab[fd]
        h = sock.h
        if h.st == _BLOCKS:
            arm(h)
        if h.st == 0:
            # Not a native send: write says None instead of raising EAGAIN, and allocates nothing.
            h = _write(h, data)
            if h:
                return h if h == len(data) else send_rest(fd, data, flags, h, sock)
            if h is None:
                if flags or sock.nonblock:
                    raise OSError(_EAGAIN)
                return send_rest(fd, data, flags, -_EAGAIN, sock)
    return send_rest(fd, data, flags, None, None)


def _write(h, data):
    # What is more than a message, and more than _MOST of it, outage.py could not account for.
    if len(data) > _SMALL and not has_room(h):
        sleep_ms(0)  # the peer's answer may be here already
        if not has_room(h):
            return None
    try:
        return h.s.write(data, _MOST)
    except OSError:
        pass
    return load("stream").write(h, data)


def has_room(h):
    """Whether the firmware's poll says POLLOUT; always for a pair, which knows itself."""
    if h.domain != 2:
        return True
    h.room = h.room or _ipoll(h, _OUT)
    return next(h.room(0), NOTHING)[1]


def zsock_recv(fd, n_or_buffer, flags=0):
    if (flags == 0 or flags == _DONTWAIT) and 0 <= fd < len(tab):
        sock = tab[fd]
        h = sock.h
        # readinto asks again until the buffer is full, and forgets what it read when an error
        # comes then: so it is asked only as long as the firmware's poll knows of none.
        if h.st == 0 and h.ipoll:
            h = next(h.ipoll(0), NOTHING)[1]
            if not h:
                return _nothing(fd, n_or_buffer, flags, sock)
            if h == _IN:
                h = sock.h
                if n_or_buffer.__class__ is not int:
                    h = _read(h, n_or_buffer)
                    if h and h > 0:
                        return h
                elif 0 < n_or_buffer < _HUGE:
                    h = _receive(h, n_or_buffer)
                    if h.__class__ is bytes and h:
                        return h
                if h.__class__ is int and h:
                    return recv_rest(fd, n_or_buffer, flags, h, sock)
    return recv_rest(fd, n_or_buffer, flags, None, None)


def _nothing(fd, n_or_buffer, flags, sock):
    """Nothing has come: EAGAIN at once for a call that must not wait and is right."""
    if flags or sock.nonblock:
        if n_or_buffer.__class__ is bytearray or n_or_buffer.__class__ is int and n_or_buffer >= 0:
            raise OSError(_EAGAIN)
    elif sock.h.many and not sock.rcvtimeo:
        h = modules[__name__].receive  # waits.py: no hot call, whose frame must be small
        return h(fd, n_or_buffer, sock)
    return recv_rest(fd, n_or_buffer, flags, -_EAGAIN, sock)


# Between the look at the state and the read there is no branch, where another thread might have
# read ahead: of any state but 0 this is an IndexError.
_FREE = (_ALL,)
_FAILS = OSError, IndexError


def _read(h, buf):
    try:
        return h.s.readinto(buf, _FREE[h.st])
    except _FAILS:
        return load("stream").read(h)


def _receive(h, n):
    try:
        # Never more than lwIP holds: it makes room for as many before it looks, for more after.
        n = n if n < _WINDOW else _WINDOW
        BytesIO(n + 64).close()
        return h.s.recv(n & _FREE[h.st])
    except _FAILS:
        return load("stream").read(h)


def zsock_setsockopt(fd, level, option, value):
    # The three that nearly every program sets.
    if value.__class__ is fd.__class__ is int and 0 <= fd < len(tab) and -2 < value < 65536:
        h = tab[fd].h
        if not h.st & ~(_NEW | _DGRAM | _BLOCKS) and h.domain == 2:
            bit = kept_option(h, level, option)
            if bit:
                try:
                    h.s.setsockopt(level, option, value != 0)
                    h.opts = h.opts | bit if value else h.opts & ~bit
                    return
                except OSError:
                    pass  # a reset that no call has met: options.py
    layer.setsockopt_rest(fd, level, option, value)


def kept_option(h, level, option):
    """The bit of Handle.opts for an option that lwIP keeps; 0 for another."""
    if level == _SOL_SOCKET:
        return 1 if option == 4 else 2 if option == 32 else 0
    return 4 if level == 6 and option == 1 and not h.st & _DGRAM else 0


def send(h, data, n, flags):
    if h.st == _BLOCKS:
        arm(h)
    if flags & ~_DONTWAIT == 0 and h.st == 0 and n:
        return _write(h, data) or -_EAGAIN
    return rest(h).send(h, data, n, flags)


def recv(h, n, flags):
    if flags & ~_DONTWAIT == 0 and 0 < n < _HUGE:
        got = _says(h)
        if not got:
            return -_EAGAIN
        if got == _IN:
            got = _receive(h, n)
            if got.__class__ is bytes:
                _count(h, len(got), n)
            return got
    return rest(h).recv(h, n, flags)


def recv_into(h, buf, n, flags):
    if flags & ~_DONTWAIT == 0 and n and buf.__class__ in _WRITABLE:
        got = _says(h)
        if not got:
            return -_EAGAIN
        if got == _IN:
            got = _read(h, buf)
            return -_EAGAIN if got is None else _count(h, got, n)
    return rest(h).recv_into(h, buf, n, flags)


def _count(h, got, n):
    """What a read gave that may have waited."""
    if got == 0:
        set_state(h, h.st | _EOF)
    elif (got == n or got > _MSS) and h.domain == 2:
        h.many = True  # more came than a segment, or than was asked for
    return got


def rest(h):
    """The file that does all of what is asked of h."""
    return load("dgram" if h.st & _DGRAM else "stream")


def _says(h):
    """What the firmware's poll says of a connected stream that holds nothing; -1 of another."""
    if h.st == _BLOCKS:
        arm(h)
    return -1 if h.st else next(pollable(h)(0), NOTHING)[1]


def pollable(h):
    """Gives h the poller that its reads ask first."""
    h.many = h.many  # its place
    h.ipoll = h.ipoll or _ipoll(h, _IN | _HUP)
    return h.ipoll


def _ipoll(h, events):
    poller = poll()
    poller.register(h.s, events)
    return poller.ipoll


# How often the firmware's poll looks (ms).
COARSE = 10
# A reply on the same network comes within this time (us). The firmware's poll looks each 10 ms.
_SPIN = const(1500)


def wait(h, want, ms):
    """Waits until the firmware's poll says something of h, and gives that; 0 after ms."""
    if want == _IN and h.st & (_HELD | _TAKES):
        ready = load("waits").turn(h, ms)
        if ready is not None:
            return ready
    ipoll = pollable(h) if want == _IN else _ipoll(h, want & _OUT | _HUP)
    begin = ticks_us()
    while ticks_diff(ticks_us(), begin) < _SPIN:
        sleep_ms(0)
        ready = next(ipoll(0), NOTHING)[1]
        if ready:
            return ready
    # SHUT_RD in another thread ends this too.
    return next(ipoll(ms), NOTHING)[1] or (want == _IN and h.st & _EOF)
