# SPDX-License-Identifier: MIT
"""Zephyr's socket services: callbacks on a set of fds.

    def on_data(pev):
        data = net.zsock_recv(pev.event.fd, 64, net.MSG_DONTWAIT)

    svc = net.NET_SOCKET_SERVICE_SYNC_DEFINE(on_data, 2)
    net.net_socket_service_register(svc, [net.zsock_pollfd(fd, net.POLLIN)])
    net.net_socket_service_start()

All services are one list for zsock_poll, as in Zephyr: in a thread, stepped by hand, in asyncio.
"""

from sys import modules

from . import _config
from .zbase import fail, p
from .zpoll import zsock_pollfd

_package = modules[__name__.rpartition(".")[0]]
_POLLIN = 1

# Those that are defined, in that order.
_services = []
# How often one was registered; whether they are run, and by what: _NOT, _RUNS, _ENDS.
_changes = 0
_NOT, _RUNS, _ENDS = 0, 1, 2
_state = _NOT
# The eventfd that says that something was registered; None where there is none.
_bell = None
# What is polled, its entries, and of which change.
_fds, _entries, _seen = [], [], -1


class _Fd:
    """What a callback sees of a pollfd."""

    def __init__(self, event):
        self.fd, self.events, self.revents = event.fd, event.events, event.revents


class net_socket_service_event:
    """What a callback is given: `event` (a pollfd: fd, events, revents), `user_data`, `svc`."""

    def __init__(self, callback, event, user_data, svc):
        self.callback, self.event, self.user_data, self.svc = callback, event, user_data, svc


class net_socket_service_desc:
    """A service, of NET_SOCKET_SERVICE_SYNC_DEFINE. `pev`: its entries, `pev_len` at most."""

    def __init__(self, callback, count):
        self.callback, self.pev_len, self.pev = callback, count, []


def NET_SOCKET_SERVICE_SYNC_DEFINE(callback, count):
    """A new service: callback(pev) is called for each fd of it that is ready.

    count: how many fds it may have at most. No callback of any service is called before the one
    before it has returned. Raises OSError: EINVAL for a count below 1. Source: Zephyr's macro of
    that name.
    """
    if count.__class__ is not int or not callable(callback):
        raise TypeError("a callback, and how many fds")
    if count < 1:
        fail("EINVAL")
    svc = net_socket_service_desc(callback, count)
    _services.append(svc)
    return svc


def net_socket_service_register(svc, fds, user_data=None):
    """The service has these fds from now on, in the place of those before.

    fds: a list of zsock_pollfd, which are copied; None is none of them. user_data: any object,
    for the callback. Also from within a callback, or another thread.
    Raises OSError: ENOENT for what is no service; ENOMEM for more fds than it may have, or than
    ZVFS_POLL_MAX with those of all others, and then it has none.
    Source: Zephyr's function of that name.
    """
    global _changes
    if svc not in _services:
        fail("ENOENT")
    entries = [
        net_socket_service_event(svc.callback, zsock_pollfd(each.fd, each.events), user_data, svc)
        for each in fds or ()
    ]
    svc.pev = []
    _changes += 1
    if len(entries) > svc.pev_len or len(entries) + _count() >= _config.ZVFS_POLL_MAX:
        fail("ENOMEM")
    svc.pev = entries
    _changes += 1
    _ring()


def _count():
    return sum([len(svc.pev) for svc in _services])


def net_socket_service_unregister(svc):
    """The service has no fds from now on.

    Raises OSError: ENOENT. Source: Zephyr's function of that name.
    """
    net_socket_service_register(svc, None)


def net_socket_service_foreach(cb, user_data=None):
    """Calls cb(svc, user_data) for each service. Source: Zephyr's function of that name."""
    for svc in _services[:]:
        cb(svc, user_data)


def net_socket_service_step(timeout_ms=0):
    """Waits until an fd is ready, for timeout_ms, and calls its callbacks: how many it called.

    What a callback raises comes through; what is ready beside it is found by the next step.
    Zephyr has a thread for it: for a program's own loop.
    Raises OSError: EALREADY within a callback, or when a thread or a task calls them.
    """
    if _state != _NOT or _calling:
        fail("EALREADY")
    return _step(-1 if timeout_ms is None else timeout_ms)


