# SPDX-License-Identifier: MIT
# `usocket doctor`: one line for each thing that was looked at, with what to do where it is not
# well, and a verdict.
from __future__ import annotations

import argparse
from collections.abc import Iterator

from ..boards import plugged
from ..findings import of_board, of_machine
from ..findings.finding import NOTE, OK, WRONG, Finding
from ..shown import say

_MARKS = {OK: "ok   ", NOTE: "note ", WRONG: "WRONG"}


def do_doctor(args: argparse.Namespace) -> int:
    wrong = 0
    for finding in findings(args.device):
        wrong += finding.state == WRONG
        say(f"{_MARKS[finding.state]} {finding.text}")
        if finding.hint and finding.state != OK:
            say(f"      -> {finding.hint}")
    say(f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong" if wrong else "nothing is wrong")
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
        help=f"look at {plugged.DEVICE}; again for more (default: every board that is plugged in)",
    )


def findings(devices: list[str]) -> Iterator[Finding]:
    yield from of_machine.host()
    yield from of_machine.found_devices(devices)
    for device in devices or [each.device for each in plugged.devices()]:
        yield from of_board.board(device)
