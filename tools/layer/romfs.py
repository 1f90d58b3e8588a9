# SPDX-License-Identifier: MIT
# The layer as a ROMFS image: files that lie in the flash as they are, so that what a program
# imports takes less of its heap. The image is mpremote's; the firmware mounts it at /rom.
from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Callable

from mpremote.romfs import VfsRomWriter

from ..boards import answers
from ..boards.device import CHUNK, Device
from ..errors import UsocketError
from . import dropin

LIB = "lib"
FOLDER = f"{LIB}/usocket_compat"

_FIND = """
import os, vfs
from binascii import a2b_base64 as b
def find():
    if not hasattr(vfs, 'rom_ioctl'):
        return None
    if vfs.rom_ioctl(1) < 1:
        return 0, 0
    global dev
    dev = vfs.rom_ioctl(2, 0)
    if not hasattr(dev, 'writeblocks'):
        return 0, 0
    return dev.ioctl(4, 0), dev.ioctl(5, 0)
def others(p, own):
    try:
        names = os.listdir(p)
    except OSError:
        return []
    found = []
    for n in names:
        n = p + '/' + n
        if own == n or own[:len(n) + 1] == n + '/':
            if own != n:
                found += others(n, own)
        else:
            found.append(n)
    return found
print(find())
"""

_FOUND = answers.either(
    answers.nothing,
    answers.parts(*[answers.number(0, 0)] * 2),
    # Blocks are of 4096 bytes in an ESP32's flash.
    answers.parts(answers.number(1, 1 << 20), answers.number(256, 1 << 20)),
)


def image(layer: Mapping[str, bytes], modules: Mapping[str, bytes] | None = None) -> bytes:
    """An image that holds the layer where the firmware looks for modules; `modules` beside it."""
    writer = VfsRomWriter()
    for part in FOLDER.split("/"):
        writer.opendir(part)
    _add(writer, layer)
    writer.closedir()
    _add(writer, modules or {})
    writer.closedir()
    return bytes(writer.finalise())


def _add(writer: VfsRomWriter, found: Mapping[str, bytes]) -> None:
    for name in sorted(name for name in found if "/" not in name):
        writer.mkfile(name, found[name])
    for folder in sorted({name.partition("/")[0] for name in found if "/" in name}):
        writer.opendir(folder)
        cut = len(folder) + 1
        _add(writer, {n[cut:]: c for n, c in found.items() if n.startswith(folder + "/")})
        writer.closedir()


def write(device: Device, content: bytes, progress: Callable[[int, int], None]) -> bool:
    """Write the image into the board's ROMFS partition; False: it is there already."""
    blocks, size = _partition(device)
    if len(content) > blocks * size:
        raise UsocketError(
            f"the image has {len(content)} bytes, the ROMFS of {device.name} {blocks * size}",
            "NET_SOCKETS_ENABLE_DTLS=n or NET_SOCKETS_SERVICE=n in the configuration makes it"
            " smaller; `usocket deploy` without --romfs brings the layer into its file system.",
        )
    names = answers.several(answers.text())
    others = answers.ask(device, f"print(others('/rom', '/rom/{FOLDER}'))", names)
    there = dropin.look(device, f"/rom/{LIB}")
    others = [n for n in others if n not in _ours(there)]
    if others:
        raise UsocketError(
            f"the ROMFS of {device.name} holds more, which the image would replace: {others[0]}",
            "`mpremote romfs deploy FOLDER` writes an image of a folder that has all of it.",
        )
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    pieces[-1] += bytes(-len(pieces[-1]) % size)
    if _wrong(device, pieces) is None:
        return False
    device.exec("try: vfs.umount('/rom')\nexcept OSError: pass")
    # The first block, without which nothing is mounted, goes first and comes last: half of an
    # image is none.
    device.exec("dev.ioctl(6, 0)")
    for number in [*range(1, len(pieces)), 0]:
        device.exec(f"k = bytearray({size})")
        for at in range(0, size, CHUNK):
            text = binascii.b2a_base64(pieces[number][at : at + CHUNK], newline=False)
            device.exec(f"k[{at}:{at + CHUNK}] = b({text!r})")
        device.exec(f"dev.writeblocks({number}, k)")
        progress((number or len(pieces)) * size, len(pieces) * size)
    wrong = _wrong(device, pieces)
    if wrong is not None:
        raise UsocketError(
            f"{device.name} does not hold what was written to its ROMFS, in block {wrong}",
            "Repeat the command; if that does not help, the flash is worn out.",
        )
    return True


def _ours(there: dropin.Places) -> set[str]:
    """The drop-in modules of an image."""
    return {f"/rom/{LIB}/{name}" for name, place in there.items() if dropin.ours(name, place)}


def _partition(device: Device) -> tuple[int, int]:
    """How many blocks of how many bytes it has."""
    found = answers.ask(device, _FIND, _FOUND)
    hint = "`usocket deploy` without --romfs brings the layer into its file system."
    if found is None:
        raise UsocketError(f"the firmware of {device.name} has no ROMFS", hint)
    blocks, size = found[0], found[1]
    if not blocks:
        raise UsocketError(f"the flash of {device.name} has no partition for a ROMFS", hint)
    return blocks, size


def _wrong(device: Device, pieces: list[bytes]) -> int | None:
    """The first block that is another on the board."""
    device.exec("import hashlib, binascii\nk = bytearray(dev.ioctl(5, 0))")
    for number, piece in enumerate(pieces):
        code = f"dev.readblocks({number}, k); print(binascii.crc32(k))"
        if answers.ask(device, code, answers.number()) != binascii.crc32(piece):
            return number
    return None
