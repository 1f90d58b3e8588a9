"""The state machine finds bugs: each of these is planted into a fresh copy of the layer."""

from __future__ import annotations

import errno
import importlib
import os
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

if not sys.platform.startswith("linux"):
    pytest.skip("the oracle is Linux's kernel", allow_module_level=True)

import oracle

# The host's configuration, which loads all at once.
LAZY = Path(__file__).parents[2] / "board_configs/UNIX.conf"
EXAMPLES = 400  # at most; the first that fails ends it


@pytest.fixture
def layer(monkeypatch, tmp_path):
    """The layer, loaded anew; what the port has is taken up by each file that is used."""
    conf = tmp_path / "lazy.conf"
    conf.write_text(LAZY.read_text().replace("CONFIG_USOCKET_LAZY=n\n", ""))
    monkeypatch.setenv("USOCKET_COMPAT_CONF", str(conf))
    for name in list(sys.modules):
        if name.partition(".")[0] in ("usocket_compat", "port"):
            monkeypatch.delitem(sys.modules, name)
    fresh = importlib.import_module("usocket_compat")
    values = {"net": fresh, "STUCK": 1.0, "SETTLE": 0.5}
    for name in ("errno", "zbase"):
        values[name] = importlib.import_module(f"usocket_compat.{name}")
    for part in oracle.PARTS:
        for name in values.keys() & vars(part).keys():
            monkeypatch.setattr(part, name, values[name])
    yield fresh
    for name in list(sys.modules):
        if name.partition(".")[0] in ("usocket_compat", "port"):
            del sys.modules[name]


def close_all(numbers):
    for number in numbers:
        os.close(number)


def around(port, name):
    """Decorator: puts a function in the place of one of the port's, which comes first in it."""

    def put(function):
        real = getattr(port, name)
        setattr(port, name, lambda *args: function(real, *args))

    return put


# Each plants its bug into the port.


def peek_takes_a_byte(port, cleanup):
    @around(port, "recv_into")
    def recv_into(real, h, buf, n, flags):
        r = real(h, buf, n, flags)
        if r > 0 and flags & socket.MSG_PEEK:
            h.recv(1, socket.MSG_DONTWAIT)
        return r


def error_is_not_cleared(port, cleanup):
    errors = {}

    @around(port, "getsockopt")
    def getsockopt(real, h, level, option, buflen):
        value = real(h, level, option, buflen)
        if (level, option) != (socket.SOL_SOCKET, socket.SO_ERROR) or buflen:
            return value
        errors[id(h)] = value or errors.get(id(h), 0)
        return errors[id(h)]

    @around(port, "close")
    def close(real, h):
        errors.pop(id(h), None)
        real(h)


def refused_is_reset(port, cleanup):
    @around(port, "connect")
    def connect(real, h, addr, wait):
        r = real(h, addr, wait)
        return -errno.ECONNRESET if r == -errno.ECONNREFUSED else r


def end_is_told_once(port, cleanup):
    ended = set()

    def once(real, h, n, *rest):
        r = real(h, n, *rest)
        if (r == 0 or r == b"") and (n.__class__ is not int or n):
            if id(h) in ended:
                return -errno.EAGAIN
            ended.add(id(h))
        return r

    around(port, "recv")(once)
    around(port, "recv_into")(once)
    del port.zsock_recv  # so that the layer's own asks these

    @around(port, "close")
    def close(real, h):
        ended.discard(id(h))
        real(h)


def no_hangup(port, cleanup):
    real = port.poller

    class Poller(real):
        def __init__(self):
            super().__init__()
            ipoll = self.ipoll
            self.ipoll = lambda ms: [(k, e & ~16) for k, e in ipoll(ms) if e & ~16]

    port.poller = Poller


def close_leaks(port, cleanup):
    kept = []
    around(port, "close")(lambda real, h: kept.append(os.dup(h.fileno())) or real(h))
    cleanup.append(lambda: close_all(kept))


def level_is_ignored(port, cleanup):
    @around(port, "setsockopt")
    def setsockopt(real, h, level, option, value):
        real(h, socket.SOL_SOCKET if level == socket.IPPROTO_IP else level, option, value)


def accepted_has_listeners_name(port, cleanup):
    @around(port, "accept")
    def accept(real, h, entry):
        addr = real(h, entry)
        return h.getsockname() if addr.__class__ is tuple else addr


def half_close_closes(port, cleanup):
    @around(port, "shutdown")
    def shutdown(real, h, how):
        real(h, socket.SHUT_RDWR if how == socket.SHUT_WR else how)


def short_timeout_is_shorter(port, cleanup):
    zopt = importlib.import_module("usocket_compat.zopt")
    real = zopt._milliseconds

    def milliseconds(value):
        ms = real(value)
        return ms // 2 if ms < 100 else ms

    zopt._milliseconds = milliseconds


def port_wraps(port, cleanup):
    @around(port, "address")
    def address(real, family, addr):
        if isinstance(addr, tuple) and len(addr) > 1 and isinstance(addr[1], int):
            addr = (addr[0], addr[1] & 0xFFFF, *addr[2:])
        return real(family, addr)


def nothing_asks_nothing(port, cleanup):
    @around(port, "recvfrom")
    def recvfrom(real, h, n, flags):
        return real(h, n, flags) if n else (b"", None)


def received_fds_leak(port, cleanup):
    kept = []

    @around(port, "adopt")
    def adopt(real, number):
        kept.append(os.dup(number))
        return real(number)

    cleanup.append(lambda: close_all(kept))


def poll_is_stale(port, cleanup):
    importlib.import_module("usocket_compat.zpollset").pollset.change = lambda self, pollfd: None


def fds_are_not_the_lowest(port, cleanup):
    port.table._numbers = range(1, 100)


BUGS = (
    peek_takes_a_byte,
    error_is_not_cleared,
    refused_is_reset,
    end_is_told_once,
    no_hangup,
    close_leaks,
    level_is_ignored,
    accepted_has_listeners_name,
    half_close_closes,
    short_timeout_is_shorter,
    port_wraps,
    nothing_asks_nothing,
    received_fds_leak,
    poll_is_stale,
    fds_are_not_the_lowest,
)


@pytest.mark.parametrize("plant", BUGS, ids=lambda bug: bug.__name__)
def test_found(plant, layer, request):
    cleanup = []
    request.addfinalizer(lambda: [end() for end in cleanup])
    plant(oracle.world.zbase.p, cleanup)
    # Flaky: a bug that is a matter of time may not fail the same sequence twice.
    with pytest.raises((AssertionError, Flaky)):
        run_state_machine_as_test(
            oracle.Machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=50,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
