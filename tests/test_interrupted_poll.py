"""A poll that is stopped, or has another within it, at any point: the polls after it are right.

CPython's tracer comes in before a bytecode of the layer, as Ctrl-C, a signal's handler or a
MemoryError may. MicroPython's unix port runs the same files.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from targets import CPython

PATIENCE = 120

WITHIN = """
import sys
import usocket_compat as net

IN, OUT = net.POLLIN, net.POLLOUT
kind = sys.argv[1]
STEP = 3
fds = []
for _ in range(2):
    fds += net.zsock_socketpair(net.AF_UNIX, net.SOCK_DGRAM)
a, b, c, d = fds
net.zsock_send(a, b"x")  # b can be read


def right(pfds):
    # What poll says of them, asked with entries that nobody else has.
    fresh = [net.zsock_pollfd(p.fd, p.events) for p in pfds]
    net.zsock_poll(fresh, 0)
    return [p.revents for p in fresh]


def check(what, pfds):
    want = right(pfds)
    n = net.zsock_poll(pfds, 0)
    got = [p.revents for p in pfds]
    assert (n, got) == (len(want) - want.count(0), want), (what, n, got, want)


def at(k, action, call):
    # The call, with the action before the k-th bytecode of the layer; whether there were so many.
    state = {"count": 0}

    def trace(frame, event, arg):
        file = frame.f_code.co_filename
        if "usocket_compat" not in file and "/port/" not in file:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            state["count"] += 1
            if state["count"] == k:
                sys.settrace(None)
                action()
        return trace

    sys.settrace(trace)
    try:
        return state, call()
    finally:
        sys.settrace(None)


def stop():
    raise KeyboardInterrupt


faults = []
for before in range(4):
    for which in range(4):
        k = 0
        while True:
            k += STEP
            p, q, r = net.zsock_pollfd(a, OUT), net.zsock_pollfd(b, IN), net.zsock_pollfd(c, IN)
            s = net.zsock_pollfd(b, IN | OUT)
            lists = [p, q], [q, r], [p, p, s, q], [s, q, r]
            if before & 1:
                for pfds in lists:
                    net.zsock_poll(pfds, 0)
            polled = lists[which]
            if before & 2:
                net.zsock_poll(polled, 0)
            within = {
                "stopped": stop,
                "same": lambda: net.zsock_poll(polled, 0),
                "shared": lambda: (net.zsock_poll(lists[1], 0), net.zsock_poll(lists[3], 0)),
                "changed": lambda: (setattr(q, "events", OUT), net.zsock_poll(lists[1], 0)),
            }[kind]
            where = kind, before, which, k
            try:
                state, n = at(k, within, lambda: net.zsock_poll(polled, 0))
                over = state["count"] < k
                if kind != "changed":
                    got = [pfd.revents for pfd in polled]
                    want = right(polled)
                    assert (n, got) == (len(want) - want.count(0), want), ("it", n, got, want)
            except KeyboardInterrupt:
                over = False
            except Exception as e:
                faults.append((where, repr(e)))
                over = k > 3000
            try:
                # What was ready is so no more.
                net.zsock_recv(b, 1)
                p.events = IN
                # Without a new entry, which would have each set built anew.
                n = net.zsock_poll(polled, 0)
                got = [pfd.revents for pfd in polled]
                net.zsock_send(a, b"x")
                want = [pfd.events & OUT for pfd in polled]
                assert (n, got) == (len(want) - want.count(0), want), ("gone", n, got, want)
                p.events = OUT
                for pfds in lists:
                    check("after", pfds)
                q.events = s.events = r.events = OUT
                for pfds in lists:
                    check("changed", pfds)
                q.events, p.events = IN, IN
                p.fd = d
                for pfds in lists:
                    check("changed again", pfds)
            except Exception as e:
                faults.append((where, repr(e)))
            if over:
                break
net.closeall()
print("faults", len(faults), faults[:5])
"""


@pytest.mark.parametrize("kind", ["stopped", "same", "shared", "changed"])
def test_at_each_bytecode(tmp_path: Path, kind: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(WITHIN)
    process = CPython().run(program, kind)
    try:
        assert process.rest(PATIENCE) == ["faults 0 []"]
    finally:
        process.stop()
