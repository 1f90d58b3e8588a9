"""The names of errors beside the numbers that MicroPython prints, in `usocket run`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from usocket_tools.programs import errnames

USOCKET = [sys.executable, "-m", "usocket_tools.cli", "run", "--target", "unix"]
SECONDS = 30
# Linux's and newlib's: what the kernel's headers, and those of the firmware, have.
NUMBERS = {"unix": (92, "ENOPROTOOPT"), "esp32": (109, "ENOPROTOOPT")}


@pytest.mark.parametrize("port", NUMBERS)
def test_a_line_of_an_error_is_named(port: str) -> None:
    number, name = NUMBERS[port]
    for text in ("OSError: {}", "before\nOSError: {}\n", "OSError: {}\nafter"):
        expected = text.format(f"{number} ({name})")
        assert errnames.named(text.format(number), port) == expected
        # Once: what is named already stays.
        assert errnames.named(expected, port) == expected


def test_of_two_names_the_first() -> None:
    assert errnames.named("OSError: 11", "unix") == "OSError: 11 (EAGAIN)"
    assert errnames.named("OSError: 95", "unix") == "OSError: 95 (EOPNOTSUPP)"


def test_one_with_a_reason() -> None:
    text = """OSError: (93, "the platform's TLS has no such version")"""
    assert errnames.named(text, "unix") == text + " (EPROTONOSUPPORT)"
    assert errnames.named(text.replace("93", "123"), "esp32").endswith(" (EPROTONOSUPPORT)")
    for size in (1, 3, 50):
        names = errnames.Names("unix")
        line = f"{text}\nOSError: (9, 8)\n".encode()
        pieces = [names.feed(line[at : at + size]) for at in range(0, len(line), size)]
        assert b"".join([*pieces, names.end()]) == (
            text.encode() + b" (EPROTONOSUPPORT)\nOSError: (9, 8)\n"
        )


def test_a_lookup_by_the_firmware_itself() -> None:
    # lwip/netdb.h: EAI_FAIL is 202.
    assert errnames.named("OSError: -202", "esp32") == "OSError: -202 (EAI_FAIL)"
    assert errnames.named("OSError: -202", "unix") == "OSError: -202"


def test_a_certificate_of_the_future() -> None:
    """mbedTLS's words (x509.h), in a line of their own, as MicroPython prints them."""
    future = "The certificate validity starts in the future"
    text = f"ValueError: \n{future}\n"
    said = errnames.named(text, "esp32")
    assert said.startswith(text.rstrip() + " (") and "mpremote rtc --set" in said
    assert errnames.named(said, "esp32") == said
    # The clock of this machine is right.
    assert errnames.named(text, "unix") == text
    assert errnames.named(future + " or so", "esp32") == future + " or so"


def test_a_certificate_of_the_future_on_a_tls_socket() -> None:
    """The line of a traceback as a board printed it: its reason is within the error's line."""
    text = "OSError: [Errno 113] ECONNABORTED: The certificate validity starts in the future"
    said = errnames.named(f"Traceback\n{text}\n", "esp32")
    assert said.startswith(f"Traceback\n{text} (is the board's clock set?")
    assert errnames.named(said, "esp32") == said
    assert errnames.named(text, "unix") == text
    for other in (text + " or so", "print: " + text):
        assert errnames.named(other, "esp32") == other


@pytest.mark.parametrize(
    "text",
    [
        "OSError: 99999",
        "OSError: [Errno 11] EAGAIN",
        "OSError: 11 times",
        "OSError: lost",
        "ValueError: 11",
        "MyOSError: 11",
        " OSError: 11",
        "errno 11",
    ],
)
def test_all_else_stays(text: str) -> None:
    assert errnames.named(text, "unix") == text


def test_an_unknown_platform() -> None:
    assert errnames.named("OSError: 11", "rp2") == errnames.named("OSError: 11", "")


STREAM = b"\xff\n\nOSError: 92\nOSError: 9\n xOSError: 92\nOSError:\nOSError: \nO\nOSError: 92"
NAMED = (
    b"\xff\n\nOSError: 92 (ENOPROTOOPT)\nOSError: 9 (EBADF)\n xOSError: 92\nOSError:\nOSError: \n"
    b"O\nOSError: 92"
)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 1000])
def test_pieces_of_a_stream(size: int) -> None:
    names = errnames.Names("unix")
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    out = b"".join(names.feed(piece) for piece in pieces)
    assert out + names.end() == NAMED


