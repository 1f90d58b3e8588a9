# SPDX-License-Identifier: MIT
"""The process of a virtual board, with a firmware of a few lines that dies as it is told."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from usocket_tools.errors import UsocketError
from usocket_tools.vboard.board import Board, control, control_name

FAKE = Path(__file__).with_name("fake_firmware.py")
VBOARD = [sys.executable, "-m", "usocket_tools.vboard"]
SECONDS = 20


class Serial:
    """The board's device, opened as a program that uses it does."""

    def __init__(self, device: str) -> None:
        self.fd = os.open(device, os.O_RDWR | os.O_NOCTTY)
        self.seen = b""

    def send(self, data: bytes) -> None:
        os.write(self.fd, data)

    def line(self, start: str) -> str:
        """The next line that starts so."""
        pattern = re.compile(rb"^%s.*\n" % start.encode(), re.M)
        deadline = time.monotonic() + SECONDS
        while not pattern.search(self.seen):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], self.seen
            self.seen += os.read(self.fd, 4096)
        found = pattern.search(self.seen)
        self.seen = self.seen[found.end() :]
        return found[0].decode().rstrip()

    def close(self) -> None:
        os.close(self.fd)


@contextmanager
def fake(**options) -> Iterator[tuple[Board, Serial]]:
    with Board(firmware=FAKE, **options) as board:
        serial = Serial(board.device)
        try:
            yield board, serial
        finally:
            serial.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(condition) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def firmware_pid(board: Board) -> int:
    return int(re.search(r"firmware=(\d+)", board.control("status"))[1])


def vboard(*arguments, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*VBOARD, *map(str, arguments)], capture_output=True, text=True, timeout=60, **options
    )


# What the firmware is given.


def test_defaults():
    with fake() as (board, serial):
        assert re.fullmatch(r"/dev/pts/\d+", board.device)
        assert serial.line("up").endswith("[('--reset-cause', '1')] 2097152")
        # Erased flash.
        serial.send(b"f")
        assert serial.line("flash") == "flash ffffffff"


def test_options_reach_the_firmware():
    options = {"heap": 100000, "wifi": "lab:secret:99", "mac": "52:54:00:12:34:99"}
    with fake(dns="127.0.0.1:5353", **options) as (_board, serial):
        said = serial.line("up")
        serial.send(b"k")
        assert serial.line("wifi") == "wifi lab secret:99"
    assert "('--heap', '100000')" in said
    assert "('--mac', '52:54:00:12:34:99')" in said
    assert "('--dns', '10.0.2.2:5353')" in said


@pytest.mark.parametrize(
    ("dns", "told"),
    [("host", "10.0.2.3:53"), ("localhost", "10.0.2.2:53"), ("127.0.0.1:1", "10.0.2.2:1")],
)
def test_dns(dns, told):
    with fake(dns=dns) as (_board, serial):
        assert f"('--dns', '{told}')" in serial.line("up")


def test_device_is_raw():
    """Bytes go through as they are, with no program that sets the terminal up."""
    with fake() as (_board, serial):
        serial.line("up")
        serial.send(b"\x03\x04\r\n")
        # Neither an echo nor a carriage return in what comes back.
        for code in ("03", "04", "0d", "0a"):
            assert serial.line(".*") == f"got {code}"


# Network and control.


def test_forwards():
    with fake(forward=["0:80", "udp:0:53"]) as (board, serial):
        tcp, udp = board.host_ports()
        assert board.forwards == [
            f"forward tcp 127.0.0.1:{tcp} -> 80",
            f"forward udp 127.0.0.1:{udp} -> 53",
        ]
        port = board.forward("127.0.0.2:0:81")
        assert f"forward tcp 127.0.0.2:{port} -> 81" in board.control("status")
        with pytest.raises(UsocketError, match="Address already in use"):
            board.forward(f"{tcp}:82")
        with pytest.raises(UsocketError, match="does not name a forward"):
            board.forward("80")
        # libslirp takes the connection, then asks where the board is.
        with socket.create_connection(("127.0.0.1", tcp), SECONDS):
            assert serial.line("net") == "net F ff 43"


def test_frames_reach_the_network_and_its_answers_the_board():
    with fake() as (_board, serial):
        serial.line("up")
        serial.send(b"a")
        assert serial.line("net") == "net F 52 65"


def test_link():
    with fake() as (board, serial):
        serial.line("up")
        assert board.control("link down") == "link down"
        assert serial.line("net") == "net L 00 2"
        assert " link=down " in board.control("status")
        # No answer to this frame; the news of the link comes next.
        serial.send(b"a")
        serial.send(b"f")
        serial.line("flash")
        board.control("link up")
        assert serial.line("net") == "net L 01 2"
        serial.send(b"a")
        assert serial.line("net") == "net F 52 65"


