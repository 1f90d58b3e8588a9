# SPDX-License-Identifier: MIT
# Waiting on CPython's asyncio, for aio.py. Not for boards.
#
# The loop's own add_reader has one callback a descriptor, which the program may have given, and
# knows of no closes. So the fds that are waited for have a poller of their own, and the loop waits
# for that one's descriptor. Where it cannot (add_reader is not every loop's), or the port has no
# descriptors, they are looked at every few ms.

import asyncio
import selectors
import threading

from .zbase import p, tab, table

# How long a wait lasts (s) before the table is looked at; until it looks again without a poller.
_SLICE = 0.1
_TICK = 0.005
_POLLIN = 1
_POLLOUT = 4


def sleep_ms(ms):
    return asyncio.sleep(ms / 1000)


def hand_over():
    pass  # no result of a task is lost here


def wait(fd, sock, out, until, first):
    """Until fd is ready to be read (out 0) or written (1), was closed, or its time is over."""
    return wait_any([(fd, sock, _POLLOUT if out else _POLLIN)], until)


async def wait_any(waits, until):
    """waits: (fd, sock, POLLIN or POLLOUT or both) of each; until: ticks, or None."""
    loop = asyncio.get_running_loop()
    hub = getattr(_here, "hub", None)
    if hub is None or hub.loop is not loop:
        if hub and hub.selector and hub.loop.is_closed():
            hub.selector.close()
        hub = _here.hub = _Hub(loop)
    future = loop.create_future()
    mine = [_Wait(future, *each) for each in waits if each[0] >= 0]
    timer = None
    try:
        for each in mine:
            hub.add(each)
        if until is not None:
            left = max(p.ticks_diff(until, p.ticks_ms()), 0) / 1000
            timer = loop.call_later(left, _wake, future)
        await future
    finally:
        if timer:
            timer.cancel()
        for each in mine:
            hub.remove(each)


def _wake(future):
    if not future.done():
        future.set_result(None)
        return True
    return False


# The hub of this thread's loop.
_here = threading.local()


class _Wait:
    """Of one task, for one fd."""

    number = None

    def __init__(self, future, fd, sock, events):
        self.future, self.fd, self.sock, self.events = future, fd, sock, events


class _Hub:
    """All that wait in one loop."""

    def __init__(self, loop):
        self.loop = loop
        self.waits = []
        # descriptor -> those that wait for it, in the order in which they are woken
        self.by = {}
        self.timer = None
        self.changes = -1
        self.selector = None
        if hasattr(p, "fileno"):
            try:
                selector = selectors.DefaultSelector()
                loop.add_reader(selector.fileno(), self.look)
                self.selector = selector
            except (AttributeError, NotImplementedError):
                pass

    def add(self, wait):
        if tab[wait.fd] is not wait.sock:
            _wake(wait.future)
            return
        self.waits.append(wait)
        if self.timer is None:
            self.timer = self.loop.call_later(_SLICE if self.selector else _TICK, self.tick)
        if self.selector:
            number = wait.sock.p.fileno(wait.sock.h)
            if number < 0:
                _wake(wait.future)
                return
            others = self.by.setdefault(number, [])
            if others and others[0].sock is not wait.sock:
                # It was closed, and the system has given its number anew.
                for other in others:
                    _wake(other.future)
                self.selector.unregister(number)
                others = self.by[number] = []
            others.append(wait)
            wait.number = number
            self.want(number, others, len(others) == 1)

    def want(self, number, waits, new=False):
        events = 0
        for wait in waits:
            if not wait.future.done():
                events |= wait.events
        # selectors has numbers of its own
        mask = (events & _POLLIN and selectors.EVENT_READ) | (
            events & _POLLOUT and selectors.EVENT_WRITE
        )
        try:
            if new:
                self.selector.register(number, mask)
            elif mask:
                self.selector.modify(number, mask)
        except (OSError, KeyError, ValueError):
            # Closed just now: whoever waits sees that.
            for wait in waits:
                _wake(wait.future)

    def remove(self, wait):
        if wait in self.waits:
            self.waits.remove(wait)
        waits = self.by.get(wait.number, ())
        if wait in waits:
            waits.remove(wait)
            if waits:
                self.want(wait.number, waits)
            else:
                del self.by[wait.number]
                try:
                    self.selector.unregister(wait.number)
                except (KeyError, ValueError):
                    pass

    def look(self):
        """Some are ready: of each descriptor and direction one is woken."""
        for key, mask in self.selector.select(0):
            for event, bit in (
                (selectors.EVENT_READ, _POLLIN),
                (selectors.EVENT_WRITE, _POLLOUT),
            ):
                if mask & event:
                    for wait in self.by.get(key.fd, ()):
                        if wait.events & bit and _wake(wait.future):
                            break

    def tick(self):
        """Looks for closes; and, without a poller, for what is ready."""
        self.timer = None
        if self.changes != table.changes or not self.selector:
            self.changes = table.changes
            for wait in self.waits:
                if tab[wait.fd] is not wait.sock:
                    _wake(wait.future)
                elif not self.selector and wait.sock.p.wait(wait.sock.h, wait.events, 0):
                    _wake(wait.future)
        if self.waits:
            self.timer = self.loop.call_later(_SLICE if self.selector else _TICK, self.tick)
