# SPDX-License-Identifier: MIT
"""CPython's own tests of sockets, with the drop-in's class in the place of the standard one.

They are those of the interpreter that runs this, unmodified, on the build of cpython_build.py.
What is left out stands in cpython_left_out.txt, each with its reason; one that would pass is told,
and so is one that the drop-in skips and the standard modules do not.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNNER = HERE / "cpython_tests.py"
LEFT_OUT = HERE / "cpython_left_out.txt"
# There all ports are free, and none of the tests gets to the internet.
UP = 'ip link set lo up && exec "$0" "$@"'
OWN_NETWORK = ("unshare", "--map-root-user", "--net", "sh", "-c", UP)
SECONDS = 240
pytestmark = pytest.mark.timeout(300)
# Some look at the clock. As many that fail, and no more, are run again, one by one.
AGAIN = 5
# Fewer than this of them, and something has gone wrong with the run itself.
PASS_AT_LEAST = 500


def concerns(when: str) -> bool:
    version = tuple(map(int, re.findall(r"[0-9]+", when)))
    if when.startswith(">="):
        return sys.version_info[:2] >= version
    assert not when or when.startswith("<")
    return not when or sys.version_info[:2] < version


def left_out() -> dict[str, str]:
    """Test -> reason. A line that begins with # is the reason of those below it.

    A version behind a name says with which Pythons it is left out: >=3.12, <3.10.
    """
    found: dict[str, str] = {}
    reason = ""
    for line in LEFT_OUT.read_text().splitlines():
        if line.startswith("#"):
            reason = line[1:].strip()
        elif line:
            name, _, when = line.partition(" ")
            assert reason and name not in found
            if concerns(when):
                found[name] = reason
    return found


def run(folder: Path, which: str, names: list[str]) -> dict[str, tuple[str, str]]:
    wanted, output = folder / "names", folder / f"{which}.jsonl"
    wanted.write_text("\n".join(names))
    done = subprocess.run(
        [*OWN_NETWORK, sys.executable, str(RUNNER), which, str(wanted), str(output)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return {
        name: (how, why) for name, how, why in map(json.loads, output.read_text().splitlines())
    }


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, tuple[str, str]]:
    assert importlib.util.find_spec("test.test_socket"), (
        "this Python has no tests of its own: install Debian's libpython3-testsuite, or its like"
    )
    known = left_out()
    found = run(tmp_path_factory.mktemp("cpython"), "dropin", [])
    wrong = [n for n, (how, _) in found.items() if how in ("failed", "hung") and n not in known]
    for name in wrong if len(wrong) <= AGAIN else ():
        found.update(run(tmp_path_factory.mktemp("again"), "dropin", [name]))
    return found


def told(outcomes: dict[str, tuple[str, str]], names: list[str]) -> str:
    return "\n".join(f"{name} {outcomes[name][0]}: {outcomes[name][1]}" for name in names)


def test_they_pass(outcomes):
    known = left_out()
    wrong = [n for n, (how, _) in outcomes.items() if how in ("failed", "hung") and n not in known]
    assert not wrong, told(outcomes, wrong)
    assert sum(how == "ok" for how, _ in outcomes.values()) >= PASS_AT_LEAST


def test_nothing_is_skipped_but_what_always_is(outcomes, tmp_path):
    known = left_out()
    skipped = [n for n, (how, _) in outcomes.items() if how == "skipped" and n not in known]
    standard = run(tmp_path, "standard", skipped)
    wrong = [name for name in skipped if standard[name][0] == "ok"]
    assert not wrong, told(outcomes, wrong)


def test_left_out_for_a_reason(outcomes):
    """A test that is left out and passes is to be run."""
    known = left_out()
    passing = [name for name in known if outcomes.get(name, ("",))[0] == "ok"]
    assert not passing, passing
    # The names are those of Python 3.11, whose first releases lack some.
    if sys.version_info[:2] == (3, 11):
        assert len([name for name in known if name not in outcomes]) < 4


def test_each_has_a_reason():
    for name, reason in left_out().items():
        assert re.fullmatch(r"test_\w+\.\w+\.\w+", name), name
        assert len(reason) > 20, name
