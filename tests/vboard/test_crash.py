# SPDX-License-Identifier: MIT
"""A crash of the firmware says where it was; what is no crash on an ESP32 is none here."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time

import pytest
from mpremote.transport_serial import SerialTransport

from usocket_tools.vboard.board import Board

SECONDS = 20
TGKILL = ctypes.CDLL(None).tgkill

# Rounds in which lwIP's thread is at work on connections while their listener is closed, before
# anybody has accepted them: the clients send all the time.
CLOSE_LISTENERS = """
import socket, time, _thread
clients, going, rounds = [], True, 0
def send():
    while going:
        for s in clients:
            try:
                s.write(b"x")
            except OSError:
                pass
_thread.start_new_thread(send, ())
_thread.start_new_thread(send, ())
end = time.ticks_add(time.ticks_ms(), 20000)
while time.ticks_diff(end, time.ticks_ms()) > 0:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 5000))
    listener.listen(5)
    for _ in range(4):
        s = socket.socket()
        s.settimeout(1)
        try:
            s.connect(("127.0.0.1", 5000))
        except OSError:
            s.close()
            break
        s.setblocking(False)
        clients.append(s)
    for s in clients:
        for _ in range(3):
            try:
                s.write(b"x")
            except OSError:
                pass
    listener.close()
    while clients:
        clients.pop().close()
    rounds += 1
    if rounds % 20 == 0:
        print(end=".")
going = False
print("done")
"""

# A tuple alone in the part by which the heap has grown, and then one that fits only there.
ALONE = """
import gc

def fill():
    "Tuples of one block each until the heap grows: all but the last, and that."
    last = ()
    gc.collect()
    free = now = gc.mem_free()
    while free - now < 500:
        free = now
        last = (last,)
        now = gc.mem_free()
    return last[0], last

def look():
    others, last = fill()
    gc.collect()
    large = (0,) * 100
    return large is last, len(last), last[0] is others

print(look())
gc.collect()
print(gc.mem_free() > 50000)
"""


def firmware(board: Board) -> int:
    return int(board.control("status").partition("firmware=")[2].split()[0])


def threads(pid: int) -> list[int]:
    """Its threads, in the order in which they started, once the network's are there."""
    deadline = time.monotonic() + SECONDS
    while len(found := sorted(int(each) for each in os.listdir(f"/proc/{pid}/task"))) < 4:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("variant", ["standard", "32bit"])
@pytest.mark.parametrize(
    ("thread", "function", "file"), [(0, "main", "main.c"), (2, "tcpip_thread", "tcpip.c")]
)
def test_a_crash_says_where(variant, thread, function, file, capfd):
    with Board(variant=variant) as board:
        pid = firmware(board)
        assert TGKILL(pid, threads(pid)[thread], signal.SIGSEGV) == 0
        deadline = time.monotonic() + SECONDS
        while firmware(board) == pid:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    said = capfd.readouterr().err
    assert "firmware: SIGSEGV at address " in said
    assert re.search(rf"(?m)^.*\b{function} at \S*/{re.escape(file)}:\d+", said), said
    assert "usocket: the firmware ended with SIGSEGV; restarting it\n" in said


def test_listeners_closed_with_connections_that_nobody_accepted():
    """ESP-IDF has lwIP's thread abort them (esp-lwip's api_msg.c, netconn_drain)."""
    with Board() as board:
        pid = firmware(board)
        prompt = SerialTransport(board.device, timeout=1)
        try:
            prompt.enter_raw_repl(soft_reset=False)
            # It never says nothing for so long.
            printed, error = prompt.exec_raw(CLOSE_LISTENERS, timeout=10)
            assert (printed.strip(b"."), error) == (b"done\r\n", b"")
            assert len(printed) > 10
        finally:
            prompt.close()
        assert firmware(board) == pid


@pytest.mark.parametrize("variant", ["standard", "32bit"])
def test_an_object_alone_in_a_part_of_the_heap(variant):
    """MicroPython frees that part, and would give its memory to the next object."""
    with Board(variant=variant) as board:
        prompt = SerialTransport(board.device, timeout=1)
        try:
            for _ in range(2):
                prompt.enter_raw_repl()
                printed, error = prompt.exec_raw(ALONE, timeout=10)
                assert (printed, error) == (b"(False, 1, True)\r\nTrue\r\n", b"")
        finally:
            prompt.close()
