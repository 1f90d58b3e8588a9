# SPDX-License-Identifier: MIT
# `usocket deploy`: the layer onto a board, into its file system or its ROMFS, or into a folder
# from which MicroPython's build freezes it into a firmware.
from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.metadata
import tempfile
from pathlib import Path
from typing import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from . import deploy, flash, install, kconfig, romfs
from .device import BoardReset, Device, Unplugged
from .errors import UsocketError

_MARK = "# Made by `usocket deploy --manifest`."

# What of it is imported, and that it works; in a function, so that nothing stays.
_TRY = """
def attempt():
    import usocket_compat as n
    try:
        n.zsock_close(n.zsock_socket())
    except Exception as e:
        return n.__path__, repr(e)
    return n.__path__, ''
print(attempt())
"""


def do_deploy(args: argparse.Namespace) -> int:
    if args.manifest:
        return _manifest(args)
    if args.board:
        raise UsocketError(
            "--board is for --manifest", "A board that is here says itself which one it is."
        )
    for name in args.device or [only_device()]:
        with _explained(name), Device(name) as device:
            device.fresh()
            try:
                if args.remove:
                    _remove(device)
                elif args.romfs:
                    _romfs(device)
                else:
                    _deploy(device)
            finally:
                device.leave()
    return 0


def args_deploy(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Bring the layer to a board: as its configuration needs it, compiled for its firmware, and"
        " only what is not there yet. It is read back and tried. Whenever this is interrupted, or"
        " the board reset, the board has the version before or the new one, whole."
        " USOCKET_COMPAT_CONF names another configuration than the board's own."
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help="the board behind this serial device, or rfc2217:// or socket:// URL; again for more"
        " (default: the only one that is plugged in)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--remove", action="store_true", help="take the layer off the board")
    how.add_argument(
        "--romfs",
        action="store_true",
        help="write it as an image into the board's ROMFS partition, where it needs less heap",
    )
    how.add_argument(
        "--manifest",
        metavar="FOLDER",
        type=Path,
        help="write its files and a manifest.py there, to be frozen into a firmware",
    )
    parser.add_argument(
        "--board",
        metavar="BOARD",
        help="with --manifest: the board that it is for, such as ESP32_GENERIC_S3",
    )


def only_device() -> str:
    """The board that is meant when none is named."""
    found = flash.devices()
    if not found:
        raise UsocketError(
            "no board is plugged in",
            "Its USB cable may be one without data lines. --device names a board that is not"
            " found, such as a virtual one.",
        )
    if len(found) > 1:
        raise UsocketError(
            f"{len(found)} boards are plugged in",
            "Name one with --device: " + ", ".join(each.device for each in found),
        )
    return found[0].device


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """When the board goes away, say what it has."""
    try:
        yield
    except (BoardReset, Unplugged) as error:
        raise UsocketError(
            str(error), "It has the version before or the new one, whole. Repeat the command."
        ) from error


@contextlib.contextmanager
def _progress(device: Device) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(f"writing to {device.name}", total=None)
        yield lambda sent, total: bar.update(task, completed=sent, total=total)


def _deploy(device: Device) -> None:
    version = deploy.version(deploy.ask(device))
    with _progress(device) as progress:
        done = install.install(device, version, progress)
    _try(device, f"{deploy.LAYER}/{version.name}")
    what = f"usocket_compat {_release()} ({version.name})"
    if done.changed:
        print(
            f"{device.name}: {what} is on the board: {len(version.files)} files,"
            f" {done.sent} sent, {done.copied} copied there"
        )
    else:
        print(f"{device.name}: {what} was on the board already")


def _remove(device: Device) -> None:
    there = install.remove(device)
    print(f"{device.name}: the layer is {'removed' if there else 'not on the board'}")


def _romfs(device: Device) -> None:
    content = romfs.image(deploy.layer(deploy.ask(device)))
    with _progress(device) as progress:
        changed = romfs.write(device, content, progress)
    device.fresh()
    _try(device, f"/rom/{romfs.FOLDER}")
    what = f"usocket_compat {_release()}, an image of {len(content)} bytes,"
    print(f"{device.name}: {what} is in its ROMFS{'' if changed else ' already'}")


def _try(device: Device, expected: str) -> None:
    """Whether a program on the board finds what was brought, and can use it."""
    device.fresh()
    path, error = ast.literal_eval(device.exec(_TRY))
    if path != expected:
        raise UsocketError(
            f"{device.name} does not import what was deployed: it finds {path} first",
            "That one is frozen into its firmware; `usocket flash` writes another."
            if path.startswith(".frozen")
            else "`usocket deploy --remove` removes it from /lib, `mpremote fs rm -r` from"
            " elsewhere.",
        )
    if error:
        raise UsocketError(
            f"{device.name}: the layer is on the board, but no socket can be opened: {error}",
            "`usocket doctor` says more.",
        )


def _release() -> str:
    return importlib.metadata.version("usocket-compat")


# A folder to freeze.


def _manifest(args: argparse.Namespace) -> int:
    if len(args.device) > 1 or bool(args.device) == bool(args.board):
        raise UsocketError(
            "--manifest is for one board", "Name it with --board, or with --device if it is here."
        )
    board, port = args.board, "unix" if args.board == "UNIX" else "esp32"
    if args.device:
        with Device(args.device[0]) as device:
            device.fresh()
            board, port = deploy.ask(device)[:2]
            device.leave()
    else:
        kconfig.board_file(board)  # refuses an unknown one
    count = write_manifest(args.manifest, board, port)
    print(f"{args.manifest / 'manifest.py'}: {count} files for {board or 'its board'}")
    print(f"Build the firmware with FROZEN_MANIFEST={(args.manifest / 'manifest.py').absolute()}")
    return 0


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
        chosen = deploy.configuration(board)
        sources = deploy.sources(port, chosen, Path(work))
        contents = {name: file.read_bytes() for name, file in sources.items()}
    text = f'{_MARK}\n# With the port\'s own: include("$(PORT_DIR)/boards/manifest.py")\n'
    # As deploy compiles it: with its line numbers, and its assertions.
    text += 'package("usocket_compat", opt=0)\n'
    try:
        for stale in sorted((folder / "usocket_compat").rglob("*.py")):
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
