# SPDX-License-Identifier: MIT
"""The port interface: what a platform gives to the layer.

A port is one module of functions; docs/adding-a-port.md tells how to write one. The first
argument `h` is the port's own handle. No call on it waits: what it cannot do now is EAGAIN. This
file is for readers and for tests; no board has it.
"""

# name(arguments) -> result. A failure is OSError with the platform's errno, but those marked (*),
# which the layer may repeat, return a negative int, of which `last_error` makes the errno.

# Every port has these.
NEEDED = (
    "CLOSED",  # a handle that answers EBADF to every operation
    "LACKS",  # names in capabilities() that it lacks besides missing operations, in one str
    "struct",  # the module struct, which no file of the program can stand in for
    "array",  # array.array
    "number",  # (name) -> the platform's number of a constant or errno; KeyError
    "names",  # () -> the names that `number` knows
    "address",  # (family, addr) -> what bind, connect, sendto and sendmsg of this port take
    "unpack",  # (packed sockaddr) -> addr
    "error",  # (errno) -> OSError
    "last_error",  # (r) -> errno of a call marked (*) that gave r
    "writable",  # (buffer): TypeError unless it can be received into
    "wait",  # (h, events, ms) -> revents; 0 when nothing came in that time
    "ticks_ms",  # () -> int
    "ticks_diff",  # (later, earlier) -> ms
    "ticks_add",  # (ticks, ms) -> ticks
    "sleep_ms",  # (ms)
    "gaierror",  # the exception class of getaddrinfo and getnameinfo
    "socket",  # (family, type, proto) -> h
    "close",  # (h)
    "bind",  # (h, address)
    # (h, address, wait) -> 0 or None (*); wait: whether it may wait for up to 100 ms. Asked again
    # it tells how it went (POSIX).
    "connect",
    "listen",  # (h, backlog)
    "accept",  # (h, entry) -> addr; the new handle is entry.h then (*)
    "send",  # (h, data, nbytes, flags) -> count (*)
    "sendto",  # (h, data, flags, address) -> count (*)
    "recv",  # (h, n, flags) -> bytes (*)
    "recv_into",  # (h, buffer, nbytes, flags) -> count (*)
    "recvfrom",  # (h, n, flags) -> (bytes, addr) (*)
    "recvfrom_into",  # (h, buffer, nbytes, flags) -> (count, addr) (*)
)

# What a port lacks of these is refused: EOPNOTSUPP, decided in usocket_compat/zbase.py.
OPS = (
    "sendmsg",  # (h, buffers, ancdata, flags, address or None) -> count (*)
    "recvmsg",  # (h, buffers, ancbufsize, flags) -> (count, ancdata, msg_flags, addr) (*)
    "shutdown",  # (h, how)
    "getsockopt",  # (h, level, option, buflen) -> int, or bytes when buflen
    "setsockopt",  # (h, level, option, int or buffer)
    "getsockname",  # (h) -> addr
    "getpeername",  # (h) -> addr
    "ioctl",  # (h, request) -> int
    "socketpair",  # (family, type, proto, size) -> (h, h); size: bytes of a buffer in memory
    "eventfd",  # (initval, semaphore) -> h that is no socket: ENOTSOCK
    "eventfd_read",  # (h) -> value (*)
    "eventfd_write",  # (h, value) -> 0 (*)
    "is_eventfd",  # (h) -> whether an adopted descriptor that is no socket is one
    # (number) -> (h, True if non-blocking), of a descriptor handed over, which is closed when
    # that fails
    "adopt",
    "fileno",  # (h) -> number, of the platform's descriptor
    "getaddrinfo",  # (host, service, family, type, proto, flags) -> 5-tuples
    "getnameinfo",  # (addr, flags) -> (host, service)
    "gethostname",  # () -> str
    "sethostname",  # (str) -> None
    "if_nameindex",  # () -> [(index, name)] of the network interfaces
    "if_nametoindex",  # (name) -> index
    "if_indextoname",  # (index) -> name
    # (h, flag=None) -> whether programs that are started have h too; flag makes it so, or not
    "inheritable",
    # (name) -> [(host, port)] of the name servers that the platform is told of; None for a name
    # that it knows by itself. "" is no name.
    "nameservers",
    "urandom",  # (n) -> n bytes that nobody can guess
    "use_interface",  # (nic): one of the platform's objects, whose addresses are our own
    "inet_pton",  # (family, text) -> bytes
    "inet_ntop",  # (family, packed) -> str
)

