# SPDX-License-Identifier: MIT
# What it takes to ask name servers: which these are, and bytes that nobody can guess.

from uos import urandom  # noqa: F401


def nameservers(name):
    import network

    if name and name == network.hostname().lower():
        return None  # lookup.py knows this board itself
    host = network.ipconfig("dns")
    return [(host, 53)] if host != "0.0.0.0" else []
