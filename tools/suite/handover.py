# SPDX-License-Identifier: MIT
# What `usocket test` tells the behaviour suite: the devices, and their names.
from __future__ import annotations

# Name of an environment variable.
DEVICES = "USOCKET_DEVICE"  # those that the suite runs on, separated by spaces


def target_id(device: str) -> str:
    """What the suite calls a board."""
    return device[len("/dev/") :] if device.startswith("/dev/") else device
