# SPDX-License-Identifier: MIT
# A name of the package that is first asked for while the heap is full, again and again: full.py
# NAME FREE. FREE bytes are left in it.
import gc
import sys

import usocket_compat as net

found = [None] * 3
chain = [None]
link = before = None


def fill():
    for size in 8192, 256, 16:
        try:
            while True:
                chain[0] = [chain[0], bytearray(size)]
        except MemoryError:
            pass


def ask(turn):
    try:
        getattr(net, sys.argv[1])
        found[turn] = True
    except MemoryError:
        found[turn] = False


def thrice():
    gc.collect()
    spare = bytearray(int(sys.argv[2]))
    fill()
    spare = None  # noqa: F841
    for turn in range(3):
        ask(turn)


thrice()
# Link by link, as in waits.py: the collector may take an old word on the stack for the first.
link = chain[0]
while link:
    before, link[0] = link[0], None
    link[1] = None
    link = before
chain[0] = None
gc.collect()
print("full", found)
print("then", getattr(net, sys.argv[1]) is not None)
