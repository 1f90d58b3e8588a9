# SPDX-License-Identifier: MIT
# The interpreter's own modules. On MicroPython by the names that no file can shadow: a program may
# have a socket.py or a time.py of its own.

import sys

if sys.implementation.name == "micropython":
    import uos as os
    import uselect
    import usocket as socket
    import ustruct as struct
    from uarray import array  # noqa: F401
    from uio import BytesIO, IOBase  # noqa: F401
    from utime import sleep_ms, ticks_add, ticks_diff, ticks_ms  # noqa: F401

    # Where a drop-in module has these names, it has the interpreter's own as `native`.
    socket = getattr(socket, "native", socket)
    poller = getattr(uselect, "native", uselect).poll

    def room(n):
        """MemoryError unless n bytes can be had: before a call whose result would be lost."""
        BytesIO(n).close()  # which frees them at once
else:
    import os  # noqa: F401
    import socket
    import struct  # noqa: F401

inet_ntop, inet_pton = socket.inet_ntop, socket.inet_pton
