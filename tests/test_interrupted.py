"""Ctrl-C, callbacks and signal handlers come in at any point: nothing hangs, nothing is lost.

Each of these is driven a thousand times. With a lock that its own thread may wait for, each hung.
"""

from __future__ import annotations

import os
import platform
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Union

import pytest
from targets import CPython, HostTarget, Unix, on_this_kernel

from usocket_tools.boards.device import Device
from usocket_tools.programs import remote
from usocket_tools.suite.started import BoardProgram, Hung, Process
from usocket_tools.vboard.board import Board

TIMES = 1000
FUTEX = {"x86_64": "202", "aarch64": "98"}  # Linux's numbers of the call
PATIENCE = 20  # seconds until a program that says nothing hangs

# Opens and closes all the time. Each Ctrl-C gets one line. What an interrupted call had opened is
# closed at the end, since its number is known to nobody; then the numbers begin with 0 again.
# Mostly without allocating: MicroPython unix raises Ctrl-C within its allocator too, which then
# says "heap is locked" each time, or waits for its own lock without end; and between any two
# machine instructions of its loop, which may then push to no stack (vm.c). None of it is the
# layer's, and the next process goes on.
CTRL_C = """
import sys, time
import usocket_compat as net

if sys.implementation.name == "cpython":
    # What an interrupted call had just made is closed by CPython, which says so.
    import warnings
    warnings.simplefilter("ignore", ResourceWarning)
wanted = int(sys.argv[1])
hits = 0

def work():
    kept = net.zsock_socket()
    while True:
        for _ in range(20):
            net.zsock_close(net.zsock_dup(kept))
        net.zsock_close(net.zsock_socket())
        net.zsock_close(net.zsock_socket(net.AF_INET, net.SOCK_DGRAM))

while hits < wanted:
    try:
        net.closeall()
        print("go")
        work()
    except KeyboardInterrupt:
        hits += 1
while net.fds():
    net.closeall()
print("opened", [net.zsock_socket() for _ in range(3)])
net.closeall()
"""

# A callback opens and closes while the program does so.
CALLBACK = """
import sys, time
import usocket_compat as net

wanted = int(sys.argv[1])
calls = [0]
faults = []

def callback(_):
    try:
        net.zsock_close(net.zsock_socket(net.AF_INET, net.SOCK_DGRAM))
    except Exception as e:
        faults.append(repr(e))
    calls[0] += 1

net.zsock_close(net.zsock_socket())
{start}
last = None
while calls[0] < wanted:
    fd = net.zsock_socket(net.AF_INET, net.SOCK_DGRAM)
    net.zsock_close(net.zsock_dup(fd))
    net.zsock_close(fd)
    if calls[0] // 100 != last:
        last = calls[0] // 100
        print("go")
{stop}
print(faults, net.fds())
"""
CALLBACKS = {
    "timer": (
        "import machine\n"
        "timer = machine.Timer(0)\n"
        "timer.init(period=2, mode=machine.Timer.PERIODIC, callback=callback)",
        "timer.deinit()",
    ),
    "schedule": (
        "import _thread, micropython\n"
        "def run():\n"
        "    while calls[0] < wanted:\n"
        "        try:\n"
        "            micropython.schedule(callback, None)\n"
        "        except RuntimeError:\n"
        "            pass\n"
        "        time.sleep_ms(1)\n"
        "_thread.start_new_thread(run, ())",
        "time.sleep_ms(50)",
    ),
    "signal": (
        "import signal\n"
        "signal.signal(signal.SIGALRM, lambda *_: callback(None))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)",
        "signal.setitimer(signal.ITIMER_REAL, 0)",
    ),
}
Started = Union[Process, BoardProgram]
HOSTS = on_this_kernel()


def each(targets):
    return pytest.mark.parametrize("host", targets, ids=[t.id for t in targets])


@pytest.fixture(scope="module", params=["standard", "32bit"])
def board(request) -> Iterator[Board]:
    with Board(variant=request.param) as started:
        yield started


def on_board(board: Board, program: Path, *args: str) -> BoardProgram:
    device = Device(board.device)
    device.fresh()
    execution = remote.start(device, program, remote.Options(program.name, list(args)), modules={})
    return BoardProgram(device, execution, lambda: board.control("reset"))


def interrupted(process: Started, interrupt, times: int = TIMES) -> tuple[int, list[str]]:
    """Ctrl-C again and again, each some time after the program has begun anew.

    How often, and what it said at its end.
    """
    chance = random.Random(1)
    for count in range(times):
        line = process.line(PATIENCE)
        if line != "go":
            return count, [str(line), *process.rest(1)]
        time.sleep(chance.random() * 0.002)
        interrupt()
    return times, process.rest(PATIENCE)


class Interrupts:
    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
        os.kill(self._pid, signal.SIGINT)


