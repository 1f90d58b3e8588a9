# SPDX-License-Identifier: MIT
"""The host side of usocket_compat: the `usocket` command and what it is made of."""

from __future__ import annotations

import sys


def main() -> int:
    """The `usocket` command; Ctrl-C ends it quietly while it is still being loaded too."""
    if sys.platform == "win32":  # which lacks modules that are needed from here on
        sys.exit(
            "usocket: this is Windows, where the command does not run: take WSL, or Linux.\n"
            "To bring the layer to a board, mip does from Windows too."
        )
    try:
        from .cli import main

        return main()
    except KeyboardInterrupt:
        return 130
