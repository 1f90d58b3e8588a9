# SPDX-License-Identifier: MIT
"""`import socket`, with CPython's names and shapes, in the place of the firmware's own.

The class holds the firmware's socket, and what is right as the firmware does it is the firmware's:
its bound methods are attributes of the instance. All else loads when it is first used, from
usocket_compat/so*.py.
"""

# How calls come to where they are answered:
#
# - read, readinto, write, and readline but for _line: the native socket's, bound by __getattr__
#   when first asked for.
# - what is in the class below: for a socket that blocks, or never does.
# - other methods: sonames.py finds the file, whose function the class gets.
# - a socket in another state has attributes of its own instead (sostate.py has the table): with a
#   finite timeout, once its fd was asked for, after its close.
#
# An asyncio server and client need no other file: room on a board counts.

from sys import modules

import uselect
import usocket as native
from micropython import const
from uerrno import EADDRINUSE, EAGAIN, EINPROGRESS
from uio import BytesIO, IOBase
from utime import ticks_us

# Imported anew it finds itself under that name.
native = getattr(native, "native", native)
_new = native.socket
# Whether the native socket takes and gives packed addresses (MicroPython unix).
packs = hasattr(native, "sockaddr")
# A board's MSG_PEEK, which MicroPython 1.25 has not. A kernel reads a byte fast enough.
_peek = None if packs else getattr(native, "MSG_PEEK", None)
# setdefaulttimeout
default = None
_port = ticks_us()

# socket._k; what is new is 0
_LISTENS = const(1)
_CONNECTED = const(2)
_CONNECTS = const(3)
_CLOSED = const(4)


def later(name):
    """The file of that name of those that load when something rare is asked for."""
    # MicroPython crashes on a second import of what had no memory for its module.
    BytesIO(512).close()
    return __import__("usocket_compat.so" + name, None, None, ("x",))


def __getattr__(name):
    try:
        value = getattr(native, name)
    except AttributeError:
        value = later("names").public(name)
    globals()[name] = value
    return value


