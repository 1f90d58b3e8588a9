# SPDX-License-Identifier: MIT
# errno names of POSIX, with the numbers of the platform beneath: `errno.EISCONN`.

from ._port import allocate_lock, load

_lock = allocate_lock()


def __getattr__(name):
    if name[:1] == "E":
        try:
            value = load().number(name)
        except KeyError:
            raise AttributeError(name)
        _lock.acquire()
        globals()[name] = value
        _lock.release()
        return value
    raise AttributeError(name)
