"""The drop-in modules on CPython, for its own tests of them. Nothing of this is shipped.

`load()` gives the modules. The interpreter's `_socket.socket` is in the place of MicroPython's
native socket, with the calls and the errors that this has on its unix port: packed addresses, and
a timeout that says EAGAIN. As a program it runs another one with both in place:

    python tests/dropin/cpython_build.py PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import _socket
import array
import errno
import importlib.util
import io
import os
import runpy
import select
import socket
import struct
import sys
import time
import types
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_errno = 0
# The names that MicroPython's own module has on unix (ports/unix/modsocket.c).
CONSTANTS = """
AF_UNIX AF_INET AF_INET6 SOCK_STREAM SOCK_DGRAM SOCK_RAW MSG_DONTROUTE MSG_DONTWAIT SOL_SOCKET
SO_BROADCAST SO_ERROR SO_KEEPALIVE SO_LINGER SO_REUSEADDR
""".split()


class Native:
    """MicroPython's socket of the unix port, on CPython's `_socket.socket`."""

    def __init__(self, family: int = 2, type: int = 1, proto: int = 0, s: Any = None) -> None:
        self.s = _socket.socket(family, type, proto) if s is None else s
        # Python's default timeout is the drop-in's own business.
        self.s.settimeout(None)

    def _call(self, name: str, *args: Any) -> Any:
        global _errno
        try:
            return getattr(self.s, name)(*args)
        except TimeoutError as e:
            _errno = e.errno or errno.EAGAIN
        except socket.timeout:  # Python 3.9
            _errno = errno.EAGAIN
        except OSError as e:
            if isinstance(e, socket.gaierror) or e.errno is None:
                raise
            _errno = e.errno
        raise OSError(_errno, os.strerror(_errno))

    def _packed(self, addr: Any) -> bytes:
        from port.unix import sockaddr

        if addr and self.s.family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
            return sockaddr.pack(self.s.family, addr, socket.getaddrinfo)
        return b""

    def fileno(self) -> int:
        return self.s.fileno()

    def close(self) -> None:
        self._call("close")

    def bind(self, addr: Any) -> None:
        self._call("bind", addr)

    def listen(self, backlog: int = 128) -> None:
        self._call("listen", backlog)

    def accept(self) -> tuple[Native, bytes]:
        fd, addr = self._call("_accept")
        s = Native(s=_socket.socket(self.s.family, self.s.type, self.s.proto, fd))
        return s, self._packed(addr)

    def connect(self, addr: Any) -> None:
        self._call("connect", addr)

    def recv(self, n: int, flags: int = 0) -> bytes:
        return self._call("recv", n, flags)

    def recvfrom(self, n: int, flags: int = 0) -> tuple[bytes, bytes]:
        data, addr = self._call("recvfrom", n, flags)
        return data, self._packed(addr)

    def send(self, data: Any, flags: int = 0) -> int:
        return self._call("send", data, flags)

    def sendto(self, data: Any, flags: int, addr: Any) -> int:
        return self._call("sendto", data, flags, addr)

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        self._call("setsockopt", level, option, value)

    def setblocking(self, flag: bool) -> None:
        self.s.setblocking(flag)

    def settimeout(self, t: float | None) -> None:
        self.s.settimeout(t)

    # MicroPython's own: None where it would have to wait.

    def _once(self, name: str, *args: Any) -> Any:
        try:
            return self._call(name, *args)
        except OSError as e:
            if e.errno == errno.EAGAIN and self.s.gettimeout() == 0:
                return None
            raise

    def readinto(self, buf: Any, n: int | None = None) -> int | None:
        view = memoryview(buf)[: len(buf) if n is None else n]
        got = 0
        while got < len(view):
            r = self._once("recv_into", view[got:])
            if not r:
                return got or r
            got += r
        return got

    def read(self, n: int = -1) -> bytes | None:
        data = b""
        while n < 0 or len(data) < n:
            part = self._once("recv", n - len(data) if n >= 0 else 512)
            if not part:
                return data or part
            data += part
        return data

    def readline(self, n: int = -1) -> bytes | None:
        line = b""
        while line[-1:] != b"\n" and len(line) != n:
            part = self._once("recv", 1)
            if not part:
                return line or part
            line += part
        return line

    def write(self, data: Any, *part: int) -> int | None:
        return self._once("send", data)


class _Poll:
    """MicroPython's poll: objects, which come back as they were given, and descriptors."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._given: dict[int, Any] = {}

    def register(self, obj: Any, events: int = 5) -> None:
        number = obj if isinstance(obj, int) else obj.ioctl(10, 0) if self._asks(obj) else None
        number = obj.fileno() if number is None else number
        if number < 0:
            raise ValueError("file descriptor cannot be a negative integer (-1)")
        self._poll.register(number, events)
        self._given[number] = obj

    @staticmethod
    def _asks(obj: Any) -> bool:
        return hasattr(obj, "ioctl")

    def _number(self, obj: Any) -> int:
        for number, other in self._given.items():
            if other is obj:
                return number
        raise KeyError(obj)

    def modify(self, obj: Any, events: int) -> None:
        self._poll.modify(self._number(obj), events)

    def unregister(self, obj: Any) -> None:
        number = self._number(obj)
        self._poll.unregister(number)
        del self._given[number]

    def poll(self, timeout: float | None = -1) -> list[tuple[Any, int]]:
        return [(self._given[number], ready) for number, ready in self._poll.poll(timeout)]

    def ipoll(self, timeout: float | None = -1, flags: int = 0) -> Any:
        return iter(self.poll(timeout))


def _module(name: str, **names: Any) -> None:
    module = types.ModuleType(name)
    vars(module).update(names)
    sys.modules[name] = module


def _firmware() -> None:
    """The modules of MicroPython that the drop-in imports."""
    constants = {name: int(getattr(_socket, name)) for name in CONSTANTS}
    _module("usocket", **constants, socket=Native, sockaddr=None, getaddrinfo=None)
    _module("uselect", poll=_Poll)
    _module("uerrno", **{name: getattr(errno, name) for name in dir(errno) if name[0] == "E"})
    _module("uio", IOBase=object, BytesIO=lambda size: io.BytesIO())
    _module("uos", errno=lambda: _errno)
    _module("uarray", array=array.array)
    _module("ustruct", **vars(struct))
    _module("micropython", const=lambda value: value)
    _module(
        "utime",
        ticks_ms=lambda: time.monotonic_ns() // 1000000,
        ticks_us=lambda: time.monotonic_ns() // 1000,
        ticks_diff=lambda a, b: a - b,
        sleep_ms=lambda ms: time.sleep(ms / 1000),
    )


def _file(name: str, file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load() -> tuple[Any, Any]:
    """The drop-in's modules socket and select; the standard ones stay what they are."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    import usocket_compat  # noqa: F401  # with the standard socket, before there is another
    from port.unix import cpython

    _firmware()
    from usocket_compat import soerr

    vars(soerr)["timeout"] = socket.timeout  # TimeoutError, from 3.10 on
    soerr.os_error = lambda code: OSError(code, os.strerror(code))
    # What a native socket is to the port, as port/unix/libc.py says it of its own.
    vars(cpython).update(wrap=lambda s, told: s.s, plain=lambda h, told: told._us)
    vars(sys.modules["usocket_compat.zbase"].p).update(
        wrap=lambda s, told: s.s, plain=lambda h, told: told._us
    )
    return _file("_dropin_socket", ROOT / "dropin/socket.py"), _file(
        "_dropin_select", ROOT / "dropin/select.py"
    )


def main() -> None:
    sys.modules["socket"], sys.modules["select"] = load()
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
