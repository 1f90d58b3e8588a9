"""What programs keep of a board's heap: within the limits, and as the README says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST = {"heap_import": 8, "heap_tcp_poll": 26, "heap_all": 34}  # KiB


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_run", ROOT / "bench" / "run.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "bench")
        spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(300)
def test_heap(bench) -> None:
    heap = bench.heap_costs()
    assert {n: heap[n][0] for n, kib in MOST.items() if heap[n][0] > kib * 1024} == {}

    def rows(text: str) -> dict[str, float]:
        found = re.findall(r"^\| (.*) \| ([\d.]+) (KB|bytes) \|$", text, re.M)
        return {what: float(n) * (1024 if unit == "KB" else 1) for what, n, unit in found}

    now = rows(bench.costs(heap))
    said = rows((ROOT / "README.md").read_text())
    assert len(now) == 7
    for what, bytes_now in now.items():
        # A heap never looks quite the same twice; what is said in bytes is a mean of many.
        differs = 512 if said[what] >= 1024 else 100
        assert bytes_now == pytest.approx(said[what], rel=0.05, abs=differs), what
