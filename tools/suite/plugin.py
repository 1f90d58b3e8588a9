# SPDX-License-Identifier: MIT
# For pytest, in a user's own tests: the fixtures usocket_target, vboard and board. It is installed
# with the package; what it needs is loaded by the test that uses it.
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from ..errors import UsocketError

if TYPE_CHECKING:
    from ..vboard.board import Board
    from .userplaces import BoardPlace, Place, VirtualPlace

# As in userplaces.py.
TARGETS = ("cpython", "unix", "vboard")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("usocket", "usocket_compat")
    group.addoption(
        "--usocket-target",
        action="append",
        default=[],
        choices=TARGETS,
        help="run tests that use usocket_target on this target; again for more (default: those of"
        " usocket_targets in the configuration, or all)",
    )
    group.addoption(
        "--usocket-device",
        action="append",
        default=[],
        metavar="DEVICE",
        help="a board that tests with usocket_target or board run on too: a serial device, an URL"
        " or a name in devices.toml; again for more",
    )
    parser.addini("usocket_targets", "where usocket_target runs: " + ", ".join(TARGETS), "args")


def pytest_configure(config: pytest.Config) -> None:
    devices = config.getoption("--usocket-device")
    targets = config.getoption("--usocket-target") or config.getini("usocket_targets")
    for unknown in set(targets) - set(TARGETS):
        raise pytest.UsageError(
            f"usocket_targets: there is no {unknown!r}; there are {', '.join(TARGETS)}"
        )
    config.pluginmanager.register(_fixtures(targets or TARGETS, devices), "usocket-fixtures")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a board, and what to do: that, and not the way to it in these files."""
    try:
        yield
    except UsocketError as error:
        pytest.fail(f"{error}\n{error.hint}", pytrace=False)


@pytest.fixture(scope="session")
def _usocket_board() -> Iterator[Board]:
    """The virtual board of usocket_target."""
    from ..vboard.board import Board

    with contextlib.ExitStack() as stack:
        with _told():
            board = stack.enter_context(Board())
        yield board


def _fixtures(targets: tuple[str, ...] | list[str], devices: list[str]) -> object:
    """The fixtures, for these targets; a conftest's own of such a name comes before them."""
    reason = "no board is named: --usocket-device, a serial device or a name in devices.toml"
    boards: list[Any] = list(devices)
    if not boards:
        boards = [pytest.param("", id="none", marks=pytest.mark.skip(reason=reason))]

    class Fixtures:
        @pytest.fixture(params=[*targets, *devices])
        def usocket_target(self, request: pytest.FixtureRequest) -> Place:
            """Where a program runs: on each target, and on each board that is named."""
            from . import userplaces

            where, folder = request.param, request.path.parent
            if where in devices:
                with _told():
                    return userplaces.BoardPlace(where, folder)
            if where == userplaces.VBOARD:
                board = request.getfixturevalue("_usocket_board")
                return userplaces.VirtualPlace(folder, board)
            return userplaces.Place(where, folder)

        @pytest.fixture
        def vboard(self, request: pytest.FixtureRequest) -> Iterator[VirtualPlace]:
            """A virtual board that is this test's own, for faults and cut links."""
            from ..vboard.board import Board
            from .userplaces import VirtualPlace

            with contextlib.ExitStack() as stack:
                with _told():
                    board = stack.enter_context(Board())
                yield VirtualPlace(request.path.parent, board)

        @pytest.fixture(params=boards)
        def board(self, request: pytest.FixtureRequest) -> BoardPlace:
            """Each board that is named; without one the test is skipped."""
            from .userplaces import BoardPlace

            with _told():
                return BoardPlace(request.param, request.path.parent)

    return Fixtures()
