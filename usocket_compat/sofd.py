# SPDX-License-Identifier: MIT
# What of a socket of the drop-in only the layer can do, and its fd.

# A call makes an entry of the table for it, which has an fd for that call alone, unless the
# program has asked for it: then the fd is the program's to close.

from sys import modules

from uio import BytesIO

import usocket_compat as _net
from usocket_compat.soerr import expired
from usocket_compat.sostate import CLOSED, gone, mode, rebind
from usocket_compat.zbase import Sock, closed, fail, get, p, table

# What follows a call that cannot be undone takes so much (bytes), and is given it then.
_AFTER = 1024
_EAGAIN = p.number("EAGAIN")
_DONTWAIT = p.number("MSG_DONTWAIT")


def ms(t):
    return max(int(t * 1000 + 0.999), 1) if t else 0


def entry(self):
    """The layer's entry of a socket, with its timeout."""
    e = self._e
    if e is None:
        if self._k == 4:
            gone()
        e = Sock()
        e.h = closed.h
        e.family, e.stream = self.family, self.type == 1
        e.h = p.wrap(self._us, self)
        watch()
        self._e = e
    e.nonblock = self._t == 0
    e.rcvtimeo = e.sndtimeo = ms(self._t)
    return e


def known(self):
    """Raises EBADF if the fd of the socket was closed by itself."""
    if self._fd >= 0 and get(self._fd) is not self._e:
        gone()


def again(self, name, *args):
    """A call of the layer, with an fd for this call if the program has asked for none."""
    e = entry(self)
    fd = self._fd
    mine = fd < 0
    if name == "sendto" and args:
        if len(args) == 2:
            args = args[0], 0, args[1]
        if args[-1] is None:  # the peer of a Zephyr program, and here no address
            args = args[:-1] + ((),)
    call = getattr(_net, "zsock_" + name)
    if not mine and name not in ("accept", "connect"):
        return _by_fd(self, call, fd, args)
    spare = None
    try:
        spare = BytesIO(_AFTER)
        if mine:
            if self._us:
                self._us.setblocking(False)
            fd = table.put(e)
        found = call(fd, *args)
        if name == "accept":
            found = owned(modules["usocket"].socket, found[0]), found[1]
        elif name == "connect":
            self._k = 2
        return found
    except OSError as err:
        raise _told(self, args, err)
    finally:
        if spare:
            spare.close()
        if mine:
            # A close by another thread has taken it already.
            if fd >= 0 and table.tab[fd] is e:
                table.take(fd)
            back(self)


def _by_fd(self, call, fd, args):
    """By its own fd: from the layer to the program without a branch, where Ctrl-C might come."""
    BytesIO(_AFTER).close()
    try:
        return call(fd, *args)
    except OSError as err:
        raise _told(self, args, err)


def _told(self, args, err):
    """The error of a call of the layer, to the program."""
    if err.errno == _EAGAIN and self._t and not _at_once(args[1:]):
        return expired()
    return err


def owned(cls, fd):
    """The object of a new fd, which nobody else has: closed if it comes to none."""
    try:
        return cls(fileno=fd)
    except:
        _net.zsock_close(fd)
        raise


def _at_once(args):
    """Whether one of these is flags with MSG_DONTWAIT."""
    for flags in args:
        if flags.__class__ is int and flags & _DONTWAIT:
            return True


def back(self):
    """After a call of the layer: the native calls again, if they are right."""
    e = self._e
    if self._fd >= 0 or self._k == 4 or e is None or e in table.tab:
        return
    if e.armed:
        e.armed = False
        p.block(e.h)
    s = p.plain(e.h, self)
    if s:
        self._e = None
    if s is not self._us:
        self._us = s
        rebind(self)
    if s:
        mode(self)


def spent(self, addr, code):
    """A native connect failed with code, or, with 0, the poll says so: the errno of it."""
    e = entry(self)
    code = p.failed(e.h, addr, code) if code else 0
    rebind(self, "layer")
    self._us = None
    if code:
        back(self)
    return code


def close(s, e, fd):
    """What of close is left for a socket that has an entry."""
    if fd >= 0:
        return _net.zsock_close(fd)
    while e in table.tab:  # a thread is in a call of it
        table.take(table.tab.index(e))
    if s:
        s.close()
    else:
        p.close(e.h)


def fileno(self):
    """The socket's fd in the layer: from now on the program must close it. -1 when closed."""
    if self._k == 4:
        return -1
    if self._fd < 0:
        e = entry(self)
        # As long as there is no fd each of these makes one for its call.
        rebind(self, "layer")
        # Closed with the fd: nothing else may close the native socket.
        self._kept = self._us
        self._fd = -1  # its place
        if self._us:
            self._us.setblocking(False)
        try:
            self._fd = table.put(e)
        except ValueError:
            fail("ENFILE")
        self._us = None
    return self._fd


