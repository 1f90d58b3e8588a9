# SPDX-License-Identifier: MIT
"""`usocket run --device`, and the behaviour suite over a serial line.

A program must do on the board what it does on CPython; what goes wrong must be one sentence.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
import serial
import serial.rfc2217

from usocket_tools.boards import filesystem
from usocket_tools.boards.device import KEPT, Device, Execution
from usocket_tools.errors import UsocketError
from usocket_tools.vboard.board import Board

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
SECONDS = 20
# Ctrl-C is a character like the others.
DEAF = "import micropython\nmicropython.kbd_intr(-1)\nprint('deaf')\nwhile True: pass\n"
LOOP = "print('looping')\nwhile True: pass\n"


@pytest.fixture
def own_board() -> Iterator[Board]:
    """For a test that breaks it."""
    with Board() as board:
        yield board


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "program.py") -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    return write


def run(device: str, *args: object, **more) -> subprocess.CompletedProcess:
    more.setdefault("input", "")
    command = [*USOCKET, "run", "--device", device, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * 2, **more)


@contextlib.contextmanager
def started(device: str, *args: object) -> Iterator[subprocess.Popen]:
    command = [*USOCKET, "run", "--device", device, *map(str, args)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def at_prompt(device: str) -> bool:
    with serial.Serial(device, exclusive=True, timeout=SECONDS) as line:
        line.reset_input_buffer()
        line.write(b"6*7\r")
        return line.read_until(b"42\r\n>>> ").endswith(b"42\r\n>>> ")


def sentence(done: subprocess.CompletedProcess) -> str:
    """The error: one line that says what is wrong, and a hint."""
    assert done.returncode == 1
    wrong, hint = done.stderr.splitlines()
    assert wrong.startswith("usocket: ") and hint
    return wrong


# -- programs: what CPython does is right -----------------------------------------------------

PROGRAMS = {
    "arguments": "import sys\nprint(sys.argv[1:], __name__)",
    "ends": "print('x')",
    "exit": "import sys\nsys.exit()",
    "exit None": "raise SystemExit(None)",
    "exit 7": "import sys\nsys.exit(7)",
    "exit 300": "import sys\nsys.exit(300)",
    "exit -1": "import sys\nsys.exit(-1)",
    "exit True": "raise SystemExit(True)",
    "exit text": "import sys\nsys.exit('no \\'good\\'')",
    "exit in a function": "def f():\n    raise SystemExit(3)\ntry: f()\nfinally: print('x')",
    "text": "print('grüße ☃ ' * 300)\nprint('a\\r\\nb\\tc', end='')",
    "many lines": "for i in range(3000):\n    print(i)",
    "long": "\n".join(f"def f{n}(x):\n    return x * {n} + len('{n:0>40}')" for n in range(400))
    + "\nprint(sum(globals()['f%d' % n](n) for n in range(400)))",
}
FAILS = (
    "import sys\n\n\ndef inner():\n    raise ValueError('broken')\n\n\nprint('before')\ninner()\n"
)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(board, write, name):
    program = write(PROGRAMS[name])
    words = ["a b", "--flag", "-x"]
    expected = subprocess.run([sys.executable, program, *words], capture_output=True)
    command = [*USOCKET, "run", "--device", board.device, str(program), *words]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    assert (done.stdout, done.stderr, done.returncode) == (
        expected.stdout,
        expected.stderr,
        expected.returncode,
    )


def places(text: str) -> list[str]:
    return re.findall(r'File "[^"]*", line \d+', text)


def test_traceback(board, write):
    program = write(FAILS)
    expected = subprocess.run([sys.executable, program], capture_output=True, text=True)
    done = run(board.device, program)
    assert (done.stdout, done.returncode) == (expected.stdout, expected.returncode)
    assert places(done.stderr) == places(expected.stderr)
    assert done.stderr.splitlines()[-1] == expected.stderr.splitlines()[-1]


def test_syntax_error(board, write):
    program = write("print('never')\n\ndef f(:\n")
    done = run(board.device, program)
    assert (done.stdout, done.returncode) == ("", 1)
    assert places(done.stderr) == [f'File "{program}", line 3']
    assert done.stderr.splitlines()[-1].startswith("SyntaxError")


def test_modules_beside(board, write):
    write("import sibling\nVALUE = 'top'\n", "package/__init__.py")
    write("from . import other\nfrom .other import NAME\n", "package/inner.py")
    write("NAME = __name__\ndef fail():\n    raise KeyError(1)\n", "package/other.py")
    write("print('once')\n", "sibling.py")
    program = write(
        "import sibling, package.inner\nprint(package.VALUE, package.inner.NAME, __name__)\n"
        "package.inner.other.fail()\n"
    )
    expected = subprocess.run([sys.executable, program], capture_output=True, text=True)
    done = run(board.device, program)
    assert (done.stdout, done.returncode) == (expected.stdout, expected.returncode)
    assert places(done.stderr) == places(expected.stderr)


def test_fresh_start(board, write):
    """No program sees what another left."""
    program = write(
        "import sys, socket\ns = socket.socket()\ns.bind(('127.0.0.1', 4000))\ns.listen(1)\n"
        "print(sorted(sys.modules), 'left' in globals())\nleft = s\n"
    )
    first, second = run(board.device, program), run(board.device, program)
    assert first.returncode == 0
    assert (second.stdout, second.returncode) == (first.stdout, 0)


def test_nothing_is_written(board, write):
    program = write("import os\nprint(os.listdir('/'))\n")
    (listing,) = run(board.device, program).stdout.splitlines()
    assert "program" not in listing


def test_output_comes_at_once_and_input_arrives(board, write):
    program = write("import sys\nprint('one')\nprint('got', sys.stdin.readline().strip())\n")
    with started(board.device, program) as process:
        assert process.stdout.readline() == "one\n"
        process.stdin.write("two\n")
        process.stdin.flush()
        assert process.stdout.readline() == "got two\n"
        assert process.wait(SECONDS) == 0


def test_input_that_is_not_read(board, write):
    done = run(board.device, write("import sys\nsys.exit(5)"), input="print(1)\nx = (\n" * 5)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 5)


def test_a_terminal(board, write):
    program = write("print('hello', input('name? '))\n")
    ours, theirs = pty.openpty()
    command = [*USOCKET, "run", "--device", board.device, str(program)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, start_new_session=True) as process:
        try:
            seen = read_until(ours, b"name?")
            os.write(ours, b"Bob\n")
            seen += read_until(ours, b"hello Bob")
            assert process.wait(SECONDS) == 0
        finally:
            process.kill()
    assert seen.count(b"Bob") == 2, "echoed once, printed once"
    os.close(ours)
    os.close(theirs)


def read_until(fd: int, end: bytes) -> bytes:
    seen = b""
    deadline = time.monotonic() + SECONDS
    while not seen.rstrip().endswith(end.rstrip()):
        assert select.select([fd], [], [], max(deadline - time.monotonic(), 0))[0], seen
        seen += os.read(fd, 100)
    return seen


# -- interrupted ------------------------------------------------------------------------------


def test_interrupt(board, write):
    with started(board.device, write(LOOP)) as process:
        assert process.stdout.readline() == "looping\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("KeyboardInterrupt")
    assert at_prompt(board.device)


def test_interrupt_that_the_program_expects(board, write):
    program = (
        "try:\n    print('a')\n    while True: pass\nexcept KeyboardInterrupt:\n    print('b')\n"
    )
    with started(board.device, write(program + "raise SystemExit(9)\n")) as process:
        assert process.stdout.readline() == "a\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=SECONDS) == ("b\n", "")
    assert process.returncode == 9


def test_a_program_that_never_ends(board, write):
    done = run(board.device, "--timeout", "0.3", write(LOOP))
    assert done.stdout == "looping\n"
    *traceback, wrong, hint = done.stderr.splitlines()
    assert "KeyboardInterrupt" in traceback[-1]
    assert "did not end within 0.3 s" in wrong and "--timeout" in hint
    assert done.returncode == 1
    assert at_prompt(board.device)


def test_a_program_that_takes_no_interrupt(own_board, write):
    with started(own_board.device, write(DEAF)) as process:
        assert process.stdout.readline() == "deaf\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS * 2)
    assert process.returncode == 1
    assert "does not end on Ctrl-C" in errors and "reset button" in errors
    # The next one says so too, until somebody presses it.
    assert "does not answer" in sentence(run(own_board.device, write(LOOP)))
    own_board.control("reset")
    assert run(own_board.device, write("print(1)")).stdout == "1\n"


@pytest.mark.parametrize("how", ["raw REPL", "raw paste", "friendly", "paste", "running", "flood"])
def test_whatever_the_board_was_doing(board, write, how):
    busy = {
        "raw REPL": b"\r\x03\x01half a li",
        "raw paste": b"\r\x03\x01\x05A\x01print(",
        "friendly": b"\r\x03\x02if True:\r",
        "paste": b"\r\x03\x02\x05some lines\r",
        "running": b"\r\x03\x02while True: pass\r\r\r",
        "flood": b"\r\x03\x02while True: print('x' * 50)\r\r\r",
    }
    with serial.Serial(board.device, exclusive=True, timeout=SECONDS) as line:
        line.write(busy[how])
        if how == "flood":
            line.read_until(b"\r\n" + b"x" * 50)
    done = run(board.device, write("print('mine')"))
    assert (done.stdout, done.stderr, done.returncode) == ("mine\n", "", 0)


def test_a_boot_file_that_does_not_end(own_board, write):
    with Device(own_board.device) as device:
        device.fresh()
        filesystem.write(device, "/boot.py", b"while True: pass\n")
    done = run(own_board.device, write("print('mine')"))
    assert (done.stdout, done.stderr, done.returncode) == ("mine\n", "", 0)


# -- the board goes away ----------------------------------------------------------------------


def test_reset(board, write):
    program = write("print('x')\nimport machine\nmachine.reset()\n")
    done = run(board.device, program)
    assert done.stdout.startswith("x\n")
    assert "the board was reset" in done.stderr
    assert done.returncode == 1
    assert at_prompt(board.device)


def test_unplugged(own_board, write):
    with started(own_board.device, write(LOOP)) as process:
        assert process.stdout.readline() == "looping\n"
        own_board.stop()
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert re.match(r"usocket: /dev/\S+ is gone: .*\n.*\n$", errors)


# -- what is no board, or not ours ------------------------------------------------------------


def test_nothing_there(write):
    assert "there is no device /dev/nothing" in sentence(run("/dev/nothing", write("")))


@pytest.mark.parametrize("path", ["/dev/null", "/", __file__])
def test_no_serial_device(write, path):
    assert f"{path} is not a serial device" in sentence(run(path, write("")))


@pytest.mark.parametrize("url", ["nonsense://x", "socket://127.0.0.1", "socket://127.0.0.1:x"])
def test_a_bad_url(write, url):
    assert url in sentence(run(url, write("")))


@pytest.mark.parametrize("kind", ["socket", "rfc2217"])
def test_nobody_listens(write, kind):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"{kind}://127.0.0.1:{free.getsockname()[1]}"
        assert f"nothing answers at {url}" in sentence(run(url, write("")))


def test_no_rfc2217(write):
    """A server that takes the connection, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
        assert f"what answers at {url} does not speak RFC 2217" in sentence(run(url, write("")))


