"""usocket doctor, on this machine and on virtual boards with this or that wrong with them."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import pytest

from usocket_tools.boards import identity
from usocket_tools.boards.device import Device
from usocket_tools.boards.filesystem import write
from usocket_tools.builds import debian, interpreters
from usocket_tools.findings import finding, of_board, of_machine
from usocket_tools.layer import kconfig
from usocket_tools.layer.bundle import LAYER
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


def set_clock(board: Board) -> None:
    command = [Path(sys.executable).parent / "mpremote", "connect", board.device, "rtc", "--set"]
    subprocess.run(command, check=True, timeout=60)


# Boards.

FULL = """
import gc
held = []
while gc.mem_free() > 36000:
    held.append(bytearray(1000))
"""


def test_a_bare_board(board):
    said = looked_at(board.device)
    version = interpreters.newest()
    assert f"ok    {board.device}: ESP32_GENERIC, MicroPython {version}, Virtual board" in said
    assert "bytes of heap are free" in said
    assert "KB are left in its file system" in said
    # As many as lwIP is built with: CONFIG_LWIP_MAX_SOCKETS.
    assert "10 sockets, ZVFS_OPEN_MAX is 10 by ESP32_GENERIC.conf" in said
    assert f"its address is {board.address}" in said
    assert f"ok    {board.device}: its firmware has TLS\n" in said
    assert f"note  {board.device}: the layer is not on it\n      -> `usocket deploy" in said


def test_a_board_with_the_layer(with_layer):
    set_clock(with_layer)
    said = looked_at(with_layer.device)
    assert "note" not in said and "WRONG" not in said
    assert "the layer is usocket_compat 0." in said and "bytes less of heap" in said
    assert "its configuration is that of ESP32_GENERIC.conf" in said


def test_a_clock(board, tmp_path):
    """As a board has it that was switched on, and as the hint says that it is set."""
    boards = tmp_path / "devices.toml"
    boards.write_text(f'[desk]\nserial = "{board.device}"\n')
    said = usocket("doctor", "--device", "desk", env={"USOCKET_DEVICES": str(boards)}).stdout
    # mpremote does not know the names of devices.toml.
    assert "note  desk: its clock is not set, it has the year 2000\n      -> " in said
    (hint,) = re.findall(r"`mpremote (connect .* rtc --set)`, or ntptime", said)
    mpremote = Path(sys.executable).parent / "mpremote"
    subprocess.run([mpremote, *hint.split()], check=True, timeout=60)
    with Device(board.device) as device:
        device.fresh()
        year = device.exec("import time; print(time.gmtime()[0])").strip()
    assert int(year) >= 2025
    said = looked_at(board.device)
    assert f"ok    {board.device}: its clock has the year {year}\n" in said


def set_ahead(board: Board, seconds: int) -> int:
    """The year that its clock has then."""
    now = time.gmtime(time.time() + seconds)
    fields = (*now[:3], 0, *now[3:6], 0)
    with Device(board.device) as device:
        device.fresh()
        device.exec(f"import machine; machine.RTC().datetime({fields})")
    return now.tm_year


@pytest.mark.parametrize(("way", "days"), [("ahead of", 400), ("behind", -200)])
def test_a_clock_that_is_wrong(board, way, days):
    set_ahead(board, days * 86400)
    said = looked_at(board.device)
    assert f"note  {board.device}: its clock is {abs(days)} days {way} this computer's\n" in said


def test_a_clock_in_another_time_zone(board):
    year = set_ahead(board, 14 * 3600)
    assert f"ok    {board.device}: its clock has the year {year}\n" in looked_at(board.device)


# Firmware that was built without this one: what a program finds of it.
LACKS = """
import builtins
real = builtins.__import__
def find(name, *more):
    if name == "{}":
        raise ImportError("no module named '" + name + "'")
    return real(name, *more)
