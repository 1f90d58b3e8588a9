# What a program sees of `import select` where the drop-in is in place. For MicroPython's programs,
# before the stubs of its port; on CPython it is CPython's own.

from collections.abc import Iterator, Sequence
from typing import Any

# An fd of the layer, a socket, or another stream of the firmware's.
_Source = Any

error = OSError

POLLIN: int
POLLPRI: int
POLLOUT: int
POLLERR: int
POLLHUP: int
POLLNVAL: int

def select(
    rlist: Sequence[_Source],
    wlist: Sequence[_Source],
    xlist: Sequence[_Source],
    timeout: float | None = None,
) -> tuple[list[_Source], list[_Source], list[_Source]]: ...

class poll:
    def register(self, obj: _Source, events: int = 7) -> None: ...
    def modify(self, obj: _Source, events: int) -> None: ...
    def unregister(self, obj: _Source) -> None: ...
    # timeout: milliseconds; negative waits without limit.
    def poll(self, timeout: int = -1) -> list[tuple[_Source, int]]: ...
    def ipoll(self, timeout: int = -1, flags: int = 0) -> Iterator[tuple[_Source, int]]: ...
