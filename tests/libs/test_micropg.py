"""micropg with PostgreSQL, which asks for a password by SCRAM."""

from __future__ import annotations

import errno
import shutil
import tempfile
from pathlib import Path

import pytest
from places import Place
from servers import Postgres

NEWLIB_ETIMEDOUT = 116


@pytest.fixture(scope="module")
def server():
    # Another user than ours is let in here.
    folder = Path(tempfile.mkdtemp(prefix="usocket-pg-", dir="/tmp"))
    server = Postgres(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.mark.parametrize("timeout", ["", "0.3"])
def test_micropg(place: Place, server: Postgres, timeout: str) -> None:
    args = place.host, server.port, server.user, server.password, timeout
    lines = place.lines("pg", *args, use=["micropg"])
    assert lines[:5] == [
        "[(8, \"it's 8\", b'\\x08\\x00', 2.0), (9, \"it's 9\", b'\\t\\x00', 2.25)]",
        "(10, 45) 1",
        "100 True",
        "refused b'42P01'",
        "(7,)",
    ]
    expired = f"timeout {NEWLIB_ETIMEDOUT if place.board else errno.ETIMEDOUT}"
    # The library expects that a password is right.
    assert lines[5:] == [expired if timeout else "slept", "AssertionError"]
