# SPDX-License-Identifier: MIT
# `usocket verify`: is this board as the port believes? One file says so, to attach to an issue.
from __future__ import annotations

import argparse
import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..boards import named, plugged
from ..errors import UsocketError
from ..shown import say, shown
from ..suite import verdict, verifying
from ..suite.filerun import names_in
from ..suite.joining import wifi_of_board
from ..suite.quirks import Quirk
from ..suite.verifying import Left, Piece, Step
from ..wifi import KEY, SSID, wifi_of


def do_verify(args: argparse.Namespace) -> int:
    files, quirks = _chosen(args.pieces)
    name = args.device or plugged.only_device()
    wifi = wifi_of(args.wifi, os.environ) or wifi_of_board(named.find(name))
    about = verifying.look(name, wifi)
    kind = re.sub(r"\W", "_", about.board or "board")
    output = args.output or Path(f"usocket-verify-{kind}-{about.version}.md")
    _check(output)
    pieces: list[Piece] = []
    left: list[Left] = []
    count = sum(len(names_in(file)) for file in files) + len(quirks)
    with _progress(name, count) as step:
        pieces += verifying.suite(verifying.on_board(name), files, step)
        for each in verifying.all_quirks(name, about, wifi, quirks, step):
            if isinstance(each, Piece):
                pieces.append(each)
            else:
                left.append(each)
    differing = [piece for piece in pieces if not piece.same]
    if differing and not args.alone:
        with _progress("the virtual board", len(differing)) as step:
            here = verifying.again(differing, step)
        pieces = [piece._replace(here=here.get(piece.name)) for piece in pieces]
    hidden = verdict.secrets(wifi, filter(None, [about.address, verifying.ours(about)]))
    _write(output, verdict.text(about, pieces, left, hidden))
    for piece in differing:
        say(f"{name}: {piece.name} differs")
    what = f"{len(differing)} differ" if differing else "all as on the virtual board"
    more = f", {len(left)} not run" if left else ""
    say(f"{name}: {len(pieces)} tests and quirks, {what}{more}")
    say(f"{output} has it all: attach it to an issue.")
    return 1 if differing else 0


def args_verify(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run the behaviour suite on a board, and each quirk of its firmware that the port is built"
        " on; compare with the virtual board; write a file to attach to an issue, with the"
        " firmware, the chip and the differences, without keys and names of networks. The exit"
        " status is 1 if something differs."
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help=f"{plugged.DEVICE} (default: the only one that is plugged in)",
    )
    parser.add_argument(
        "--wifi",
        metavar="FILE",
        type=Path,
        help="bring the board into this network first: its name in the first line, the key in the"
        f" second (default: {SSID} and {KEY} of the environment, or devices.toml's)",
    )
    parser.add_argument(
        "-o", dest="output", metavar="FILE", type=Path, help="where the report goes"
    )
    parser.add_argument(
        "--alone",
        action="store_true",
        help="do not try on a virtual board of this machine what differs",
    )
    parser.add_argument(
        "pieces",
        metavar="PIECE",
        nargs="*",
        help="files of the suite, such as test_tcp, and quirks, such as errno_numbers"
        " (default: all)",
    )


def _chosen(names: list[str]) -> tuple[list[Path], list[Quirk]]:
    files, quirks = verifying.files(), verifying.known()
    for name in names:
        if name not in files and name not in quirks:
            raise UsocketError(
                f"there is no {name} in the suite, and no such quirk",
                "There are " + ", ".join([*files, *quirks]) + ".",
            )
    if not names:
        return list(files.values()), list(quirks.values())
    return [files[n] for n in names if n in files], [quirks[n] for n in names if n in quirks]


def _check(output: Path) -> None:
    """Before the run, which takes long."""
    new = not output.exists()
    try:
        output.open("a", encoding="utf-8").close()
        if new:
            output.unlink()
    except OSError as error:
        raise _cannot(output, error) from error


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _cannot(output, error) from error


def _cannot(output: Path, error: OSError) -> UsocketError:
    return UsocketError(f"cannot write {output}: {error.strerror}", "-o names another file.")


@contextlib.contextmanager
def _progress(name: str, count: int) -> Iterator[Step]:
    console = Console(stderr=True)
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(escape(shown(name)), total=count)

        def step(what: str) -> None:
            bar.update(task, description=escape(f"{shown(name)}: {what}"), advance=1)

        yield step