class socket(IOBase):
    """A socket: CPython's methods, and MicroPython's read, readinto, readline and write.

    family: AF_INET (default); type: SOCK_STREAM (default) or SOCK_DGRAM; proto: 0; fileno: an fd
    of the layer, which the socket takes over. Source: CPython's socket.socket.
    """

    family = 2
    type = 1
    proto = 0
    # the timeout in seconds: None, 0, or a finite one
    _t = None
    # the layer's entry, while it is one of a call or has an fd; the fd that was asked for
    _e = None
    _fd = -1
    # what it does, see above
    _k = 0
    # its own address and its peer's, where the firmware does not tell them
    _name = _peer = None
    # SO_REUSEADDR 1, SO_BROADCAST 2, TCP_NODELAY 4, as they were set
    _o = 0
    # files of makefile that are open, twice their number; 1 more once it is closed
    _files = 0

    def __init__(self, family=2, type=1, proto=0, fileno=None, _us=None):
        # What is no int the native class would refuse with a broken socket left over.
        odd = packs or family | type | proto < 0 or type != 1 or family != 2
        if odd or fileno is not None or self.__class__ is not socket:
            _us = later("kind").begin(self, family, type, proto, fileno, _us)
        if _us is None:
            _us = _new(family, type, proto)
        # The native socket, for select.py by a name that nothing else has; None while only the
        # layer tells the truth.
        self._us = _us or None
        if default is not None:
            self.settimeout(default)

    def __getattr__(self, name):
        if name in ("read", "readinto", "readline", "write"):
            if self._k == _CONNECTS:
                self._settle()
                # As long as it is pending the firmware's says that there is nothing yet.
                return getattr(self._k == _CONNECTS and self._us or self, name)
            by_line = name == "readline" and _peek and self.type == 1
            value = self._line if by_line else getattr(self._us, name)
            setattr(self, name, value)
            return value
        return later("names").method(socket, self, name)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def __repr__(self):
        return later("rest").shown(self)

    def bind(self, addr):
        if packs or addr.__class__ is not tuple or not 0 < addr[-1] < 65536:
            later("kind").bind(self, addr)
        else:
            self._us.bind(addr)
            self._name = addr

    def _choose(self, host="0.0.0.0"):
        """Binds to a free port of our own choice: lwIP would not say which one it took."""
        global _port
        while True:
            _port = _port + 1 & 0x3FFF
            try:
                return self.bind((host, 49152 + _port))
            except OSError as e:
                if e.errno != EADDRINUSE:
                    raise

    def listen(self, backlog=128):
        # lwIP resets a connection that finds the queue full, which has 6 places, but lets its
        # client try again while the backlog is.
        self._us.listen(backlog if packs else min(backlog, 6))
        self._k = _LISTENS

    def accept(self):
        shown = packs and later("kind").shown
        # For what follows: without it the connection would be lost.
        BytesIO(1024 << packs).close()
        s, addr = self._us.accept()
        if shown:
            addr = shown(addr)
        s = socket(self.family, self.type, self.proto, None, s)
        s._k = _CONNECTED
        s._name = self._name
        s._peer = addr
        return s, addr

    def connect(self, addr):
        if self._t or self._k or packs or addr.__class__ is not tuple or not 0 < addr[-1] < 65536:
            return later("conn").connect(self, addr)
        try:
            if not self._name:
                self._choose()
            self._us.connect(addr)
            self._k = _CONNECTED
        except OSError as e:
            if e.errno != EINPROGRESS:
                later("conn").failed(self, addr, e)
            self._k = _CONNECTS
            self._peer = addr
            raise
        self._peer = addr

    def _ready(self, events):
        poll = getattr(uselect, "native", uselect).poll()
        poll.register(self._us, events)
        for _, ready in poll.ipoll(0):
            return ready
        return 0

    def _settle(self):
        """Looks how a connect ended; the layer says why one failed."""
        ready = self._ready(20)
        if ready:
            self._k = _CONNECTED
            if ready & 16:
                later("conn").ended(self)

    def recv(self, n, flags=0):
        if flags or n < 1 or self._k > _CONNECTED:
            return later("conn").data(self, "recv", n, flags)
        return self._us.recv(n)

    def send(self, data, flags=0):
        if flags or not data or self._k > _CONNECTED:
            return later("conn").data(self, "send", data, flags)
        return self._us.send(data)

    def _line(self, n=-1):
        """The native readline asks for each byte by itself. None where it would have to wait."""
        line = b""
        while line[-1:] != b"\n" and len(line) != n:
            try:
                part = self._us.recv(128 if n < 0 else n - len(line), _peek)
            except OSError as e:
                if e.errno != EAGAIN:
                    raise
                return line or None
            part = self._us.read(part.find(b"\n") + 1 or len(part))
            if not part:
                break
            line += part
        return line

    def setsockopt(self, level, option, value, length=None):
        if level == native.SOL_SOCKET and option == native.SO_REUSEADDR and value == 1:
            self._us.setsockopt(level, option, 1)
            self._o |= 1
        else:
            later("kind").setsockopt(self, level, option, value, length)

    def setblocking(self, flag):
        self.settimeout(None if flag else 0)

    def settimeout(self, t):
        if t is not None and t != 0 or self._t or self._e or self._k == _CLOSED:
            later("state").settimeout(self, t)
        else:
            self._us.setblocking(t is None)
            self._t = t

    def close(self):
        if self._e or self._t or self._files or packs:
            later("state").close(self)
        else:
            self._k = _CLOSED
            self._us.close()

    def ioctl(self, request, arg):
        """Never raises: what asks, TLS or the firmware's poll, might not survive it whole."""
        try:
            if request == 3:
                return 32 if self._k == _CLOSED else self._ready(arg)
            if request == 10 and packs:
                return self._us.fileno()
            if request == 4:
                self.close()
        except Exception:
            pass
        # The collector may be what closes, and then there is no memory: the native one goes too.
        return 0 if request == 4 else -22


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    """The addresses of a host: a list of (family, type, proto, canonname, address).

    host: str; port: int, or a service's name; the rest narrows what is wanted.
    Raises gaierror. Source: CPython's socket.getaddrinfo.
    """
    # In numbers, as asyncio asks for its server's and its client's.
    if family | proto | flags == 0 and port.__class__ is int and 0 <= port < 65536 and not packs:
        if 0 <= type < 3 and str(host).replace(".", "").isdigit():
            addr = native.getaddrinfo(host, port)[0][4]
            return [(2, k, n, "", addr) for k, n in ((1, 6), (2, 17), (3, 0)) if type in (0, k)]
    return later("name").getaddrinfo(host, port, family, type, proto, flags)


modules["usocket"] = modules[__name__]
