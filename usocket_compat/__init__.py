# SPDX-License-Identifier: MIT
"""Zephyr's BSD socket API, the same on CPython, MicroPython's unix port and the ESP32.

Every call, constant and errno name loads when it is first asked for; on hosts all do at once
(CONFIG_USOCKET_LAZY).
"""

from . import _config

__version__ = "0.2.0"

# Lazy loader: does what `from .module import zsock_name` would, when the name is first asked for.
# A module, and the calls that it is loaded for. One string, since on a board it costs 700 bytes,
# and a dict 2000.
_ZSOCK = (
    "|zsock socket close bind listen accept connect |zio send recv |zdgram sendto recvfrom "
    "|zopt getsockopt setsockopt |zctl shutdown fcntl ioctl |zname getsockname getpeername "
    "|zopen socketpair dup |zrepoll poll |zpoll pollfd |zselect select |zmsg sendmsg recvmsg "
    "|zaddrinfo getaddrinfo |netdb getnameinfo gai_strerror gethostname |inet inet_pton inet_ntop "
    "|zfds fileno "
)
# The same for names that have another prefix, or none.
_PLAIN = (
    "|inet inet_aton inet_ntoa htons htonl ntohs ntohl |caps capabilities "
    "|zfds fds closeall adopt |zport use use_interface |errtext strerror "
    "|zvfs zvfs_eventfd zvfs_eventfd_read zvfs_eventfd_write |poller Poller Waker |tlscheck "
)


def _find(table, name, prefix):
    at = table.find(" " + name + " ")
    if at >= 0:
        p = _module("zsock").p
        try:
            # A port that does the whole call itself has it by its name.
            return getattr(p, prefix + name)
        except AttributeError:
            at = table.rfind("|", 0, at) + 1
            return getattr(_module(table[at : table.find(" ", at)]), prefix + name)


def _module(name):
    bytearray(200)  # without that room a second import crashes MicroPython
    return __import__(__name__ + "." + name, None, None, ("p",))


def __getattr__(name):
    value = None
    if name[:6] == "zsock_":
        value = _find(_ZSOCK, name[6:], "zsock_")
    elif name == "__all__":
        return _module("names").public(_ZSOCK, _PLAIN, globals())
    elif name in ("wifi", "errno", "aio", "dns"):
        value = _module(name)
    elif name == "adopt":  # which a port has too
        _module("zsock")  # the others find it there, if this is a program's first call
        value = _module("zfds").adopt
    elif name[:1] != "_":
        value = _find(_PLAIN, name, "")
        if value is None and _config.NET_SOCKETS_POSIX_NAMES:
            value = _find(_ZSOCK, name, "zsock_") or _find(_PLAIN, "zvfs_" + name, "")
        if value is None:
            value = _other(name)
    if value is None:
        # The last of the table, since a short string of its own would be one more name on a board.
        file = _PLAIN[-9:-1] if name[:15] == "tls_credential_" else "zephyr"
        return _module(file).find(name)
    globals()[name] = value
    return value


def _other(name):
    if name == "gaierror":
        return _module("zbase").p.gaierror
    # Constants are upper case; errnos, but not EAI_X and EFD_X, are in usocket_compat.errno, and
    # ZSOCK_X and ZVFS_X are X (zephyr.py).
    if name.upper() == name != name.lower() and (name[:1] not in "EZ" or name[3:4] == "_"):
        try:
            return _module("zbase").p.number(name)
        except KeyError:
            pass


if not _config.USOCKET_LAZY:
    # Threads and signal handlers never meet what is half loaded. MicroPython's compiler leaves
    # more than the layer takes: collected in between, so that the heap stays in large pieces.
    _often = getattr(__import__("gc"), "threshold", lambda *_: -1)
    _before = _often()
    _often(65536)
    __all__ = __getattr__("__all__")
    for _name in __all__:
        __getattr__(_name)
    # What is loaded by a wait, in whichever thread.
    _module("zconnect")
    if hasattr(_module("zbase").p, "block"):
        _module("zarm")
    _module("zepoll" if hasattr(_module("zbase").p, "epoll") else "zpolls")
    if hasattr(memoryview, "cast"):  # CPython
        _module("zlines")
    try:
        _module("tlscheck").driver()
    except (ImportError, OSError):
        pass  # no TLS
    if _config.USOCKET_DNS:
        _module("dns").servers()
        _module("dnsmore")
    _module("names").complete(globals())
    _often(_before)
    del _often, _before