def test_faults():
    with fake(loss="100%") as (board, serial):
        serial.line("up")
        serial.send(b"a")
        serial.send(b"f")
        serial.line("flash")
        answer = "loss=0% delay=200ms+-0 duplicate=100% reorder=0% seed=7"
        assert board.control("faults delay=200ms duplicate=100% seed=7") == answer
        start = time.monotonic()
        serial.send(b"a")
        # Two requests, so two answers, each of them twice; and not before both delays.
        assert [serial.line("net") for _ in range(4)] == ["net F 52 65"] * 4
        assert time.monotonic() - start >= 0.4
        with pytest.raises(UsocketError, match="there is no fault 'los'"):
            board.control("faults los=5%")
        assert answer in board.control("status")
        assert "loss=0% delay=0ms" in board.control("faults off")


def test_delay_may_be_written_with_its_sign():
    with fake() as (board, _serial):
        assert "delay=20ms+-10" in board.control("faults delay=20ms±10")


def test_trace(tmp_path):
    file = tmp_path / "packets.pcap"
    with fake(trace=file) as (board, serial):
        serial.line("up")
        serial.send(b"a")
        serial.line("net")
        # It has come back to its loop, and has not ended yet.
        board.control("status")
        data = file.read_bytes()
    packets, at = [], 24
    while at < len(data):
        length = struct.unpack("=I", data[at + 8 : at + 12])[0]
        packets.append(data[at + 16 : at + 16 + length])
        at += 16 + length
    request, answer = packets
    assert request[:14].hex() == "ffffffffffff525400123456" + "0806"
    assert answer[:6] == request[6:12] and answer[12:14] == b"\x08\x06"


def test_unknown_commands():
    with fake() as (board, _serial):
        for text in ("", "fly", "link", "link sideways", "memory x", "forward", "do_reset"):
            with pytest.raises(UsocketError) as caught:
                board.control(text)
            assert caught.value.hint
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(control_name(board.device))
            connection.sendall(b"status\nlink up\nsta")
            lines = connection.makefile()
            assert lines.readline().startswith("ok device=") and lines.readline() == "ok link up\n"
            connection.sendall(b"tus\n")
            assert lines.readline().startswith("ok device=")
            # A line without an end ends the connection, not the board.
            connection.sendall(b"x" * 10000)
            with pytest.raises(ConnectionResetError):
                while lines.readline():
                    pass
            lines.close()
        board.control("status")


def test_control_of_what_is_no_board():
    with pytest.raises(UsocketError, match="there is no virtual board /dev/null") as caught:
        control("/dev/null", "status")
    assert "usocket vboard" in caught.value.hint


def test_control_command():
    with fake() as (board, _serial):
        done = vboard("--control", board.device, "link", "down")
        assert (done.returncode, done.stdout, done.stderr) == (0, "link down\n", "")
        done = vboard("--control", board.device, "link")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("usocket: a link goes up or down\n")
    # Not the board's own terminal: another may have its number by now.
    main, terminal = os.openpty()
    done = vboard("--control", os.ttyname(terminal), "status")
    os.close(main)
    os.close(terminal)
    assert done.returncode == 1 and "there is no virtual board" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_control_by_another_user():
    with fake() as (board, _serial):
        for user, answer in ((None, "b'ok device"), (65534, "b''")):
            words = [sys.executable, "-c", STRANGER, board.device, str(user or "")]
            done = subprocess.run(words, capture_output=True, text=True)
            assert done.stdout.startswith(answer), done
        board.control("status")


STRANGER = """
import os, socket, sys
if sys.argv[2]:
    os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect("\\0usocket-vboard" + sys.argv[1])
    try:
        connection.sendall(b"status\\n")
        print(connection.recv(100))
    except (BrokenPipeError, ConnectionResetError):
        print(b"")
"""


# The life of the firmware.


def test_reset():
    with fake() as (board, serial):
        first = serial.line("up")
        serial.send(b"w")
        serial.line("wrote")
        assert board.control("reset") == "reset"
        second = serial.line("up")
        assert "('--reset-cause', '1')" in second and second != first
        # The flash is the same one, and the network works.
        serial.send(b"f")
        assert serial.line("flash") == "flash 01020304"
        serial.send(b"a")
        assert serial.line("net") == "net F 52 65"
        board.control("link down")
        serial.line("net L")
        board.control("reset")
        serial.line("up")
        assert serial.line("net") == "net L 00 2"


@pytest.mark.parametrize(("letter", "how"), [(b"s", "SIGSEGV"), (b"7", "status 7")])
def test_crash(letter, how, capfd):
    with fake() as (_board, serial):
        serial.line("up")
        serial.send(letter)
        assert "('--reset-cause', '2')" in serial.line("up")
        serial.send(b"a")
        assert serial.line("net") == "net F 52 65"
    assert capfd.readouterr().err == f"usocket: the firmware ended with {how}; restarting it\n"


