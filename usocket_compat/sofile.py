# SPDX-License-Identifier: MIT
# The files that makefile of the drop-in's socket gives. What is read ahead is in the file, what is
# written goes at once: a program that was written for the firmware's own flushes nothing.

from uerrno import EAGAIN
from uio import IOBase

_PIECE = 512
_MOST = 65536


def makefile(self, mode="r", buffering=None, encoding=None, errors=None, newline=None):
    """A file on the socket, which lives on after the socket's close, until its own.

    mode: "r", "w", "rw", with "b" for bytes, else str in UTF-8; buffering: 0 reads no more than
    is asked for (bytes only). Source: CPython's socket.makefile.
    """
    if not set(mode) <= set("rwb"):
        raise ValueError("invalid mode %r (only r, w, b allowed)" % (mode,))
    text = "b" not in mode
    if buffering is not None and not isinstance(buffering, int):
        raise TypeError("an int is required")
    if buffering == 0 and text:
        raise ValueError("unbuffered streams must be binary")
    if self._k == 4:
        raise ValueError("I/O operation on closed socket")
    file = _File(self, mode, buffering != 0, text, newline)
    self._files += 2
    return file


class _File(IOBase):
    closed = False
    _late = False

    def __init__(self, sock, mode, ahead, text, newline):
        self._sock = sock
        self._ahead = ahead
        self._text = text
        self._newline = newline
        self._held = b""
        self.mode = mode
        self._reads = "r" in mode or "w" not in mode
        self._writes = "w" in mode

    def _check(self, may, what):
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        if not may:
            raise OSError("File or stream is not " + what)

    def readable(self):
        self._check(True, "")
        return self._reads

    def writable(self):
        self._check(True, "")
        return self._writes

    def seekable(self):
        self._check(True, "")
        return False

    def fileno(self):
        self._check(True, "")
        return self._sock.fileno()

    @property
    def name(self):
        return -1 if self.closed else self._sock.fileno()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _more(self, n):
        """One receive: its bytes, or None where it would have to wait."""
        if self._late:
            raise OSError("cannot read from timed out object")
        try:
            return self._sock.recv(max(n, _PIECE) if self._ahead else n)
        except OSError as e:
            if e.errno == EAGAIN:
                return None
            self._late = self._sock._t is not None
            raise

    def _take(self, n):
        data, self._held = self._held[:n], self._held[n:]
        return data

    def _bytes(self, n):
        """n bytes, fewer at the end, all for -1; None if there are none yet."""
        while n < 0 or len(self._held) < n:
            have = len(self._held)
            # More at a time the more there is, so that much of it is not copied too often.
            part = self._more(n - have if n >= 0 else min(max(have, _PIECE), _MOST))
            if not part:
                if part is None and not self._held:
                    return None
                break
            self._held += part
        return self._take(len(self._held) if n < 0 else n)

    def read(self, n=-1):
        """n bytes or characters; fewer at the end only."""
        self._check(self._reads, "readable")
        if n is None:
            n = -1
        data = self._bytes(n)
        if not self._text or data is None:
            return data
        # Characters of several bytes: as many more as are short.
        while True:
            try:
                text = data.decode()
            except UnicodeError:
                text = None
            if n < 0:
                return data.decode() if text is None else text
            short = 1 if text is None else n - len(text)
            if short <= 0:
                return text
            more = self._bytes(short)
            if not more:
                return data.decode()
            data += more

    def read1(self, n=-1):
        self._check(self._reads, "readable")
        if not self._held and n:
            part = self._more(n if n > 0 else _PIECE)
            if part is None:
                return None
            self._held = part
        return self._take(n if n >= 0 else len(self._held))

    def readinto(self, buf):
        self._check(self._reads, "readable")
        data = self._bytes(len(buf)) if self._ahead else self.read1(len(buf))
        if data is None:
            return None
        memoryview(buf)[: len(data)] = data
        return len(data)

    def readline(self, limit=-1):
        """A line with its end; "" or b"" at the end."""
        self._check(self._reads, "readable")
        while True:
            at = self._held.find(b"\n") + 1
            if not at and 0 <= limit <= len(self._held):
                at = limit
                break
            if at:
                at = min(at, limit) if limit >= 0 else at
                break
            part = self._more(_PIECE if self._ahead else 1)
            if not part:
                if part is None and not self._held:
                    return None
                at = len(self._held)
                break
            self._held += part
        line = self._take(at)
        if not self._text:
            return line
        if self._newline is None and line[-2:] == b"\r\n":
            line = line[:-2] + b"\n"
        return line.decode()

    def readlines(self, hint=-1):
        return list(self)

    def write(self, data):
        """Sends all of data; unbuffered, what fits, None for nothing. Gives how much."""
        self._check(self._writes, "writable")
        if self._text:
            data = data.encode()
        elif data.__class__ is str:
            raise TypeError("a bytes-like object is required, not 'str'")
        view = memoryview(data)
        if not self._ahead:
            try:
                return self._sock.send(data)
            except OSError as e:
                if e.errno == EAGAIN and self._sock._t == 0:
                    return None
                raise
        self._sock.sendall(view)
        return len(view)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def close(self):
        if self.closed:
            return
        self.closed = True
        s = self._sock
        s._files -= 2
        if s._files == 1:
            s._files = 0
            s.close()

    def ioctl(self, request, arg):
        if request == 3 and arg & 1 and self._held:
            return 1
        if request == 4:
            self.close()
            return 0
        return self._sock.ioctl(request, arg) if request == 3 else -22
