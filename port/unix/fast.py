# SPDX-License-Identifier: MIT
# The port of libc.py, with what a server calls all the time as machine code, where the interpreter
# can make it (elsewhere a SyntaxError). What is not plain goes on in the layer's own calls.
#
# No callback comes into machine code, but Ctrl-C does. The name of a module's global costs it as
# much as a test: so a number that never changes stands here as a number. `is` for small ints and
# numbers below 1024, up to where each has an entry (nogil.py), are the fastest tests.

import micropython
from uctypes import addressof, bytes_at

from . import nogil
from .firmware import BytesIO, inet_ntop, os, room, struct
from .libc import *  # noqa: F403
from .libc import _accept, _close, _connect, _long_address, _socket, address, recv_into, send
from .nogil import begun, contend, get_ident, learn, lock, mend, tab, tokens, used

# The layer gives these (zsock.py).
layer = send_rest = recv_rest = None
# A module's global is found faster than a builtin.
_len, _int, _tuple, _bytes, _bytearray, _memoryview = len, int, tuple, bytes, bytearray, memoryview
_BaseException, _MemoryError = BaseException, MemoryError
_NO_HANDLE = -1
_errno = os.errno
nogil.least = 1024


def _handle(sock):
    return sock.h


nogil.handle = _handle


# -- memory -------------------------------------------------------------------------------

# What the kernel has handed over must not be lost for want of memory: so there is some in reserve,
# given up then. Up to so many bytes are safe now; none when there is no reserve.
_SAFE = 4096
_safe = _SAFE
_reserve = BytesIO(_SAFE + 1024)


def _careful(n):
    """Before a call whose result needs n bytes, more than are safe: MemoryError, or there are."""
    global _safe, _reserve
    if _safe < 0:
        try:
            _reserve = BytesIO(_SAFE + 1024)
            _safe = _SAFE
        except MemoryError:
            pass
    if n > _safe:
        room(n + 1024)


def _give_up():
    """Makes the reserve free memory; MemoryError where there is none any more."""
    global _safe
    if _safe < 0:
        raise MemoryError
    _safe = -1
    _reserve.close()


# -- the table: nogil.py says how ---------------------------------------------------------

# What a function here needs besides its arguments are arguments too: a global costs more. First
# of these is a function, so what a program gives in its place by mistake is a TypeError.


@micropython.viper
def _put(sock, lock, begun, tab, tokens, used) -> int:
    if lock[0](False):
        lock[2] = get_ident()
        release = lock[1]
    else:
        release = contend()
    try:
        step = ptr8(begun)  # noqa: F405
        use = ptr8(used)  # noqa: F405
        if step[0]:
            mend()
        step[0] = 1
        fd = 0
        while use[fd] and use[fd] != 4:
            fd += 1
        if not use[fd]:
            tab[fd] = sock
            # In 62 bits, or 30: more would be no small int.
            tokens[fd] = int(tokens[fd]) + 1 + int(sock.h) << 2 >> 2
            use[fd] = 1
        else:
            fd = -1
        step[0] = 0
        return fd
    finally:
        lock[2] = None
        release()


@micropython.viper
def _take(at, lock, begun, tab, tokens, used, low):
    fd = int(at)
    if lock[0](False):
        lock[2] = get_ident()
        release = lock[1]
    else:
        release = contend()
    try:
        step = ptr8(begun)  # noqa: F405
        use = ptr8(used)  # noqa: F405
        if step[0]:
            mend()
        if use[fd] != 1:
            return None
        step[0] = 1
        nogil.changes = int(nogil.changes) + 1
        sock = tab[fd]
        tokens[fd] = int(tokens[fd]) | int(low)
        tab[fd] = tab[-1]
        use[fd] = 0
        step[0] = 0
        return sock
    finally:
        lock[2] = None
        release()


# -- the life of a TCP socket over IPv4 ---------------------------------------------------


