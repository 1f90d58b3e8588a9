# SPDX-License-Identifier: MIT
# The layer onto a board, so that a board which is unplugged or reset at any moment has the version
# before or the new one, whole, and needs nothing at its start to see to that.
#
#     /lib/usocket_compat/__init__.mpy     says __path__ = "/lib/usocket_compat/1a2b3c4d"
#     /lib/usocket_compat/1a2b3c4d/    everything else
#
# MicroPython looks for what it imports from a package in the package's __path__. So a new version
# is written into a folder of its own and read back; then a new __init__ takes the old one's place
# by one rename, which littlefs does whole or not at all; then the old folder goes. Where there is
# nothing yet, all of it is written elsewhere and the whole folder renamed.
#
# A flat package, as mip installs it, is a version like the others. Its __init__.py goes before an
# __init__.mpy in MicroPython's eyes, and so it is its removal that switches. The drop-in modules
# beside the layer switch with it (dropin.py).
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Callable, NamedTuple

from ..boards import answers
from ..boards.device import Device
from ..boards.filesystem import Full, listing, room, sha256, write
from ..errors import UsocketError
from . import dropin
from .bundle import LAYER, Version

# While it is not complete, at first or when it is removed. Nothing imports from here.
ASIDE = "/lib/.usocket_compat"
_NEW = "__init__.new"
_INITS = ("__init__.py", "__init__.mpy")  # in the order in which MicroPython looks for them
_COPIES = 8  # files at once: the board is silent meanwhile
_VERSION = re.compile(r"[0-9a-f]{8}")

_TOOLS = """
import os
def drop(p):
    try:
        if os.stat(p)[0] & 0x4000:
            for n in os.listdir(p):
                drop(p + '/' + n)
            os.rmdir(p)
        else:
            os.remove(p)
    except OSError:
        pass
def names(p):
    try:
        return os.listdir(p)
    except OSError:
        return None
def copy(p, q):
    i = 0
    while True:
        i = q.find('/', i + 1)
        if i < 0:
            break
        try:
            os.mkdir(q[:i])
        except OSError as e:
            if e.errno != 17:
                raise
    b = bytearray(512)
    m = memoryview(b)
    with open(p, 'rb') as f:
        with open(q, 'wb') as g:
            while True:
                n = f.readinto(b)
                if not n:
                    break
                g.write(m[:n])
"""
_FORGET = "del drop, names, copy"


class Done(NamedTuple):
    """What install had to do."""

    sent: int  # files from here
    copied: int  # files that were on the board
    changed: bool  # whether the board had another version, or none
    found: str = ""  # what was wrong with what the board had


def install(
    device: Device,
    version: Version,
    progress: Callable[[int, int], None] = lambda sent, total: None,
) -> Done:
    """Make this the board's version; `progress` hears how many bytes of how many went."""
    dropin.refuse(device, version)
    device.exec(_TOOLS)
    done = _install(device, version, dict(version.files), progress)
    copied, changed = dropin.finish(device, LAYER, version)
    device.exec(_FORGET)
    return Done(done.sent, done.copied + copied, done.changed or changed, done.found)


def remove(device: Device) -> bool:
    """Take the layer off the board, with its drop-in modules; whether there was any of it."""
    device.exec(_TOOLS)
    there = _names(device, LAYER) is not None
    if there:
        _drop(device, ASIDE)
        dropin.begin(device, LAYER, _active(device, LAYER, listing(device, LAYER)), ())
        device.exec(f"os.rename({LAYER!r}, {ASIDE!r})")
    _, more = dropin.finish(device, ASIDE, None)
    _drop(device, ASIDE)
    device.exec(_FORGET)
    return there or more


def _install(
    device: Device,
    version: Version,
    wanted: Mapping[str, bytes],
    progress: Callable[[int, int], None],
) -> Done:
    root = LAYER if _names(device, LAYER) is not None else ASIDE
    if root == LAYER:
        _drop(device, ASIDE)
    there = listing(device, root)
    digests = {name: sha256(content) for name, content in wanted.items()}
    kept = {version.name, version.init}
    active = _active(device, root, there)
    if active == version.name and digests.items() <= there.items() and root == LAYER:
        _tidy(device, root, kept)
        return Done(0, 0, False)
    found = _wrong(version, digests, active, there, root)
    # A flat version may have its files everywhere but in the folders of others.
    old = {active} if active else {n for n in _tops(there) if not _VERSION.fullmatch(n)} - {_NEW}
    _tidy(device, root, kept - {version.init} | old | {i for i in _INITS if i in there})
    done = _bring(device, root, version, wanted, there, digests, progress)
    _verify(device, root, version, digests)
    now = active if root == LAYER and set(_INITS) & there.keys() else None
    dropin.begin(device, root, now, dict(version.dropin))
    device.exec(f"os.rename('{root}/{_NEW}', '{root}/{version.init}')")
    for name in _INITS:
        if name != version.init:
            _drop(device, f"{root}/{name}")
    if root != LAYER:
        device.exec(f"os.rename({root!r}, {LAYER!r})")
    _tidy(device, LAYER, kept)
    return done._replace(found=found)