def test_crash_again_and_again():
    done = vboard("--firmware", "/bin/false")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[:5] == ["usocket: the firmware ended with status 1; restarting it"] * 5
    assert lines[5] == "usocket: the firmware ended with status 1, 6 times in 10 seconds"
    assert lines[6:] == ["Its flash may hold a program that crashes it: try without --flash."]


def test_crash_again_and_again_under_a_board(capfd):
    with fake() as (board, serial):
        for _ in range(6):
            serial.line("up")
            serial.send(b"s")
        wait_until(lambda: not board.running())
    assert "with SIGSEGV, 6 times in 10 seconds\n" in capfd.readouterr().err


def test_refused_arguments(capfd):
    with fake() as (board, serial):
        serial.line("up")
        serial.send(b"2")
        wait_until(lambda: not board.running())
    assert "the firmware does not take its arguments" in capfd.readouterr().err


# The flash.


def test_flash_is_kept(tmp_path):
    file = tmp_path / "flash"
    with fake(flash=file) as (_board, serial):
        assert serial.line("up").endswith(" 2097152")
        serial.send(b"w")
        serial.line("wrote")
    with fake(flash=file) as (_board, serial):
        serial.line("up")
        serial.send(b"f")
        assert serial.line("flash") == "flash 01020304"
        with pytest.raises(UsocketError, match="belongs to another board that runs"):
            Board(firmware=FAKE, flash=file)
    assert file.stat().st_size == 2097152


def test_flash_of_a_killed_board(tmp_path):
    """Its firmware ends a moment later; nobody has to wait for that, or to clean up."""
    for _ in range(3):
        board = Board(firmware=FAKE, flash=tmp_path / "flash")
        board.control("status")
        os.kill(board.pid, signal.SIGKILL)
        board.stop()


def test_flash_of_another_size(tmp_path):
    file = tmp_path / "flash"
    file.write_bytes(b"\xff" * 4096 * 16)
    with fake(flash=file) as (_board, serial):
        assert serial.line("up").endswith(" 65536")
    for size in (1, 4096, 4096 * 16 + 1):
        file.write_bytes(bytes(size))
        with pytest.raises(UsocketError, match=f"not a flash image: its size is {size} bytes"):
            Board(firmware=FAKE, flash=file)
    assert file.stat().st_size == 4096 * 16 + 1


def test_flash_that_cannot_be():
    for file, why in (
        ("/tmp", "Is a directory"),
        ("/no/such/folder", "No such file"),
        ("/dev/null", "it is not a regular file"),
    ):
        with pytest.raises(UsocketError, match=f"cannot use the flash {file}: {why}"):
            Board(firmware=FAKE, flash=file)


# How it ends.