@micropython.native
def zsock_socket(
    family=2,
    type=1,
    proto=0,
    socket=_socket,
    put=_put,
    lock=lock,
    begun=begun,
    tab=tab,
    tokens=tokens,
    used=used,
):
    if type is 1 and family is 2 and proto is 0:  # noqa: F632
        sock = layer.Sock()
        sock.h = _NO_HANDLE  # it has its room before there is a descriptor to lose
        h = socket(2, 0x80801, 0)  # SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK
        if h >= 0:
            sock.h = h
            fd = put(sock, lock, begun, tab, tokens, used)
            if fd >= 0:
                return fd
            _close(h)
    return layer.zsock_socket(family, type, proto)


@micropython.native
def zsock_close(
    fd,
    take=_take,
    close=_close,
    lock=lock,
    begun=begun,
    tab=tab,
    tokens=tokens,
    used=used,
    low=0xFFFFFFFF,
    int=int,
):
    if fd.__class__ is int and not fd & -1024:
        sock = take(fd, lock, begun, tab, tokens, used, low)
        if sock is not None:
            h = sock.h
            # The number is given anew, and a call may still be about to ask for it.
            sock.h = -1
            if close(h) is 0:  # noqa: F632
                return
            err = _errno()
            if err == 4:  # EINTR: it is closed
                return
            raise OSError(err)
    layer.zsock_close(fd)


# The address of the last connect: a program connects to the same one again and again.
_last = (None, None)


def _packed(addr):
    raw = address(2, addr)
    # What is no address in numbers is looked at each time: a name may move to another one.
    host = addr[0]
    return addr if host.__class__ is str and inet_ntop(2, raw[4:8]) == host else None, raw


@micropython.viper
def _connect_v4(sock, addr, connect) -> int:
    global _last
    h = sock.h
    if int(h) < 0:
        return 9  # EBADF: it may have operations of its own, which know its family
    last = _last
    if last[0] is not addr:
        last = _last = _packed(addr)
    raw = last[1]
    if not connect(h, raw, 16):
        return 0
    err = int(_errno())
    if err == 115 and not sock.nonblock and not sock.sndtimeo:  # EINPROGRESS
        # A connection within this machine is there by now.
        err = int(_errno()) if connect(h, raw, 16) else 0
    return err


@micropython.native
def zsock_connect(fd, addr, connect=_connect, connect_v4=_connect_v4, tab=tab, int=int):
    if fd.__class__ is int and not fd & -1024:
        sock = tab[fd]
        if addr.__class__ is _tuple and sock.family is 2:  # noqa: F632
            err = connect_v4(sock, addr, connect)
            if err is not 9:  # noqa: F632
                if err:
                    layer._connect_rest(fd, sock, address(2, addr), err)
                return
    layer.zsock_connect(fd, addr)


# The last host that connected, as the kernel has it and as it is shown.
_shown = (0, "")


def _show(raw):
    return struct.unpack_from("i", raw, 8)[0], inet_ntop(2, raw[8:12])


@micropython.viper
def _accept_v4(h, new: int, entry, raw, accept, tab, tokens):
    global _shown
    p = ptr8(raw)  # noqa: F405
    at = int(p)
    p[0] = 28
    h = accept(h, at + 4, at, 0x80800)
    if int(h) < 0:
        return h
    entry.h = h
    tokens[new] = int(tokens[new]) + 1 + int(h) << 2 >> 2
    if tab[new] is not entry:
        tokens[new] = -1  # another thread has closed it: whoever has the number is asked himself
    if p[4] != 2:
        return _long_address(h, raw)
    shown = _shown
    if ptr32(raw)[2] != int(shown[0]):  # noqa: F405
        shown = _show(raw)
        _shown = shown
    return shown[1], p[6] << 8 | p[7]


@micropython.native
def zsock_accept(
    fd,
    accept=_accept,
    accept_v4=_accept_v4,
    put=_put,
    lock=lock,
    begun=begun,
    tab=tab,
    tokens=tokens,
    used=used,
    int=int,
):
    if fd.__class__ is int and not fd & -1024:
        sock = tab[fd]
        if sock.family is 2 and not sock.rcvtimeo and not sock.sndtimeo:  # noqa: F632
            entry = layer.Sock()
            entry.h = new = -1
            raw = _bytearray(32)  # a socklen_t, then the address
            if _safe < 0:
                _careful(0)
            try:
                new = put(entry, lock, begun, tab, tokens, used)
                if new >= 0:
                    addr = accept_v4(sock.h, new, entry, raw, accept, tab, tokens)
                    if addr.__class__ is not int:
                        return new, addr
                    nogil.take(new)
            except _BaseException as e:
                if e.__class__ is _MemoryError and entry.h >= 0 and _safe >= 0:
                    _give_up()
                    return new, _long_address(entry.h, raw)
                _undo(entry)
                raise e
    return layer.zsock_accept(fd)