def test_what_cannot_become_an_error_goes_on_at_once() -> None:
    names = errnames.Names("unix")
    for piece in (b"name? ", b"OSError: ", b"92", b"\n", b"Op", b"en\nO", b"K\n"):
        got = names.feed(piece)
        assert got.endswith(piece) or piece in (b"en\nO",)
    assert names.feed(b"OSErr") == b""
    assert names.feed(b"or: 9") == b""
    assert names.feed(b"2\nnext") == b"OSError: 92 (ENOPROTOOPT)\nnext"
    assert names.end() == b""


def run(program: Path, text: str, *more: str) -> subprocess.CompletedProcess:
    program.write_text(text)
    return subprocess.run(
        [*USOCKET, program, *more], capture_output=True, text=True, timeout=SECONDS
    )


def test_a_traceback(tmp_path: Path) -> None:
    done = run(
        tmp_path / "p.py",
        "import usocket_compat as net\nprint('out')\nfd = net.socket()\n"
        "net.setsockopt(fd, net.SOL_SOCKET, 12345, 1)\n",
    )
    assert (done.returncode, done.stdout) == (1, "out\n")
    assert done.stderr.endswith("\nOSError: 92 (ENOPROTOOPT)\n")
    assert f'{tmp_path}/p.py", line 4' in done.stderr


def test_streams_and_status_are_the_programs(tmp_path: Path) -> None:
    done = run(
        tmp_path / "p.py",
        "import sys\nprint(sys.argv[1:], sys.stdin.read())\n"
        "sys.stderr.write('no end of line')\nsys.exit(7)\n",
        "a",
        "OSError: 92",
    )
    assert (done.returncode, done.stderr) == (7, "no end of line")
    assert done.stdout == "['a', 'OSError: 92'] \n"


def test_what_is_written_comes_while_the_program_runs(tmp_path: Path) -> None:
    program = tmp_path / "p.py"
    program.write_text(
        "import sys\nsys.stderr.write('name? ')\nname = sys.stdin.readline()\n"
        "sys.stderr.write('OSError: 92\\n')\nraise OSError(92)\n"
    )
    with subprocess.Popen(
        [*USOCKET, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stderr
        assert os.read(process.stderr.fileno(), 100) == b"name? "
        process.stdin.write(b"me\n")
        process.stdin.flush()
        rest = process.communicate(timeout=SECONDS)[1]
    # The first is within the line of the question.
    assert rest.startswith(b"OSError: 92\nTraceback")
    assert rest.endswith(b"\nOSError: 92 (ENOPROTOOPT)\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_program_and_all_is_written(number: int, tmp_path: Path) -> None:
    program = tmp_path / "p.py"
    program.write_text(
        "import sys, time\nsys.stderr.write('OSError: 9')\nsys.stderr.flush()\n"
        "open(sys.argv[1], 'w').close()\ntime.sleep(60)\n"
    )
    said = tmp_path / "said"
    with subprocess.Popen([*USOCKET, program, said], stderr=subprocess.PIPE) as process:
        assert process.stderr
        while not said.exists():
            assert process.poll() is None
            time.sleep(0.01)
        begin = time.monotonic()
        process.send_signal(number)
        assert process.stderr.read() == b"OSError: 9"
        assert process.wait(SECONDS) == -number
        assert time.monotonic() - begin < SECONDS


def test_ctrl_c_ends_both(tmp_path: Path) -> None:
    program = tmp_path / "p.py"
    program.write_text("import time\nprint('on')\ntime.sleep(60)\n")
    with subprocess.Popen(
        [*USOCKET, program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout and process.stdout.readline() == b"on\n"
        # As a terminal does: to all of its foreground.
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=SECONDS)[1].endswith(b"KeyboardInterrupt: \n")


def test_without_stderr(tmp_path: Path) -> None:
    program = tmp_path / "p.py"
    program.write_text("print('ran')\n")
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *USOCKET, program],
        stdout=subprocess.PIPE,
        timeout=SECONDS,
    )
    assert done.stdout == b"ran\n"