def _wrong(
    version: Version,
    digests: Mapping[str, str],
    active: str,
    there: Mapping[str, str],
    root: str,
) -> str:
    if active == version.name and root == LAYER:
        wrong = sum(there.get(name) != digest for name, digest in digests.items())
        return f"{wrong} of its {len(digests)} files, damaged or missing"
    if version.name in _tops(there) or (root == ASIDE and there):
        return "the beginning of a deploy that was interrupted"
    return ""


def _bring(
    device: Device,
    root: str,
    version: Version,
    wanted: Mapping[str, bytes],
    there: Mapping[str, str],
    digests: Mapping[str, str],
    progress: Callable[[int, int], None],
) -> Done:
    """Fill the version's folder, and write its __init__ beside that of now."""
    old = _names(device, root)
    kept = {name: d for name, d in there.items() if name.split("/")[0] in (old or ())}
    where = {digest: name for name, digest in kept.items()}
    for name in kept:
        if name.startswith(version.name + "/") and name not in wanted:
            _drop(device, f"{root}/{name}")
    missing = [n for n in wanted if n == version.init or kept.get(n) != digests[n]]
    new = [name for name in missing if name == version.init or digests[name] not in where]
    total = sum(len(wanted[name]) for name in new)
    count = 0

    def sent(size: int) -> None:
        nonlocal count
        count += size
        progress(count, total)

    progress(0, total)
    try:
        pairs = [(where[digests[n]], n) for n in missing if n not in new]
        for at in range(0, len(pairs), _COPIES):
            some = pairs[at : at + _COPIES]
            with room(device, f"{root}/{some[0][1]}"):
                device.exec(f"for p, q in {some!r}:\n copy('{root}/' + p, '{root}/' + q)")
        for name in new:
            path = f"{root}/{name if name != version.init else _NEW}"
            write(device, path, wanted[name], sent)
    except Full:
        _drop(device, f"{root}/{_NEW}")
        if _active(device, root, there) != version.name:
            _drop(device, f"{root}/{version.name}")
        raise
    return Done(len(new), len(missing) - len(new), True)


def _verify(device: Device, root: str, version: Version, digests: Mapping[str, str]) -> None:
    there = listing(device, root)
    there[version.init] = there.get(_NEW, "")
    wrong = [name for name, digest in digests.items() if there.get(name) != digest]
    if wrong:
        raise UsocketError(
            f"{device.name} does not hold what was written to it: {wrong[0]}",
            "The version before is still in its place. Repeat the command; if that does not help,"
            " the flash is worn out.",
        )


def _active(device: Device, root: str, there: Mapping[str, str]) -> str:
    """The folder of the version that the board imports; '' for a flat one, or none."""
    for init in _INITS:
        if init in there:
            code = f"with open('{root}/{init}', 'rb') as f:\n print(f.read())"
            named = answers.ask(device, code, answers.raw())
            folders = [n for n in _tops(there) if _VERSION.fullmatch(n)]
            return next((n for n in folders if f"{LAYER}/{n}".encode() in named), "")
    return ""


def _tops(there: Iterable[str]) -> set[str]:
    return {name.split("/")[0] for name in there}


def _names(device: Device, folder: str) -> list[str] | None:
    shape = answers.either(answers.nothing, answers.several(answers.text()))
    found: list[str] | None = answers.ask(device, f"print(names({folder!r}))", shape)
    return found


def _drop(device: Device, path: str) -> None:
    device.exec(f"drop({path!r})")


def _tidy(device: Device, root: str, keep: Iterable[str]) -> None:
    """Remove what else there is."""
    device.exec(
        f"for n in names({root!r}) or ():\n if n not in {sorted(keep)!r}: drop({root!r}+'/'+n)"
    )