def _undo(entry):
    if entry in tab:
        nogil.take(tab.index(entry))
    if entry.h >= 0:
        _close(entry.h)


# -- data ---------------------------------------------------------------------------------


@micropython.native
def _receive(h, n, flags, recv_into=recv_into):
    if n > _safe:
        _careful(n)
    buf = _bytearray(n)
    r = recv_into(h, buf, n, flags)
    if r < 0:
        return r
    if r > n:
        r = n  # MSG_TRUNC
    try:
        return bytes_at(addressof(buf), r)
    except _MemoryError:
        _give_up()
    return bytes_at(addressof(buf), r)


recv = _receive


def last_error(r):
    return _errno() if r == -1 else -r


def _entry(fd, token, r):
    """What fd stands for, after a call on it has given r; None where that is to be asked anew."""
    sock = tab[fd]
    if r == -9 and sock.p is layer.p:
        # EBADF is asked again: there are those that get their handle after their number.
        learn(fd)
        return None
    # In this order: so what has been read is of this token, if the fd still has that.
    # What has operations of its own may have been diverted meanwhile (nogil.divert).
    if tokens[fd] != token and (sock.p is layer.p or (tokens[fd] ^ token) >> 32):
        raise OSError(9)  # another thread has closed it
    if r == -11 and sock.nonblock:  # EAGAIN, of a call that must not wait
        raise OSError(11)
    return sock


def _not_sent(fd, data, flags, r, token):
    if r < 0:
        r = -_errno()  # at once: what goes on may have to be loaded from a file first
        if r == -11 and flags:
            raise OSError(11)
        sock = _entry(fd, token, r)
    else:
        try:
            sock = _entry(fd, token, r)
        except OSError:
            return r  # what was sent is sent
    return send_rest(fd, data, flags, sock and r, sock)


def _not_received(fd, n_or_buffer, flags, r, token):
    if r:
        r = -_errno()
        if r == -11 and flags:
            raise OSError(11)
        sock = _entry(fd, token, r)
        return recv_rest(fd, n_or_buffer, flags, sock and r, sock)
    if n_or_buffer:
        return r
    # Nothing was asked for: that may have to wait all the same.
    return recv_rest(fd, n_or_buffer, flags, None, None)


@micropython.native
def zsock_send(
    fd, data, flags=0, send=send, tokens=tokens, bytes=bytes, bytearray=bytearray, len=len
):
    if (flags is 0 or flags is 64) and not fd & -1024:  # MSG_DONTWAIT  # noqa: F632
        kind = data.__class__
        if kind is bytes or kind is bytearray or kind is _memoryview:
            n = len(data)
            token = tokens[fd]
            r = send(token, data, n, flags)
            return r if r is n else _not_sent(fd, data, flags, r, token)
    return send_rest(fd, data, flags, None, None)


@micropython.native
def zsock_recv(
    fd, n_or_buffer, flags=0, recv_into=recv_into, tokens=tokens, bytearray=bytearray, len=len
):
    if (flags is 0 or flags is 64) and not fd & -1024:  # noqa: F632
        token = tokens[fd]
        if n_or_buffer.__class__ is bytearray:
            r = recv_into(token, n_or_buffer, len(n_or_buffer), flags)
            return r if r > 0 else _not_received(fd, n_or_buffer, flags, r, token)
        if n_or_buffer.__class__ is _int and n_or_buffer > 0:
            r = _receive(token, n_or_buffer, flags, recv_into)
            return r if r.__class__ is _bytes else _not_received(fd, n_or_buffer, flags, r, token)
    return recv_rest(fd, n_or_buffer, flags, None, None)
