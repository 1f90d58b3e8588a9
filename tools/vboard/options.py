# SPDX-License-Identifier: MIT
# The options of a virtual board, of the command and of Board.
from __future__ import annotations

import argparse
import os
import re
import socket
from pathlib import Path
from typing import Any

from .. import wifi
from ..errors import UsocketError
from . import faults, network

FAULTS = ("loss", "delay", "duplicate", "reorder", "seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Start a virtual ESP32: MicroPython's esp32 socket module on lwIP, behind the device that"
        " is printed, for mpremote, pyserial and `usocket run --device`. The board is"
        f" {network.BOARD}, this machine's loopback is {network.HOST} to it. Ctrl-C ends it."
    )
    for flag, settings in ARGUMENTS.items():
        parser.add_argument(flag, **settings)
    parser.add_argument("words", nargs="*", metavar="COMMAND", help="with --control")


ARGUMENTS: dict[str, Any] = {
    "--forward": {
        "action": "append",
        "default": [],
        "metavar": "[udp:][ADDRESS:]PORT:BOARDPORT",
        "help": "a port of this machine that leads to the board; 0 takes a free one, and it is"
        " printed",
    },
    "--ethernet": {
        "action": "store_true",
        "help": "the network is on the board's Ethernet, for network.LAN(mdc=23, mdio=18,"
        " phy_addr=0, phy_type=network.PHY_LAN8720); no Wi-Fi is in reach",
    },
    "--ipv6": {
        "action": "store_true",
        "help": f"give the board the IPv6 address {network.BOARD6}, as no stock firmware has one,"
        f" and this machine's loopback {network.HOST6}",
    },
    "--internet": {"action": "store_true", "help": "let the board reach more than this machine"},
    "--dns": {
        "metavar": "ADDRESS[:PORT]|host",
        "help": "the board's DNS server: one on this machine's loopback, or the one that this"
        " machine uses (default: none)",
    },
    "--flash": {
        "type": Path,
        "metavar": "FILE",
        "help": "keep the flash in FILE, made if missing",
    },
    "--heap": {
        "type": int,
        "metavar": "BYTES",
        "help": "the heap in all (default: a bare ESP32's)",
    },
    "--tls-memory": {
        "type": int,
        "metavar": "BYTES",
        "help": "what TLS finds besides what the heap has not grown into (default: 40960, about"
        " what a bare ESP32 has left with Wi-Fi)",
    },
    "--wifi": {
        "metavar": "@FILE|env|SSID:KEY",
        "help": "start without a connection; the access point has this name and key: of the first"
        f" two lines of FILE, or of {wifi.SSID} and {wifi.KEY} in the environment. As an argument"
        " they are seen by everybody on this machine",
    },
    "--mac": {
        "metavar": "XX:XX:XX:XX:XX:XX",
        "help": "its Ethernet address; of several boards the first has it, each other the next",
    },
    "--loss": {"metavar": "5%", "help": "how many packets get lost, in each direction"},
    "--delay": {
        "metavar": "20ms+-10",
        "help": "how long a packet is on its way, and by how much that varies",
    },
    "--duplicate": {"metavar": "1%", "help": "how many packets arrive twice"},
    "--reorder": {"metavar": "1%", "help": "how many packets the next one overtakes"},
    "--seed": {"metavar": "7", "help": "decides which packets those are (default: 0)"},
    "--trace": {"type": Path, "metavar": "FILE", "help": "record the packets in FILE, as pcap"},
    "--variant": {
        "default": "standard",
        "metavar": "VARIANT",
        "help": "32bit has an ESP32's object sizes (default: %(default)s)",
    },
    "--micropython": {
        "default": "newest",
        "metavar": "VERSION",
        "help": "the firmware's version (default: the newest that is packaged)",
    },
    "--firmware": {"type": Path, "metavar": "FILE", "help": "a firmware that is built already"},
    "--count": {"type": int, "default": 1, "metavar": "N", "help": "start N boards"},
    "--script": {
        "type": Path,
        "metavar": "FILE",
        "help": "run this program on the board and end with its status",
    },
    "--control": {
        "metavar": "DEVICE",
        "help": "send COMMAND to a board that runs: link down|up, faults [loss=5%% ...|off],"
        " memory BYTES (lwIP finds no larger block; 0: any), reset, forward 0:80, status",
    },
    # How Board starts it: standard input is open as long as the board is wanted.
    "--lifeline": {"action": "store_true", "help": argparse.SUPPRESS},
}


def check(options: argparse.Namespace) -> None:
    """What can be wrong about the options, before anything is built or opened."""
    for text in options.forward:
        if network.parse_forward(text).host_port and options.count > 1:
            raise UsocketError(
                f"several boards cannot share the port of {text!r}",
                "Port 0 takes a free one for each.",
            )
    if options.ethernet and options.wifi:
        raise UsocketError(
            "--ethernet and --wifi are two networks", "A virtual board is on one of them."
        )
    fault_settings(options)
    dns_server(options)
    if options.count < 1:
        raise UsocketError("--count is the number of boards, 1 or more", "Such as --count 2.")
    for name in ("flash", "trace", "script"):
        if options.count > 1 and getattr(options, name):
            raise UsocketError(f"several boards cannot share one --{name}", "Start them singly.")
    network_of(options)
    if options.mac and not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", options.mac):
        raise UsocketError(
            f"{options.mac!r} is not an Ethernet address", "Such as 52:54:00:12:34:57."
        )
    if options.heap is not None and options.heap < 16384:
        raise UsocketError(
            "a heap of less than 16384 bytes does not start MicroPython", "Such as --heap 100000."
        )
    if options.tls_memory is not None and not 0 <= options.tls_memory <= 1 << 30:
        raise UsocketError(
            f"{options.tls_memory} is not an amount of memory", "Such as --tls-memory 40960."
        )
    for name in ("script", "firmware"):
        file = getattr(options, name)
        if file and not file.is_file():
            raise UsocketError(f"there is no file {file}", f"--{name} names one that is there.")


def network_of(options: argparse.Namespace) -> wifi.Wifi | None:
    """The access point in reach, if the board is to start without a connection."""
    return wifi.named(options.wifi, os.environ) if options.wifi else None


def fault_settings(options: argparse.Namespace) -> faults.Faults:
    given = {name: getattr(options, name) for name in FAULTS}
    return faults.parse({name: text for name, text in given.items() if text is not None})


def dns_server(options: argparse.Namespace) -> str:
    """The firmware's --dns, "" for none."""
    if not options.dns:
        return ""
    if options.dns == "host":
        return f"{network.RESOLVER}:53"
    address, _, port = options.dns.partition(":")
    address = "127.0.0.1" if address == "localhost" else address
    try:
        packed = socket.inet_pton(socket.AF_INET, address)
        number = int(port or 53)
        if not 1 <= number <= 65535:
            raise ValueError
    except (OSError, ValueError):
        raise UsocketError(
            f"{options.dns!r} is not a DNS server", "Such as --dns 127.0.0.1:5353, or --dns host."
        ) from None
    if address == "127.0.0.1":
        return f"{network.HOST}:{number}"
    if packed[0] == 127:
        raise UsocketError(
            f"the board does not reach {address}", "Of the loopback network it has 127.0.0.1 only."
        )
    if not options.internet:
        raise UsocketError(
            f"the board does not reach the DNS server {address}", "With --internet it does."
        )
    return f"{address}:{number}"
