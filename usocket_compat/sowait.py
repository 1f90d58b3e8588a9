# SPDX-License-Identifier: MIT
# The calls of a socket of the drop-in that has a finite timeout. Its native socket does not block,
# and what waits is here. Each call has the whole timeout, as CPython's has.

import uselect
from uerrno import EAGAIN
from uio import BytesIO
from utime import sleep_ms, ticks_diff, ticks_ms, ticks_us

from usocket_compat.sostate import plain

_native = getattr(uselect, "native", uselect)
_IN = 1
_OUT = 4
_HUP = 16
# A reply on the same network comes within this time (us). The firmware's poll would look only once
# in 10 ms.
_SPIN = 1500


def wait(self, want, begin):
    """Waits until the native socket is ready; raises timeout. Gives the time when it began."""
    now = ticks_ms()
    begin = now if begin is None else begin
    left = int(self._t * 1000 + 0.999) - ticks_diff(now, begin)
    poller = _native.poll()
    poller.register(self._us, want | _HUP if want == _OUT else want)
    ipoll = poller.ipoll
    if left > 0:
        start = ticks_us()
        while ticks_diff(ticks_us(), start) < _SPIN:
            for _ in ipoll(0):
                return begin
            sleep_ms(0)
        for _ in ipoll(left):
            return begin
    from usocket_compat.soerr import expired

    raise expired()


def t_recv(self, n, flags=0):
    if self.type != 1:
        return t_recvfrom(self, n, flags)[0]
    if flags or n < 1:
        return self.again("recv", n, flags)
    begin = None
    while True:
        try:
            return self._us.recv(n)
        except OSError as e:
            if e.errno != EAGAIN:
                raise
        begin = wait(self, _IN, begin)


def t_send(self, data, flags=0):
    if flags or not data:
        return self.again("send", data, flags)
    begin = None
    while True:
        try:
            return self._us.send(data)
        except OSError as e:
            if e.errno != EAGAIN:
                raise
        begin = wait(self, _OUT, begin)


def _retry(self, want, call, *args):
    begin = None
    while True:
        try:
            return call(*args)
        except OSError as e:
            if e.errno != EAGAIN:
                raise
        begin = wait(self, want, begin)


def t_accept(self):
    return _retry(self, _IN, plain("accept"), self)


def t_recvfrom(self, n, flags=0):
    from usocket_compat.sodgram import recvfrom

    return _retry(self, _IN, recvfrom, self, n, flags)


def t_sendto(self, data, *args):
    from usocket_compat.sodgram import sendto

    return _retry(self, _OUT, sendto, self, data, *args)


# MicroPython's own: read(n) and readinto fill, read() goes on to the end, write writes all. The
# time is anew with each piece.


def t_read(self, n=-1):
    if n < 0:
        parts = b""
        while True:
            part = t_recv(self, 512)
            if not part:
                return parts
            parts += part
    buf = bytearray(n)
    spare = BytesIO(n + 256)
    got = t_readinto(self, buf)
    spare.close()
    return bytes(memoryview(buf)[:got])


def t_readinto(self, buf, n=None):
    view = memoryview(buf)
    if n is not None:
        view = view[:n]
    got = 0
    while got < len(view):
        r = self._us.readinto(view[got:])
        if r is None:
            wait(self, _IN, None)
        elif not r:
            break
        else:
            got += r
    return got


def t_readline(self, n=-1):
    line = b""
    while n < 0 or len(line) < n:
        # Non-blocking, it gives what there is.
        part = self._us.readline(n - len(line)) if n >= 0 else self._us.readline()
        if part is None:
            wait(self, _IN, None)
        elif not part:
            break
        else:
            line += part
            if line[-1] == 10:
                break
    return line


def t_write(self, data, *args):
    view = memoryview(data.encode() if data.__class__ is str else data)
    if args:
        view = view[args[0] : args[0] + args[1]] if len(args) > 1 else view[: args[0]]
    sent = 0
    while sent < len(view):
        r = self._us.write(view[sent:])
        if r is None:
            wait(self, _OUT, None)
        else:
            sent += r
    return sent
