# SPDX-License-Identifier: MIT
# The behaviour suite and each quirk on one board, compared with what the virtual board gives: all
# tests pass there, and each quirk is as quirks.py has it, which the project's own tests see to.
from __future__ import annotations

import contextlib
import importlib.metadata
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NamedTuple

from ..boards import answers, identity
from ..boards.device import Device
from ..errors import UsocketError
from ..files import data_file
from ..findings import of_board
from ..programs import tracebacks
from ..vboard import board as vboard
from ..wifi import Wifi
from . import quirkrun, quirks
from .filerun import FileRun, names_in
from .handover import target_id
from .joining import join, towards
from .onboard import Serial, Target, Vboard
from .quirks import Quirk

BACK_SECONDS = 20  # for a board to be there again after a reset
QUIRK = "quirk "

_ASK = """
import gc, os, sys
gc.collect()
print((sys.implementation.version[:3], sys.version, os.uname()[4], gc.mem_free()))
"""
_WORDS = answers.text(150, r"[\x20-\x7e]*")
_SHAPE = answers.parts(
    answers.parts(*[answers.number(0, 9999)] * 3), _WORDS, _WORDS, answers.number()
)


class About(NamedTuple):
    """What a report says of the board itself."""

    board: str
    version: str
    firmware: str
    chip: str
    heap: int
    layer: str
    address: str  # its own; "": it is in no network
    virtual: bool


class Piece(NamedTuple):
    """One test or one quirk."""

    name: str
    same: bool
    found: str = ""
    expected: str = ""
    about: str = ""
    note: str = ""
    # What a virtual board of this machine gives, where the board differs; "": as expected.
    here: str | None = None


class Left(NamedTuple):
    """What was not run, and why."""

    name: str
    why: str


Step = Callable[[str], None]


def look(name: str, wifi: Wifi | None) -> About:
    """See that the board is there, and in the network if there is to be one."""
    with Device(name) as device:
        device.fresh()
        try:
            facts = identity.ask(device)
            if facts.platform != "esp32":
                raise UsocketError(
                    f"{name} runs on {facts.platform}, and no virtual board is of that kind",
                    "`usocket test` runs the suite on it.",
                )
            if wifi:
                join(device, wifi)
            version, firmware, chip, heap = answers.ask(device, _ASK, _SHAPE)
            return About(
                facts.board,
                ".".join(map(str, version)),
                firmware,
                chip,
                heap,
                importlib.metadata.version("usocket-compat"),
                of_board.address(device) or "",
                vboard.is_virtual(device.board.serial),
            )
        finally:
            device.leave()


def files() -> dict[str, Path]:
    """Those of the suite, by their names."""
    return {
        file.stem: file
        for file in sorted(data_file("common/run.py").parent.glob("test_*"))
        if file.suffix == ".py"
    }


def known() -> dict[str, Quirk]:
    """The quirks of stock firmware."""
    return {quirk.program: quirk for quirk in quirks.QUIRKS if quirk.program != quirks.IPV6}


def suite(target: Target, chosen: list[Path], step: Step) -> Iterator[Piece]:
    """Each test of these files on the target."""
    for file in chosen:
        names = [name for name in names_in(file) if name not in target.without]
        run = FileRun(target, file, names)
        try:
            for name in names:
                step(f"{file.stem}::{name}")
                result = run.result(name)
                if not result.passed and target.lost():
                    raise UsocketError(
                        f"{target.id} is gone", "Plug it in and repeat the command."
                    )
                found = "" if result.passed else result.output
                found = tracebacks.with_source(found, [file.parent], target.port)
                yield Piece(f"{file.stem}::{name}", result.passed, found, note=result.note)
        finally:
            run.stop()


def all_quirks(
    name: str, about: About, wifi: Wifi | None, chosen: list[Quirk], step: Step
) -> Iterator[Piece | Left]:
    """Each of these quirks on the board."""
    with _servers(about) as (host, ports):
        for quirk in chosen:
            step(QUIRK + quirk.program)
            text = data_file(f"quirks/{quirk.program}.py").read_text(encoding="utf-8")
            if not host and re.search(r"\bHOST\b", text):
                yield Left(QUIRK + quirk.program, "the board is in no network")
                continue
            counting = quirk.program in quirks.COUNTING
            if counting:
                _reset(name, wifi)
            try:
                with Device(name) as device:
                    execution = quirkrun.start(device, quirk.program, host or "127.0.0.1", ports)
                    found = quirkrun.output(execution, quirk.program)
            except UsocketError as error:
                found = str(error)
            if counting or found != quirk.expected:
                _reset(name, wifi)
            yield Piece(
                QUIRK + quirk.program,
                found == quirk.expected,
                found,
                quirk.expected,
                f"{quirk.says} ({quirk.source})",
            )


@contextlib.contextmanager
def _servers(about: About) -> Iterator[tuple[str, list[str]]]:
    """This machine as the board knows it, "" where it does not, and the servers' ports."""
    if about.virtual and about.address:
        with quirkrun.servers() as ports:
            yield vboard.Board.host, ports
    elif about.address:
        ours = towards(about.address)
        with quirkrun.servers(ours) as ports:
            yield ours, ports
    else:
        yield "", ["0"] * 6


def ours(about: About) -> str:
    """Our address in a report's network, if it is of anybody's."""
    return towards(about.address) if about.address and not about.virtual else ""


def _reset(name: str, wifi: Wifi | None) -> None:
    """What is left of a program goes with it: connections that lwIP still has."""
    with contextlib.suppress(UsocketError), Device(name) as device:
        device.prompt()
        device.exec("import machine\nmachine.reset()")
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        try:
            with Device(name) as device:
                device.fresh()
                if wifi:
                    join(device, wifi)
            return
        except UsocketError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.2)


def again(differing: list[Piece], step: Step) -> dict[str, str]:
    """The same on a virtual board of this machine: name -> what it gives, "" for as expected."""
    found = dict.fromkeys([piece.name for piece in differing], "")
    target = Vboard()
    try:
        about = look(target.device(), None)
        for name in list(found):
            if name.startswith(QUIRK):
                quirk = known()[name[len(QUIRK) :]]
                (piece,) = all_quirks(target.device(), about, None, [quirk], step)
            else:
                stem, _, test = name.partition("::")
                run = FileRun(target, files()[stem], [test])
                result = run.result(test)
                run.stop()
                piece = Piece(name, result.passed, result.output)
            if isinstance(piece, Piece) and not piece.same:
                found[name] = piece.found
    except UsocketError as error:
        return dict.fromkeys(found, f"there is none: {error}")
    finally:
        target.stop()
    return found


def on_board(name: str) -> Serial:
    return Serial(target_id(name), name)
