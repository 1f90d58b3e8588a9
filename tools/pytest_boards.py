# SPDX-License-Identifier: MIT
# pytest-xdist for boards: a board is used by one process, which runs all that is for it, in order.
# pytest loads this for `usocket test` alone.
from __future__ import annotations

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    from xdist.scheduler import LoadScopeScheduling

    class PerBoard(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            # tests/common/test_tcp.py::test_urgent_byte[ttyUSB0]
            return nodeid.rpartition("[")[2]

    return PerBoard(config, log)
