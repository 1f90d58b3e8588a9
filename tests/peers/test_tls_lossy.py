"""Much data by TLS sockets over a network that loses packets."""

from __future__ import annotations

import sys
from pathlib import Path

import lossy
import peers
import pytest
import secured
from targets import HostTarget

HERE = Path(__file__).parent
LIMIT = 100


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_both_ways_at_once(target: HostTarget, version: str) -> None:
    if version == "1.3" and target.id != "cpython":
        pytest.skip("tests/common/test_tls_trust.py has the refusal")
    port = "4433"
    prefix = [peers.program("unshare"), "-n", sys.executable, str(HERE / "lossy.py")]
    prefix += ["3", "5", port]
    args = str(secured.COMMON), lossy.OTHER, port, version, str(1 << 20)
    process = target.run(HERE / "programs" / "bulk.py", *args, prefix=prefix)
    lines = process.rest(LIMIT)
    assert process.end() == "", lines
    assert lines == ["0 True", "[]", "lost True"]