def test_no_program(board):
    done = run(board.device, "/nothing.py")
    assert "there is no file /nothing.py" in sentence(done)


def test_no_permission(board):
    root = os.geteuid() == 0
    mode = os.stat(board.device).st_mode
    os.chmod(board.device, 0)
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(UsocketError, match="no permission to open") as caught:
            Device(board.device)
    finally:
        if root:
            os.seteuid(0)
        os.chmod(board.device, mode)
    assert "group" in caught.value.hint


def test_in_use(board, write):
    with serial.Serial(board.device, exclusive=True):
        assert "is in use by another program" in sentence(run(board.device, write("")))
    with started(board.device, write(LOOP)) as process:
        assert process.stdout.readline() == "looping\n"
        assert "is in use by another program" in sentence(run(board.device, write("")))
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130


@contextlib.contextmanager
def no_board(answer: Callable[[bytes], bytes] | None) -> Iterator[str]:
    """A device at whose other end is something else; it is asked again and again."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            data = os.read(ours, 100) if select.select([ours], [], [], 0.001)[0] else b""
            with contextlib.suppress(BlockingIOError):
                os.write(ours, answer(data))

    thread = threading.Thread(target=serve)
    if answer:
        thread.start()
    else:
        os.write(theirs, b"x" * 4000)  # nobody reads at the other end
    try:
        yield os.ttyname(theirs)
    finally:
        stop.set()
        if answer:
            thread.join()
        os.close(ours)
        os.close(theirs)


NO_BOARDS = {
    "deaf": None,
    "silent": lambda data: b"",
    "echo": lambda data: data,
    "shell": lambda data: b"sh: not found\r\n$ " if data else b"",
}


@pytest.mark.parametrize("kind", NO_BOARDS)
def test_no_micropython(write, kind):
    with no_board(NO_BOARDS[kind]) as name:
        assert name in sentence(run(name, write("")))


# A program that ignores Ctrl-C, the noise of a wrong speed, and those that look like an answer.
ENDLESS = {
    "lines": (b"hello\r\n" * 50, "sends without end"),
    "noise": (bytes(range(256)), "sends without end"),
    "ends": (b"\x04" * 100, "sends without end"),
    "prompts": (b"soft reboot\r\nraw REPL; CTRL-B to exit\r\n>" * 20, "stopped answering"),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("command", ["run", "deploy", "test"])
def test_a_device_that_never_stops_sending(write, command, kind):
    data, words = ENDLESS[kind]
    with no_board(lambda _: data) as name:
        program = [write("")] if command == "run" else []
        done = subprocess.run(
            [*USOCKET, command, "--device", name, *program],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert f"{name} {words}" in sentence(done)


def test_output_that_never_ends(board, own_board, write):
    """The program's, until Ctrl-C; also where it ignores that, or where nobody reads it."""
    flood = "while True: print('x' * 50)\n"
    with started(board.device, write(flood)) as process:
        assert process.stdout.readline() == "x" * 50 + "\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130 and "KeyboardInterrupt" in errors
    with started(board.device, write(flood)) as process:
        assert process.stdout.readline() == "x" * 50 + "\n"
        process.stdout.close()
        assert process.wait(SECONDS) == 128 + signal.SIGPIPE
        assert process.stderr.read() == ""
    assert run(board.device, write("print('mine')")).stdout == "mine\n"
    deaf = "import micropython\nmicropython.kbd_intr(-1)\n" + flood
    done = run(own_board.device, "--timeout", "0.3", write(deaf))
    assert "does not end on Ctrl-C either" in sentence(done)
    assert "sends without end" in sentence(run(own_board.device, write(flood)))


