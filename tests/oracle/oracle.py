"""The layer and the kernel side by side.

Every socket of the state machine is a twin: one in the layer, one of plain CPython. A rule makes
the same call on both and compares results and errno. The plain one never uses Python's timeouts,
so that it shows the kernel; where CPython's wrapper hides the kernel, kernel.py is asked instead.
The rules are in the files of what they are about.
"""

from __future__ import annotations

import rules_data
import rules_life
import rules_making
import rules_readiness
import rules_state
import twins
import world

# Those that have the layer's modules, and how long they wait.
PARTS = (rules_data, rules_life, rules_making, rules_readiness, rules_state, twins, world)


class Machine(
    rules_making.Making,
    rules_life.Life,
    rules_data.Data,
    rules_state.State,
    rules_readiness.Readiness,
):
    """All rules on the same sockets."""