# Without these the layer does as well, if more slowly, or has no need of them.
BETTER = (
    # (h, receive_ms=None, send_ms=0): lets calls on h wait in the platform, so long at most (0:
    # for ever); None: not at all, as from birth. One call of the system instead of three.
    "block",
    # (n) -> object whose close() frees n bytes of memory at once (MicroPython's io.BytesIO), for
    # what must not fail any more when the platform has handed data over
    "BytesIO",
    # (host6, host4) -> whether the platform's getaddrinfo would put addresses of IPv6 first
    "ipv6_first",
    "forget_names",  # () -> None: drops what names() has loaded, which a board need not keep
    "TICK",  # with block: ms after which the layer looks whether h was closed meanwhile
    # For the drop-in modules: (native socket, what it is: port/esp32/wrapping.py) -> h of it; (h,
    # that object) -> the native socket if it tells all there is, and then h is void, else None;
    # (h, address, errno) -> the errno of a native connect that failed, where that says another.
    "wrap",
    "plain",  # (see above)
    "failed",  # (see above)
    "odd_handles",  # [how many handles there are that the platform's poll does not know all of]
    # a module in the place of usocket_compat/fdtable.py (start, tab, changes, put, take, twin,
    # last), where the steps of that are not one step each; with mark(fd, sock) where a call of the
    # port closes fds by itself: from then on it leaves that one to the layer; with
    # divert(entry, h, fd), which gives an entry another handle where more than the entry knows it
    "table",
    # Whole calls of the layer that the port does better, any of them, each by its name. For what
    # it leaves it has, as attributes of its module, `tab`, the table's list; send_rest(fd, data,
    # flags, r, sock) and recv_rest(fd, n_or_buffer, flags, r, sock), which go on where the first
    # try gave r on sock, or begin anew with None; and `layer`, the module zsock.py.
    "zsock_send",
    "zsock_recv",
    "zsock_setsockopt",
    "zsock_poll",
    # () -> the kernel's set of descriptors, for a Poller that costs what is ready: add, modify,
    # remove, wait and more (port/unix/epoll.py)
    "epoll",
    "eventfd_set",  # (h) -> None: makes h readable, and allocates nothing
    "ENDS",  # whether the platform's poll tells POLLRDHUP with POLLIN at no cost
    "poller",  # () -> object: register(h, events), modify(h, events), ipoll(ms) -> (key, revents)
    "key",  # (h) -> the key by which ipoll names it
    # (h) -> object that asyncio's poll takes, on MicroPython: needed for usocket_compat.aio there
    "source",
    # (h, out) -> whether h is ready to be read (out 0) or written (1) by what that poll does not
    # know; where this may be
    "hidden",
    "look",  # (h, out) -> whether it is ready, as far as can be told at once
    "SPIN",  # with look and ticks_us: us for which a wait looks without pause; its poll is slow
    "ticks_us",  # () -> int
    "pollset",  # (pollfds) -> in the place of poller: see usocket_compat/zpollset.py
    # Not an operation: the file of usocket_compat that drives the platform's TLS, without which
    # TLS sockets are EPROTONOSUPPORT. tlshost.py drives CPython's ssl, tlsmake.py MicroPython's
    # tls; such a file has VERSIONS, CAN, PSK, and
    #   features() -> names of capabilities(), in one str
    #   Engine(t) -> the engine of one connection, that of t, a Tls: step, get, put, free, MOST
    #   Handle(t) -> what the port's own calls find in the place of a handle; or None
    #   reason(t, e) -> (errno, words) of what an engine has raised
    #   harmless(flags) -> whether send may ignore them
    "TLS",
    "IOBase",  # of MicroPython's io, for tlsmake.py
    "COARSE",  # ms between two looks of the platform's poll, where it does not wake at once
    "LATER",  # not an operation: those that load when first used, a space round each, in one str
)
