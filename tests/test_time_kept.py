"""Deadlines are kept by the clock, whatever interrupts the calls that wait.

On CPython a periodic signal, on MicroPython unix a thread that collects garbage, which interrupts
the system calls of the others, and callbacks; on a board the callbacks of a timer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from targets import HostTarget, on_this_kernel

from usocket_tools.boards.device import Device
from usocket_tools.programs import remote
from usocket_tools.suite.started import BoardProgram
from usocket_tools.vboard.board import Board

PATIENCE = 60

KEPT = """
import gc, sys, time
import usocket_compat as net

period = int(sys.argv[1])  # ms
T, SHORT, LATE = 200, 60, 20
full = bytes(8192)  # while the heap of a board has such a piece
MICRO = sys.implementation.name == "micropython"
now = time.ticks_ms if MICRO else lambda: time.monotonic() * 1000
since = time.ticks_diff if MICRO else lambda a, b: a - b
calls = [0]
lasts = [False]  # whether the next callback takes more than half of what a wait may
can = net.capabilities()

def callback(_):
    calls[0] += 1
    if lasts[0]:
        lasts[0] = False
        time.sleep(0.12)
    net.zsock_poll(spare, 0)

a, b = [net.zsock_socket(net.AF_INET, net.SOCK_DGRAM) for _ in range(2)]
spare = [net.zsock_pollfd(a, net.POLLIN)]
net.zsock_poll(spare, 0)
for fd in a, b:
    net.zsock_bind(fd, ("127.0.0.1", 0 if can["getsockname"] else 21000 + fd))
listener = net.zsock_socket()
addr = "127.0.0.1", 0 if can["getsockname"] else 21009
net.zsock_bind(listener, addr)
net.zsock_listen(listener, 0)
if can["getsockname"]:
    addr = net.zsock_getsockname(listener)
client = net.zsock_socket()
net.zsock_connect(client, addr)
server = net.zsock_accept(listener)[0]
queued = net.zsock_socket()

SOL = net.SOL_SOCKET
def limit(fd, option=net.SO_RCVTIMEO):
    net.zsock_setsockopt(fd, SOL, option, T / 1000)

for fd in a, listener, client, server:
    limit(fd)
net.zsock_setsockopt(b, SOL, net.SO_RCVTIMEO, SHORT / 1000)
# Full: what it takes once more is little, after a while.
for size in 4096, 4096, 1, 1, 1:
    try:
        while True:
            net.zsock_send(client, memoryview(full)[:size], net.MSG_DONTWAIT)
    except OSError:
        pass
    time.sleep(0.2)
limit(client, net.SO_SNDTIMEO)
pfds = [net.zsock_pollfd(a, net.POLLIN), net.zsock_pollfd(b, net.POLLIN)]
waits = [
    ("recv", lambda: net.zsock_recv(a, 1)),
    ("recv into", lambda: net.zsock_recv(client, bytearray(1))),
    ("recvfrom", lambda: net.zsock_recvfrom(a, 1)),
    ("accept", lambda: net.zsock_accept(listener)),
    ("recv all", lambda: net.zsock_recv(client, 2, net.MSG_WAITALL)),
    ("send", lambda: net.zsock_send(client, full)),
    ("poll", lambda: net.zsock_poll(pfds, T)),
    ("poll again", lambda: net.zsock_poll(pfds, T)),
    ("new poll", lambda: net.zsock_poll([net.zsock_pollfd(a, net.POLLIN)], T)),
    ("short recv", lambda: net.zsock_recv(b, 1)),
    ("short poll", lambda: net.zsock_poll([net.zsock_pollfd(a, net.POLLIN)], SHORT)),
    ("select", lambda: net.zsock_select([a], [], [], T / 1000)),
]
if can["recvmsg"]:
    waits.append(("recvmsg", lambda: net.zsock_recvmsg(client, [bytearray(1)])))
    waits.append(("peek all", lambda: net.zsock_recv(client, 2, net.MSG_WAITALL | net.MSG_PEEK)))
