# SPDX-License-Identifier: MIT
"""`import select`: select and poll over fds of the layer, sockets, and the firmware's streams.

In the place of the firmware's own.
"""

# The firmware's poll waits. Of a socket it gets the native one inside, which costs no Python while
# it waits, and what it tells is mapped back. An fd, and what the layer holds back of a socket, it
# does not know of: then sopoll.py gives the poll object its functions, and sofd.py the class an
# ipoll that looks first.

from sys import modules

import uselect as native
from uio import BytesIO

native = getattr(native, "native", native)
# Whether the firmware's poll takes descriptors of the system, and asks objects for theirs.
posix = not hasattr(native, "select")

POLLIN = 1
POLLOUT = 4


def _slow():
    # MicroPython crashes on a second import of what had no memory for its module.
    BytesIO(512).close()
    return __import__("usocket_compat.sopoll", None, None, ("x",))


def __getattr__(name):
    value = globals()[name] = getattr(_slow(), name)
    return value


class poll:
    """Waits for several sockets, streams or fds.

    Source: CPython's and MicroPython's select.poll.
    """

    def __init__(self):
        p = self._p = native.poll()
        # native socket -> the socket that holds it; the events that it is asked for
        self._by = {}
        self._ev = {}
        if posix:
            # It asks each object for its descriptor, and names it as it came.
            self.modify, self.unregister, self.ipoll, self.poll = (
                p.modify,
                p.unregister,
                p.ipoll,
                p.poll,
            )

    def register(self, obj, events=7):
        if posix and obj.__class__ is not int:
            return self._p.register(obj, events)
        s = getattr(obj, "_us", obj)
        if s is None or s.__class__ is int:
            return _slow().register(self, obj, events)
        self._by[s] = obj
        self._ev[s] = events
        self._p.register(s, events)

    def modify(self, obj, events):
        s = getattr(obj, "_us", obj)
        if self._by.get(s) is not obj:
            return _slow().moved(self, obj, events)
        self._p.modify(s, events)
        self._ev[s] = events

    def unregister(self, obj):
        s = getattr(obj, "_us", obj)
        if self._by.get(s) is not obj:
            return _slow().moved(self, obj)
        self._p.unregister(s)
        del self._by[s], self._ev[s]

    def ipoll(self, timeout=-1, flags=0):
        # No generator, nor a frame of more than 11 words: they come from the heap, and asyncio
        # asks before each step of a task, mostly for nothing.
        timeout = next(self._p.ipoll(timeout, flags), None)
        return self._mapped(timeout) if timeout else ()

    def _mapped(self, found):
        """What is ready, of which this is the first; ipoll gives the poll itself for the rest."""
        one = self._by[found[0]], found[1]
        found = next(self._p, None)
        return (one,) + self._mapped(found) if found else (one,)

    def poll(self, timeout=-1):
        return list(self.ipoll(timeout))


modules["uselect"] = modules[__name__]
if "usocket_compat.sofd" in modules:
    modules["usocket_compat.sofd"].watch()
