# SPDX-License-Identifier: MIT
"""The port interface: what a platform gives to the layer.

A port is one module of functions; docs/adding-a-port.md tells how to write one. The first argument
`h` is the port's own handle. A name of OPS that a port lacks is EOPNOTSUPP (decided in
usocket_compat/zsock.py, nowhere else).
"""

# This file imports only sys, so that an ImportError here can only mean "not there".
import sys

# name(arguments) -> result. A failure is OSError with the platform's errno, but those marked (*),
# which may have to wait, return a negative int, of which `last_error` makes the errno.
OPS = (
    "socket",  # (family, type, proto) -> h, in blocking mode
    "close",  # (h)
    "bind",  # (h, address)
    "connect",  # (h, address) -> 0 or None (*)
    "listen",  # (h, backlog)
    "accept",  # (h) -> (h, addr) (*)
    "send",  # (h, data, nbytes, flags) -> count (*)
    "sendto",  # (h, data, flags, address) -> count (*)
    "recv",  # (h, n, flags) -> bytes (*)
    "recv_into",  # (h, buffer, nbytes, flags) -> count (*)
    "recvfrom",  # (h, n, flags) -> (bytes, addr) (*)
    "recvfrom_into",  # (h, buffer, nbytes, flags) -> (count, addr) (*)
    "sendmsg",  # (h, buffers, ancdata, flags, address or None) -> count (*)
    "recvmsg",  # (h, buffers, ancbufsize, flags) -> (count, ancdata, msg_flags, addr) (*)
    "shutdown",  # (h, how)
    "getsockopt",  # (h, level, option, buflen) -> int, or bytes when buflen
    "setsockopt",  # (h, level, option, int or buffer)
    "getsockname",  # (h) -> addr
    "getpeername",  # (h) -> addr
    "setblocking",  # (h, flag)
    "timeouts",  # (h, receive_ms, send_ms): bound a call that blocks in the platform; 0 is none
    "waiter",  # (h, events) -> object: wait(ms) -> revents or 0; without it the layer uses poller
    "ioctl",  # (h, request) -> int
    "socketpair",  # (family, type, proto) -> (h, h)
    "eventfd",  # (initval, semaphore) -> h that is no socket: ENOTSOCK; it never blocks
    "eventfd_read",  # (h) -> value (*)
    "eventfd_write",  # (h, value) -> 0 (*)
    "adopt",  # (number) -> (h, True if non-blocking), of a descriptor handed over
    "fileno",  # (h) -> number, of the platform's descriptor
    "getaddrinfo",  # (host, service, family, type, proto, flags) -> 5-tuples
    "getnameinfo",  # (addr, flags) -> (host, service)
    "gethostname",  # () -> str
    "inet_pton",  # (family, text) -> bytes
    "inet_ntop",  # (family, packed) -> str
    "LATER",  # not an operation: those that load when first used, a space round each, in one str
)

# Every port has these too.
NEEDED = (
    "CLOSED",  # a handle that answers EBADF to every operation
    "TICK",  # ms that a blocking call blocks at most before EAGAIN; 0: it never blocks
    "LACKS",  # names in capabilities() that it lacks besides missing operations, in one str
    "number",  # (name) -> the platform's number of a constant or errno; KeyError
    "names",  # () -> the names that `number` knows
    "address",  # (family, addr) -> what bind, connect, sendto and sendmsg of this port take
    "unpack",  # (packed sockaddr) -> addr
    "error",  # (errno) -> OSError
    "last_error",  # (r) -> errno of a call marked (*) that gave r
    "poller",  # () -> object: register(h, events), modify(h, events), ipoll(ms) -> (key, revents)
    "key",  # (h) -> the key by which ipoll names it
    "writable",  # (buffer): TypeError unless it can be received into
    "ticks_ms",  # () -> int
    "ticks_diff",  # (later, earlier) -> ms
    "ticks_add",  # (ticks, ms) -> ticks
    "sleep_ms",  # (ms)
    "gaierror",  # the exception class of getaddrinfo and getnameinfo
)


def load(name=""):
    """The port of that name, or, where Kconfig leaves it open, this machine's."""
    if not name:
        name = "esp32" if sys.platform == "esp32" else "unix"
    if name == "unix":
        from .unix import backend

        return backend()
    if name == "esp32":
        from . import esp32

        return esp32
    raise ValueError("CONFIG_USOCKET_PORT names no port: " + repr(name))
