# SPDX-License-Identifier: MIT
# A folder from which MicroPython's build freezes the layer into a firmware.
from __future__ import annotations

import tempfile
from pathlib import Path

from .. import files
from ..errors import UsocketError
from . import bundle

_MARK = "# Made by `usocket deploy --manifest`."


def write_manifest(folder: Path, board: str, port: str) -> int:
    """Write the folder; how many files it holds."""
    manifest = folder / "manifest.py"
    if folder.exists():
        ours = manifest.is_file() and _MARK in manifest.read_text()
        if not folder.is_dir() or (any(folder.iterdir()) and not ours):
            raise UsocketError(
                f"{folder} is there already, and was not made by this command",
                "Name a new folder.",
            )
    with tempfile.TemporaryDirectory(prefix="usocket-") as work:
        chosen = bundle.configuration(board)
        sources = bundle.sources(port, chosen, Path(work))
        contents = {name: file.read_bytes() for name, file in sources.items()}
    text = f"{_MARK}\n# To include beside the port's own, which has asyncio and what boots.\n"
    # As deploy compiles it: with its line numbers, and its assertions.
    text += 'package("usocket_compat", opt=0)\n'
    for name, file in files.dropin_files().items() if chosen.dropin else ():
        # Frozen, it comes before the firmware's own, and before what is in /lib.
        contents[f"{files.DROPIN}/{name}.py"] = file.read_bytes()
        text += f'module("{name}.py", base_path="{files.DROPIN}", opt=0)\n'
    try:
        for part in ("usocket_compat", files.DROPIN):
            for stale in sorted((folder / part).rglob("*.py")):
                stale.unlink()
        for name, content in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        manifest.write_text(text)
    except OSError as error:
        raise UsocketError(
            f"cannot write {folder}: {error.strerror}", "Name a folder that you may write."
        ) from error
    return len(contents)
