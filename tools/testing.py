# SPDX-License-Identifier: MIT
# `usocket test`: the behaviour suite on boards, each in a process of its own, all at once. pytest
# does it, with what tests/ in the checkout tells it of boards.
from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Mapping, NamedTuple

from . import deploy, files, install, kconfig
from .deploying import only_device
from .device import EXEC_SILENCE, Device
from .errors import UsocketError

# Names of environment variables.
DEVICES = "USOCKET_DEVICE"  # those that the suite runs on, separated by spaces
SSID, KEY = "USOCKET_WIFI_SSID", "USOCKET_WIFI_KEY"

_CONNECTED = """
def connected():
    try:
        import network
        w = network.WLAN(network.STA_IF)
        return w.active() and w.isconnected()
    except (ImportError, AttributeError, OSError):
        return False
print(connected())
"""
_JOIN = "from usocket_compat import wifi\nprint(wifi.up({ssid!r}, {key!r}, timeout_s={seconds}))"
_JOIN_SECONDS = 20
_NO_TESTS = 5  # pytest's exit status


class Wifi(NamedTuple):
    ssid: str
    key: str


def do_test(args: argparse.Namespace) -> int:
    suite = _suite()
    devices = args.device or [only_device()]
    twice = [name for name in devices if devices.count(name) > 1]
    if twice:
        raise UsocketError(f"{twice[0]} is named twice", "Each board can run the suite once.")
    chosen = [_test_file(suite, name) for name in args.tests] or [suite / "common"]
    _check_packages(devices, args)
    kconfig.load(kconfig.named())  # refuses a wrong one
    for report in (args.junit, args.html):
        if report:
            _check_report(report)
    wifi = wifi_of(args.wifi, os.environ)
    for name in devices:
        _prepare(name, wifi)
    command = [sys.executable, "-m", "pytest", "-p", "usocket_tools.pytest_boards"]
    # pyserial's, of what it does for rfc2217://.
    command += ["-W", "ignore::DeprecationWarning:serial.rfc2217"]
    command += [str(each) for each in chosen]
    for name in devices:
        command += ["--target", target_id(name)]
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
        environment.update({SSID: wifi.ssid, KEY: wifi.key})
    status = subprocess.run(command, cwd=suite.parent, env=environment).returncode
    if status == _NO_TESTS:
        raise UsocketError(
            f"no test has {args.k!r} in its name", "`grep 'def test_'` in tests/common shows all."
        )
    return status


def args_test(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run the behaviour suite on boards, on all of them at once. The exit status is 0 when"
        " every test has passed on every board. It needs a checkout of the project."
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        action="append",
        default=[],
        help="the board behind this serial device, or rfc2217:// or socket:// URL; again for more"
        " (default: the only one that is plugged in)",
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


def target_id(device: str) -> str:
    """What the suite calls a board."""
    return device[len("/dev/") :] if device.startswith("/dev/") else device


def wifi_of(file: Path | None, environment: Mapping[str, str]) -> Wifi | None:
    """The network that the boards are to join."""
    if file is None:
        ssid = environment.get(SSID, "")
        if not ssid and environment.get(KEY):
            raise UsocketError(f"{KEY} is set, and {SSID} is not", "Set both, or neither.")
        return Wifi(ssid, environment.get(KEY, "")) if ssid else None
    try:
        ssid, _, rest = file.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise UsocketError(
            f"cannot read {file}: {reason}",
            "It is a text file: the network's name in the first line, the key in the second.",
        ) from error
    if not ssid.strip():
        raise UsocketError(
            f"{file} names no network",
            "The network's name belongs into the first line, the key into the second.",
        )
    if _committed(file):
        raise UsocketError(
            f"{file} is committed: the key of the network is there for all to read",
            "`git rm --cached` takes it out, .gitignore keeps it out; and change the key.",
        )
    return Wifi(ssid.strip(), rest.partition("\n")[0].strip())


def _committed(file: Path) -> bool:
    command = ["git", "ls-files", "--error-unmatch", file.name]
    try:
        return not subprocess.run(command, cwd=file.parent, capture_output=True).returncode
    except OSError:
        return False


def join(device: Device, wifi: Wifi) -> None:
    """Bring a fresh board into the network, unless it is in one. The key is not kept on it."""
    if device.exec(_CONNECTED).strip() == "True":
        return
    install.install(device, deploy.version(deploy.ask(device)))
    code = _JOIN.format(ssid=wifi.ssid, key=wifi.key, seconds=_JOIN_SECONDS)
    device.exec(code, _JOIN_SECONDS + EXEC_SILENCE)
    # The connection stays, what was imported does not.
    device.fresh()


def _prepare(name: str, wifi: Wifi | None) -> None:
    """See that the board is there, and in the network, before anything is run."""
    with Device(name) as device:
        device.fresh()
        try:
            platform = deploy.ask(device).platform
            if platform not in files.ports():
                raise UsocketError(
                    f"{name}: the layer has no port for {platform}",
                    "The ports: " + ", ".join(files.ports()),
                )
            if wifi:
                join(device, wifi)
        finally:
            device.leave()


def _suite() -> Path:
    suite = files.PACKAGE.parent / "tests"
    if not files.CHECKOUT or not suite.is_dir():
        raise UsocketError(
            "the behaviour suite is not here: pip does not install it",
            "Run `usocket test` of a checkout of the project.",
        )
    return suite


def _test_file(suite: Path, name: str) -> Path:
    for file in (Path(name), suite / "common" / name, suite / "common" / f"{name}.py"):
        if file.is_file() and file.resolve().parent == suite / "common":
            return file.resolve()
    known = sorted(file.stem for file in (suite / "common").glob("test_*.py"))
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


def _check_packages(devices: list[str], args: argparse.Namespace) -> None:
    needed = {"pytest": "pytest", "pytest-timeout": "pytest_timeout"}
    if len(devices) > 1:
        needed["pytest-xdist"] = "xdist"
    if args.html:
        needed["pytest-html"] = "pytest_html"
    missing = [name for name, module in needed.items() if not importlib.util.find_spec(module)]
    if missing:
        raise UsocketError(
            "the suite needs " + ", ".join(missing), "pip install 'usocket-compat[test]'"
        )
