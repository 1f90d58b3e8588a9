# A call with little or no heap left. A program runs out of memory on MicroPython; CPython's heap
# has no end here.
import gc
import os

from shortage import BLOCK, ballast

import usocket_compat as net
from check import BOARD, MICROPYTHON, eq, sized

MOST = 1024
ENOUGH = sized(40000, 10000)
ALL = False
if hasattr(os, "getenv"):
    ALL = bool(os.getenv("USOCKET_FULL_SWEEP"))


def made(test, free):
    """Whether it was made; not where the heap has no such piece left in it."""
    try:
        return test(free) is not None
    except MemoryError:
        net.closeall()
        return False


def swept(test):
    """A test of one call: test(free) for each number of free bytes; MicroPython's alone."""

    def run():
        if not MICROPYTHON:
            return "this heap has no end"
        # With enough it is made. What it needs is loaded before, into a heap with room: loaded
        # into the one piece of a full heap, it would leave a small heap in small pieces. Where the
        # collector takes some number for a pointer to what was freed, another time.
        test(None)
        if not any(made(test, ENOUGH // n) for n in (1, 1, 2, 2)):
            raise MemoryError("it never has enough")  # on a board it is tried in an empty heap
        weight = ballast()
        before = descriptors()
        for free in range(0, MOST + 1, BLOCK):
            if ALL or free <= MOST // 8 or free // BLOCK % 8 == 0:
                test(free)
        weight = None
        eq(descriptors(), before, "descriptors")
        return weight

    return run


def descriptors():
    if BOARD:
        gc.collect()
        return len(net.fds())
    return len(list(os.ilistdir("/proc/self/fd")))
