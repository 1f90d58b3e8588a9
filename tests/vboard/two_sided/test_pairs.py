# SPDX-License-Identifier: MIT
"""MicroPython's own multi_net tests, unchanged, with the drop-in modules on one side or on both.

Right is what both sides print on MicroPython unix with its own modules. All pairings of unix and
virtual boards run at the same time, each group in a network of its own, where ports are free.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Union

import pytest
from test_two_sided import ON_LWIP, THEIRS

from usocket_tools.builds import interpreters

PAIRS = Path(__file__).parent / "pairs.py"
SECONDS = 240
pytestmark = pytest.mark.timeout(300)

UNIX, UNIX_OURS = "unix newest native", "unix newest dropin"
OLD, OLD_OURS = "unix oldest native", "unix oldest dropin"
BOARD, BOARD_OURS = "vboard newest native", "vboard newest dropin"
SMALL_OURS = "vboard 32bit dropin"
# In one network one board alone can serve.
NETWORKS = {
    "unix": [(UNIX, UNIX_OURS), (UNIX_OURS, UNIX), (UNIX_OURS, UNIX_OURS)],
    "oldest": [(OLD, OLD_OURS), (OLD_OURS, OLD), (OLD_OURS, OLD_OURS)],
    "board": [(UNIX, BOARD_OURS), (BOARD_OURS, UNIX), (BOARD_OURS, BOARD)],
    "ours": [(UNIX_OURS, BOARD_OURS), (BOARD_OURS, UNIX_OURS), (BOARD_OURS, BOARD_OURS)],
    "mixed": [(UNIX_OURS, BOARD), (BOARD, UNIX_OURS), (BOARD, BOARD_OURS)],
    "small": [(UNIX, SMALL_OURS), (SMALL_OURS, UNIX)],
}
# What gives the expected output.
ORACLE = {"newest": (UNIX, UNIX), "oldest": (OLD, OLD)}
# Of these a client on a board is skipped: it has no SO_LINGER to reset a connection with.
LINGER = ("tcp_client_rst", "asyncio_tcp_client_rst")

Said = Union[None, str, list[list[str]]]
Run = tuple[str, str, str]


def version_of(pair: tuple[str, str]) -> str:
    return "oldest" if "oldest" in pair[0] else "newest"


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """tests/multi_net of the versions."""
    where = tmp_path_factory.mktemp("micropython")
    return {
        version: interpreters.tree(interpreters.source(version), where / version)
        / "tests"
        / "multi_net"
        for version in ORACLE
    }


def names(folder: Path) -> list[str]:
    return [name for name in THEIRS if (folder / f"{name}.py").is_file()]


@pytest.fixture(scope="module")
def runs(folders, tmp_path_factory) -> dict[Run, Said]:
    """All runs: what the two sides printed, None for a skipped one, or what went wrong."""
    where = tmp_path_factory.mktemp("pairs")
    groups = {**NETWORKS, **{f"oracle {v}": [pair] for v, pair in ORACLE.items()}}
    started = []
    for group, pairs in groups.items():
        folder = folders[version_of(pairs[0])]
        jobs = [[name, *pair] for pair in pairs for name in names(folder)]
        asked, output = where / f"{group}.json", where / f"{group}.jsonl"
        asked.write_text(json.dumps({"folder": str(folder), "jobs": jobs}))
        process = subprocess.Popen(
            ["unshare", "--map-root-user", "--net", sys.executable, PAIRS, asked, output],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append((process, output))
    found: dict[Run, Said] = {}
    try:
        for process, output in started:
            text, _ = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, text[-2000:]
            for line in output.read_text().splitlines():
                name, first, second, said = json.loads(line)
                found[name, first, second] = said
    finally:
        for process, _ in started:
            if process.poll() is None:
                process.kill()
            process.communicate()
    return found


def as_printed(output: Said) -> list[list[str]] | None:
    """Without the places in a traceback: those of the drop-in are others than the firmware's."""
    if not isinstance(output, list):
        raise AssertionError(output)
    return [[line for line in side if not line.startswith('  File "')] for side in output]


@pytest.mark.parametrize(
    "pair", [each for pairs in NETWORKS.values() for each in pairs], ids=" - ".join
)
@pytest.mark.parametrize("name", THEIRS)
def test_theirs(runs, folders, name, pair):
    version = version_of(pair)
    if name not in names(folders[version]):
        assert version == "oldest"  # a newer version's
        return
    said = runs[name, pair[0], pair[1]]
    if name in LINGER and pair[1].startswith("vboard"):
        assert said is None, said
        return
    expected = as_printed(runs[name, ORACLE[version][0], ORACLE[version][1]])
    if name == "tcp_client_rst" and pair[0].startswith("vboard"):
        expected[0] = ON_LWIP
    assert as_printed(said) == expected
