# SPDX-License-Identifier: MIT
# The host kernel, reached in one of three ways, chosen by what the interpreter has.


def backend():
    import socket

    if hasattr(socket, "create_connection"):
        from . import cpython

        return cpython
    try:
        import ffi  # noqa: F401
    except ImportError:
        from . import native

        return native
    from . import libc

    return libc
