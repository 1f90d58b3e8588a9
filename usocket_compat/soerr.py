# SPDX-License-Identifier: MIT
# The drop-in's exceptions, as CPython names them.

from uerrno import ETIMEDOUT


class timeout(OSError):
    """A call of a socket took longer than its timeout; errno is ETIMEDOUT."""


class herror(OSError):
    """Nothing here raises it."""


class part_sent(OSError):
    """A sendall failed; `sent` bytes went before."""


error = OSError
# (errno) -> what is raised with it. Under this name CPython, which wants a text too, can have its
# own.
os_error = OSError


def expired():
    """The timeout, as CPython words it."""
    return timeout(ETIMEDOUT, "timed out")
