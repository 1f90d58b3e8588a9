# SPDX-License-Identifier: MIT
# A line that loses, delays, duplicates and reorders frames, as its seed decides. It knows no
# clock and no network: the time is an argument, frames are any objects.
from __future__ import annotations

import heapq
import random
import re
from typing import Any, Generic, NamedTuple, TypeVar

from ..errors import UsocketError

# How long a frame that is to be overtaken waits for another one, in seconds.
OVERTAKE = 0.05

Frame = TypeVar("Frame")


class Faults(NamedTuple):
    """Probabilities from 0 to 1, times in seconds."""

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    seed: int = 0

    def __str__(self) -> str:
        words = [f"{name}={getattr(self, name) * 100:g}%" for name in _CHANCES]
        words.insert(1, f"delay={self.delay * 1000:g}ms+-{self.jitter * 1000:g}")
        return " ".join([*words, f"seed={self.seed}"])

    def any(self) -> bool:
        return any(self[:-1])


_CHANCES = ("loss", "duplicate", "reorder")
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"


def parse(words: dict[str, str]) -> Faults:
    """{"loss": "5%", "delay": "20ms±10", ...}, as options and the control socket give them."""
    found: dict[str, Any] = {}
    for name, text in words.items():
        if name in _CHANCES:
            found[name] = _chance(name, text)
        elif name == "delay":
            found["delay"], found["jitter"] = _delay(text)
        elif name == "seed":
            if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
                raise UsocketError(f"the seed {text!r} is not a whole number", "Such as seed=7.")
            found["seed"] = int(text)
        else:
            raise UsocketError(
                f"there is no fault {name!r}",
                "There are loss=5%, delay=20ms±10, duplicate=1%, reorder=1% and seed=7.",
            )
    return Faults(**found)


def _chance(name: str, text: str) -> float:
    found = re.fullmatch(_NUMBER + "%?", text, re.ASCII)
    if not found or float(found[1]) > 100:
        raise UsocketError(
            f"{name} {text!r} is not a percentage",
            f"It goes from 0% to 100%, such as {name} 2.5%.",
        )
    return float(found[1]) / 100


def _delay(text: str) -> tuple[float, float]:
    found = re.fullmatch(rf"{_NUMBER}(ms|s)?(?:(?:±|\+-){_NUMBER}(ms|s)?)?", text, re.ASCII)
    if not found:
        raise UsocketError(
            f"delay {text!r} is not a time",
            "It is like 20ms, or 20ms±10 (20ms+-10) with a spread.",
        )
    unit = found[2] or "ms"
    scale = {"ms": 0.001, "s": 1.0}
    delay = float(found[1]) * scale[unit]
    jitter = float(found[3] or 0) * scale[found[4] or unit]
    if jitter > delay or delay > 60:
        raise UsocketError(
            f"delay {text!r} goes below 0 or beyond 60 seconds",
            "The spread is at most the delay itself, and that at most 60s.",
        )
    return delay, jitter


class Line(Generic[Frame]):
    """One direction. What a frame meets depends on the seed and on its number alone."""

    def __init__(self, faults: Faults, direction: str) -> None:
        self.faults = faults
        self._random = random.Random(f"{faults.seed} {direction}")
        self._queue: list[tuple[float, int, Frame]] = []
        self._sent = 0
        self._last = 0.0
        self._held: tuple[float, list[Frame]] | None = None

    def push(self, now: float, frame: Frame) -> None:
        chance = self._random.random
        # Always as many numbers, so that one fault's setting does not change another's decisions.
        lost, twice, overtaken, spread = chance(), chance(), chance(), chance()
        faults = self.faults
        if lost < faults.loss:
            return
        copies = [frame, frame] if twice < faults.duplicate else [frame]
        due = now + faults.delay + faults.jitter * (2 * spread - 1)
        if overtaken < faults.reorder and not self._held:
            self._held = (max(due, self._last) + OVERTAKE, copies)
            return
        # A spread delay alone keeps the order, as a queue on the way does.
        self._last = max(due, self._last)
        held = self._held
        if held:
            self._held = None
            copies += held[1]
        for copy in copies:
            self._put(self._last, copy)

    def _put(self, due: float, frame: Frame) -> None:
        self._sent += 1
        heapq.heappush(self._queue, (due, self._sent, frame))

    def due(self) -> float | None:
        """When `take` next has something; None: never, as it stands."""
        times = [entry[0] for entry in self._queue[:1]]
        if self._held:
            times.append(self._held[0])
        return min(times, default=None)

    def take(self, now: float) -> list[Frame]:
        """The frames that arrive by now, in their order."""
        if self._held and self._held[0] <= now:
            due, copies = self._held
            self._held = None
            for copy in copies:
                self._put(due, copy)
        arrived = []
        while self._queue and self._queue[0][0] <= now:
            arrived.append(heapq.heappop(self._queue)[2])
        return arrived

    def clear(self) -> None:
        """Forget what is on its way, as when the cable is pulled."""
        self._queue.clear()
        self._held = None
