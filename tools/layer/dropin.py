# SPDX-License-Identifier: MIT
# The drop-in modules on a board: /lib/socket.mpy and /lib/select.mpy, which an import finds before
# the firmware's own. They belong to one version of the layer, and two files and the layer cannot
# change in one step. So while they change there are others in their place, /lib/socket.py and
# /lib/select.py, in MicroPython's eyes before them and the same for all versions: these take what
# the layer of this moment has, in its folder dropin/, or the firmware's own if it has none. What
# switches is the layer's one rename; before it goes the one, after it the other, both whole.
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .. import files
from ..boards import answers
from ..boards.device import Device
from ..boards.filesystem import DIGEST, room, sha256
from ..errors import UsocketError
from .bundle import Version

LIB = "/lib"
_LICENSE = b"# SPDX-License-Identifier: MIT\n"
INSIDE = files.DROPIN  # the folder of a version that has them too

_SUFFIXES = (".py", ".mpy")  # in the order in which MicroPython looks for them
_STAND_IN = """\
# SPDX-License-Identifier: MIT
# For the moment in which usocket_compat's drop-in changes: what its version of now has.
import sys
try:
    from usocket_compat.{inside} import {name} as m
    from usocket_compat.{inside}.{name} import *
    if hasattr(m, "__getattr__"):
        __getattr__ = m.__getattr__
except ImportError:
    import u{name} as m
    from u{name} import *
sys.modules[__name__] = m
del sys, m
"""

# What there is in a folder by these names; `digest` of a folder is "".
_PLACES = """
def places(d, names):
    import os, hashlib, binascii
    b = bytearray(256)
    m = memoryview(b)
    found = {}
    for n in names:
        p = d + '/' + n
        try:
            folder = os.stat(p)[0] & 0x4000
        except OSError:
            continue
        if folder:
            found[n] = '', b''
        if folder or '.' not in n:
            continue
        h = hashlib.sha256()
        head = None
        with open(p, 'rb') as f:
            while True:
                k = f.readinto(b)
                if not k:
                    break
                if head is None:
                    head = bytes(m[:k])
                h.update(m[:k])
        found[n] = binascii.hexlify(h.digest()).decode(), head or b''
    return found
print(places(%r, %r))
del places
"""


class Place(NamedTuple):
    """A file, or a folder, whose name is that of a drop-in module."""

    digest: str
    head: bytes


Places = Mapping[str, Place]  # name, such as socket.mpy -> what is there


def look(device: Device, folder: str = LIB) -> dict[str, Place]:
    names = [name + suffix for name in modules() for suffix in ("", *_SUFFIXES)]
    place = answers.parts(answers.either(DIGEST, answers.text(0)), answers.raw(256))
    shape = answers.table(names.__contains__, place)
    found = answers.ask(device, _PLACES % (folder, names), shape)
    return {name: Place(*place) for name, place in found.items()}


def modules() -> list[str]:
    return list(files.dropin_files())


def stand_in(name: str) -> bytes:
    """What is in the place of a module while it changes."""
    return _STAND_IN.format(inside=INSIDE, name=name).encode()


def stands_in(name: str, place: Place) -> bool:
    return place.digest == sha256(stand_in(name.partition(".")[0]))


def ours(name: str, place: Place) -> bool:
    """Whether this is one of the project's files, of whichever version."""
    module = name.partition(".")[0]
    if name.endswith(".mpy"):
        return _source(place.head) in (f"us/{module}", f"{files.DROPIN}/{module}.py")
    titles = (f"`import {module}`".encode(), b"usocket_compat's drop-in")
    return place.head.startswith(_LICENSE) and any(title in place.head for title in titles)


def _source(mpy: bytes) -> str:
    """The name of a .mpy file's source: the first of its strings, behind two numbers."""
    numbers, at = [0], 4  # behind the header
    while len(numbers) < 4:
        if at >= len(mpy):
            return ""
        numbers[-1] = numbers[-1] << 7 | mpy[at] & 0x7F
        if mpy[at] < 0x80:
            numbers.append(0)
        at += 1
    return mpy[at : at + (numbers[2] >> 1)].decode(errors="replace")


