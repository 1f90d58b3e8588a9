"""A Poller's poll that is stopped, or has something within it, at any point: nothing is lost.

CPython's tracer comes in before a bytecode of the layer, as Ctrl-C, a signal's handler or another
thread may. What is told once only (edges, one-shots, wakes) is told by the polls after it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from targets import CPython

PATIENCE = 200

WITHIN = """
import dis
import sys
import usocket_compat as net

if "--memory" in sys.argv:
    import loopback_port

    net.use(loopback_port)
    import usocket_compat as net
IN, OUT = net.POLLIN, net.POLLOUT
kind = sys.argv[1]
EDGE = net.capabilities()["edge"]


def at(k, action, call):
    # The call, with the action before the k-th bytecode of the layer: how many there were, the
    # names of the functions that it came into; and what the call gave, or None.
    state = {"count": 0, "in": [], "returns": False}

    def trace(frame, event, arg):
        file = frame.f_code.co_filename
        if "usocket_compat" not in file and "/port/" not in file:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            state["count"] += 1
            if state["count"] == k:
                sys.settrace(None)
                # A function that returns has done its work, and what it gives is its caller's.
                op = frame.f_code.co_code[frame.f_lasti]
                state["returns"] = dis.opname[op].startswith("RETURN")
                while frame:
                    state["in"].append(frame.f_code.co_name)
                    frame = frame.f_back
                action()
        return trace

    got = None
    sys.settrace(trace)
    try:
        got = call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return state, got


def stop():
    raise KeyboardInterrupt


def tokens(events):
    return [event.token for event in events or ()]


def drain(poller):
    seen = []
    while True:
        now = tokens(poller.poll(0))
        seen += now
        if set(now) <= {"level", "new"}:
            return seen


# Before each of so many bytecodes: the port in memory takes many.
STEP = 3 if EDGE else 23
faults = []
k = 0
while True:
    k += STEP
    fds = [net.zsock_socketpair(net.AF_UNIX, net.SOCK_DGRAM) for _ in range(4)]
    (la, lb), (oa, ob), (ea, eb), (na, nb) = fds
    poller = net.Poller()
    poller.register(lb, "level", IN)
    want = {"level"}
    waker = net.Waker(poller, "waker")
    if k % 2 or kind == "plain":
        assert tokens(poller.poll(0)) == []
    if kind != "plain":
        poller.register(ob, "once", IN, poller.ONESHOT)
        poller.register(eb, "edge", IN, poller.EDGE if EDGE else poller.ONESHOT)
        want |= {"once", "edge"}
    for fd in la, oa, ea:
        net.zsock_send(fd, b"x")
    waker.wake()
    want |= {"waker"}

    def reuse():
        # The fd of a one-shot is closed, and its number is another's: registered anew.
        net.zsock_close(ob)
        again = net.zsock_dup(nb)
        assert again == ob
        poller.register(again, "new", OUT)

    within = {
        "stopped": stop,
        "plain": stop,
        "polled": lambda: extra.extend(tokens(poller.poll(0))),
        "woken": waker.wake,
        "reused": reuse,
        "registered": lambda: poller.register(nb, "new", OUT),
    }[kind]
    extra = []
    try:
        state, got = at(k, within, lambda: poller.poll(1000))
    except Exception as e:
        faults.append((k, repr(e)))
        break
    over, inside = state["count"] < k, state["in"]
    first = tokens(got) + extra
    try:
        later = drain(poller)
    except Exception as e:
        faults.append((k, inside, repr(e)))
        break
    seen = first + later
    lost = want - set(seen)
    if kind == "reused" and not over:
        lost -= {"once"}
        if "new" not in seen:
            lost.add("new")
    if kind == "registered" and not over and "new" not in seen:
        lost.add("new")
    # What the outermost functions have in hands is the caller's.
    if got is None and inside[:1] == ["poll"] and state["returns"] or inside[:1] == ["quick"]:
        lost = ()
    if inside[:1] == ["poll"] and inside[1] != "poll":
        lost = ()
    if lost:
        faults.append((k, "lost", lost, inside[:3], first, later))
    if seen.count("once") > 1 or seen.count("edge") > 1 and kind == "polled":
        faults.append((k, "twice", seen, inside[:3]))
    if kind not in ("woken", "polled") and seen.count("waker") > 1 and got is not None:
        faults.append((k, "waker twice", seen, inside[:3]))
    waker.close()
    poller.close()
    net.closeall()
    if over or k > 5000:
        break
print("faults", len(faults), faults[:5], "many" if k > 50 else k)
"""


@pytest.mark.parametrize("kind", ["stopped", "plain", "polled", "woken", "reused", "registered"])
@pytest.mark.parametrize("port", ["kernel", "memory"])
def test_at_each_bytecode(tmp_path: Path, kind: str, port: str) -> None:
    program = tmp_path / "program.py"
    harness = str(Path(__file__).parent / "harness")
    program.write_text(f"import sys\nsys.path.append({harness!r})\n{WITHIN}")
    process = CPython().run(program, kind, *["--memory"] * (port == "memory"))
    try:
        assert process.rest(PATIENCE) == ["faults 0 [] many"]
    finally:
        process.stop()
