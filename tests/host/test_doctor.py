"""usocket doctor, on this machine and on virtual boards with this or that wrong with them."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import threading
import time
import tty

import pytest

from usocket_tools import doctor, kconfig, micropython
from usocket_tools.deploy import LAYER, write
from usocket_tools.device import Device
from usocket_tools.vboard.board import Board

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]


def usocket(*args, env=None):
    return subprocess.run(
        [*USOCKET, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **(env or {})},
    )


def looked_at(device: str, status: int = 0, env=None) -> str:
    """What doctor says of the board."""
    done = usocket("doctor", "--device", device, env=env)
    assert (done.returncode, done.stderr) == (status, ""), done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == ("nothing is wrong" if not status else f"{status} thing{' is'} wrong")
    first = next(number for number, line in enumerate(lines) if device in line)
    return "\n".join(lines[first:-1])


@pytest.fixture
def board():
    with Board() as board:
        yield board


def put(board: Board, path: str, text: str) -> None:
    with Device(board.device) as device:
        device.fresh()
        write(device, path, text.encode())


@pytest.fixture
def with_layer(board, tmp_path):
    """A board that has run a program with the layer."""
    program = tmp_path / "program.py"
    program.write_text("import usocket_compat\n")
    assert usocket("run", "--device", board.device, program).returncode == 0
    return board


# Boards.

FULL = """
import gc
held = []
while gc.mem_free() > 36000:
    held.append(bytearray(1000))
