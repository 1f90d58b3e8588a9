# SPDX-License-Identifier: MIT
from typing import Any

FILE: str

def up(
    ssid: str | bytes | None = None,
    key: str | bytes | None = None,
    hostname: str | None = None,
    timeout_s: float = 20,
) -> str: ...
def lan(hostname: str | None = None, timeout_s: float = 20, **settings: Any) -> str: ...
