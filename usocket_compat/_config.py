# Generated from Kconfig and UNIX.conf by `usocket config generate`.
NET_SOCKETS_POSIX_NAMES = True
ZVFS_OPEN_MAX = 256
ZVFS_POLL_MAX = 256
NET_SOCKETS_CONNECT_TIMEOUT = 0
NET_SOCKETPAIR = True
NET_SOCKETPAIR_BUFFER_SIZE = 256
USOCKET_PORT = ""
USOCKET_THREADS = True
USOCKET_LAZY = False
USOCKET_DNS = False

# Hosts only, absent from what a board loads: USOCKET_COMPAT_CONF names another configuration.
import sys  # noqa: E402

# By the name that no file of the program can stand in for.
os = __import__("uos" if sys.implementation.name == "micropython" else "os")
if hasattr(os, "getenv") and os.getenv("USOCKET_COMPAT_CONF"):
    try:
        from usocket_tools.layer.kconfig import load
    except ImportError:
        raise RuntimeError(
            "USOCKET_COMPAT_CONF is set, and only the host tools can read it: on CPython install"
            " usocket-compat, on MicroPython start the program with `usocket run --target unix`"
        )
    globals().update(load(os.getenv("USOCKET_COMPAT_CONF")))
    del load
del os, sys
