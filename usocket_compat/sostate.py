# SPDX-License-Identifier: MIT
# The states of a socket of the drop-in, and what its calls lead to in each.
#
# state    when                                               its calls
# plain    it blocks, or never does                           the class's own, the native ones
# waits    it has a finite timeout, and does not block        sowait.py's, by the prefix t_, or,
#                                                             with a kernel, sokernel.py's, by k_
# layer    its fd was asked for, or the native socket does    the layer's (sofd.py), by the prefix
#          not tell the truth: see plain() of the port        l_ or by `again`
# closed                                                      EBADF
#
# While a connect is pending (soconn.py) it is plain, but each call looks first how that ended.
# Tests read BOUND: what each state gives to the instance in the place of the class's methods.

from sys import modules

from uerrno import EBADF
from uio import BytesIO

from usocket_compat.soerr import os_error

_usocket = modules["usocket"]
_packs = _usocket.packs
_socket = _usocket.socket

BOUND = {
    "plain": "",  # recv and send of a kernel, recv of datagrams: sokind.plain_calls
    "waits": "recv send accept recvfrom sendto read readinto readline write" + _packs * " connect",
    "layer": "recv send accept recvfrom sendto read readinto readline write bind listen connect"
    " setsockopt ioctl",
    "closed": "",
}
_GROWS = 512
_NATIVE = "read readinto readline write ioctl"


def state(self):
    if self._k == 4:
        return "closed"
    if self._us is None:
        return "layer"
    return "waits" if self._t else "plain"


# What the class had before _as_it_is.
_plain = {}


def plain(name):
    """The class's own method, whatever the state."""
    return _plain.get(name) or getattr(_socket, name)


def _as_it_is(name):
    """A method of the class that looks at the state: super() does not see the instance's."""

    def call(self, *args, **named):
        now = state(self)
        if now == "layer":
            return self.again(name, *args)
        if now == "waits" and name in BOUND[now].split():
            return getattr(self, ("k_" if _packs else "t_") + name)(*args, **named)
        return _plain[name](self, *args, **named)

    return call


def rebind(self, now=None):
    """Gives the instance what its state has, or the one that comes: all, or MemoryError."""
    now = now or state(self)
    cls = self.__class__
    new = []
    for name in BOUND[now].split():
        if cls is not _socket and getattr(cls, name, 0) is not getattr(_socket, name, 0):
            # A subclass's own, which calls super()'s.
            if name not in _plain:
                _plain[name] = getattr(_socket, name)
                setattr(_socket, name, _as_it_is(name))
            continue
        if now == "layer" and name not in _NATIVE:
            new.append((name, _layered(self, name)))
        else:
            kind = "l_" if now == "layer" else "k_" if _packs else "t_"
            new.append((name, getattr(self, kind + name)))
    # By which the instance's dict grows.
    BytesIO(_GROWS).close()
    for name in BOUND["layer"].split():
        try:
            delattr(self, name)
        except AttributeError:
            pass
    if now == "plain" and (_packs or self.type != 1):
        _usocket.later("kind").plain_calls(self, self._us)
    for name, value in new:
        setattr(self, name, value)


def _layered(self, name):
    def call(*args):
        return self.again(name, *args)

    return call


def gone():
    raise os_error(EBADF)


class _Closed:
    """In the place of the native socket of a closed one."""

    def __getattr__(self, name):
        gone()

    def close(self):
        pass

    def fileno(self):
        return -EBADF  # an answer of ioctl


CLOSED = _Closed()


def settimeout(self, t):
    if t is not None:
        if t < 0:
            raise ValueError("Timeout value out of range")
        t = float(t) or 0
    if self._k == 4:
        gone()
    if self._us is None:
        _usocket.later("fd").known(self)
    if self._us is None:
        self._t = t
        _usocket.later("fd").entry(self)
    else:
        before = self._t
        self._t = t
        try:
            rebind(self)
        except MemoryError:
            self._t = before
            raise
        mode(self)


def mode(self):
    """Lets the native socket wait as it is right in its state."""
    self._us.setblocking(self._t is None)


def close(self):
    if self._k == 4:
        return
    if self._files:
        self._files |= 1
        return
    s, e, fd = self._us, self._e, self._fd
    self._k = 4
    self._us = CLOSED
    self._fd = -1
    rebind(self)
    if e is None:
        s.close()
    else:
        _usocket.later("fd").close(s, e, fd)
