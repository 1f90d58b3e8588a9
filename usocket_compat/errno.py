# SPDX-License-Identifier: MIT
# errno names of POSIX, with the numbers of the platform beneath: `errno.EISCONN`.


def __getattr__(name):
    from . import _port

    if name[:1] == "E":
        try:
            value = globals()[name] = _port.load().number(name)
            return value
        except KeyError:
            pass
    raise AttributeError(name)
