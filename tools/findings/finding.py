# SPDX-License-Identifier: MIT
# What `usocket doctor` says of one thing.
from __future__ import annotations

from typing import NamedTuple

OK, NOTE, WRONG = "ok", "note", "wrong"


class Finding(NamedTuple):
    state: str  # OK; NOTE: not as it could be; WRONG
    text: str
    hint: str = ""
