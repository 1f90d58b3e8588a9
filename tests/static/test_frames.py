# SPDX-License-Identifier: MIT
"""MicroPython takes a frame of more than 11 words from the heap, which costs more than the call.

The compiler's own listing says how large the frames of the hot calls are.
"""

import re
import subprocess
from pathlib import Path

import pytest

from usocket_tools import micropython

ROOT = Path(__file__).parents[2]
MOST = 11  # py/bc.h: VM_MAX_STATE_ON_STACK, in words
TRY = 3  # mp_exc_stack_t
HOT = {
    "usocket_compat/zio.py": ["zsock_send", "zsock_recv"],
    "usocket_compat/zsock.py": ["zsock_socket", "_build", "install", "zsock_accept", "_accepted"],
    "usocket_compat/fdtable.py": ["reserve", "get", "take"],
    "usocket_compat/zpoll.py": ["zsock_poll", "poll", "show"],
    "port/esp32/__init__.py": ["send", "_write", "recv", "_receive", "recv_into", "_ready"],
    "port/esp32/polls.py": ["ipoll", "look", "found"],
    "port/unix/libc.py": ["recv", "connect", "accept", "address", "timeouts"],
}


def frames(file: Path) -> dict:
    """Words of each function's frame."""
    interpreter = micropython.find("newest")
    listing = subprocess.run(
        [interpreter.path, "-v", "-v", file], capture_output=True, text=True, timeout=60
    )
    found = re.findall(
        r"code block '(\w+)'.*?N_STATE (\d+)\).*?N_EXC_STACK (\d+)\)",
        listing.stdout + listing.stderr,
        re.DOTALL,
    )
    return {name: int(state) + TRY * int(tries) for name, state, tries in found}


@pytest.mark.parametrize("file", HOT)
def test_hot_frames_stay_off_the_heap(file: str) -> None:
    found = frames(ROOT / file)
    assert {name: found[name] for name in HOT[file] if found[name] > MOST} == {}
