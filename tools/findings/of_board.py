# SPDX-License-Identifier: MIT
# What `usocket doctor` finds on a board. Nothing here waits without a limit.
from __future__ import annotations

import calendar
import contextlib
import importlib.metadata
import importlib.util
import signal
import time
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

from .. import files
from ..boards import answers, identity
from ..boards.device import Device
from ..builds import interpreters
from ..errors import UsocketError
from ..layer import bundle, kconfig
from . import of_import, of_machine
from .finding import NOTE, OK, WRONG, Finding

LIMIT = 30  # seconds for one board
SOCKETS = 64  # that are tried at most; no firmware has as many
LAYER_FILES = 420 * 1024  # bytes of the file system, blocks of 4 KB
CLOCK_SET = 2025  # a year before it is none that anybody has set
CLOCK_OFF = 26 * 3600  # seconds: local time or UTC, whichever the board was given
LITTLE_HEAP = 40_000  # bytes: less is left by a program that fills the board


_ASK = """
import gc, os, sys, time
def facts():
    gc.collect()
    i = sys.implementation
    f = {'version': i.version[:3], 'machine': getattr(i, '_machine', '')}
    f['heap'] = gc.mem_free()
    try:
        s = os.statvfs('/')
        # Of a full one littlefs counts more blocks than there are, and what is free wraps.
        f['files'] = s[0] * s[3] if s[3] <= s[2] else 0
    except (OSError, AttributeError):
        f['files'] = -1
    f['clock'] = time.gmtime()[:6]
    f['tls'] = []
    for m in ('tls', 'ssl'):
        try:
            __import__(m)
            f['tls'].append(m)
        except Exception:
            pass  # a file of that name may be broken
    return f
print(facts())
"""

# Sockets that can be opened at once; one left closed for lack of memory ends it too.
_COUNT = """
import usocket as socket
def count(most):
    s = []
    try:
        while len(s) < most:
            s.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    except (OSError, MemoryError):
        pass
    for each in s:
        each.close()
    return len(s)
print(count({most}))
"""

# Wi-Fi is not asked beside Ethernet: that would start its driver.
_NETWORK = """
import network
def address():
    try:
        w = network.LAN()
        return w.ifconfig()[0] if w.isconnected() else None
    except (AttributeError, TypeError):
        pass
    for n in ('STA_IF', 'AP_IF'):
        w = network.WLAN(getattr(network, n))
        if w.active() and w.isconnected():
            return w.ifconfig()[0]
print(repr(address()))
"""

_THERE = f"""
import os
try:
    print(os.stat({bundle.LAYER!r}) is not None)
except OSError:
    print(False)
"""

_LAYER = """
def layer():
    gc.collect()
    before = gc.mem_free()
    try:
        import usocket_compat as n
        from usocket_compat import _config as c
        n.zsock_close(n.zsock_socket())
    except BaseException as e:
        return None if "'usocket_compat'" in repr(e) else repr(e)
    gc.collect()
    values = {k: getattr(c, k) for k in dir(c) if k.upper() == k}
    return n.__version__, n.__path__, values, before - gc.mem_free()
print(repr(layer()))
"""

_MORE = answers.record(
    {
        "version": answers.parts(*[answers.number(0, 9999)] * 3),
        "machine": answers.text(),
        "heap": answers.number(),
        "files": answers.number(-1),
        "clock": answers.parts(*[answers.number(0, most) for most in (9999, 12, 31, 23, 59, 59)]),
        "tls": answers.several(answers.text(8)),
    }
)
_ADDRESS = answers.either(answers.nothing, answers.text(64))
# None, an error, or version, place, configuration and bytes of heap.
_FOUND = answers.either(
    answers.nothing,
    answers.text(),
    answers.parts(
        answers.text(),
        answers.text(),
        answers.table(answers.text(), answers.plain),
        answers.number(-(1 << 40)),
    ),
)


