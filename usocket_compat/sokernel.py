# SPDX-License-Identifier: MIT
# The calls of a socket of the drop-in that has a finite timeout, where there is a kernel. Its
# native socket does not block, and the kernel's poll waits, which counts the time from its
# beginning: SO_RCVTIMEO would begin anew with each signal, such as a garbage collection in another
# thread is.

import uos
import uselect
from uerrno import EAGAIN, EBADF, EINPROGRESS

from usocket_compat.sodgram import recvfrom, sendto
from usocket_compat.soerr import expired, os_error
from usocket_compat.sostate import plain
from usocket_compat.zargs import as_bytes
from usocket_compat.zbase import p

_native = getattr(uselect, "native", uselect)
_IN = 1
_OUT = 4
_CLOSED = 4
_DONTWAIT = p.number("MSG_DONTWAIT")
errno = getattr(uos, "errno")  # of the unix port

# A frame with `as e` would come from the heap, which costs more than the call.


def wait(self, want, left=None):
    """Waits until the native socket is ready; raises timeout."""
    poller = _native.poll()
    poller.register(self._us, want)
    for _ in poller.ipoll(int(self._t * 1000 + 0.999) if left is None else left):
        return
    raise expired()


def _again(self, want, call, *args):
    """A call that the kernel has just refused: when it is ready, within the timeout."""
    code = EBADF if self._k == _CLOSED else errno()
    begin = p.ticks_ms()
    left = int(self._t * 1000 + 0.999)
    while code == EAGAIN:
        wait(self, want, left)
        try:
            return call(*args)
        except OSError as e:
            code = e.errno
        # Another thread was faster.
        left = max(int(self._t * 1000 + 0.999) - p.ticks_diff(p.ticks_ms(), begin), 0)
    raise os_error(code)


# The native calls take for an int whatever they get, but `|` does not.


def k_recv(self, n, flags=0):
    if n | flags < 0:
        return self.again("recv", n, flags)
    try:
        return self._us.recv(n, flags)
    except OSError:
        pass
    if flags & _DONTWAIT:
        raise os_error(EBADF if self._k == _CLOSED else errno())
    return _again(self, _IN, self._us.recv, n, flags)


def k_send(self, data, flags=0):
    try:
        return self._us.send(data, flags | 0)
    except OSError:
        pass
    if flags & _DONTWAIT:
        raise os_error(EBADF if self._k == _CLOSED else errno())
    return _again(self, _OUT, self._us.send, data, flags)


def _retry(self, want, call, flags, *args):
    try:
        return call(*args)
    except OSError as e:
        if e.errno != EAGAIN or flags & _DONTWAIT:
            raise
    return _again(self, want, call, *args)


def k_accept(self):
    return _retry(self, _IN, plain("accept"), 0, self)


def k_recvfrom(self, n, flags=0):
    return _retry(self, _IN, recvfrom, flags, self, n, flags)


def k_sendto(self, data, addr, more=None):
    return _retry(self, _OUT, sendto, 0 if more is None else addr, self, data, addr, more)


def k_connect(self, addr):
    connect = plain("connect")
    try:
        return connect(self, addr)
    except OSError as e:
        if e.errno != EINPROGRESS:
            raise
    wait(self, _OUT)
    connect(self, addr)  # says how it ended


# MicroPython's own: read(n) and readinto fill, read() goes on to the end, write writes all. The
# time is anew with each piece. The native ones give what there is, and None for nothing.


def k_readinto(self, buf, n=None):
    if n is None and buf.__class__ is bytearray:
        got = self._us.readinto(buf)
        if got == len(buf):
            return got
        view = memoryview(buf)
    else:
        view = as_bytes(buf)
        if n is not None:
            view = view[:n]
        got = self._us.readinto(view)
    if got == 0:
        return 0
    got = got or 0
    while got < len(view):
        wait(self, _IN)
        more = self._us.readinto(view[got:])
        if more == 0:
            break
        got += more or 0
    return got


def k_read(self, n=-1):
    data = self._us.read(n)
    while data is None or data and (n < 0 or len(data) < n):
        wait(self, _IN)
        more = self._us.read(n if n < 0 or data is None else n - len(data))
        if more == b"":
            break
        data = data + more if data and more else more or data
    return data or b""


def k_readline(self, n=-1):
    line = self._us.readline(n)
    while line is None or line and line[-1] != 10 and len(line) != n:
        wait(self, _IN)
        more = self._us.readline(n if n < 0 or line is None else n - len(line))
        if more == b"":
            break
        line = line + more if line and more else more or line
    return line or b""


def k_write(self, data, *args):
    sent = self._us.write(data, *args)
    if data.__class__ is bytes and sent == len(data):
        return sent
    view = as_bytes(data.encode() if data.__class__ is str else data)
    if args:
        view = view[args[0] : args[0] + args[1]] if len(args) > 1 else view[: args[0]]
    sent = sent or 0
    while sent < len(view):
        wait(self, _OUT)
        sent += self._us.write(view[sent:]) or 0
    return sent