@pytest.mark.parametrize("start", ["", "print('\\x04')\n"])
@pytest.mark.parametrize("deaf", ["", "import micropython\nmicropython.kbd_intr(-1)\n"])
def test_a_timeout_ends_reading(own_board, write, start, deaf):
    """Of output that never ends, and of what follows the end of output: there the traceback is."""
    flood = write(deaf + start + "while True: print('x' * 50)\n")
    begun = time.monotonic()
    with started(own_board.device, "--timeout", "1", flood) as process:
        process.stdin.close()
        text, errors = process.stdout.read(), process.stderr.read()
        assert process.wait(SECONDS) == 1
    assert "the program did not end within 1 s" in errors
    # Besides what starting takes: the second, and what Ctrl-C is given.
    assert time.monotonic() - begun < SECONDS
    assert bool(text.strip()) == (not start)
    assert len(errors) < 2 * KEPT


def test_a_timeout_where_nobody_reads(board, write):
    """The pipe is full, and stays so."""
    flood = write("while True: print('x' * 50)\n")
    with started(board.device, "--timeout", "1", flood) as process:
        assert process.wait(SECONDS) == 1
        assert "did not end within 1 s; it was interrupted" in process.stderr.read()
        text = process.stdout.read()
    assert text.startswith("x" * 50 + "\n") and len(text) <= 1 << 16


