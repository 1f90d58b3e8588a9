"""Random sequences of calls, on the layer and on plain sockets: the same results and errnos.

USOCKET_ORACLE_EXAMPLES=N runs N sequences instead, other ones each time.
"""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

if not sys.platform.startswith("linux"):
    pytest.skip("the oracle is Linux's kernel", allow_module_level=True)

from oracle import Machine

EXAMPLES = int(os.environ.get("USOCKET_ORACLE_EXAMPLES", 0))


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_against_socket():
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES or 200,
            stateful_step_count=50,
            deadline=None,
            derandomize=not EXAMPLES,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
