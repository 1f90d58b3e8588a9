# SPDX-License-Identifier: MIT
# The C library: its functions, bound by ffi when they are first used.

import ffi

from .firmware import os

lib = ffi.open(None)
_bound = {}


class gaierror(OSError):
    """getaddrinfo or getnameinfo failed; errno is the EAI code."""


def libc(name, returns, args):
    """The libc function of that name, bound when it is first used."""
    f = _bound.get(name)
    if f is None:
        f = _bind(name, returns, args)
    return f


def _bind(name, returns, args):
    # Another thread may be looking into the dict, and has none to stop it: it gets a new one.
    global _bound
    f = lib.func(returns, name, args)
    bound = dict(_bound)
    bound[name] = f
    _bound = bound
    return f


def check(r):
    """The result of a call; OSError with libc's errno when it failed."""
    if r < 0:
        raise OSError(os.errno())
    return r
