# SPDX-License-Identifier: MIT
# `usocket test`: the behaviour suite on boards, each in a process of its own, all at once. pytest
# does it, with what tests/ in the checkout tells it of boards.
from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from .. import files
from ..boards import identity, named, plugged
from ..boards.device import Device
from ..errors import UsocketError
from ..layer import kconfig
from ..suite import checkout
from ..suite.handover import DEVICES, target_id
from ..suite.joining import join, wifi_of_board
from ..wifi import KEY, SSID, Wifi, wifi_of

_NO_TESTS = 5  # pytest's exit status


def do_test(args: argparse.Namespace) -> int:
    suite = files.data_file("common/run.py").parent
    devices = args.device or [plugged.only_device()]
    lines = [named.find(name).serial for name in devices]
    twice = [name for name, line in zip(devices, lines) if lines.count(line) > 1]
    if twice:
        raise UsocketError(f"{twice[0]} is named twice", "Each board can run the suite once.")
    chosen = [_test_file(suite, name) for name in args.tests] or [suite]
    checkout.need("pytest", "pytest-timeout", *["pytest-xdist"] * (len(devices) > 1))
    checkout.need(*["pytest-html"] * bool(args.html))
    kconfig.load(kconfig.named())  # refuses a wrong one
    for report in (args.junit, args.html):
        if report:
            _check_report(report)
    wifi = wifi_of(args.wifi, os.environ)
    for name in devices:
        _prepare(name, wifi or wifi_of_board(named.find(name)))
    command = [sys.executable, "-m", "pytest", "-p", "usocket_tools.suite.pytest_boards"]
    # pyserial's, of what it does for rfc2217://.
    command += ["-W", "ignore::DeprecationWarning:serial.rfc2217"]
    command += [str(each) for each in chosen]
    if files.CHECKOUT:
        command += [f"--target={target_id(name)}" for name in devices]
    else:
        # Whatever project the environment lies in is not asked for its settings.
        command += ["-c", os.devnull, f"--rootdir={suite}", "-p", "no:cacheprovider"]
        command += ["--timeout=120"]
    if len(devices) > 1:
        command += ["-n", str(len(devices))]
    if args.k:
        command += ["-k", args.k]
    if args.junit:
        command += [f"--junit-xml={args.junit.absolute()}"]
    if args.html:
        command += [f"--html={args.html.absolute()}", "--self-contained-html"]
    environment = {**os.environ, DEVICES: " ".join(devices)}
    if wifi:
        environment.update(wifi.variables())
    if named.file():
        environment[named.NAMED] = str(named.file())  # from whichever folder
    status = subprocess.run(command, cwd=_rootdir(suite), env=environment).returncode
    if status == _NO_TESTS:
        raise UsocketError(
            f"no test has {args.k!r} in its name", "`grep 'def test_'` in tests/common shows all."
        )
    return status


def args_test(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run the behaviour suite on boards, on all of them at once. The exit status is 0 when"
        " every test has passed on every board."
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help=f"{plugged.DEVICE}; again for more (default: the only one that is plugged in)",
    )
    parser.add_argument(
        "--wifi",
        metavar="FILE",
        type=Path,
        help="bring the boards into this network first: its name in the first line, the key in"
        f" the second (default: {SSID} and {KEY} of the environment, or none)",
    )
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write a report in JUnit's XML")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a report to look at")
    parser.add_argument("-k", metavar="WORDS", help="only tests with this in their names")
    parser.add_argument(
        "tests", metavar="TESTS", nargs="*", help="files of the suite, such as test_tcp"
    )


def _prepare(name: str, wifi: Wifi | None) -> None:
    """See that the board is there, and in the network, before anything is run."""
    with Device(name) as device:
        device.fresh()
        try:
            platform = identity.ask(device).platform
            if platform not in files.ports():
                raise UsocketError(
                    f"{name}: the layer has no port for {platform}",
                    "The ports: " + ", ".join(files.ports()),
                )
            if wifi:
                join(device, wifi)
        finally:
            device.leave()


def _rootdir(suite: Path) -> Path:
    return suite.parents[1] if files.CHECKOUT else suite


def _test_file(suite: Path, name: str) -> Path:
    for file in (Path(name), suite / name, suite / f"{name}.py"):
        if file.is_file() and file.resolve().parent == suite:
            return file.resolve()
    known = sorted(file.stem for file in suite.glob("test_*.py"))
    raise UsocketError(f"there is no {name} in the suite", "There are " + ", ".join(known))


def _check_report(file: Path) -> None:
    """Before the tests, which may take long."""
    new = not file.exists()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("a").close()
        if new:
            file.unlink()
    except OSError as error:
        raise UsocketError(
            f"cannot write {file}: {error.strerror}", "Name a file that you may write."
        ) from error
