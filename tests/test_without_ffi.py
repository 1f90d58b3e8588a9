"""A MicroPython without ffi: its sizes are C ints, and README's program is to run there too."""

from __future__ import annotations

from pathlib import Path

import pytest
from targets import Unix, all_targets

# Where a heap has the room, MicroPython itself is what is asked.
PROGRAM = """
import usocket_compat as net
port = net.zsock.p
port.room = lambda n: None
a = net.socket(net.AF_INET, net.SOCK_DGRAM)
net.bind(a, ("127.0.0.1", 0))
net.sendto(a, b"all of it", 0, net.getsockname(a))
for call in port.recv, port.recvfrom:
    for size in 1 << 31, (1 << 32) + 3, (1 << 62) + 3:
        try:
            print(call(net.zsock.tab[a].h, size, net.MSG_PEEK))
        except MemoryError:
            print("MemoryError")
"""
WITHOUT_FFI = [t for t in all_targets() if t.id in ("unix-noffi", "unix-binary")]


@pytest.mark.parametrize("native", WITHOUT_FFI, ids=[t.id for t in WITHOUT_FFI])
def test_a_size_is_not_cut(native: Unix, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    process = native.run(program)
    lines = process.rest(20)
    process.stop()
    assert lines == ["MemoryError"] * 6


ECHO = Path(__file__).parents[1] / "examples" / "echo.py"


@pytest.mark.parametrize("native", WITHOUT_FFI, ids=[t.id for t in WITHOUT_FFI])
def test_the_shown_program_runs(native: Unix) -> None:
    process = native.run(ECHO)
    lines = process.rest(20)
    process.stop()
    assert lines == ["accepted True", "echoed b'hello, board'", "nothing more True"]
