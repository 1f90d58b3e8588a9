"""A test with an argument `place` runs once in each place."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "peers"))

import places


@functools.cache
def all_places() -> list[places.Place]:
    return places.all_places()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "places(*names): the only ones where the test can run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        found = all_places()
        mark = metafunc.definition.get_closest_marker("places")
        if mark:
            # Those of both kinds, or of one: "unix-dropin".
            found = [each for each in found if {each.id, each.name} & set(mark.args)]
        metafunc.parametrize("place", found, ids=[place.id for place in found])


def pytest_sessionfinish(session: pytest.Session) -> None:
    for place in all_places():
        place.stop()
