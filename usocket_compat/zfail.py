# SPDX-License-Identifier: MIT
# Errors that tell how far a call has come: `sent`, `partial`.

from .zbase import p


class StreamError(OSError):
    """What MicroPython raises where an OSError has `sent` or `partial`; CPython's own has them."""


class IncompleteReadError(EOFError):
    """The stream ended before all was there; `partial` is what had come: bytes.

    Source: asyncio.IncompleteReadError.
    """

    partial = b""


def over(partial):
    """The error of a stream that has ended."""
    e = IncompleteReadError("the stream has ended")
    e.partial = partial
    return e


def told(e, name, value, spare=None):
    """An OSError with an attribute more; spare: what becomes it where there is no memory."""
    try:
        setattr(e, name, value)
        return e
    except AttributeError:
        pass  # MicroPython's own have room for none
    try:
        other = StreamError(e.errno)
    except MemoryError:
        if spare is None:
            raise
        other = spare
        other.errno = e.errno
    setattr(other, name, value)
    return other


def spared(name):
    """An error made before anything can be lost."""
    if hasattr(p, "BytesIO"):
        p.BytesIO(400).close()  # room for what follows
    e = StreamError(p.number("ENOMEM"))
    setattr(e, name, None)
    e.errno = p.number("ENOMEM")
    return e