@pytest.mark.parametrize("late", [0, 1, 2])
def test_a_reset_as_the_time_is_over(own_board, write, late):
    """Ctrl-C comes to the prompt then, which it makes stand there once more."""
    banner = 'MicroPython v1.26.1 on 2025-09-11; a board\nType "help()" for more information.\n'
    said = banner + ">>> " + "\n>>> " * late
    program = f"import sys, time\nsys.stdout.write({said!r})\ntime.sleep({SECONDS})\n"
    done = run(own_board.device, "--timeout", "3", write(program))
    assert "the board was reset while the program ran" in done.stderr


def test_an_interrupt_of_what_nobody_has_read(board):
    """The board drops what finds no room for 0.5 s. The end is seen, also by a slow machine."""
    with Device(board.device) as device:
        device.fresh()
        execution = Execution(device, "while True: print('x' * 50)\n")
        send = execution.write

        def write(data: bytes) -> None:
            send(data)
            time.sleep(0.2)  # as where other processes have their turn

        execution.write = write
        time.sleep(1)
        execution.interrupt()
        assert execution.done and "KeyboardInterrupt" in execution.error


# -- what is copied ---------------------------------------------------------------------------


def test_only_what_differs_is_copied(own_board):
    with Device(own_board.device) as device:
        device.fresh()
        first = {"a.py": b"A = 1\n", "sub/b.mpy": bytes(range(256)) * 20, "sub/deep/c": b""}
        assert sorted(filesystem.sync(device, "/lib/x", first)) == sorted(first)
        assert filesystem.sync(device, "/lib/x", first) == []
        second = {"a.mpy": b"M", "sub/b.mpy": bytes(5000), "sub/deep/c": b""}
        assert sorted(filesystem.sync(device, "/lib/x", second)) == ["a.mpy", "sub/b.mpy"]
        own_board.control("reset")
        device.fresh()
        assert sorted(device.exec("import os; print(*os.listdir('/lib/x'))").split()) == [
            "a.mpy",
            "sub",
        ]
        assert bytes(device.transport.fs_readfile("/lib/x/sub/b.mpy")) == second["sub/b.mpy"]