@contextmanager
def command(*arguments, **options) -> Iterator[tuple[subprocess.Popen, list[str]]]:
    """`usocket vboard`, and the line that it prints for its board."""
    process = subprocess.Popen(
        [*VBOARD, "--firmware", str(FAKE), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        yield process, process.stdout.readline().rstrip()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it(number):
    with command("--forward", "0:80") as (process, device):
        assert re.fullmatch(r"forward tcp 127.0.0.1:\d+ -> 80\n", process.stdout.readline())
        serial = Serial(device)
        pid = int(serial.line("up").split()[1])
        serial.close()
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
        assert process.communicate() == ("", "") and not alive(pid)


def test_killed_it_takes_the_firmware_along():
    with command() as (process, device):
        serial = Serial(device)
        pid = int(serial.line("up").split()[1])
        serial.close()
        assert alive(pid)
        process.kill()
        wait_until(lambda: not alive(pid))


STARTER = """
import subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
print(process.stdout.readline().decode(), process.pid, flush=True)
time.sleep(100)
"""


@pytest.mark.parametrize("lifeline", [True, False])
def test_it_ends_with_who_started_it(lifeline):
    code = STARTER.replace("DEVNULL", "PIPE") if lifeline else STARTER
    extra = ["--lifeline"] if lifeline else []
    starter = subprocess.Popen(
        [sys.executable, "-c", code, *VBOARD, "--firmware", str(FAKE), *extra],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        words = (starter.stdout.readline() + starter.stdout.readline()).split()
        device, pid = words[-2:]
        firmware = int(re.search(r"firmware=(\d+)", control(device, "status"))[1])
        assert alive(int(pid)) and alive(firmware)
    finally:
        starter.kill()
        starter.communicate()
    wait_until(lambda: not alive(int(pid)) and not alive(firmware))


def test_it_outlives_the_thread_that_started_it():
    """The kernel tells a process of the end of its parent's thread as of its parent's."""
    boards = []
    thread = threading.Thread(target=lambda: boards.append(Board(firmware=FAKE)))
    thread.start()
    thread.join()
    with boards[0] as board:
        # The signal comes when the thread is gone for the kernel too; control is a round later.
        wait_until(lambda: str(thread.native_id) not in os.listdir("/proc/self/task"))
        for _ in range(10):
            board.control("status")
        assert board.running()


def test_nohup():
    with command(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as (
        process,
        device,
    ):
        process.send_signal(signal.SIGHUP)
        control(device, "status")
        assert process.poll() is None


def test_nothing_stays_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen = []

    def note(board: Board) -> None:
        # Names the terminal without holding it open.
        terminal = os.open(board.device, os.O_PATH)
        seen.append((board.pid, firmware_pid(board), terminal, board.device))
        assert os.fstat(terminal).st_nlink == 1 and os.listdir(tmp_path) == []

    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with Board(firmware=FAKE) as board:
            note(board)
    boards = [Board(firmware=FAKE, wait=False) for _ in range(4)]
    for board in boards:
        board.wait_ready()
        note(board)
    assert len({board.device for board in boards}) == 4
    for board in boards:
        board.stop()
        board.stop()
    for pid, firmware, terminal, _ in seen:
        assert not alive(pid) and not alive(firmware)
        # The terminal itself is gone; another may have its name by now.
        assert os.fstat(terminal).st_nlink == 0
        os.close(terminal)
    assert os.listdir(tmp_path) == [] and len(os.listdir("/proc/self/fd")) == before


# The command.


def test_several_boards_and_an_address():
    """The first has it, the next one the next: as each board's process is told."""
    with command("--count", "2", "--mac", "52:54:00:00:00:ff") as (process, first):
        devices = first, process.stdout.readline().rstrip()
        pids = [int(re.search(r"\bpid=(\d+)", control(d, "status"))[1]) for d in devices]
        told = [Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in pids]
        macs = [word for words in told for word in words if word.startswith("--mac")]
        assert macs == ["--mac=52:54:00:00:00:ff", "--mac=52:54:00:00:01:00"]
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0


def test_several_boards():
    with command("--count", "3", "--forward", "0:80") as (process, first):
        lines = [first, *(process.stdout.readline().rstrip() for _ in range(5))]
        devices, forwards = lines[::2], lines[1::2]
        assert len(set(devices)) == 3 and len(set(forwards)) == 3
        pids = [int(re.search(r"\bpid=(\d+)", control(d, "status"))[1]) for d in devices]
        assert all(map(alive, pids))
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
        assert not any(map(alive, pids))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--forward", "80"], "'80' does not name a forward"),
        (["--forward", "\u0668\u0660:80"], "'\u0668\u0660:80' does not name a forward"),
        (["--loss", "lots"], "loss 'lots' is not a percentage"),
        (["--delay", "soon"], "delay 'soon' is not a time"),
        (["--dns", "nameserver"], "'nameserver' is not a DNS server"),
        (["--dns", "127.0.0.1:0"], "'127.0.0.1:0' is not a DNS server"),
        (["--dns", "127.0.0.53"], "the board does not reach 127.0.0.53"),
        (["--dns", "192.0.2.1"], "the board does not reach the DNS server 192.0.2.1"),
        (["--wifi", "lab"], "--wifi is not SSID:KEY"),
        (["--wifi", "lab:key", "--ethernet"], "--ethernet and --wifi are two networks"),
        (["--forward", "[::1]:0:80"], "the board has no IPv6 for the forward from ::1"),
        (["--mac", "1:2:3"], "'1:2:3' is not an Ethernet address"),
        (["--heap", "1000"], "a heap of less than 16384 bytes does not start MicroPython"),
        (["--count", "0"], "--count is the number of boards, 1 or more"),
        (["--count", "2", "--forward", "8080:80"], "several boards cannot share the port"),
        (["--count", "2", "--flash", "x"], "several boards cannot share one --flash"),
        (["--script", "/no/script.py"], "there is no file /no/script.py"),
        (["--firmware", "/no/firmware"], "there is no file /no/firmware"),
        (["--trace", "/no/folder/file"], "cannot write /no/folder/file"),
        (["reset"], "vboard has no use for 'reset'"),
    ],
)
def test_bad_options(arguments, problem):
    done = vboard("--firmware", FAKE, *arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"usocket: {problem}") and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_firmware_that_does_not_start(tmp_path):
    file = tmp_path / "firmware"
    file.write_text("no program")
    done = vboard("--firmware", file)
    assert done.returncode == 1
    assert done.stderr == (
        f"usocket: cannot start the firmware {file}: Permission denied\n"
        "Without --firmware one is built.\n"
    )


def test_a_taken_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsocketError) as caught:
            Board(firmware=FAKE, forward=[f"{port}:80"])
    assert str(caught.value).startswith(f"cannot forward port {port} of 127.0.0.1: ")
    assert "0 as the host's port" in caught.value.hint