def board(device: str) -> list[Finding]:
    """Look at the board; whatever goes wrong is a finding, and it takes LIMIT at most."""
    found = []
    try:
        with _limited(device), Device(device) as opened:
            opened.fresh()
            try:
                for finding in _look(opened):
                    found.append(finding)
            finally:
                opened.leave()
    except UsocketError as error:
        found.append(Finding(WRONG, str(error), error.hint))
    return found


@contextlib.contextmanager
def _limited(device: str) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise UsocketError(
            f"{device} was not done within {LIMIT} s", "Press the board's reset button."
        )

    before = signal.signal(signal.SIGALRM, stop)
    # Again and again: what it interrupts may have taken the first for an error of its own.
    signal.setitimer(signal.ITIMER_REAL, LIMIT, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _look(device: Device) -> Iterator[Finding]:
    name = device.name
    facts = identity.ask(device)
    more = answers.ask(device, _ASK, _MORE)
    yield from _firmware(name, facts, more)
    if more["files"] >= 0:
        yield _space(name, device, facts, more["files"])
    if facts.platform not in files.ports():
        return
    free = answers.ask(device, _COUNT.format(most=SOCKETS), answers.number(0, SOCKETS))
    conf = kconfig.named() or kconfig.conf_of(facts.board)
    wanted = kconfig.load(conf)
    source = conf.name if conf else "Kconfig's defaults"
    yield from _sockets(name, free, wanted, source)
    yield _address(name, device)
    yield from _tls(name, device.board.serial, more)
    yield from _layer(name, device, wanted, source)
    yield from of_import.board(device, facts, wanted, source)


def _firmware(name: str, facts: identity.Facts, more: dict[str, Any]) -> Iterator[Finding]:
    version = ".".join(map(str, more["version"]))
    what = f"{name}: {facts.board or facts.platform}, MicroPython {version}, {more['machine']}"
    if facts.platform not in files.ports():
        yield Finding(
            WRONG,
            f"{what}: the layer has no port for {facts.platform}",
            "The ports: " + ", ".join(files.ports()),
        )
        return
    if more["version"] < tuple(of_machine.numbers(interpreters.OLDEST)):
        yield Finding(
            WRONG,
            f"{what}: that is too old",
            f"{interpreters.OLDEST} is the oldest supported: `usocket flash` writes a newer one.",
        )
    else:
        yield Finding(OK, what)
    heap = more["heap"]
    if heap < LITTLE_HEAP:
        yield Finding(
            NOTE,
            f"{name}: {heap} bytes of heap are free",
            "That is little: boot.py may take the rest.",
        )
    else:
        yield Finding(OK, f"{name}: {heap} bytes of heap are free")
    space = more["files"]
    if space < 0:
        yield Finding(
            WRONG,
            f"{name}: it has no file system",
            "`usocket flash --erase` writes the firmware again; its first start makes one.",
        )


def _space(name: str, device: Device, facts: identity.Facts, space: int) -> Finding:
    text = f"{name}: {space // 1024} KB are left in its file system"
    if space >= LAYER_FILES:
        return Finding(OK, text)
    there = answers.ask(device, _THERE, answers.flag)
    if there:
        return Finding(NOTE, text, "The layer is there; another version may not fit beside it.")
    needed = bundle.blocks(bundle.version(facts)) if facts.platform in files.ports() else 0
    if space < needed:
        return Finding(
            WRONG,
            f"{text}, and the layer takes {needed // 1024} KB",
            "`mpremote fs rm` makes room, `mpremote fs ls` shows what is there.",
        )
    return Finding(NOTE, text, f"The layer takes {needed // 1024} KB of them.")


def _sockets(name: str, free: int, wanted: kconfig.Values, source: str) -> Iterator[Finding]:
    most = wanted["ZVFS_OPEN_MAX"]
    board = source.partition(".conf")[0]
    begin = f" --from {board}" if board in kconfig.boards() else ""
    if free == 0:
        yield Finding(
            WRONG,
            f"{name}: not one socket can be opened",
            "boot.py may hold them all, or there is no memory left for lwIP.",
        )
    elif free < int(most):
        yield Finding(
            NOTE,
            f"{name}: {free} sockets are free, ZVFS_OPEN_MAX is {most} by {source}",
            "WebREPL or boot.py may hold some. If the firmware has no more: `usocket config set"
            f" --board FILE.conf{begin} ZVFS_OPEN_MAX={free}`, and USOCKET_COMPAT_CONF names that"
            " file.",
        )
    else:
        yield Finding(OK, f"{name}: {free} sockets, ZVFS_OPEN_MAX is {most} by {source}")


def address(device: Device) -> str | None:
    """Its own in the network that it is in."""
    found: str | None = answers.ask(device, _NETWORK, _ADDRESS)
    return found


def _address(name: str, device: Device) -> Finding:
    try:
        found = address(device)
    except answers.Nonsense:
        raise
    except UsocketError:
        return Finding(NOTE, f"{name}: its firmware has no WLAN")
    if found is None:
        return Finding(
            NOTE,
            f"{name}: it is in no network",
            "`wifi.up()` of usocket_compat brings a program's board into the one that /wifi.txt"
            f" names: `mpremote connect {device.board.serial} fs cp wifi.txt :/wifi.txt`;"
            " wifi.lan(...) is for Ethernet.",
        )
    return Finding(OK, f"{name}: its address is {found}")


def _tls(name: str, serial: str, more: dict[str, Any]) -> Iterator[Finding]:
    if "tls" not in more["tls"]:
        yield Finding(
            NOTE,
            f"{name}: its firmware has no TLS",
            "HTTPS and MQTTS need it: MicroPython's own firmware for an ESP32 has it.",
        )
    elif "ssl" not in more["tls"]:
        yield Finding(
            NOTE,
            f"{name}: its firmware has `tls`, but no `ssl`",
            "tools/builds/tls/ssl.py of a checkout is that module.",
        )
    else:
        yield Finding(OK, f"{name}: its firmware has TLS")
    year = more["clock"][0]
    ahead = calendar.timegm((*more["clock"], 0, 0, 0)) - time.time()
    set_it = f"`mpremote connect {serial} rtc --set`, or ntptime.settime() in the program."
    if year < CLOCK_SET:
        yield Finding(
            NOTE,
            f"{name}: its clock is not set, it has the year {year}",
            f"No certificate is valid then: {set_it}",
        )
    elif abs(ahead) > CLOCK_OFF:
        days, way = round(abs(ahead) / 86400), "ahead of" if ahead > 0 else "behind"
        yield Finding(
            NOTE,
            f"{name}: its clock is {days} days {way} this computer's",
            f"A certificate may not be valid then: {set_it}",
        )
    else:
        yield Finding(OK, f"{name}: its clock has the year {year}")


def _layer(name: str, device: Device, wanted: kconfig.Values, source: str) -> Iterator[Finding]:
    answer = answers.ask(device, _LAYER, _FOUND)
    brings = f"`usocket deploy --device {name}` brings the one that is here to it."
    if answer is None:
        yield Finding(NOTE, f"{name}: the layer is not on it", brings)
        return
    if isinstance(answer, str):
        yield Finding(WRONG, f"{name}: the layer on it does not work: {answer}", brings)
        return
    version, path, values, bytes_ = answer
    here = importlib.metadata.version("usocket-compat")
    where = "" if path.startswith(bundle.LAYER) else f" in {path}"
    where = ", frozen into its firmware" if path.startswith(".frozen") else where
    what = f"{name}: the layer is usocket_compat {version}{where}"
    if version != here:
        yield Finding(NOTE, f"{what}, here it is {here}", brings)
    else:
        yield Finding(OK, f"{what}; a program that opens a socket has {bytes_} bytes less of heap")
    differs = _differences(values, kconfig.generated(wanted))
    if differs:
        yield Finding(NOTE, f"{name}: its configuration is another: {differs}", brings)
    else:
        yield Finding(OK, f"{name}: its configuration is that of {source}")


def _differences(there: kconfig.Values, wanted: kconfig.Values) -> str:
    names: Iterable[str] = {**wanted, **there}
    return ", ".join(
        f"{name} is {there.get(name)}, not {wanted.get(name)}"
        for name in names
        if there.get(name) != wanted.get(name)
    )
