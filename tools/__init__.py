# SPDX-License-Identifier: MIT
"""The host side of usocket_compat: the `usocket` command and what it is made of."""

from __future__ import annotations


def main() -> int:
    """The `usocket` command; Ctrl-C ends it quietly while it is still being loaded too."""
    try:
        from .cli import main

        return main()
    except KeyboardInterrupt:
        return 130