def _step(timeout_ms):
    left = timeout_ms
    begin = p.ticks_ms()
    while True:
        fds = _gather()
        if _bell is None and not 0 <= left < 50:
            left = 50
        if fds:
            _package.zsock_poll(fds, left)
        else:
            p.sleep_ms(min(left, 50) if left > 0 else 50 * (left < 0))
        called = _call()
        left = timeout_ms
        if timeout_ms > 0:
            left = max(timeout_ms - p.ticks_diff(p.ticks_ms(), begin), 0)
        if called or not left or _state == _ENDS:
            return called


def net_socket_service_start():
    """Calls the callbacks in a thread of its own, from now on, until net_socket_service_stop.

    What a callback raises is printed, and the others are called.
    Raises OSError: EALREADY when it runs; EOPNOTSUPP where there are no threads.
    """
    global _state
    try:
        from _thread import start_new_thread
    except ImportError:
        fail("EOPNOTSUPP")
    _begin(True)
    try:
        start_new_thread(_run, ())
    except:
        _end()
        raise


def net_socket_service_stop():
    """Ends the thread, or the task, when the callback that runs is over.

    It waits until the thread has ended, but not within a callback. It does nothing when none runs.
    """
    global _state
    if _state == _NOT:
        return
    _state = _ENDS
    _ring()
    while _threaded and _state == _ENDS and not _calling:
        p.sleep_ms(1)


async def net_socket_service_task():
    """The callbacks, in asyncio: a coroutine for a task, until it is cancelled or stopped.

    What a callback raises comes through, and ends it. Raises OSError: EALREADY when it runs.
    """
    aio = _package.aio
    _begin(False)
    try:
        while _state == _RUNS:
            fds = _gather()
            if fds:
                await aio.poll(fds, -1 if _bell is not None else 50)
            else:
                await aio.sleep_ms(50)
            _call()
    finally:
        _end()


# Whether it is a thread that calls; whether it is within a callback.
_threaded = _calling = False


def _begin(threaded):
    global _state, _bell, _seen, _threaded
    if _state != _NOT:
        fail("EALREADY")
    _state = _RUNS
    _threaded = threaded
    _seen = -1
    if _bell is None and hasattr(p, "eventfd"):
        try:
            _bell = _package.zvfs_eventfd(0, p.number("EFD_NONBLOCK"))
        except:
            _state = _NOT
            raise


def _end():
    global _state, _bell, _seen
    bell, _bell = _bell, None
    _seen = -1
    if bell is not None:
        try:
            _package.zsock_close(bell)
        except OSError:
            pass  # closeall was faster
    _state = _NOT


def _run():
    try:
        while _state == _RUNS:
            try:
                _step(-1)
            except Exception as e:
                _show(e)
    finally:
        _end()


def _show(e):
    import sys

    # MicroPython's; CPython's.
    show = getattr(sys, "print_exception", None)
    if show:
        show(e)
    else:
        getattr(sys, "excepthook")(e.__class__, e, e.__traceback__)


def _ring():
    if _bell is not None:
        try:
            _package.zvfs_eventfd_write(_bell, 1)
        except OSError:
            pass  # it has just ended


def _gather():
    """What is to be polled: all services, and the bell."""
    global _fds, _entries, _seen
    if _seen != _changes:
        now = _changes
        entries = []
        for svc in _services:
            entries += svc.pev
        fds = [entry.event for entry in entries]
        if _bell is not None:
            fds.append(zsock_pollfd(_bell, _POLLIN))
        _entries, _fds, _seen = entries, fds, now
    return _fds


def _call():
    """Calls the callbacks of what is ready; how many."""
    global _calling
    called = 0
    now = _seen
    for entry in _entries:
        event = entry.event
        if event.revents and event.fd >= 0 and entry in entry.svc.pev:
            shown = _Fd(event)
            event.revents = 0
            before, _calling = _calling, True
            try:
                called += 1
                entry.callback(
                    net_socket_service_event(entry.callback, shown, entry.user_data, entry.svc)
                )
            finally:
                _calling = before
            if _state == _ENDS:
                break
    if _bell is not None and now != _changes or _fds and _fds[-1].revents:
        try:
            _package.zvfs_eventfd_read(_bell)
        except (OSError, TypeError):
            pass
    return called