def test_the_board_is_full(own_board):
    with Device(own_board.device) as device:
        device.fresh()
        with pytest.raises(UsocketError, match="is full"):
            filesystem.write(device, "/big", bytes(3 * 1024 * 1024))


def test_the_layer_is_there(own_board, write):
    program = write(
        "import usocket_compat as net\nfrom usocket_compat import _config\n"
        "print(net.__file__, _config.ZVFS_OPEN_MAX, hasattr(net, 'bind'))\n"
    )
    conf = write("CONFIG_ZVFS_OPEN_MAX=5\nCONFIG_NET_SOCKETS_POSIX_NAMES=n\n", "my.conf")
    where = "/lib/usocket_compat/__init__.mpy"
    assert run(own_board.device, program).stdout == f"{where} 10 True\n"
    other = run(own_board.device, program, env={**os.environ, "USOCKET_COMPAT_CONF": str(conf)})
    assert other.stdout == f"{where} 5 False\n"


# -- the same over a network ------------------------------------------------------------------


class NoModemLines(serial.Serial):
    """A pseudo-terminal lacks them; an RFC 2217 server asks for them and sets them."""

    cts = dsr = ri = cd = rts = dtr = False


class Bridge(threading.Thread):
    """A serial device on a TCP port, as it is or by RFC 2217."""

    def __init__(self, device: str, kind: str) -> None:
        super().__init__()
        self._line = NoModemLines(device, exclusive=True, timeout=0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{kind}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._rfc2217 = kind == "rfc2217"
        self._over = threading.Event()

    def __enter__(self) -> Bridge:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self._listener.close()
        self._line.close()

    def run(self) -> None:
        while not self._over.is_set():
            if select.select([self._listener], [], [], 0.05)[0]:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(ConnectionError):
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection.makefile("wb", buffering=0) as output:
            manager = serial.rfc2217.PortManager(self._line, output) if self._rfc2217 else None
            while not self._over.is_set():
                ready = select.select([connection, self._line], [], [], 0.05)[0]
                if connection in ready:
                    data = connection.recv(1000)
                    if not data:
                        return
                    self._line.write(b"".join(manager.filter(data)) if manager else data)
                if self._line in ready:
                    data = self._line.read(1000)
                    connection.sendall(b"".join(manager.escape(data)) if manager else data)


@pytest.mark.parametrize("kind", ["socket", "rfc2217"])
def test_over_a_network(board, write, kind):
    program = write("import sys\nprint(sys.argv[1:], sys.stdin.readline())\nsys.exit(4)\n")
    with Bridge(board.device, kind) as bridge:
        for _ in range(2):
            done = run(bridge.url, program, "a", "b", input="typed\n")
            assert (done.stderr, done.returncode) == ("", 4)
            assert done.stdout == "['a', 'b'] typed\n\n"
        with started(bridge.url, write(LOOP)) as process:
            assert process.stdout.readline() == "looping\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS) == 130
    assert at_prompt(board.device)


@pytest.mark.parametrize("kind", ["socket", "rfc2217"])
def test_a_network_that_breaks(board, write, kind):
    with Bridge(board.device, kind) as bridge:
        with started(bridge.url, write(LOOP)) as process:
            assert process.stdout.readline() == "looping\n"
            bridge.__exit__()
            _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 1
        assert f"{bridge.url} is gone" in errors
