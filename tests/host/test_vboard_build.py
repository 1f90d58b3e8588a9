"""The virtual board's firmware: how it is built, and that what is built is an ESP32's MicroPython.

Fake sources build in no time; the real firmware is built once, or comes from the cache.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from usocket_tools.builds import building, interpreters, mbedtls
from usocket_tools.errors import UsocketError
from usocket_tools.vboard import build

# The first to ask for the real firmware waits for its build, on a machine that may be busy.
pytestmark = pytest.mark.timeout(600)

# A make that writes a firmware of shell script, which knows its version.
MAKEFILE = r"""
all:
	@echo building >> $(COUNT)
	$(SLOW)
	mkdir -p $(BUILD)
	printf '#!/bin/sh\necho $(VERSION)\n' > $(BUILD)/firmware
	cp $(BUILD)/firmware $(BUILD)/mpy-cross
	chmod +x $(BUILD)/*
"""


def definitions(names: tuple[str, ...], version: str) -> str:
    numbers = version.split(".")
    return "".join(f"#define {name} {number}\n" for name, number in zip(names, numbers))


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """Sources of MicroPython and lwIP, and a port, that are nothing but makefiles."""
    monkeypatch.setenv("USOCKET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    monkeypatch.setenv("VERSION", "1.26.9")
    source = tmp_path / "micropython"
    for folder in ("py", "mpy-cross", "ports/esp32"):
        (source / folder).mkdir(parents=True)
    version = definitions(interpreters.PROJECT.numbers, "1.26.9")
    (source / "py/mpconfig.h").write_text(version)
    (source / "mpy-cross/Makefile").write_text(MAKEFILE)
    lwip = tmp_path / "lwip"
    (lwip / "src/include/lwip").mkdir(parents=True)
    (lwip / "src/include/lwip/init.h").write_text(definitions(build.LWIP.numbers, "2.2.1"))
    port = tmp_path / "port"
    port.mkdir()
    (port / "Makefile").write_text(MAKEFILE)
    monkeypatch.setattr(build, "PORT", port)
    monkeypatch.setenv("MICROPYTHON_SRC", str(source))
    monkeypatch.setenv("LWIP_SRC", str(lwip))
    tls = tmp_path / "mbedtls"
    (tls / "include/mbedtls").mkdir(parents=True)
    (tls / "library").mkdir()
    header = definitions(mbedtls.PROJECT.numbers, "3.6.9")
    (tls / "include/mbedtls/build_info.h").write_text(header)
    (tls / "library/ssl_tls.c").write_text("int mbedtls_ssl_setup(void) { return 0; }\n")
    monkeypatch.setenv("MBEDTLS_SRC", str(tls))
    return tmp_path


def builds(folder: Path) -> int:
    count = folder / "count"
    return len(count.read_text().splitlines()) if count.exists() else 0


def test_built_once(fakes):
    found = build.find()
    assert found.version == build.ask(found.path) == "1.26.9"
    assert found.mpy_cross.is_file()
    assert build.find() == build.find("standard", "1.26.9") == found
    # The cross compiler and the firmware.
    assert builds(fakes) == 2
    assert not list(fakes.glob("cache/vboard/.building-*"))


@pytest.mark.parametrize(
    "file",
    [
        "port/main.c",
        "port/idf/x.h",
        "micropython/ports/esp32/x.c",
        "lwip/src/x.c",
        "mbedtls/library/x.c",
    ],
)
def test_built_anew_when_a_source_changes(fakes, file):
    found = build.find()
    (fakes / file).parent.mkdir(exist_ok=True)
    (fakes / file).write_text("// changed\n")
    assert build.find().path != found.path
    assert builds(fakes) == 4


def test_an_interrupted_build_is_thrown_away(fakes, monkeypatch):
    program = (
        "import pathlib, sys; from usocket_tools.vboard import build;"
        "build.PORT = pathlib.Path(sys.argv[1]); build.find()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(fakes / "port")],
        env={**os.environ, "SLOW": "sleep 60"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not builds(fakes):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(fakes.glob("cache/vboard/.building-*"))
    assert build.find().path.is_file()
    assert not list(fakes.glob("cache/vboard/.building-*"))


def test_what_cannot_be_built(fakes, monkeypatch):
    with pytest.raises(UsocketError, match="no variant 'toaster'"):
        build.find("toaster")
    with pytest.raises(UsocketError, match="1.24.0 is too old"):
        build.find("standard", "1.24.0")
    monkeypatch.setenv("SLOW", "@echo the compiler is on fire; false")
    with pytest.raises(UsocketError, match="building the virtual board.*failed") as caught:
        build.find()
    assert "on fire" in Path(caught.value.hint.split()[-1]).read_text()
    assert not list(fakes.glob("cache/vboard/*"))
    monkeypatch.delenv("SLOW")
    monkeypatch.setenv("VERSION", "1.2.3")
    with pytest.raises(UsocketError, match="does not run"):
        build.find()


def test_a_compiler_that_is_missing(fakes, monkeypatch):
    monkeypatch.setattr(building.shutil, "which", lambda tool: None if tool == "gcc" else tool)
    with pytest.raises(UsocketError, match="building the virtual board needs gcc"):
        build.find()


def test_lwip_must_be_new_enough(fakes):
    header = fakes / "lwip/src/include/lwip/init.h"
    header.write_text(definitions(build.LWIP.numbers, "2.1.3"))
    with pytest.raises(UsocketError, match="lwIP 2.1.3 is too old: 2.2.0"):
        build.find()
    header.write_text("")
    with pytest.raises(UsocketError, match="not a source tree or archive of lwIP"):
        build.find()


# The real firmware, driven by hand: no board process, no mpremote.


class Running:
    """A firmware with its three descriptors and the other end of two of them."""

    def __init__(self, path: Path, flash: Path, *options: str, **environment: str) -> None:
        self.seen = ""
        master, self.line = os.openpty()
        tty.setraw(self.line)
        os.set_blocking(self.line, False)
        self.net, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with flash.open("r+b") as file:
            fds = {"--serial": master, "--net": theirs.fileno(), "--flash": file.fileno()}
            arguments = [text for name, fd in fds.items() for text in (name, str(fd))]
            self.process = subprocess.Popen(
                [path, *arguments, *options],
                pass_fds=list(fds.values()),
                env={**os.environ, **environment},
            )
        os.close(master)
        theirs.close()

    def until(self, text: str, seconds: float = 20.0) -> str:
        """What comes up to and with this text."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
            with contextlib.suppress(BlockingIOError):
                self.seen += os.read(self.line, 4096).decode()
            time.sleep(0.001)
        before, self.seen = self.seen.split(text, 1)
        return before + text

    def run(self, program: str, mark: str = "\x04>") -> str:
        """What the program prints, by the raw REPL."""
        os.write(self.line, b"\r\x03\x01")
        self.until("raw REPL; CTRL-B to exit\r\n>")
        os.write(self.line, program.encode() + b"\x04")
        output = self.until(mark)
        return output[len("OK") :].replace(mark, "").replace("\r\n", "\n").strip("\x04\n")

    def close(self) -> int:
        self.net.close()
        os.close(self.line)
        return self.process.wait(10)


@pytest.fixture(scope="module", params=["standard", "32bit"])
def firmware(request):
    return build.find(request.param)


@pytest.fixture
def flash(tmp_path):
    file = tmp_path / "flash"
    file.write_bytes(b"\xff" * 2 * 1024 * 1024)
    return file


@contextlib.contextmanager
def board(
    firmware: build.Firmware, flash: Path, *options: str, **environment: str
) -> Iterator[Running]:
    running = Running(firmware.path, flash, *options, **environment)
    try:
        yield running
    finally:
        # It ends by itself when the other end of its network is gone.
        assert running.close() == 0


def test_a_prompt_and_a_name(firmware, flash):
    with board(firmware, flash) as running:
        assert f"MicroPython v{firmware.version} on" in running.until(">>> ")
        output = running.run(
            "import sys, os\n"
            "i = sys.implementation\n"
            "print(sys.platform, i._build, i._machine, os.uname().sysname, os.listdir())"
        )
        assert output == "esp32 ESP32_GENERIC Virtual board with ESP32 esp32 ['boot.py']"


# Newlib's sys/errno.h.
ERRNO = {
    "EAGAIN": 11,
    "EOPNOTSUPP": 95,
    "ECONNRESET": 104,
    "ENOBUFS": 105,
    "ECONNREFUSED": 111,
    "EADDRINUSE": 112,
    "ECONNABORTED": 113,
    "ETIMEDOUT": 116,
    "EHOSTUNREACH": 118,
    "EINPROGRESS": 119,
    "EALREADY": 120,
    "ENOTCONN": 128,
}


def test_errno_is_newlibs(firmware, flash):
    with board(firmware, flash) as running:
        names = ", ".join(f"errno.{name}" for name in ERRNO)
        assert running.run(f"import errno\nprint([{names}])") == str(list(ERRNO.values()))
        output = running.run(
            "import socket\n"
            "s = socket.socket()\n"
            "def e(f, *a):\n"
            "    try: return f(*a)\n"
            "    except OSError as error: return error.errno\n"
            "print(s.fileno(), e(s.recv, 1))\n"
            "s.bind(('127.0.0.1', 80)); s.listen(1)\n"
            "t = socket.socket()\n"
            "print(e(t.bind, ('127.0.0.1', 80)))\n"
            "t.settimeout(0.2); t.bind(('127.0.0.1', 81)); t.listen(1); print(e(t.accept))\n"
            "u = socket.socket(); u.setblocking(False)\n"
            "print(e(u.connect, ('127.0.0.1', 80)), e(u.connect, ('127.0.0.1', 80)))\n"
            "many = [e(socket.socket) for i in range(9)]\n"
            "print(many[-1])\n"
        )
        # ENOTCONN; EADDRINUSE; ETIMEDOUT; EINPROGRESS, and EISCONN or EALREADY; ENFILE.
        lines = output.split("\n")
        assert lines[:3] == ["54 128", "112", "116"]
        assert lines[3] in ("119 127", "119 120")
        assert lines[4] == "23"


def test_the_heap_of_an_esp32(firmware, flash):
    words = 1 if "32bit" in firmware.path.parent.name else 2
    ask = "import gc; gc.collect(); print(gc.mem_free() + gc.mem_alloc())"
    with board(firmware, flash) as running:
        total = int(running.run(ask))
        # The collector's tables take a little of it.
        assert 0.96 * words * 112 * 1024 < total <= words * 112 * 1024
    with board(firmware, flash, "--heap", "65536") as running:
        assert 0.96 * 65536 < int(running.run(ask)) <= 65536
        too_much = "try: bytearray(60000 * 2)\nexcept MemoryError: print('full')"
        assert running.run(too_much) == "full"


def test_files_survive_resets(firmware, flash):
    with board(firmware, flash) as running:
        running.run("with open('kept', 'w') as f: f.write('here')")
        running.run("import machine; machine.reset()", mark=">>> ")
        output = running.run("import machine; print(open('kept').read(), machine.reset_cause())")
        assert output == "here 2"
    with board(firmware, flash, "--reset-cause", "1") as running:
        output = running.run("import machine; print(open('kept').read(), machine.reset_cause())")
        assert output == "here 1"


def test_ctrl_c_ends_what_waits(firmware, flash):
    waits = (
        "exec('while True: pass')",
        "import time; time.sleep(1000)",
        "import socket; s = socket.socket(); s.bind(('', 1)); s.listen(1); s.accept()",
        "import select; p = select.poll(); p.register(s, 1); p.poll()",
        "s.close(); import sys; sys.stdin.read(1)",
    )
    with board(firmware, flash) as running:
        running.until(">>> ")
        for wait in waits:
            os.write(running.line, f"print('be' + 'gun'); {wait}\r".encode())
            running.until("begun\r\n")
            # Into the wait; before it would do as well.
            time.sleep(0.02)
            os.write(running.line, b"\x03")
            running.until("KeyboardInterrupt")
            running.until(">>> ")


def test_a_soft_reset_ends_threads_and_closes_sockets(firmware, flash):
    program = (
        "import _thread, time, socket\n"
        "def work():\n"
        "    while True: time.sleep_ms(1)\n"
        "for i in range(4): _thread.start_new_thread(work, ())\n"
        "s = socket.socket(); s.bind(('', 1)); s.listen(1)\n"
        "_thread.start_new_thread(s.accept, ())\n"
        "lock = _thread.allocate_lock(); lock.acquire()\n"
        "_thread.start_new_thread(lock.acquire, ())\n"
        "all = [socket.socket() for i in range(9)]\n"
        "print(len(all))"
    )
    with board(firmware, flash) as running:
        tasks = Path(f"/proc/{running.process.pid}/task")
        running.until(">>> ")
        before = len(list(tasks.iterdir()))
        for _ in range(3):
            assert running.run(program) == "9"
            assert len(list(tasks.iterdir())) == before + 6
            os.write(running.line, b"\x04")
            running.until("MPY: soft reboot")
            os.write(running.line, b"\x02")
            running.until(">>> ")
            assert len(list(tasks.iterdir())) == before


def test_the_link_and_the_station(firmware, flash):
    ask = "import network; w = network.WLAN(); print(w.isconnected(), w.ifconfig()[0], w.status())"
    with board(firmware, flash) as running:
        assert running.run(ask) == "True 10.0.2.15 1010"
        running.net.send(b"L\0")
        lost = (
            "import network, time\nwhile network.WLAN().isconnected(): time.sleep_ms(1)\nprint(1)"
        )
        assert running.run(lost) == "1"
        running.net.send(b"L\1")
        back = lost.replace("while", "while not")
        assert running.run(back) == "1"
    with board(firmware, flash, VBOARD_SSID="home", VBOARD_KEY="secret") as running:
        assert running.run(ask) == "False 0.0.0.0 1000"
        join = (
            "import network, time\n"
            "w = network.WLAN(); w.active(True); w.config(reconnects=0)\n"
            "def join(ssid, key, status):\n"
            "    w.connect(ssid, key)\n"
            "    while w.status() != status: time.sleep_ms(1)\n"
            "    print(status)\n"
            "join('other', 'secret', network.STAT_NO_AP_FOUND)\n"
            "join('home', 'wrong', network.STAT_WRONG_PASSWORD)\n"
            "join('home', 'secret', network.STAT_GOT_IP)\n"
        )
        assert running.run(join) == "201\n202\n1010"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--serial", "x"], "--serial x is not a number"),
        (["--ip", "10.0.2.15"], "--ip 10.0.2.15 is not ADDRESS/PREFIX"),
        (["--ip6", "::1/128"], "lwIP knows only prefixes of 64 bits"),
        (["--dns", "1.2.3.4:0"], "--dns 0 is not a number from 1 to 65535"),
        (["--wifi", "home:secret"], "there is no option --wifi"),
        (["--ethernet", "yes"], "--ethernet yes is not a number from 0 to 1"),
        (["--mac", "1:2"], "--mac 1:2 is not the address of one interface"),
        (["--colour", "red"], "there is no option --colour"),
        (["--heap"], "--heap needs a value"),
        ([], "--serial, --net and --flash must be given"),
    ],
)
def test_bad_arguments(firmware, arguments, message):
    done = subprocess.run([firmware.path, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_the_oldest_micropython():
    assert build.ask(build.find("standard", "oldest").path) == interpreters.OLDEST
