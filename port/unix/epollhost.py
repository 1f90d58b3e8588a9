# SPDX-License-Identifier: MIT
# epoll on CPython. The kernel's data are descriptors, which CPython fills in itself: so there is a
# key of the layer's for each.

import fcntl
import os
import select
import struct
import sys
import time

_ONE = struct.pack("Q", 1)
# So many events at most while there are no more: their 480 bytes are of Python's small blocks,
# where the 1023 of select's own choice are a malloc of 12 KB for each poll.
_FEW = 40
# After a look that found nothing so many polls wait at once.
_PAUSE = 8
# The longest wait that it knows by ms: a longer one is many (poller.py).
_LONGEST = 1 << 28


class Epoll:
    # A wait need not end for callbacks to come in.
    LONGEST = -1

    def __init__(self):
        self._epoll = select.epoll()
        self._poll = self._epoll.poll
        # descriptor -> key
        self.keys = {}
        # what the kernel has given and nobody has told yet: a list in a list
        self._kept = []
        # (descriptor, revents) -> what poll gives for it, where that is the same each time
        self.shown = {}
        # empty when some things are told once, or the kernel does not know all
        self.plain = [True]
        # what `quick` was told once and has not given
        self._missed = []
        # by ms, and what of it is for the first look; empty when not plain
        self._seconds = {0: 0, -1: -1}
        self._first = {0: 0, -1: -1}
        self._code = None

    def add(self, h, events, key):
        n = _number(h)
        if n in self.keys:
            raise FileExistsError(17, "registered")
        self.keys[n] = key
        try:
            self._epoll.register(n, events)
        except BaseException:
            del self.keys[n]
            raise
        self.shown.clear()

    def modify(self, h, events, key):
        n = _number(h)
        self._epoll.modify(n, events)
        self.shown.clear()

    def remove(self, h, key):
        n = h if h.__class__ is int else h.fileno()
        if self.keys.get(n) == key:
            del self.keys[n]
            self.shown.clear()
            try:
                self._epoll.unregister(n)
            except (OSError, ValueError):
                pass

    def wait(self, ms, mine):
        # In one step of the interpreter: no signal's handler comes between the kernel and the
        # list.
        kept = self._kept if mine else []
        if mine and self._missed:
            kept[:] = [[event for each in kept + self._missed for event in each]]
            self._missed.clear()
        if not kept:
            kept.extend(map(self._poll, (ms / 1000 if ms > 0 else ms,)))
        find = self.keys.get
        return [(find(n, -1), revents) for n, revents in kept[0]]

    def left(self):
        return bool(self._missed or self._kept and self._kept[0])

    def forget(self):
        self._kept.clear()

    def show(self, h, revents, event):
        """Such an event is `event`, until something changes."""
        n = h if h.__class__ is int else h.fileno()
        if n >= 0:  # it was not closed just now
            self.shown[n, revents] = event

    def hide(self):
        self.shown.clear()

    def quick(self, rest):
        """poll, where it needs no more than the kernel."""
        poll, shown, plain = self._poll, self.shown, self.plain
        seconds, first = self._seconds, self._first
        most, pause = _FEW, 0

        def quick(timeout_ms=-1):
            nonlocal most, pause
            found = None
            try:
                # To look without a timer takes a fifth less where something is there, which is
                # likely where it was the last time.
                if pause:
                    pause -= 1
                    found = poll(seconds[timeout_ms], most)
                else:
                    found = poll(first[timeout_ms], most)
                    if not found and timeout_ms > 0:
                        pause = _PAUSE
                        found = poll(seconds[timeout_ms], most)
                (one,) = found
                found[0] = shown[one]
                return found
            except (KeyError, TypeError, ValueError):
                pass  # it is new; or not one; or the timeout is; or all was closed
            if plain:
                try:
                    if found and len(found) == most:
                        most = -1
                        found = list(dict(found + poll(0)).items())
                    if found or found == [] and timeout_ms >= 0:
                        return [shown[each] for each in found]
                except (KeyError, ValueError):
                    pass
                known = timeout_ms.__class__ is int and 0 < timeout_ms <= _LONGEST
                if known and len(seconds) < 100 and plain:
                    seconds[timeout_ms] = timeout_ms / 1000
                    first[timeout_ms] = 0
            if found:
                if not plain:
                    # Told once, perhaps.
                    self._missed.append(found)
                found = rest(0)
            # What was found there was taken at once, or closed: then it waits anew.
            return found or rest(timeout_ms)

        self._code = quick.__code__
        return quick

    def waited(self, ms):
        """Whether nobody waits in `quick` any more, after ms at most."""
        while True:
            frames = list(sys._current_frames().values())
            while frames:
                frame = frames.pop()
                if frame.f_code is self._code and frame.f_locals.get("self") is self:
                    break
                if frame.f_back:
                    frames.append(frame.f_back)
            else:
                return True
            if ms <= 0:
                return False
            time.sleep(0.001)
            ms -= 1

    def not_plain(self):
        self.plain.clear()
        self._seconds.clear()
        self._first.clear()

    def dup(self, h=None):
        n = self._epoll.fileno() if h is None else _number(h)
        return fcntl.fcntl(n, fcntl.F_DUPFD_CLOEXEC, 0)

    def drop(self, number):
        os.close(number)

    @staticmethod
    def wake(h):
        try:
            os.write(h.fileno(), _ONE)
        except BlockingIOError:
            pass  # it has been woken often enough

    def close(self):
        self._epoll.close()


def _number(h):
    n = h if h.__class__ is int else h.fileno()
    if n < 0:
        raise OSError(9, os.strerror(9))
    return n
