# SPDX-License-Identifier: MIT
# The one exception of the host tools. cli.main prints it; nothing else catches it to go on.
from __future__ import annotations


class UsocketError(Exception):
    """What went wrong in one sentence, and what the user can try next."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
