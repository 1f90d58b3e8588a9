# SPDX-License-Identifier: MIT
# A connect of the drop-in that is not done at once, or not well. Of a refused one the firmware
# says that it was reset, and its socket is spent then: the layer says what it was, and gives
# another native socket with the same options. What a kernel says is right as it is.

from sys import modules

from uerrno import EALREADY, EBADF, EINPROGRESS

from usocket_compat.soerr import os_error

_usocket = modules["usocket"]
_CONNECTED = 2
_CONNECTS = 3


def connect(self, addr):
    """A connect with a timeout, of a socket that is not new, or of a kernel's."""
    if self._k == _CONNECTS:
        self._settle()
        if self._k == _CONNECTS:
            raise os_error(EALREADY)
        if self._us and not _usocket.packs:
            return  # as POSIX has it: told once, and EISCONN from then on
    where = _usocket.later("kind").packed(self, addr) if _usocket.packs else addr
    odd = self._k or addr.__class__ is not tuple or not 0 < addr[-1] < 65536
    if self._us is None or odd and not _usocket.packs:
        return self.again("connect", addr)
    try:
        self._us.connect(where)
    except OSError as e:
        if e.errno != EINPROGRESS:
            failed(self, addr, e)
        self._k = _CONNECTS
        self._peer = addr
        if not self._t or _usocket.packs:
            raise
        from usocket_compat.sowait import wait

        wait(self, 4, None)
        self._settle()
        return self._us is None and self.again("connect", addr)
    self._k = _CONNECTED
    self._peer = addr


def failed(self, addr, e):
    """A native connect failed with e: raises what it was."""
    if _usocket.packs or self.type != 1:
        raise e
    raise os_error(_usocket.later("fd").spent(self, addr, e.errno))


def ended(self):
    """A pending connect has failed, or has been reset since: as the layer finds out."""
    if not _usocket.packs:
        self._k = _CONNECTS
        _usocket.later("fd").spent(self, None, 0)


def data(self, name, what, flags):
    """send or recv with flags, of nothing, or on a socket that may not be connected yet."""
    if self._k == _CONNECTS:
        self._settle()
        if self._us is None:
            return getattr(self, name)(what, flags)
    s = self._us
    if self._k == 4:
        raise os_error(EBADF)
    if _usocket.packs:
        return getattr(s, name)(what, flags)
    if not flags and (what if name == "send" else what > 0):
        return getattr(s, name)(what)
    return self.again(name, what, flags)
