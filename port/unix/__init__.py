# SPDX-License-Identifier: MIT
# The host kernel, reached in one of three ways, chosen by what the interpreter has.

import sys


def backend():
    if sys.implementation.name == "cpython":
        from . import cpython

        return cpython
    try:
        import ffi  # noqa: F401
    except ImportError:
        from . import native

        return native
    try:
        from . import fast

        return fast
    except (ImportError, SyntaxError):
        # No threads, or no machine code of this processor.
        from . import libc

        return libc
