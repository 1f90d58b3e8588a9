# SPDX-License-Identifier: MIT
# TCP objects that answer as LuaSocket's: (value, None) or (None, message); of receive and send
# three, the last what had come or gone.

from sys import modules

from .zargs import as_bytes
from .zbase import p
from .zstream import Stream

_net = modules[__name__.rpartition(".")[0]]
_TEXTS = (
    "EAGAIN=timeout|ETIMEDOUT=timeout|EINPROGRESS=timeout|ECONNRESET=closed|ECONNABORTED=closed"
    "|EPIPE=closed|EBADF=closed|ENOTCONN=closed|ECONNREFUSED=connection refused"
    "|EADDRINUSE=address already in use|EISCONN=already connected|EACCES=permission denied"
)


def message(e):
    if isinstance(e, EOFError):
        return "closed"
    if isinstance(e, _net.gaierror):
        return "host or service not provided, or not known"
    for item in _TEXTS.split("|"):
        name, _, text = item.partition("=")
        if p.number(name) == e.errno:
            return text
    return _net.strerror(e)


def tried(call, *args):
    try:
        value = call(*args)
        return 1 if value is None else value, None
    except (OSError, EOFError) as e:
        return None, message(e)


def _option(name):
    """The level and the option of LuaSocket's name for both."""
    size = name[:4] + "-buffer-size" == name and name[:4] in ("recv", "send")
    parts = (("rcv" if name[0] == "r" else "snd") + "buf" if size else name).upper().split("-")
    try:
        if parts[1:]:
            return p.number("IPPROTO_" + parts[0]), p.number("_".join(parts))
        return p.number("SOL_SOCKET"), p.number("SO_" + parts[0])
    except KeyError:
        pass
    raise ValueError("unsupported option '" + name + "'")


class Tcp:
    """socket.tcp4(): a master, client or server. Methods are LuaSocket's; the fd is `fd`."""

    def __init__(self, fd=-1):
        self.fd = _net.zsock_socket() if fd < 0 else fd
        self.stream = Stream(self.fd)
        for name in ("getstats", "setstats", "dirty"):
            setattr(self, name, getattr(self.stream, name))
        for name in ("getpeername", "getsockname", "listen"):
            call = getattr(_net, "zsock_" + name)
            setattr(self, name, lambda *args, call=call: tried(call, self.fd, *args))
        bind = _net.zsock_bind
        self.bind = lambda host, port: tried(bind, self.fd, (host.replace("*", "0.0.0.0"), port))
        self.close = lambda: self.stream.close() or 1
        self.getfd = lambda: self.fd
        self._times = {"b": None, "t": None}

    def settimeout(self, value=None, mode="b"):
        value = None if value is None or value < 0 else value
        self.stream.settimeout(value, mode)
        self._times[mode] = value
        return 1

    def _waits(self, call, *args):
        given = [t for t in self._times.values() if t is not None]  # the shorter ends it
        limit = min(given) if given else 0
        _net.zsock_fcntl(self.fd, _net.F_SETFL, _net.O_NONBLOCK if given and not limit else 0)
        for option in (_net.SO_RCVTIMEO, _net.SO_SNDTIMEO):
            _net.zsock_setsockopt(self.fd, _net.SOL_SOCKET, option, limit)
        return call(self.fd, *args)

    def gettimeout(self):
        return tuple(-1 if self._times[mode] is None else self._times[mode] for mode in "bt")

    def setoption(self, name, value=True):
        if name == "linger":
            return tried(_net.set_linger, self.fd, value["timeout"] if value["on"] else None)
        return tried(_net.zsock_setsockopt, self.fd, *(_option(name) + (value,)))

    def getoption(self, name):
        if name == "linger":
            value, err = tried(lambda: (_net.get_linger(self.fd),))
            return value and {"on": value[0] is not None, "timeout": value[0] or 0}, err
        if name == "error":
            value, err = tried(lambda: (_net.take_error(self.fd),))
            return value and value[0] and message(value[0]), err
        value, err = tried(_net.zsock_getsockopt, self.fd, *_option(name))
        whether = name in ("keepalive", "reuseaddr", "reuseport", "tcp-nodelay")
        return bool(value) if whether and err is None else value, err

    def shutdown(self, how="both"):
        try:
            _net.zsock_shutdown(self.fd, ("receive", "send", "both").index(how))
        except OSError as e:
            if e.errno == p.number("EOPNOTSUPP"):
                raise e  # LuaSocket's 1 would say that the peer is told
        return 1

    def connect(self, host, port):
        return tried(self._waits, _net.zsock_connect, (host, port))

    def accept(self):
        found, err = tried(self._waits, _net.zsock_accept)
        return found and Tcp(found[0]), err

    def receive(self, pattern="*l", prefix=b""):
        if isinstance(pattern, str) and pattern not in ("*l", "*a"):
            raise ValueError("invalid receive pattern")
        try:
            if pattern == "*l":
                return prefix + self.stream.recv_line(), None, None
            if pattern != "*a":
                return self.stream.recv_exact(pattern, prefix), None, None
            data = self.stream.recv_all(prefix)
            return (data, None, None) if data else (None, "closed", b"")
        except (OSError, EOFError) as e:
            part = getattr(e, "partial", b"")
            return None, message(e), prefix + part.replace(b"\r", b"") if pattern == "*l" else part

    def send(self, data, i=1, j=-1):
        i = max(len(data) + i + 1, 1) if i < 0 else max(i, 1)
        j = len(data) + j + 1 if j < 0 else min(j, len(data))
        try:
            i += self.stream.send_all(as_bytes(data)[i - 1 : max(j, i - 1)]) - 1
            return i, None, None
        except OSError as e:
            return None, message(e), i - 1 + getattr(e, "sent", 0)
