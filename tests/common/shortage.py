# A heap that is full but for so many bytes, for a call in it; MicroPython's alone.
import gc
import struct
import sys

BLOCK = struct.calcsize("P") * 4  # the heap's unit
_held = [None]


def fill(free):
    """Takes all of the heap but one piece of so many bytes; for None nothing of it."""
    gc.collect()
    if free is None:
        return None
    piece = bytearray(free - BLOCK) if free > BLOCK else None
    chain = None
    for size in (8192, 64):
        try:
            while True:
                chain = [chain, bytearray(size)]
                _held[0] = chain
        except MemoryError:
            pass
    try:
        while True:
            chain = [chain]
            _held[0] = chain
    except MemoryError:
        pass
    piece = None
    return piece


def release():
    """Gives all of it back, whatever still points to some of it."""
    chain, _held[0] = _held[0], None
    while chain:
        link = chain
        chain = link[0]
        link.clear()


def starved(free, call, *args):
    """What call(*args) gives with so many bytes of heap free: None for a MemoryError."""
    result = None
    fill(free)
    gc.collect()
    try:
        result = call(*args)
    except MemoryError:
        pass
    finally:
        release()
    gc.collect()
    return result


def ballast():
    """Most of a large heap, so that the rest is soon filled."""
    pieces = []
    try:
        while sys.platform != "esp32":
            pieces.append(bytearray(32768))
    except MemoryError:
        pass
    return pieces[4:]
