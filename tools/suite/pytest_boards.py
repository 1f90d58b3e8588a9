# SPDX-License-Identifier: MIT
# pytest-xdist for boards: a board is used by one process, which runs all that is for it, in order.
# pytest loads this for `usocket test` alone. In a checkout tests/conftest.py collects the suite.
from __future__ import annotations

import os

import pytest

from ..files import CHECKOUT
from .handover import DEVICES, target_id

if not CHECKOUT:
    from .collecting import (  # noqa: F401 - hooks of pytest's
        TARGETS,
        pytest_pycollect_makemodule,
        pytest_report_teststatus,
        pytest_sessionfinish,
    )
    from .onboard import Serial, Target

    def pytest_configure(config: pytest.Config) -> None:
        names = os.environ[DEVICES].split()
        targets: list[Target] = [Serial(target_id(name), name) for name in names]
        config.stash[TARGETS] = targets


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    from xdist.scheduler import LoadScopeScheduling

    class PerBoard(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            # tests/common/test_tcp.py::test_urgent_byte[ttyUSB0]
            return nodeid.rpartition("[")[2]

    return PerBoard(config, log)