def in_its_own_lock(pid: int) -> bool:
    """Whether it waits for a lock of the interpreter: those of programs are not in its data."""
    number, address = Path(f"/proc/{pid}/syscall").read_text().split()[:2]
    program = os.readlink(f"/proc/{pid}/exe")
    before = ""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        (start, end), name = line.split()[0].split("-"), "".join(line.split()[5:])
        if int(start, 16) <= int(address, 16) < int(end, 16):
            # Data that begins as zeros has no file, and follows what has.
            return number == FUTEX[platform.machine()] and (
                name == program or (not name and before == program)
            )
        before = name
    return False


@each(HOSTS)
def test_ctrl_c(host: HostTarget, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(CTRL_C)
    left, processes = TIMES, 0
    while left:
        process = host.run(program, str(left))
        processes += 1
        try:
            interrupt = Interrupts(process.pid)
            try:
                count, lines = interrupted(process, interrupt, left)
            except Hung:
                assert isinstance(host, Unix) and in_its_own_lock(process.pid)
                left -= interrupt.count
                continue
            left -= count
            wrong = process.end()
            if left and isinstance(host, Unix):
                assert "heap is locked" in lines[-1] or "SIGSEGV" in wrong, lines
            else:
                assert (lines, wrong) == (["opened [0, 1, 2]"], "")
        finally:
            process.stop()
    assert processes <= 4


def test_ctrl_c_on_a_board(board: Board, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(CTRL_C)
    process = on_board(board, program, str(TIMES))
    try:
        count, lines = interrupted(process, lambda: process._execution.write(b"\x03"))
        assert (count, lines, process.end()) == (TIMES, ["opened [0, 1, 2]"], "")
    finally:
        process.stop()


def called_back(process: Started) -> None:
    lines = []
    while not lines or lines[-1] == "go":
        lines.append(process.line(PATIENCE))
    assert lines[-1] == "[] []"


@each(HOSTS)
def test_callback(host: HostTarget, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    start, stop = CALLBACKS["signal" if host.id == "cpython" else "schedule"]
    program.write_text(CALLBACK.format(start=start, stop=stop))
    process = host.run(program, str(TIMES))
    try:
        called_back(process)
    finally:
        process.stop()


def test_timer_on_a_board(board: Board, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    start, stop = CALLBACKS["timer"]
    program.write_text(CALLBACK.format(start=start, stop=stop))
    process = on_board(board, program, str(TIMES))
    try:
        called_back(process)
    finally:
        process.stop()


# A handler polls what the program is just polling. Handlers are CPython's alone.
POLL = """
import signal
import usocket_compat as net

a, b = net.zsock_socketpair()
fds = [net.zsock_pollfd(a, net.POLLIN)]
signal.signal(signal.SIGALRM, lambda *_: print("within", net.zsock_poll(fds, 0)))
signal.setitimer(signal.ITIMER_REAL, 0.1)
print("the program's", net.zsock_poll(fds, 300))
"""


def test_poll_within_poll(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(POLL)
    process = CPython().run(program)
    try:
        lines = [line for line in process.rest(PATIENCE) if "Warning" not in line]
        assert lines[:2] == ["within 0", "the program's 0"]
    finally:
        process.stop()


# A timer's callback uses calls that the program is just loading, at another time in each run.
FIRST_USE = """
import sys, time, machine
import usocket_compat as net

a, b = [net.zsock_socket(net.AF_INET, net.SOCK_DGRAM) for _ in range(2)]
net.zsock_bind(b, ("127.0.0.1", 5001))
said = []

def use(timer):
    try:
        net.zsock_sendto(a, b"alive", 0, ("127.0.0.1", 5001))
        net.zsock_select([b], [], [], 0)
        net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_RCVTIMEO, 1000)
        net.zsock_getaddrinfo("127.0.0.1", 80)
        net.zsock_fcntl(a, net.F_GETFL)
        said.append("fine")
    except Exception as e:
        said.append(repr(e))

machine.Timer(0).init(period=int(sys.argv[1]), mode=machine.Timer.ONE_SHOT, callback=use)
net.zsock_poll([net.zsock_pollfd(b, net.POLLIN)], 0)
net.zsock_getaddrinfo("127.0.0.1", 80)
net.zsock_select([b], [], [], 0)
net.zsock_setsockopt(b, net.SOL_SOCKET, net.SO_RCVTIMEO, 1000)
net.zsock_fcntl(a, net.F_GETFL)
net.zsock_close(net.zsock_dup(b))
while not said:
    time.sleep_ms(1)
print(said[0], net.zsock_recv(b, 9))
net.closeall()
"""


def test_first_use_in_a_callback(board: Board, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(FIRST_USE)
    for period in range(1, 31):
        process = on_board(board, program, str(period))
        try:
            assert process.rest(PATIENCE) == ["fine b'alive'"], period
        finally:
            process.stop()
