# SPDX-License-Identifier: MIT
"""No stream loses a byte on a bad network; soak.py runs as many as one has time for."""

from __future__ import annotations

from soak import soak


def test_no_byte_is_lost():
    # More duplicates than any network has: of each handshake something comes twice.
    report = soak(60, seed=3, duplicate="30%")
    assert not report.lost
    assert report.connections == 60