def effective(module: str, there: Places) -> str:
    """The one of the names that an import finds; '' for none."""
    return next((n for n in (module + s for s in ("", *_SUFFIXES)) if n in there), "")


def others(there: Places) -> list[str]:
    """What is the user's own."""
    return [name for name, place in there.items() if not ours(name, place)]


def refuse(device: Device, version: Version) -> None:
    """When it would take the place of what is the user's own, say so, and do nothing."""
    own = others(look(device)) if version.dropin else []
    if own:
        raise UsocketError(
            f"{device.name} has a {LIB}/{own[0]} that is not of this project, in the place of the"
            " drop-in",
            "`mpremote fs cp` keeps a copy of it here and `mpremote fs rm` removes it from the"
            " board; or deploy with CONFIG_USOCKET_DROPIN=n.",
        )


def begin(device: Device, root: str, active: str | None, wanted: Iterable[str]) -> None:
    """Before the layer switches: nothing changes, but what is imported follows the layer now.

    `root` is the layer's folder or the one that will be it; `active` the folder of the version in
    it, "" of a flat one, None where there is none. `wanted`: names of the files to be in /lib.
    """
    there = look(device)
    coming = {name.partition(".")[0] for name in wanted}
    for module in modules():
        now = effective(module, there)
        if now and not ours(now, there[now]):
            continue
        if now and not stands_in(now, there[now]) and active is not None:
            _keep(device, f"{root}/{active}".rstrip("/"), now, there[now].digest)
        if now or module in coming:
            _replace(device, root, f"{LIB}/{module}.py", stand_in(module))


def finish(device: Device, root: str, version: Version | None) -> tuple[int, bool]:
    """After it has switched: bring the version's own, or take ours away; how many were copied, and
    whether anything changed.
    """
    there = look(device)
    wanted = dict(version.dropin) if version else {}
    copied, changed = 0, False
    for module in modules():
        for suffix in _SUFFIXES:
            name = module + suffix
            if version and name in wanted:
                digest = sha256(wanted[name])
                if name not in there or there[name].digest != digest:
                    source = f"{root}/{version.name}/{INSIDE}/{name}"
                    _copy(device, root, source, f"{LIB}/{name}", digest)
                    copied += 1
        for suffix in reversed(_SUFFIXES):  # the one that stands in goes last
            name = module + suffix
            if name in there and name not in wanted and ours(name, there[name]):
                device.exec(f"import os; os.remove('{LIB}/{name}')")
                changed = True
    return copied, changed or copied > 0


def _keep(device: Device, folder: str, name: str, digest: str) -> None:
    """See that the layer of now has the file that an import finds, for what stands in for it."""
    inside = f"{folder}/{INSIDE}"
    found = look(device, inside)
    if found.get(name) and found[name].digest == digest:
        return
    with room(device, f"{inside}/{name}"):
        device.exec(f"copy('{LIB}/{name}', '{inside}/{name}')")
    for other in found:
        if other != name and other.partition(".")[0] == name.partition(".")[0]:
            device.exec(f"drop('{inside}/{other}')")


def _replace(device: Device, root: str, path: str, content: bytes) -> None:
    new = f"{root}/_{INSIDE}.new"
    with room(device, path):
        device.exec(
            f"import os\nwith open({new!r}, 'wb') as f:\n f.write({content!r})\n"
            f"os.rename({new!r}, {path!r})"
        )


def _copy(device: Device, root: str, source: str, path: str, digest: str) -> None:
    name = path.rpartition("/")[2]
    new = f"{INSIDE}.new/{name}"
    with room(device, path):
        device.exec(f"copy({source!r}, '{root}/{new}')")
    if look(device, f"{root}/{INSIDE}.new").get(name, Place("", b"")).digest != digest:
        raise UsocketError(
            f"{device.name} does not hold what was written to it: {name}",
            "What is on it is complete. Repeat the command; if that does not help, the flash is"
            " worn out.",
        )
    device.exec(f"import os; os.rename('{root}/{new}', {path!r}); drop('{root}/{INSIDE}.new')")
