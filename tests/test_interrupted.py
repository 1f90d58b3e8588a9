"""Ctrl-C may come at any point: no lock stays held, or every later call would hang."""

from __future__ import annotations

import os
import subprocess
import sys

from targets import ROOT

# Raises at the n-th line that runs in fdtable.py. Not at the lines which take and give back the
# lock: there neither interpreter looks for Ctrl-C.
PROGRAM = """
import linecache, sys
import usocket_compat as net
from usocket_compat import fdtable

net.zsock_close(net.zsock_socket())
lines = 0

def trace(frame, event, arg):
    global lines
    code = frame.f_code
    if not code.co_filename.endswith("fdtable.py"):
        return trace
    text = linecache.getline(code.co_filename, frame.f_lineno)
    if event == "line" and not any([word in text for word in ("lock", "try", "finally")]):
        lines += 1
        if lines == wanted:
            raise KeyboardInterrupt
    return trace

wanted = 0
while lines == wanted:
    lines = 0
    wanted += 1
    sys.settrace(trace)
    try:
        for _ in range(2):
            net.zsock_close(net.zsock_socket())
    except KeyboardInterrupt:
        pass
    sys.settrace(None)
    if fdtable.lock.locked():
        print("the lock is held after line", wanted)
        break
    for fd in range(len(fdtable.tab)):
        fdtable.free(fd)  # an fd in the making may stay reserved
print(wanted > 20)
"""


def test_ctrl_c_leaves_no_lock() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
