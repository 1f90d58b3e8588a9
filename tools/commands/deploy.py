# SPDX-License-Identifier: MIT
# `usocket deploy`: the layer onto a board, into its file system or its ROMFS, or into a folder
# from which MicroPython's build freezes it into a firmware.
from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from ..boards import identity, plugged
from ..boards.device import BoardReset, Device, Unplugged
from ..errors import UsocketError
from ..layer import bundle, dropin, freeze, install, kconfig, romfs, trial
from ..shown import say, shown


def do_deploy(args: argparse.Namespace) -> int:
    if args.manifest:
        return _manifest(args)
    if args.board:
        raise UsocketError(
            "--board is for --manifest", "A board that is plugged in says itself which one it is."
        )
    for name in args.device or [plugged.only_device()]:
        with _explained(name), Device(name) as device:
            main = _ended(device)
            device.fresh()
            try:
                if args.remove:
                    _remove(device)
                elif args.romfs:
                    _romfs(device)
                else:
                    _deploy(device)
            finally:
                if main:
                    device.restart()
                else:
                    device.leave()
            if main:
                say(f"{name}: main.py is started again")
    return 0


def _ended(device: Device) -> bool:
    """End what runs, and say so; whether it was main.py."""
    said = device.end_program()
    main = 'File "main.py", line ' in said
    if said:
        say(f"{device.name}: {'main.py' if main else 'a program'} was running, and was ended")
    return main


def args_deploy(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Copy the layer to a board: compiled for its firmware, without what its configuration does"
        " not use, and only files that have changed. It is read back and tried. If this is"
        " interrupted, or the board is reset, the board has the old version or the new one, never"
        " a mixture. USOCKET_COMPAT_CONF names another configuration than the board's own; with"
        " CONFIG_USOCKET_DROPIN=y in it, the modules socket and select are copied too."
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help=f"{plugged.DEVICE}; again for more (default: the only one that is plugged in)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--remove", action="store_true", help="remove all of it from the board")
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


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """When the board goes away, say what it has."""
    try:
        yield
    except (BoardReset, Unplugged) as error:
        raise UsocketError(
            str(error), "It has the old version or the new one, complete. Repeat the command."
        ) from error


@contextlib.contextmanager
def _progress(device: Device) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(escape(f"writing to {shown(device.name)}"), total=None)
        yield lambda sent, total: bar.update(task, completed=sent, total=total)


def _deploy(device: Device) -> None:
    version = bundle.version(identity.ask(device))
    with _progress(device) as progress:
        done = install.install(device, version, progress)
    trial.layer(device, f"{bundle.LAYER}/{version.name}")
    what = f"usocket_compat {_release()} ({version.name})"
    if version.dropin:
        trial.modules(device, dropin.LIB)
        what += " with the drop-in"
    if done.found:
        say(f"{device.name}: found {done.found}")
    if done.changed:
        count = len(version.files) + len(version.dropin)
        say(
            f"{device.name}: {what} is on the board: {count} files,"
            f" {done.sent} sent, {done.copied} copied there"
        )
    else:
        say(f"{device.name}: {what} was on the board already")


def _remove(device: Device) -> None:
    there = install.remove(device)
    say(f"{device.name}: the layer is {'removed' if there else 'not on the board'}")
    for name in dropin.others(dropin.look(device)):
        say(
            f"{device.name}: {dropin.LIB}/{name} is not of this project and stays;"
            " `mpremote fs rm` would remove it"
        )


def _romfs(device: Device) -> None:
    version = bundle.version(identity.ask(device))
    content = romfs.image(dict(version.flat), dict(version.dropin))
    with _progress(device) as progress:
        changed = romfs.write(device, content, progress)
    device.fresh()
    trial.layer(device, f"/rom/{romfs.FOLDER}")
    if version.dropin:
        trial.modules(device, f"/rom/{romfs.LIB}")
    what = f"usocket_compat {_release()}, an image of {len(content)} bytes,"
    say(f"{device.name}: {what} is in its ROMFS{'' if changed else ' already'}")


def _release() -> str:
    return importlib.metadata.version("usocket-compat")


# What the standard variant freezes by itself.
_UNIX_MANIFEST = 'include("$(PORT_DIR)/variants/manifest.py")'


def _manifest(args: argparse.Namespace) -> int:
    if len(args.device) > 1 or bool(args.device) == bool(args.board):
        raise UsocketError(
            "--manifest is for one board", "Name it with --board, or with --device if it is here."
        )
    board, port = args.board, "unix" if args.board == "UNIX" else "esp32"
    if args.device:
        with Device(args.device[0]) as device:
            device.fresh()
            board, port = identity.ask(device)[:2]
            device.leave()
    elif board.endswith(".conf"):
        raise UsocketError(
            f"--board takes the name of a board, and not a file: {board}",
            f"{kconfig.NAMED}={board} names the configuration, --board the board beside it.",
        )
    else:
        kconfig.board_file(board)  # refuses an unknown one
    count = freeze.write_manifest(args.manifest, board, port)
    say(f"{args.manifest / 'manifest.py'}: {count} files for {board or 'its board'}")
    say("Build with FROZEN_MANIFEST set to the path of a manifest.py of these two lines:")
    say('include("$(PORT_DIR)/boards/manifest.py")' if port == "esp32" else _UNIX_MANIFEST)
    say(f"include({str((args.manifest / 'manifest.py').absolute())!r})")
    return 0