"""


def test_a_bare_board(board):
    said = looked_at(board.device)
    version = micropython.newest()
    assert f"ok    {board.device}: ESP32_GENERIC, MicroPython {version}, Virtual board" in said
    assert "bytes of heap are free" in said
    assert "KB are left in its file system" in said
    # As many as lwIP is built with: CONFIG_LWIP_MAX_SOCKETS.
    assert "10 sockets, ZVFS_OPEN_MAX is 10 by ESP32_GENERIC.conf" in said
    assert f"its address is {board.address}" in said
    assert f"note  {board.device}: the layer is not on it\n      -> `usocket deploy" in said


def test_a_board_with_the_layer(with_layer):
    said = looked_at(with_layer.device)
    assert "note" not in said and "WRONG" not in said
    assert "the layer is usocket_compat 0." in said and "bytes less of heap" in said
    assert "its configuration is that of ESP32_GENERIC.conf" in said


def test_a_board_is_left_at_its_prompt(board):
    put(board, "/main.py", "import time\nwhile True:\n    time.sleep(1)\n")
    for _ in range(2):
        looked_at(board.device)
    with Device(board.device) as device:
        device.fresh()
        assert device.exec("print(1 + 1)") == "2\r\n"


def test_another_configuration_on_the_board(with_layer, tmp_path):
    conf = tmp_path / "mine.conf"
    conf.write_text("CONFIG_ZVFS_OPEN_MAX=4\n")
    program = tmp_path / "program.py"
    env = {"USOCKET_COMPAT_CONF": str(conf)}
    assert usocket("run", "--device", with_layer.device, program, env=env).returncode == 0
    said = looked_at(with_layer.device)
    assert "its configuration is another: ZVFS_OPEN_MAX is 4, not 10" in said
    said = looked_at(with_layer.device, env=env)
    assert "10 sockets, ZVFS_OPEN_MAX is 4 by mine.conf" in said
    assert "its configuration is that of mine.conf" in said
    conf.write_text("CONFIG_ZVFS_OPEN_MAX=no\n")
    done = usocket("doctor", env=env)
    assert done.returncode == 1 and f"WRONG {conf}:1: bad value no for" in done.stdout


def test_another_version_on_the_board(board):
    wanted = kconfig.load(kconfig.board_file("ESP32_GENERIC"))
    put(board, LAYER + "/_config.py", kconfig.generate(wanted, "a test"))
    put(
        board,
        LAYER + "/__init__.py",
        "__version__ = '0.0.7'\ndef zsock_socket(): pass\ndef zsock_close(fd): pass\n",
    )
    said = looked_at(board.device)
    assert f"note  {board.device}: the layer is usocket_compat 0.0.7, here it is 0." in said


def test_a_layer_elsewhere(board):
    """As one that is frozen, or in a ROMFS: not where deploy puts it."""
    put(board, "/elsewhere/usocket_compat/_config.py", "ZVFS_OPEN_MAX = 3\n")
    put(
        board,
        "/elsewhere/usocket_compat/__init__.py",
        "__version__ = '0.0.7'\ndef zsock_socket(): pass\ndef zsock_close(fd): pass\n",
    )
    assert "the layer is not on it" in looked_at(board.device)
    put(board, "/boot.py", "import sys\nsys.path.append('/elsewhere')\n")
    said = looked_at(board.device)
    assert "the layer is usocket_compat 0.0.7 in /elsewhere/usocket_compat, here it is" in said


def test_a_layer_that_lacks_a_file(board):
    put(board, LAYER + "/__init__.py", "from . import zsock\n")
    said = looked_at(board.device, status=1)
    assert f"WRONG {board.device}: the layer on it does not work: ImportError" in said


def test_a_layer_that_is_broken(board):
    put(board, LAYER + "/__init__.py", "import nothing_of_that_name\n")
    said = looked_at(board.device, status=1)
    assert f"WRONG {board.device}: the layer on it does not work: ImportError" in said


def test_sockets_that_are_taken(board):
    put(board, "/boot.py", "import socket\nheld = [socket.socket() for _ in range(4)]\n")
    said = looked_at(board.device)
    assert f"note  {board.device}: 6 sockets are free, ZVFS_OPEN_MAX is 10 by" in said


def test_no_socket_is_left(board):
    put(board, "/boot.py", "import socket\nheld = [socket.socket() for _ in range(10)]\n")
    said = looked_at(board.device, status=1)
    assert f"WRONG {board.device}: not one socket can be opened" in said


def test_a_heap_that_is_taken(board):
    put(board, "/boot.py", FULL)
    said = looked_at(board.device)
    assert f"note  {board.device}: " in said and "That is little" in said


def test_a_board_in_no_network():
    with Board(wifi="lab:secret99") as board:
        assert f"note  {board.device}: it is in no network" in looked_at(board.device)


def test_several_boards(tmp_path):
    with Board() as one, Board() as two:
        done = usocket("doctor", "--device", one.device, "--device", two.device)
        alone = usocket("doctor", "--device", one.device)
    assert done.returncode == 0
    for board in (one, two):
        assert f"{board.device}: ESP32_GENERIC" in done.stdout
    # A board that was not asked for is named, and left alone.
    assert f"note  {two.device}: a virtual board\n" in alone.stdout
    assert f"{two.device}: ESP32_GENERIC" not in alone.stdout


def test_old_firmware():
    facts = doctor.deploy.Facts("ESP32_GENERIC", "esp32", 0)
    more = {"version": (1, 24, 1), "machine": "", "heap": 90000, "files": 2_000_000}
    state, text, hint = next(doctor._firmware("DEVICE", facts, more))
    assert state == doctor.WRONG and "MicroPython 1.24.1" in text and "usocket flash" in hint
    assert next(doctor._firmware("DEVICE", facts, {**more, "version": (1, 25, 0)})).state == "ok"
    facts = doctor.deploy.Facts("RPI_PICO_W", "rp2", 0)
    (found,) = doctor._firmware("DEVICE", facts, more)
    assert found.state == doctor.WRONG and "no port for rp2" in found.text


class Terminal:
    """A device on which something else than MicroPython is."""

    def __init__(self, answer) -> None:
        self.controller, self.terminal = pty.openpty()
        tty.setraw(self.terminal)
        os.set_blocking(self.controller, False)
        self.device = os.ttyname(self.terminal)
        self.ended = False
        self.thread = threading.Thread(target=self.run, args=(answer,))
        self.thread.start()

    def run(self, answer) -> None:
        while not self.ended:
            data = b""
            if select.select([self.controller], [], [], 0.01)[0]:
                data = os.read(self.controller, 4096)
            try:
                os.write(self.controller, answer(data))
            except BlockingIOError:
                pass

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = True
        self.thread.join()
        os.close(self.controller)
        os.close(self.terminal)


def endless(data: bytes) -> bytes:
    """A board whose every answer is without an end."""
    if b"\x01" in data:
        return b"raw REPL; CTRL-B to exit\r\n>"
    return b"OK" if data.endswith(b"\x04") else b"x"


@pytest.mark.parametrize("answer", [lambda data: b"", lambda data: data], ids=["mute", "echo"])
def test_what_is_no_micropython(answer):
    with Terminal(answer) as terminal:
        said = looked_at(terminal.device, status=1)
    assert f"WRONG {terminal.device} does not answer as MicroPython does\n      -> " in said


@pytest.mark.parametrize("answer", [endless, lambda data: b"$GPGGA,,*00\r\n"], ids=["repl", "gps"])
def test_a_device_that_never_ends(answer):
    program = "import sys; from usocket_tools import doctor; doctor.LIMIT = 3\n"
    program += "print(doctor.board(sys.argv[1])[-1].text)"
    with Terminal(answer) as terminal:
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", program, terminal.device],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.stdout == f"{terminal.device} was not done within 3 s\n", done.stderr
    assert time.monotonic() - begin < 30


# This machine.


def test_this_machine():
    done = usocket("doctor")
    assert done.returncode == 0, done.stdout
    for words in ("Python 3.", "esptool ", "kconfiglib ", "mpremote ", "pyserial ", "rich "):
        assert f"\nok    {words}" in "\n" + done.stdout
    assert f"the configuration of {len(kconfig.boards())} boards" in done.stdout
    assert done.stdout.endswith("\nnothing is wrong\n")


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    done = usocket("doctor", env={"USOCKET_CACHE": str(tmp_path / "file/cache")})
    assert done.returncode == 1
    assert f"WRONG cannot write to the cache {tmp_path}/file/cache: Not a dir" in done.stdout
    assert done.stdout.endswith("\n1 thing is wrong\n")


def test_a_machine_without_tools(tmp_path):
    env = {"USOCKET_CACHE": str(tmp_path), "PATH": str(tmp_path)}
    done = usocket("doctor", env=env)
    assert done.returncode == 0
    for tool in ("gcc", "make", "xz-utils"):
        assert f"{tool}" in done.stdout.partition("cannot be built: there is no")[2]
    assert "note  no mpy-cross" in done.stdout


def test_a_machine_that_has_built_nothing(tmp_path):
    done = usocket("doctor", env={"USOCKET_CACHE": str(tmp_path)})
    assert "what MicroPython is built with; it is not built yet" in done.stdout


def test_packages():
    assert doctor.package("pytest>=1.0").state == doctor.OK
    found = doctor.package("pytest>=99.1; python_version > '3'")
    assert found.state == doctor.WRONG and "is older than 99.1" in found.text
    assert found.hint.startswith("pip install ")
    found = doctor.package("no-such-package-here")
    assert (found.state, found.text) == (
        doctor.WRONG,
        "the Python package no-such-package-here is missing",
    )


# The command.


def test_help():
    done = usocket("doctor", "--help")
    assert done.returncode == 0
    for words in ("--device", "program that runs on a board is ended", "exit status is 1"):
        assert words in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("/dev/ttyUSB99", "WRONG there is no device /dev/ttyUSB99\n      -> "),
        ("/dev/null", "WRONG /dev/null is not a serial device\n      -> "),
        (
            "socket://127.0.0.1:9",
            "WRONG nothing answers at socket://127.0.0.1:9: Connection refused\n      -> ",
        ),
    ],
)
def test_a_mistake_is_a_finding(device, message):
    done = usocket("doctor", "--device", device)
    assert done.returncode == 1 and done.stderr == ""
    assert message in done.stdout
    assert done.stdout.endswith("\n1 thing is wrong\n")


def test_a_device_in_use(board):
    with Device(board.device):
        said = looked_at(board.device, status=1)
    assert f"WRONG {board.device} is in use by another program" in said
