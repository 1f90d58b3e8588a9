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
import sys
import usocket_compat as net

# As when there is no memory for one of these files, each in turn.
class Nothing:
    pass

def fails(name, call):
    sys.modules["usocket_compat." + name] = Nothing()
    try:
        call()
        print("no failure for want of", name)
    except (ImportError, AttributeError):
        print(name)
    sys.modules.pop("usocket_compat." + name)
    return call()

# The first that fails is what the next try begins with.
for name in ("zsock", "zbase", "fdtable"):
    sys.modules["usocket_compat." + name] = Nothing()
    try:
        net.zsock_socket
    except (ImportError, AttributeError):
        print(name)
    sys.modules.pop("usocket_compat." + name)
net.zsock_close(net.zsock_socket())
for fd in fails("zargs", lambda: net.zsock_dup(net.zsock_socket())), 0:
    net.zsock_close(fd)
fails("zpoll", lambda: net.zsock_poll([], 0))
fds = [net.zsock_socket(), net.zsock_socket()]
print(*fds)
for fd in fds:
    net.zsock_close(fd)
"""


def test_first_use_that_fails(target: HostTarget, tmp_path: Path) -> None:
    """When it can be had again, nothing is left of that (loaded as on a board)."""
    conf = tmp_path / "lazy.conf"
    conf.write_text("CONFIG_USOCKET_LAZY=y\n")
    program = tmp_path / "program.py"
    program.write_text(FAILS_ONCE)
    process = target.run(program, conf=conf)
    lines = process.rest(20)
    process.stop()
    assert lines == [*"zsock zbase fdtable zargs zpoll".split(), "0 1"]
