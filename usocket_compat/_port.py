# SPDX-License-Identifier: MIT
# Finds the port: the one file above the port interface that knows where ports live.

from . import _config

try:
    if not _config.USOCKET_THREADS:
        raise ImportError
    from _thread import allocate_lock
except ImportError:
    from .nothreads import allocate_lock

backend = None
_lock = allocate_lock()


def load():
    """The port module, loaded when the first socket, number or name is asked for."""
    if backend is None:
        # MicroPython's import does not expect a second thread.
        _lock.acquire()
        try:
            _load()
        finally:
            _lock.release()
    return backend


def _load():
    global backend
    if backend is None:
        # Not `from . import port`: MicroPython would ask this package's __getattr__ for it.
        try:
            # installed: usocket_compat/port/
            port = __import__("usocket_compat.port", None, None, ("load",))
        except ImportError:
            import port  # source tree: port/ beside this package
        backend = port.load(_config.USOCKET_PORT)
