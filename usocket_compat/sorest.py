# SPDX-License-Identifier: MIT
# Methods of the drop-in's socket that are made of others.

from sys import modules

_socket = modules["usocket"].socket


def sendall(self, data, flags=0):
    """Sends all of data. Its error has in `sent` how many bytes went.

    data: bytes or another buffer, or str. Raises timeout when all of it takes longer than the
    timeout. Source: CPython's socket.sendall.
    """
    if data.__class__ is str:
        data = data.encode()
    view = memoryview(data)
    flags |= 0  # TypeError for what is no int
    sent = 0
    begin = self._t and _now()
    send = self.send
    if self.__class__.send is not _socket.send:
        send = _super_send(self)
    try:
        while True:
            sent += send(view[sent:] if sent else data, flags)
            if sent >= len(view):
                return
            if begin and _since(begin) > self._t:
                from usocket_compat.soerr import expired

                raise expired()
    except OSError as e:
        from usocket_compat.soerr import part_sent, timeout

        # MicroPython's own class has no room for what is more.
        if not isinstance(e, timeout):
            e = part_sent(*e.args)
        setattr(e, "sent", sent)
        raise e


def _super_send(self):
    """A subclass's own is not asked, nor may it take flags."""
    return lambda *args: _socket.send(self, *args)


def _now():
    from utime import ticks_ms

    return (ticks_ms(),)


def _since(begin):
    from utime import ticks_diff, ticks_ms

    return ticks_diff(ticks_ms(), begin[0]) / 1000


def connect_ex(self, addr):
    """As connect, but gives the errno, 0 for success. What is wrong with addr is raised."""
    try:
        self.connect(addr)
    except OSError as e:
        if e.__class__.__name__ == "gaierror":
            raise
        return e.errno
    return 0


def gettimeout(self):
    return self._t if self._t is None else float(self._t)


def getblocking(self):
    return self._t != 0


def sendfile(self, file, offset=0, count=None):
    """Sends what file, which is open in binary mode, has from offset on; gives how many bytes.

    Source: CPython's socket.sendfile.
    """
    if self.type != 1:
        raise ValueError("only SOCK_STREAM type sockets are supported")
    if self._t == 0:
        raise ValueError("non-blocking sockets are not supported")
    if "b" not in getattr(file, "mode", "b"):
        raise ValueError("file should be opened in binary mode")
    if count is not None:
        if count.__class__ is not int:
            raise TypeError("count must be a positive integer (got %r)" % (count,))
        if count <= 0:
            raise ValueError("count must be a positive integer (got %r)" % (count,))
    if offset:
        file.seek(offset)
    sent = 0
    try:
        while count is None or sent < count:
            piece = file.read(1024 if count is None else min(1024, count - sent))
            if not piece:
                break
            view = memoryview(piece)
            while view:
                n = self.send(view)
                sent += n
                view = view[n:]
        return sent
    finally:
        if sent and hasattr(file, "seek"):
            file.seek(offset + sent)


def shown(self):
    """What repr says."""
    text = "<socket.socket%s fd=%d, family=%d, type=%d, proto=%d"
    gone = self._k == 4 or self._files & 1
    text %= " [closed]" if gone else "", self._fd, self.family, self.type, self.proto
    if not gone:
        for name, call in ("laddr", self.getsockname), ("raddr", self.getpeername):
            try:
                text += ", %s=%r" % (name, call())
            except OSError:
                pass
    return text + ">"
