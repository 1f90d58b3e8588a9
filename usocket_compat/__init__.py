# SPDX-License-Identifier: MIT
"""Zephyr's BSD socket API, the same on CPython, MicroPython's unix port and the ESP32.

The plain calls are here at once; the rest, the constants and the errno names when first asked for.
"""

from . import _config, _port
from .zio import zsock_recv, zsock_send
from .zsock import (
    zsock_accept,
    zsock_bind,
    zsock_close,
    zsock_connect,
    zsock_listen,
    zsock_socket,
)

if not _config.NET_SOCKETS:
    raise ImportError("this board's configuration has CONFIG_NET_SOCKETS=n")

__version__ = "0.1.0+dev"

# A module and the calls that it is loaded for; zsock_ goes before each.
_ZSOCK = (
    "|zdgram sendto recvfrom "
    "|zopt shutdown fcntl ioctl getsockopt setsockopt getsockname getpeername socketpair "
    "|zpoll poll pollfd |zselect select |zmsg sendmsg recvmsg |zvfs dup "
    "|netdb getaddrinfo getnameinfo gai_strerror gethostname inet_pton inet_ntop "
)
# The same for names that have another prefix, or none.
_PLAIN = (
    "|netdb inet_aton inet_ntoa htons htonl ntohs ntohl |caps capabilities "
    "|zvfs zvfs_eventfd zvfs_eventfd_read zvfs_eventfd_write "
)

if _config.NET_SOCKETS_POSIX_NAMES:
    socket = zsock_socket
    close = zsock_close
    bind = zsock_bind
    connect = zsock_connect
    listen = zsock_listen
    accept = zsock_accept
    send = zsock_send
    recv = zsock_recv


def _find(table, name, prefix):
    at = table.find(" " + name + " ")
    if at >= 0:
        at = table.rfind("|", 0, at) + 1
        module = table[at : table.find(" ", at)]
        found = __import__(__name__ + "." + module, None, None, (name,))
        return getattr(found, prefix + name)


def __getattr__(name, lock=_port.allocate_lock()):
    # One thread at a time: neither MicroPython's import nor its dicts expect a second.
    lock.acquire()
    try:
        value = _value(name)
        if value is None:
            raise AttributeError(name)
        globals()[name] = value
        return value
    finally:
        lock.release()


def _value(name):
    value = None
    if name[:6] == "zsock_":
        value = _find(_ZSOCK, name[6:], "zsock_")
    elif name[:1] != "_":
        value = _find(_PLAIN, name, "")
        if value is None and _config.NET_SOCKETS_POSIX_NAMES:
            value = _find(_ZSOCK, name, "zsock_") or _find(_PLAIN, "zvfs_" + name, "")
        if value is None:
            value = _other(name)
        if name == "wifi":
            # MicroPython looks no further than here for what it could import from a package.
            value = __import__(__name__ + ".wifi", None, None, ("up",))
    elif name == "__all__":
        from .names import public

        value = public(globals(), _ZSOCK, _PLAIN)
    return value


def _other(name):
    if name == "gaierror":
        return _port.load().gaierror
    # Constants are upper case; errnos, but not EAI_X and EFD_X, are in usocket_compat.errno.
    if name.upper() == name != name.lower() and (name[:1] != "E" or name[3:4] == "_"):
        try:
            return _port.load().number(name)
        except KeyError:
            pass
