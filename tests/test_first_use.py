"""Threads may be the first to use the layer, all at once: what is loaded late is loaded whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from targets import HostTarget

PROGRAM = """
import _thread, time
import usocket_compat as net

results = [None] * 4

def work(i):
    try:
        {use}
        results[i] = "fine"
    except Exception as e:
        results[i] = repr(e)

def with_socket(call, *args):
    fd = net.zsock_socket()
    call(fd, *args)
    net.zsock_close(fd)

for i in range(4):
    _thread.start_new_thread(work, (i,))
deadline = time.time() + 10
while None in results and time.time() < deadline:
    time.sleep(0.01)
print(results)
"""
USES = {
    "socket": "net.zsock_close(net.zsock_socket())",
    "option": "with_socket(net.zsock_setsockopt, net.SOL_SOCKET, net.SO_REUSEADDR, 1)",
    "poll": "with_socket(lambda fd: net.zsock_poll([net.zsock_pollfd(fd, net.POLLIN)], 0))",
    "names": "net.zsock_getaddrinfo('127.0.0.1', 80)",
    "posix": "with_socket(net.setsockopt, net.SOL_SOCKET, net.SO_KEEPALIVE, 1)",
    "errno": "net.errno.ECONNREFUSED, net.errno.EISCONN",
    "capabilities": "net.capabilities()",
}
TIMES = 5  # a race is not lost every time


@pytest.mark.parametrize("use", USES)
def test_first_use(target: HostTarget, use: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(use=USES[use]))
    for _ in range(TIMES):
        process = target.run(program)
        lines = process.rest(20)
        process.stop()
        assert lines == ["['fine', 'fine', 'fine', 'fine']"]


FAILS_ONCE = """
import builtins
import usocket_compat as net

plain = builtins.__import__

def without_memory(name, *args):
    if name == "zwait":
        raise MemoryError
    return plain(name, *args)

builtins.__import__ = without_memory
try:
    net.zsock_socket()
except MemoryError:
    print("no memory")
builtins.__import__ = plain
print(net.zsock_socket(), net.zsock_socket())
"""


def test_first_use_without_memory(target: HostTarget, tmp_path: Path) -> None:
    """It fails, and when there is memory again nothing is left of that."""
    program = tmp_path / "program.py"
    program.write_text(FAILS_ONCE)
    process = target.run(program)
    lines = process.rest(20)
    process.stop()
    assert lines == ["no memory", "0 1"]
