"""Whose `usocket` an old library gets: as the documentation says it."""

from __future__ import annotations

from places import DROP_IN, Place


def test_it_keeps_the_firmwares(place: Place) -> None:
    assert place.lines("in_place", "") == ["False False"]


def test_it_gets_the_drop_in_once_that_is_loaded(place: Place) -> None:
    loaded = place.kind == DROP_IN
    assert place.lines("in_place", "first") == [f"{loaded} {loaded}"]
