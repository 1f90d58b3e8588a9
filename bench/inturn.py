# SPDX-License-Identifier: MIT
# Two ways to do the same, in turn, for the workloads: on CPython and MicroPython.

import gc
import sys
import time

MICROPYTHON = sys.implementation.name == "micropython"
ticks = time.ticks_us if MICROPYTHON else lambda: time.perf_counter_ns() / 1000
diff = time.ticks_diff if MICROPYTHON else lambda a, b: a - b


def timed(works, n, rounds, clock=ticks):
    """For each of two works, which are called with a count: us a count, of each round."""
    times = ([], [])
    for work in works:
        work(max(n // 10, 1))
    for i in range(rounds):
        for which in (0, 1) if i % 2 else (1, 0):
            gc.collect()
            begin = clock()
            works[which](n)
            times[which].append(diff(clock(), begin) / n)
    return times


def middle(values):
    return sorted(values)[len(values) // 2]


def tell(name, times):
    """Prints "name ratio raw layered": medians, and raw / layered: 1.0 is as fast as raw."""
    a, b = [middle(t) for t in times]
    print("%s %.3f %.3f %.3f" % (name, a / b, a, b))


def compare(name, raw, layered, n, rounds=15, clock=ticks):
    tell(name, timed((raw, layered), n, rounds, clock))
