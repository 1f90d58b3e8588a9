# SPDX-License-Identifier: MIT
# `usocket doctor`: one line for each thing that was looked at, with what to do where it is not
# well, and a verdict. Nothing here waits without a limit.
from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.metadata
import importlib.util
import re
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, Iterable, Iterator, NamedTuple

from . import deploy, files, flash, kconfig, micropython, setup
from .device import Device
from .errors import UsocketError

LIMIT = 30  # seconds for one board
SOCKETS = 64  # that are tried at most; no firmware has as many
LAYER_FILES = 180 * 1024  # bytes of the file system, blocks of 4 KB
LITTLE_HEAP = 40_000  # bytes: less is left by a program that fills the board

OK, NOTE, WRONG = "ok", "note", "wrong"
_MARKS = {OK: "ok   ", NOTE: "note ", WRONG: "WRONG"}


class Finding(NamedTuple):
    state: str  # OK; NOTE: not as it could be; WRONG
    text: str
    hint: str = ""


def do_doctor(args: argparse.Namespace) -> int:
    wrong = 0
    for finding in findings(args.device):
        wrong += finding.state == WRONG
        print(_MARKS[finding.state], finding.text, flush=True)
        if finding.hint and finding.state != OK:
            print("      ->", finding.hint, flush=True)
    print(f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong" if wrong else "nothing is wrong")
    return 1 if wrong else 0


def args_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Look at this machine and at the boards on it: what is there, what is wrong, what to do."
        " A program that runs on a board is ended. The exit status is 1 if something is wrong."
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help="look at the board behind this serial device, or rfc2217:// or socket:// URL; again"
        " for more (default: every board that is plugged in)",
    )


def findings(devices: list[str]) -> Iterator[Finding]:
    yield from host()
    yield from found_devices(devices)
    for device in devices or [each.device for each in flash.devices()]:
        yield from board(device)


# This machine.


def host() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= (3, 9):
        yield Finding(OK, f"Python {version}")
    else:
        yield Finding(WRONG, f"Python {version} is too old", "3.9 or later is needed.")
    for requirement in importlib.metadata.requires("usocket-compat") or ():
        if "extra ==" not in requirement:
            yield package(requirement)
    if importlib.util.find_spec("curses"):
        yield Finding(OK, "curses, for `usocket config menuconfig`")
    else:
        yield Finding(
            NOTE, "Python has no curses", "Without it there is no `usocket config menuconfig`."
        )
    yield configuration()
    yield cache()
    yield from interpreters()
    yield slirp()


def package(requirement: str) -> Finding:
    found = re.match(r"([\w.-]+)[^>]*(?:>=\s*([\d.]+))?", requirement)
    assert found
    name, least = found[1], found[2] or "0"
    hint = f"pip install '{requirement}'"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(WRONG, f"the Python package {name} is missing", hint)
    if _numbers(version) < _numbers(least):
        return Finding(WRONG, f"{name} {version} is older than {least}", hint)
    return Finding(OK, f"{name} {version}")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def configuration() -> Finding:
    try:
        for each in kconfig.boards():
            kconfig.load(kconfig.board_file(each))
        named = kconfig.named()
        if named:
            kconfig.load(named)
            return Finding(OK, f"the configuration {named}, by {kconfig.NAMED}")
    except UsocketError as error:
        return Finding(WRONG, str(error), error.hint)
    return Finding(OK, f"the configuration of {len(kconfig.boards())} boards")


def cache() -> Finding:
    folder = files.cache_dir()
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding(
            WRONG,
            f"cannot write to the cache {folder}: {error.strerror}",
            "USOCKET_CACHE names another folder.",
        )
    free = shutil.disk_usage(folder).free
    if free < 500e6:
        return Finding(
            NOTE, f"{free / 1e6:.0f} MB are left for the cache {folder}", "A build takes 500 MB."
        )
    return Finding(OK, f"the cache {folder}")


def interpreters() -> Iterator[Finding]:
    """MicroPython for the unix target and mpy-cross: built, or what a build would lack."""
    built = micropython.cached()
    if built:
        _, newest = built[-1]
        yield Finding(OK, f"MicroPython {newest.version} for the unix target, with mpy-cross")
        return
    tools = ("gcc", "make", "pkg-config", "libffi-dev", "xz-utils")
    missing = [tool for tool in tools if not setup.has_package(tool)]
    if missing:
        yield Finding(
            NOTE,
            "MicroPython and the virtual board cannot be built: there is no " + ", ".join(missing),
            "`make setup` installs them; on Debian: apt-get install " + " ".join(missing),
        )
    else:
        yield Finding(OK, "what MicroPython is built with; it is not built yet")
    yield Finding(
        NOTE,
        "no mpy-cross: boards get the layer as .py, which needs more of their memory",
        "`usocket micropython --newest` builds one.",
    )


