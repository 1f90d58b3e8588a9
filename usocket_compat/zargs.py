# SPDX-License-Identifier: MIT
# Checks of arguments, where a port would take what is wrong for something else.

from .zbase import p


def an_int(arg):
    # A port may take None, or the address of a str, for a number.
    if not isinstance(arg, int):
        raise TypeError("an int is required, not " + type(arg).__name__)
    if not -0x80000000 <= arg <= 0x7FFFFFFF:
        raise OverflowError("the int does not fit 32 bits")


def as_bytes(data):
    """A memoryview of single bytes over data."""
    if isinstance(data, str):
        raise TypeError("a bytes-like object is required, not 'str'")
    view = memoryview(data)
    if hasattr(view, "cast"):
        return view.cast("B")
    if len(view) and not isinstance(data, (bytes, bytearray)):
        # MicroPython has no cast, and does not tell how wide an item is.
        from uctypes import addressof, bytearray_at

        at = addressof(view)
        width = addressof(view[1:]) - at
        if width > 1:
            return memoryview(bytearray_at(at, len(view) * width))
    return view


def target(n_or_buffer):
    """What to receive into: n itself, or the buffer, each item of which is a byte then.

    Of a bytearray, or a memoryview of one, it allocates nothing.
    """
    c = n_or_buffer.__class__
    if c is int or isinstance(n_or_buffer, int):
        if n_or_buffer < 0:
            raise ValueError("negative buffersize in recv")
        return n_or_buffer
    if c is bytearray:
        return n_or_buffer
    p.writable(n_or_buffer)
    if c is memoryview and not hasattr(n_or_buffer, "cast") and not _wide(n_or_buffer):
        return n_or_buffer
    return as_bytes(n_or_buffer)


def _wide(buf):
    """Whether there is room for more than a byte in an item of what will be received into."""
    if not len(buf):
        return False
    first = buf[0]
    buf[0] = 256
    wide = buf[0] == 256
    buf[0] = first
    return wide
