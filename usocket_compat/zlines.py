# SPDX-License-Identifier: MIT
# How CPython reads lines, before zstream.py's own way: what has come is cut into lines at once,
# and one that comes alone is given as it is. Not for boards.

from .zbase import tab
from .zstream import Stream

_AHEAD = 1024
_any = Stream.recv_line


def recv_line(self):
    h = self._held
    lines = h.lines
    if not lines and h.at >= h.end and not self._limited and tab[self.fd] is self._sock:
        # Nothing is held, and there may be something: no more than a call of the port.
        h.idle = 0
        data = self._get(h.own, _AHEAD, 0)
        if data.__class__ is bytes and data:
            n = len(data)
            if data.find(b"\n") + 1 == n:
                self._received += n
                return data[: n - 1].replace(b"\r", b"")
            h.away()
            h.set(data, data, n)
            h.lines = lines = data.split(b"\n")[-2::-1]
            if h.polled:
                h.away()
        elif data.__class__ is int:
            self._failed(data)
    if lines:
        line = lines[-1]
        n = len(line) + 1
        line = line.replace(b"\r", b"")
        # If they are still it: from here on it is taken, and nothing comes in between.
        if h.lines is lines:
            del lines[-1]
            h.at += n
            self._received += n
            return line
    return _any(self)


recv_line.__doc__ = _any.__doc__
Stream.recv_line = recv_line  # type: ignore[method-assign]
