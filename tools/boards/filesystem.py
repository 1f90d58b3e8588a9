# SPDX-License-Identifier: MIT
# Files on a board: what is there, how they get there, and that there is room for them.
from __future__ import annotations

import binascii
import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Callable

from ..errors import UsocketError
from . import answers
from .device import CHUNK, Device

# The digest and the name of every file below a folder.
_LIST = """
import os, hashlib, binascii
def walk(d):
    try:
        l = os.listdir(d)
    except OSError:
        return
    for n in l:
        p = d + '/' + n
        if os.stat(p)[0] & 0x4000:
            walk(p)
        else:
            h = hashlib.sha256()
            with open(p, 'rb') as f:
                while True:
                    n = f.readinto(b)
                    if not n:
                        break
                    h.update(m[:n])
            print((binascii.hexlify(h.digest()).decode(), p))
b = bytearray(256)
m = memoryview(b)
walk({root!r})
del walk, b, m
"""

DIGEST = answers.text(pattern="[0-9a-f]{64}")


class Full(UsocketError):
    """The board's file system has no room."""


def sync(device: Device, root: str, wanted: Mapping[str, bytes]) -> list[str]:
    """Make the folder `root` of the board hold these files and no others; the names written."""
    there = listing(device, root)
    for name in there.keys() - wanted.keys():
        # A .py would be imported before the .mpy of the same name.
        device.exec(f"import os; os.remove({root + '/' + name!r})")
    written = [name for name in wanted if there.get(name) != sha256(wanted[name])]
    for name in written:
        write(device, f"{root}/{name}", wanted[name])
    return written


def listing(device: Device, root: str) -> dict[str, str]:
    """Every file below the folder: its name there -> its digest."""
    shape = answers.parts(DIGEST, answers.text(pattern=rf"(?s){re.escape(root)}/.+"))
    lines = answers.ask_lines(device, _LIST.format(root=root), shape)
    return {path[len(root) + 1 :]: digest for digest, path in lines}


def write(
    device: Device, path: str, content: bytes, sent: Callable[[int], None] = lambda count: None
) -> None:
    """Write one file, with the folders it lies in; `sent` hears how many bytes went."""
    folders = [str(folder) for folder in reversed(PurePosixPath(path).parents[:-1])]
    code = (
        "import os\nfrom binascii import a2b_base64 as b\n"
        # What is there already (17, EEXIST, on every board) is fine; a full file system is not.
        f"for d in {folders!r}:\n try: os.mkdir(d)\n except OSError as e:\n"
        "  if e.errno != 17: raise\n"
        f"f = open({path!r}, 'wb')\nw = f.write\n"
    )
    with room(device, path):
        for at in range(0, len(content) or 1, CHUNK):
            piece = content[at : at + CHUNK]
            # Shorter than the bytes' repr, in which half of a .mpy is \\x...
            code += f"w(b({binascii.b2a_base64(piece, newline=False)!r}))\n"
            if at + CHUNK >= len(content):
                code += "f.close()\ndel f, w, b\n"
            device.exec(code)
            sent(len(piece))
            code = ""


@contextlib.contextmanager
def room(device: Device, what: str) -> Iterator[None]:
    """When this does not fit on the board, say so."""
    try:
        yield
    except UsocketError as error:
        # ENOSPC has this number on every board, and often no name.
        if not re.search(r"OSError: .*\b28\b", str(error)):
            raise
        raise Full(
            f"{device.name}: the board's file system is full; {what} did not fit",
            "`mpremote fs rm` makes room, `mpremote df` shows how much there is.",
        ) from error


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