if sys.platform != "esp32":
    # Its queue is full then.
    net.zsock_connect(queued, addr)
    waits.pop(3)
    def connect():
        fd = net.zsock_socket()
        limit(fd, net.SO_SNDTIMEO)
        try:
            net.zsock_connect(fd, addr)
        finally:
            net.zsock_close(fd)
    waits.append(("connect", connect))
    other = net.zsock_socket()
    net.zsock_bind(other, ("127.0.0.1", 0 if can["getsockname"] else 21010))
    net.zsock_listen(other)
    limit(other)
    waits.append(("accept", lambda: net.zsock_accept(other)))
{start}
for name, wait in waits:
    if sys.platform == "esp32":
        gc.collect()  # else what is loaded next lies between what the callbacks left
    best = 100000
    wanted = SHORT if name[:5] == "short" else T
    for _ in range(4):
        # Just after one, so that the next comes late in a wait, which then begins anew.
        before = calls[0]
        while calls[0] == before:
            time.sleep(0.001)
        lasts[0] = wanted == T
        begin = now()
        try:
            wait()
        except OSError:
            pass
        spent = since(now(), begin)
        if spent < wanted - 5:
            print(name, "ended after", spent)
        best = min(best, spent)
        if best <= wanted + LATE:
            break
    else:
        print(name, "took", best)
{stop}
net.closeall()
print("over", calls[0] > 20)
"""
INTERRUPT = {
    "cpython": (
        "import signal\n"
        "signal.signal(signal.SIGALRM, lambda *_: callback(None))\n"
        "signal.setitimer(signal.ITIMER_REAL, period / 1000, period / 1000)",
        "signal.setitimer(signal.ITIMER_REAL, 0)",
    ),
    "unix": (
        "import _thread, gc, micropython\n"
        "run = [1]\n"
        "def interrupt():\n"
        "    while run[0]:\n"
        "        gc.collect()\n"
        "        try:\n"
        "            micropython.schedule(callback, None)\n"
        "        except RuntimeError:\n"
        "            pass\n"
        "        time.sleep_ms(period)\n"
        "    run[0] = None\n"
        "_thread.start_new_thread(interrupt, ())",
        "run[0] = 0\nwhile run[0] is not None:\n    time.sleep_ms(1)",
    ),
    "board": (
        "import machine\n"
        "timer = machine.Timer(0)\n"
        "timer.init(period=period, mode=machine.Timer.PERIODIC, callback=callback)",
        "timer.deinit()",
    ),
}
HOSTS = on_this_kernel()


def program(folder: Path, kind: str) -> Path:
    file = folder / "program.py"
    start, stop = INTERRUPT[kind]
    file.write_text(KEPT.replace("{start}", start).replace("{stop}", stop))
    return file


@pytest.mark.parametrize("period", ["4", "48"])
@pytest.mark.parametrize("host", HOSTS, ids=[t.id for t in HOSTS])
def test_on_hosts(host: HostTarget, period: str, tmp_path: Path) -> None:
    kind = "cpython" if host.id == "cpython" else "unix"
    process = host.run(program(tmp_path, kind), period)
    try:
        assert process.rest(PATIENCE) == ["over True"]
    finally:
        process.stop()


@pytest.fixture(scope="module", params=["standard", "32bit"])
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    with Board(variant=request.param) as started:
        yield started


@pytest.mark.parametrize("period", ["4", "48"])
def test_on_a_board(board: Board, period: str, tmp_path: Path) -> None:
    device = Device(board.device)
    device.fresh()
    options = remote.Options("program.py", [period])
    execution = remote.start(device, program(tmp_path, "board"), options, modules={})
    process = BoardProgram(device, execution, lambda: board.control("reset"))
    try:
        assert process.rest(PATIENCE) == ["over True"]
    finally:
        process.stop()