builtins.__import__ = find
"""


@pytest.mark.parametrize(
    ("module", "words", "hint"),
    [
        ("tls", "its firmware has no TLS", "MicroPython's own firmware"),
        ("ssl", "its firmware has `tls`, but no `ssl`", "tools/builds/tls/ssl.py"),
    ],
)
def test_firmware_without_tls(board, module, words, hint):
    put(board, "/boot.py", LACKS.format(module))
    said = looked_at(board.device)
    found = re.search(rf"note  {board.device}: {words}\n      -> (.*)", said)
    assert found and hint in found[1]
    assert "its firmware has TLS" not in said


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
    facts = identity.Facts("ESP32_GENERIC", "esp32", 0)
    more = {"version": (1, 24, 1), "machine": "", "heap": 90000, "files": 2_000_000}
    state, text, hint = next(of_board._firmware("DEVICE", facts, more))
    assert state == finding.WRONG and "MicroPython 1.24.1" in text and "usocket flash" in hint
    assert next(of_board._firmware("DEVICE", facts, {**more, "version": (1, 25, 0)})).state == "ok"
    facts = identity.Facts("RPI_PICO_W", "rp2", 0)
    (found,) = of_board._firmware("DEVICE", facts, more)
    assert found.state == finding.WRONG and "no port for rp2" in found.text


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
            with contextlib.suppress(BlockingIOError):
                os.write(self.controller, answer(data))

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
    program = "import sys; from usocket_tools.findings import of_board; of_board.LIMIT = 3\n"
    program += "print(of_board.board(sys.argv[1])[-1].text)"
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


def test_a_compiler_without_a_c_library(tmp_path):
    """As Debian's gcc by itself: preprocessing alone would find nothing wrong."""
    compiler = tmp_path / "gcc"
    compiler.write_text("#!/bin/sh\necho 'stdio.h: No such file or directory' >&2\nexit 1\n")
    compiler.chmod(0o755)
    env = {"USOCKET_CACHE": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = usocket("doctor", env=env)
    assert "cannot be built: there is no libc6-dev\n" in done.stdout
    assert "apt-get install libc6-dev" in done.stdout


def test_sources_are_asked_for(monkeypatch, tmp_path):
    for name in ("MICROPYTHON_SRC", "LWIP_SRC", "MBEDTLS_SRC"):
        monkeypatch.delenv(name, raising=False)
    (found,) = of_machine.sources()
    assert found.state == finding.OK and found.text.startswith("the sources of MicroPython 1.")
    assert "mbedTLS 3.6." in found.text and "lwIP 2." in found.text
    monkeypatch.setenv("LWIP_SRC", str(tmp_path))
    (found,) = of_machine.sources()
    assert found.state == finding.NOTE and "is not a source tree or archive of lwIP" in found.text
    monkeypatch.delenv("LWIP_SRC")
    # A mirror with nothing that serves.
    monkeypatch.setenv("USOCKET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(debian, "archives", list)
    (found,) = of_machine.sources()
    assert found.state == finding.NOTE and "no MicroPython sources" in found.text
    assert "Name MicroPython's sources in MICROPYTHON_SRC" in found.hint


def test_packages():
    assert of_machine.package("pytest>=1.0").state == finding.OK
    found = of_machine.package("pytest>=99.1; python_version > '3'")
    assert found.state == finding.WRONG and "is older than 99.1" in found.text
    assert found.hint.startswith("pip install ")
    found = of_machine.package("no-such-package-here")
    assert (found.state, found.text) == (
        finding.WRONG,
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


# A file system that has no room.

FILL = """
import os
n = 0
for size in (65536, 4096):
    try:
        while True:
            n += 1
            with open('/fill%d' % n, 'wb') as f:
                for _ in range(size // 4096):
                    f.write(bytes(4096))
    except OSError:
        os.remove('/fill%d' % n)
"""


@pytest.fixture
def full(board: Board) -> Board:
    with Device(board.device) as device:
        device.fresh()
        device.exec(FILL, 30)
    return board


def test_a_full_file_system(full):
    """What is free of a full one is 0, and not 2**32 blocks; and deploy says the same."""
    said = looked_at(full.device, status=1)
    found = re.search(
        rf"WRONG {full.device}: (\d+) KB are left in its file system, and the layer takes (\d+) KB"
        r"\n      -> `mpremote fs rm`",
        said,
    )
    assert found and int(found[1]) < 100 < int(found[2]), said
    done = usocket("deploy", "--device", full.device)
    assert done.returncode == 1
    assert "the board's file system is full" in done.stderr and "ENOENT" not in done.stderr


def test_what_is_free_wraps(board):
    """As littlefs has it when it counts more blocks than there are."""
    put(board, "/boot.py", WRAPS)
    said = looked_at(board.device, status=1)
    assert f"WRONG {board.device}: 0 KB are left in its file system" in said


WRAPS = """
import os, sys
_os = os
class Os:
    def statvfs(self, path):
        return (4096, 4096, 512, (1 << 32) - 6, 0, 0, 0, 0, 0, 255)
    def __getattr__(self, name):
        return getattr(_os, name)  # `os` is a name of what is asked, too
sys.modules['os'] = Os()
"""


def test_the_hint_for_wifi_is_the_docs_way(tmp_path):
    with Board(wifi="lab:secret99") as board:
        said = looked_at(board.device)
        (words,) = re.findall(r"`(mpremote connect .* wifi.txt :/wifi.txt)`", said)
        assert "`wifi.up()`" in said
        (tmp_path / "wifi.txt").write_text("lab\nsecret99\n")
        mpremote = [Path(sys.executable).parent / "mpremote", *words.split()[1:]]
        subprocess.run(mpremote, check=True, timeout=60, cwd=tmp_path)
        program = tmp_path / "program.py"
        program.write_text("from usocket_compat import wifi\nprint(wifi.up())\n")
        done = usocket("run", "--device", board.device, program)
        assert done.stdout == f"{board.address}\n", done.stderr
        assert f"its address is {board.address}" in looked_at(board.device)
    page = (Path(__file__).parents[2] / "docs/wifi.md").read_text()
    assert "fs cp wifi.txt :/wifi.txt" in page and "wifi.up()" in page
