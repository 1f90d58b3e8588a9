# SPDX-License-Identifier: MIT
# errno names of POSIX, with the numbers of the platform beneath: `errno.EISCONN`.

from ._port import allocate_lock, load


# By defaults, not globals: another thread may be adding to those, and no GIL keeps it from it.
def __getattr__(name, load=load, lock=allocate_lock()):
    if name[:1] == "E":
        try:
            value = load().number(name)
        except KeyError:
            raise AttributeError(name)
        lock.acquire()
        globals()[name] = value
        lock.release()
        return value
    raise AttributeError(name)
