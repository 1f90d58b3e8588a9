# SPDX-License-Identifier: MIT
"""The line with faults, on a clock that the test sets."""

from __future__ import annotations

import pytest

from usocket_tools.errors import UsocketError
from usocket_tools.vboard.faults import OVERTAKE, Faults, Line, parse


def through(faults: Faults, count: int, step: float = 1.0, name: str = "out") -> list[int]:
    """The frames 0..count-1, one each `step` seconds, as they arrive."""
    line: Line[int] = Line(faults, name)
    arrived = []
    for frame in range(count):
        line.push(frame * step, frame)
        arrived += line.take(frame * step)
    return arrived + line.take(count * step + 1000)


def test_none():
    assert not Faults().any() and through(Faults(), 100) == list(range(100))


@pytest.mark.parametrize("percent", [0, 1, 5, 50, 100])
def test_loss(percent):
    lost = 10000 - len(through(Faults(loss=percent / 100), 10000))
    # Within five standard deviations.
    chance = percent / 100
    assert abs(lost - 10000 * chance) <= 5 * (10000 * chance * (1 - chance)) ** 0.5


def test_duplicates_follow_their_original():
    arrived = through(Faults(duplicate=0.1), 1000)
    twice = [frame for frame in range(1000) if arrived.count(frame) == 2]
    assert sorted(arrived) == arrived and len(arrived) == 1000 + len(twice)
    assert 50 < len(twice) < 150


def test_delay():
    line: Line[str] = Line(Faults(delay=0.02), "out")
    assert line.due() is None
    line.push(5.0, "a")
    line.push(5.01, "b")
    assert line.due() == pytest.approx(5.02)
    assert line.take(5.0199) == [] and line.take(5.0201) == ["a"]
    assert line.due() == pytest.approx(5.03)
    assert line.take(6) == ["b"] and line.due() is None


def test_spread_delay_keeps_the_order():
    faults = Faults(delay=0.02, jitter=0.01)
    times = set()
    for frame in range(200):
        line: Line[int] = Line(faults._replace(seed=frame), "out")
        line.push(0.0, frame)
        times.add(line.due())
    assert 0.01 <= min(times) < 0.012 and 0.028 < max(times) <= 0.03
    assert through(faults, 1000, step=0.001) == list(range(1000))


def test_reorder():
    arrived = through(Faults(reorder=0.1), 1000, step=0.001)
    assert sorted(arrived) == list(range(1000))
    moved = [i for i in range(999) if arrived[i] > arrived[i + 1]]
    # Each of those is one frame after its successor, and no further.
    assert 50 < len(moved) < 150 and all(arrived[i] == arrived[i + 1] + 1 for i in moved)


def test_reorder_without_a_successor():
    line: Line[str] = Line(Faults(reorder=1.0, delay=0.02), "out")
    line.push(1.0, "last")
    assert line.due() == pytest.approx(1.02 + OVERTAKE)
    assert line.take(1.02) == [] and line.take(1.021 + OVERTAKE) == ["last"]


def test_the_seed_decides():
    faults = Faults(loss=0.2, duplicate=0.2, reorder=0.2, delay=0.01, jitter=0.01, seed=7)
    once = through(faults, 500, step=0.001)
    assert through(faults, 500, step=0.001) == once
    assert through(faults._replace(seed=8), 500, step=0.001) != once
    assert through(faults, 500, step=0.001, name="back") != once


def test_one_fault_does_not_change_another():
    """The same packets get lost when others are duplicated as well."""
    lost = set(range(500)) - set(through(Faults(loss=0.1), 500))
    both = set(range(500)) - set(through(Faults(loss=0.1, duplicate=0.5, reorder=0.5), 500))
    assert lost == both and lost


def test_clear():
    line: Line[str] = Line(Faults(delay=1.0, reorder=1.0), "out")
    line.push(0.0, "held")
    line.push(0.0, "queued")
    line.clear()
    assert line.due() is None and line.take(100) == []


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        ({}, Faults()),
        ({"loss": "5%"}, Faults(loss=0.05)),
        ({"loss": "2.5%", "duplicate": "1"}, Faults(loss=0.025, duplicate=0.01)),
        ({"reorder": "100%", "seed": "7"}, Faults(reorder=1.0, seed=7)),
        ({"delay": "20ms±10"}, Faults(delay=0.02, jitter=0.01)),
        ({"delay": "20ms+-10"}, Faults(delay=0.02, jitter=0.01)),
        ({"delay": "20ms±10ms"}, Faults(delay=0.02, jitter=0.01)),
        ({"delay": "20"}, Faults(delay=0.02)),
        ({"delay": "1.5s+-500ms"}, Faults(delay=1.5, jitter=0.5)),
    ],
)
def test_parse(words, faults):
    assert parse(words) == pytest.approx(faults)
    # What is printed can be given again.
    printed = dict(word.split("=") for word in str(faults).split())
    assert parse(printed) == pytest.approx(faults)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"loss": "five"}, "loss 'five' is not a percentage"),
        ({"loss": "101%"}, "loss '101%' is not a percentage"),
        ({"loss": "-1%"}, "loss '-1%' is not a percentage"),
        ({"reorder": ""}, "reorder '' is not a percentage"),
        ({"delay": "20 ms"}, "delay '20 ms' is not a time"),
        ({"delay": "20ms-10"}, "delay '20ms-10' is not a time"),
        ({"delay": "5ms±10"}, "delay '5ms±10' goes below 0 or beyond 60 seconds"),
        ({"delay": "61s"}, "delay '61s' goes below 0 or beyond 60 seconds"),
        ({"seed": "x"}, "the seed 'x' is not a whole number"),
        ({"los": "5%"}, "there is no fault 'los'"),
    ],
)
def test_bad_values(words, problem):
    with pytest.raises(UsocketError) as caught:
        parse(words)
    assert str(caught.value) == problem and caught.value.hint