def slirp() -> Finding:
    if setup.has_package("libslirp0"):
        return Finding(OK, "libslirp, for the virtual board")
    return Finding(
        NOTE, "there is no libslirp, which the virtual board needs", "apt-get install libslirp0"
    )


def found_devices(named: list[str]) -> Iterator[Finding]:
    """Which boards there are, and those that are not looked at."""
    plugged = flash.devices()
    for each in plugged:
        yield Finding(OK, f"{each.device}: {each.about}")
    for device in virtual_boards():
        if device not in named:
            yield Finding(
                NOTE,
                f"{device}: a virtual board",
                f"`usocket doctor --device {device}` looks at it.",
            )
    if not plugged and not named:
        yield Finding(
            NOTE,
            "no board is plugged in",
            "If one is: its cable may have no data lines, or --device names it.",
        )


def virtual_boards() -> list[str]:
    """Those of this machine: Linux lists the names of their control sockets."""
    with contextlib.suppress(OSError):
        text = Path("/proc/net/unix").read_text(errors="replace")
        return sorted(set(re.findall(r"@usocket-vboard(/dev/\S+)", text)))
    return []


# A board.

_ASK = """
import gc, os, sys
def facts():
    gc.collect()
    i = sys.implementation
    f = {'version': i.version[:3], 'machine': getattr(i, '_machine', '')}
    f['heap'] = gc.mem_free()
    try:
        s = os.statvfs('/')
        f['files'] = s[0] * s[3]
    except (OSError, AttributeError):
        f['files'] = -1
    return f
print(facts())
"""

# Sockets that can be opened at once; one left closed for lack of memory ends it too.
_COUNT = """
import socket
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

_NETWORK = """
import network
def address():
    for n in ('STA_IF', 'AP_IF'):
        w = network.WLAN(getattr(network, n))
        if w.active() and w.isconnected():
            return w.ifconfig()[0]
print(repr(address()))
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
    facts = deploy.ask(device)
    more = ast.literal_eval(device.exec(_ASK))
    yield from _firmware(name, facts, more)
    if facts.platform not in files.ports():
        return
    free = int(device.exec(_COUNT.format(most=SOCKETS)))
    conf = kconfig.named() or kconfig.conf_of(facts.board)
    wanted = kconfig.load(conf)
    source = conf.name if conf else "Kconfig's defaults"
    yield from _sockets(name, free, wanted, source)
    yield _address(name, device)
    yield from _layer(name, device, wanted, source)


def _firmware(name: str, facts: deploy.Facts, more: dict[str, Any]) -> Iterator[Finding]:
    version = ".".join(map(str, more["version"]))
    what = f"{name}: {facts.board or facts.platform}, MicroPython {version}, {more['machine']}"
    if facts.platform not in files.ports():
        yield Finding(
            WRONG,
            f"{what}: the layer has no port for {facts.platform}",
            "The ports: " + ", ".join(files.ports()),
        )
        return
    if more["version"] < tuple(_numbers(micropython.OLDEST)):
        yield Finding(
            WRONG,
            f"{what}: that is too old",
            f"{micropython.OLDEST} is the oldest supported: `usocket flash` writes a newer one.",
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
            "`usocket flash --erase` writes the firmware anew; its first start makes one.",
        )
    elif space < LAYER_FILES:
        yield Finding(
            NOTE,
            f"{name}: {space} bytes are left in its file system",
            "The layer takes about as much; `mpremote fs rm` makes room.",
        )
    else:
        yield Finding(OK, f"{name}: {space // 1024} KB are left in its file system")


def _sockets(name: str, free: int, wanted: kconfig.Values, source: str) -> Iterator[Finding]:
    most = wanted["ZVFS_OPEN_MAX"]
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
            f" --board FILE.conf ZVFS_OPEN_MAX={free}`, and USOCKET_COMPAT_CONF names that file.",
        )
    else:
        yield Finding(OK, f"{name}: {free} sockets, ZVFS_OPEN_MAX is {most} by {source}")


def _address(name: str, device: Device) -> Finding:
    try:
        address = ast.literal_eval(device.exec(_NETWORK))
    except UsocketError:
        return Finding(NOTE, f"{name}: its firmware has no WLAN")
    if address is None:
        return Finding(
            NOTE, f"{name}: it is in no network", "network.WLAN().connect(...) in its boot.py."
        )
    return Finding(OK, f"{name}: its address is {address}")


def _layer(name: str, device: Device, wanted: kconfig.Values, source: str) -> Iterator[Finding]:
    answer = ast.literal_eval(device.exec(_LAYER))
    brings = f"`usocket deploy --device {name}` brings the one that is here to it."
    if answer is None:
        yield Finding(NOTE, f"{name}: the layer is not on it", brings)
        return
    if isinstance(answer, str):
        yield Finding(WRONG, f"{name}: the layer on it does not work: {answer}", brings)
        return
    version, path, values, bytes_ = answer
    here = importlib.metadata.version("usocket-compat")
    where = "" if path.startswith(deploy.LAYER) else f" in {path}"
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
