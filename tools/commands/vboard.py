# SPDX-License-Identifier: MIT
# `usocket vboard`: a virtual board, or several, or a word to one that runs.
from __future__ import annotations

import argparse

from ..errors import UsocketError
from ..shown import say
from ..vboard import board
from ..vboard.options import FAULTS, add_arguments, check
from ..vboard.process import Process
from ..vboard.signals import Signals


def do_vboard(options: argparse.Namespace) -> int:
    options.ready = False
    try:
        return _run(options)
    except UsocketError as error:
        if not options.lifeline or options.ready:
            raise
        # Who started us reads this instead of the device.
        print("error", board.one_line(error), flush=True)
        return 1


def args_vboard(parser: argparse.ArgumentParser) -> None:
    add_arguments(parser)


def _run(options: argparse.Namespace) -> int:
    if options.control:
        say(board.control(options.control, " ".join(options.words) or "status"))
        return 0
    if options.words:
        raise UsocketError(
            f"vboard has no use for {' '.join(options.words)!r}",
            "Commands to a board that runs go with --control DEVICE.",
        )
    check(options)
    if not options.firmware:
        from ..vboard import build

        options.firmware = build.find(options.variant, options.micropython).path
    if options.count > 1:
        return _several(options)
    process = Process(options)
    try:
        process.start()
        return process.loop()
    finally:
        process.close()


def _several(options: argparse.Namespace) -> int:
    """Each board is a process of its own."""
    names = (*FAULTS, "forward", "internet", "dns", "heap", "wifi", "ethernet", "ipv6")
    given = {name: getattr(options, name) for name in (*names, "tls_memory", "firmware")}
    stopped = Signals()
    boards = [
        board.Board(wait=False, **given, mac=_following(options.mac, number))
        for number in range(options.count)
    ]
    try:
        for each in boards:
            each.wait_ready()
            say(each.device, *each.forwards)
        while not stopped.by and all(each.running() for each in boards):
            stopped.wait()
        return 0 if stopped.by else 1
    finally:
        for each in boards:
            each.stop()


def _following(mac: str | None, count: int) -> str | None:
    """The Ethernet address that comes so many after this one."""
    if mac is None:
        return None
    number = (int(mac.replace(":", ""), 16) + count) % (1 << 48)
    return number.to_bytes(6, "big").hex(":")
