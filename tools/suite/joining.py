# SPDX-License-Identifier: MIT
# The network that boards join before the behaviour suite runs on them.
from __future__ import annotations

import socket

from ..boards import identity
from ..boards.device import EXEC_SILENCE, Device
from ..boards.named import Named
from ..layer import bundle, install
from ..wifi import Wifi, wifi_of

_CONNECTED = """
def connected():
    try:
        import network
        try:
            w = network.LAN()
        except (AttributeError, TypeError):
            w = network.WLAN(network.STA_IF)
        return w.active() and w.isconnected()
    except (ImportError, AttributeError, OSError):
        return False
print(connected())
"""
_JOIN = "from usocket_compat import wifi\nprint(wifi.up({ssid!r}, {key!r}, timeout_s={seconds}))"
_JOIN_SECONDS = 20


def join(device: Device, wifi: Wifi) -> None:
    """Bring a fresh board into the network, unless it is in one. The key is not kept on it."""
    if device.exec(_CONNECTED).strip() == "True":
        return
    install.install(device, bundle.version(identity.ask(device)))
    code = _JOIN.format(ssid=wifi.ssid, key=wifi.key, seconds=_JOIN_SECONDS)
    device.exec(code, _JOIN_SECONDS + EXEC_SILENCE)
    # The connection stays, what was imported does not.
    device.fresh()


def wifi_of_board(board: Named) -> Wifi | None:
    """The network that devices.toml has for it."""
    return wifi_of(board.wifi, {}) if board.wifi else None


def towards(address: str) -> str:
    """Our own address in the network that a board's address is of. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((address, 9))
        return str(s.getsockname()[0])