def take_over(self, fd):
    """Makes self the object of an open fd."""
    if fd.__class__ is int and fd < 0:
        raise ValueError("negative file descriptor")
    e = get(fd)
    self._e = e
    self._fd = fd
    self.family = e.family
    self.type = 1 if e.stream else 2
    self._t = 0 if e.nonblock else e.rcvtimeo / 1000 or None
    self._us = None
    rebind(self)
    return False


def detach(self):
    """Gives the fd, which the socket forgets: it is as closed then."""
    fd = self.fileno()
    self._fd = -1
    self._e = None
    self._k = 4
    self._us = CLOSED
    rebind(self)
    return fd


def dup(self):
    from usocket_compat import zsock_dup

    return owned(self.__class__, zsock_dup(self.fileno()))


def getsockname(self):
    return again(self, "getsockname")


def getpeername(self):
    return again(self, "getpeername")


def getsockopt(self, level, option, buflen=0):
    return again(self, "getsockopt", level, option, buflen)


def shutdown(self, how):
    return again(self, "shutdown", how)


def sendmsg(self, buffers, ancdata=(), flags=0, address=None):
    return again(self, "sendmsg", list(buffers), ancdata, flags, address)


def recvmsg(self, bufsize, ancbufsize=0, flags=0):
    if bufsize < 0:
        raise ValueError("negative buffer size in recvmsg()")
    buf = bytearray(bufsize)
    n, anc, flags, addr = again(self, "recvmsg", [buf], ancbufsize, flags)
    return bytes(memoryview(buf)[:n]), anc, flags, addr


def recvmsg_into(self, buffers, ancbufsize=0, flags=0):
    return again(self, "recvmsg", list(buffers), ancbufsize, flags)


def _part(buf, n):
    if n < 0:
        raise ValueError("negative buffersize")
    if not n:
        return buf
    if n > len(memoryview(buf)):
        raise ValueError("nbytes is greater than the length of the buffer")
    return memoryview(buf)[:n]


def recv_into(self, buffer, nbytes=0, flags=0):
    return again(self, "recv", _part(buffer, nbytes), flags)


def recvfrom_into(self, buffer, nbytes=0, flags=0):
    return again(self, "recvfrom", _part(buffer, nbytes), flags)


# MicroPython's calls, on the layer.


def l_readinto(self, buf, n=None):
    view = memoryview(buf)
    if n is not None:
        view = view[:n]
    got = 0
    while got < len(view):
        try:
            r = again(self, "recv", view[got:])
        except OSError as e:
            if e.errno == p.number("EAGAIN"):
                return got or None
            raise
        got += r
        if not r or self.type == 2:
            break
    return got


def l_read(self, n=-1):
    buf = bytearray(n if n >= 0 else 512)
    data = b""
    while True:
        spare = BytesIO(len(buf) + _AFTER)
        r = l_readinto(self, buf)
        spare.close()
        if r is None:
            return data or None
        data += memoryview(buf)[:r]
        if n >= 0 or not r:
            return data


def l_readline(self, n=-1):
    line = b""
    while n < 0 or len(line) < n:
        try:
            c = again(self, "recv", 1)
        except OSError as e:
            if e.errno == p.number("EAGAIN"):
                return line or None
            raise
        line += c
        if not c or c == b"\n":
            break
    return line


def l_write(self, data, *args):
    view = memoryview(data.encode() if data.__class__ is str else data)
    if args:
        view = view[args[0] : args[0] + args[1]] if len(args) > 1 else view[: args[0]]
    sent = 0
    while sent < len(view):
        try:
            sent += again(self, "send", view[sent:])
        except OSError as e:
            if e.errno == p.number("EAGAIN"):
                return sent or None
            raise
    return sent


def _ipoll(self, timeout=-1, flags=0):
    """The drop-in's poll, when there are handles that know more than the firmware's poll."""
    if p.odd_handles[0]:
        return modules["usocket"].later("poll").wait(self, timeout, flags)
    found = next(self._p.ipoll(timeout, flags), None)
    return self._mapped(found) if found else ()


def watch():
    """Lets select.py, where it is in place, look for such handles."""
    poll = getattr(modules.get("uselect"), "poll", None)
    if hasattr(p, "odd_handles") and hasattr(poll, "ipoll"):
        setattr(poll, "ipoll", _ipoll)
