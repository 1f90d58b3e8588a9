# SPDX-License-Identifier: MIT
"""The plots of docs/costs.md are those of the figures that are kept, and README has the same."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "bench"))

import plots  # noqa: E402
import run  # noqa: E402


@pytest.mark.parametrize("name", ["heap.svg", "speed.svg"])
def test_a_plot_is_of_the_figures_that_are_kept(name):
    assert plots.drawn(plots.results())[name] == (plots.IMAGES / name).read_text()


def test_readme_has_the_same_figures():
    heap = {name: [value] for name, value in plots.results()["heap"].items()}
    assert run.costs(heap) in (ROOT / "README.md").read_text()


def test_a_bar_is_as_long_as_its_figure_says():
    drawn = plots.drawn({"heap": {"heap_import": 20480, "heap_all": 40960}})["heap.svg"]
    half, whole = (float(width) for width in re.findall(r'width="([\d.]+)" height="16"', drawn))
    assert whole == plots.RIGHT
    assert half * 2 == pytest.approx(whole) and "20.0 KB" in drawn and "40.0 KB" in drawn


def test_what_was_not_measured_again_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(plots, "IMAGES", tmp_path)
    plots.RESULTS.write_text(json.dumps({"heap": {"heap_import": 1024}, "unix": {"poll64": 0.5}}))
    plots.keep("unix", {"poll64": [0.75, 30.0, 40.0]})
    assert plots.results() == {"heap": {"heap_import": 1024}, "unix": {"poll64": 0.75}}
    assert "0.75" in (tmp_path / "speed.svg").read_text()
    assert "1.0 KB" in (tmp_path / "heap.svg").read_text()
