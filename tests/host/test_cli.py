"""The usocket command, run as a user runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest

from usocket_tools import cli
from usocket_tools.layer import micropypath
from usocket_tools.programs import start

USOCKET = [sys.executable, "-m", "usocket_tools.cli"]

PROGRAM = """\
import sys
import usocket_compat as net
print("on", sys.implementation.name, sys.argv[1:])
if sys.argv[1:2] == ["names"]:
    print(hasattr(net, "socket"), hasattr(net, "zsock_socket"))
elif sys.argv[1:2] == ["copy"]:
    print(sys.stdin.readline().strip())
elif sys.argv[1:2] == ["wait"]:
    try:
        while True:
            pass
    except KeyboardInterrupt:
        print("interrupted")
sys.exit(7)
"""


def test_its_version():
    done = subprocess.run([*USOCKET, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"usocket {metadata.version('usocket-compat')}\n")


def test_windows():
    """In the words of the command, not of a module that is missing there."""
    program = "import sys; sys.platform = 'win32'; sys.modules['fcntl'] = None\n"
    program += "import usocket_tools; usocket_tools.main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("usocket: this is Windows") and "WSL" in done.stderr


@pytest.fixture(params=sorted(start.TARGETS))
def where(request) -> str:
    return request.param


@pytest.fixture
def program(tmp_path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


def usocket(*args: object, **more) -> subprocess.CompletedProcess:
    environment = {**os.environ, **more.pop("env", {})}
    command = [*USOCKET, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, **more)


def name_of(where: str) -> str:
    return "cpython" if where == "cpython" else "micropython"


def test_run(where, program):
    done = usocket("run", "--target", where, program, "a b", "--flag", "-x")
    assert done.stdout == f"on {name_of(where)} ['a b', '--flag', '-x']\n"
    assert done.stderr == ""
    assert done.returncode == 7


def test_run_passes_stdin(where, program):
    done = usocket("run", "--target", where, program, "copy", input="hello\n")
    assert done.stdout.splitlines()[-1] == "hello"


def test_run_a_program_that_fails(where, tmp_path):
    file = tmp_path / "fails.py"
    file.write_text("raise ValueError('broken')\n")
    done = usocket("run", "--target", where, file)
    assert done.returncode == 1
    assert "ValueError: broken" in done.stdout + done.stderr


SHORT = (
    "import sys, beside; print(beside.word, sys.argv)\nif 'fail' in sys.argv: raise OSError(9)\n"
)


def test_run_a_text(where, tmp_path):
    """As `python -c` and `python -` do, with what lies where the user is."""
    (tmp_path / "beside.py").write_text("word = 'here'\n")
    run = ("run", "--target", where)
    done = usocket(*run, "-c", SHORT, "a b", "--flag", cwd=tmp_path)
    assert done.stdout == "here ['-c', 'a b', '--flag']\n", done.stderr
    done = usocket(*run, "-", "a b", input=SHORT, cwd=tmp_path)
    assert done.stdout == "here ['-', 'a b']\n", done.stderr
    done = usocket(*run, "-c", SHORT, "fail", cwd=tmp_path)
    # MicroPython has the name of some itself; those of others come from the host.
    word = "OSError: 9" if where == "cpython" else "EBADF"
    assert done.returncode == 1 and word in done.stderr
    assert '"<stdin>"' not in done.stderr


def test_ctrl_c_has_one_status(where, tmp_path):
    """That of a shell for a program that the signal ended, with the traceback."""
    file = tmp_path / "waits.py"
    file.write_text("import time\nprint('here')\nwhile True:\n    time.sleep(1)\n")
    line = f"trap : INT; {' '.join(USOCKET)} run --target {where} {file}; echo $?"
    process = subprocess.Popen(
        ["bash", "-c", line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    assert process.stdout.readline() == "here\n"
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does
    output, errors = process.communicate(timeout=60)
    assert output == "130\n"
    places = re.findall(r'File "([^"]+)", line \d+', errors)
    assert "KeyboardInterrupt" in errors and places == [str(file)], errors


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 7), (signal.SIGTERM, -15)])
def test_run_and_signals(where, program, number, status):
    process = subprocess.Popen(
        [*USOCKET, "run", "--target", where, str(program), "wait"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    assert process.stdout.readline().startswith(b"on ")
    time.sleep(0.1)
    process.send_signal(number)
    output, _ = process.communicate()
    assert process.returncode == status
    assert output == (b"interrupted\n" if number == signal.SIGINT else b"")


def test_a_shell_sees_128_plus_the_signal(where, tmp_path):
    file = tmp_path / "sleeps.py"
    file.write_text("import time\nprint('here')\ntime.sleep(60)\n")
    line = f"{' '.join(USOCKET)} run --target {where} {file} & sleep 1; kill $!; wait $!"
    assert subprocess.run(["bash", "-c", line], stderr=subprocess.DEVNULL).returncode == 143


def test_run_with_a_configuration(where, program, tmp_path):
    conf = tmp_path / "my.conf"
    conf.write_text("CONFIG_NET_SOCKETS_POSIX_NAMES=n\n")
    run = ("run", "--target", where, program, "names")
    assert usocket(*run).stdout.splitlines()[1] == "True True"
    env = {"USOCKET_COMPAT_CONF": str(conf)}
    assert usocket(*run, env=env).stdout.splitlines()[1] == "False True"
    conf.write_text("CONFIG_FLUX=y\n")
    done = usocket(*run, env=env)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"usocket: {conf}:1: unknown symbol CONFIG_FLUX\n")


def test_micropython_alone_cannot_read_a_configuration(tmp_path):
    interpreter = usocket("micropython").stdout.strip()
    done = subprocess.run(
        [interpreter, "-c", "import usocket_compat"],
        env={"MICROPYPATH": str(micropypath.unix_path()), "USOCKET_COMPAT_CONF": "some.conf"},
        capture_output=True,
        text=True,
    )
    assert "usocket run --target unix" in done.stderr + done.stdout
    assert done.returncode == 1


def test_run_on_a_chosen_micropython(program):
    interpreter = usocket("micropython", "--oldest").stdout.strip()
    for which in ("oldest", interpreter):
        done = usocket("run", "--target", "unix", "--micropython", which, program)
        assert (done.returncode, done.stderr) == (7, "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run", "--target", "toaster", "FILE"], "there is no target 'toaster'\nTargets: cpython"),
        (["run", "--target", "cpython", "missing.py"], "there is no file missing.py"),
        (["run", "--target", "unix", "--micropython", "x", "FILE"], "'x' is not a MicroPython"),
        (["run", "--target", "unix", "--micropython", "/bin/sh", "FILE"], "/bin/sh is not"),
        (["micropython", "--version", "1.9.4"], "MicroPython 1.9.4 is too old"),
        (["micropython", "--variant", "toaster"], "there is no variant 'toaster'"),
    ],
)
def test_a_mistake_is_one_sentence(program, args, message):
    done = usocket(*(program if arg == "FILE" else arg for arg in args))
    assert done.returncode == 1
    assert done.stderr.startswith("usocket: " + message)
    assert len(done.stderr.splitlines()) == 2, "what is wrong, and what to do"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run", "FILE"], "one of the arguments --target --device is required"),
        (["run", "--target", "unix"], "the following arguments are required: FILE\n"),
        (["run", "--target", "unix", "--device", "/dev/x", "FILE"], "not allowed with"),
        (["run", "--device", "/dev/x", "--timeout", "-1", "FILE"], "invalid seconds value: '-1'"),
        (["run", "--device", "/dev/x", "--timeout", "inf", "FILE"], "invalid seconds value"),
        (["flash", "--baud", "0", "FILE"], "invalid baud value: '0'"),
        (["toast"], "invalid choice: 'toast'"),
    ],
)
def test_a_wrong_word_shows_the_usage(program, args, message):
    done = usocket(*(program if arg == "FILE" else arg for arg in args))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: usocket ") and message in done.stderr


def test_output_that_nobody_takes():
    """A pipe without a reader, as of `| head`; a full disk; no stdout at all."""
    command = [*USOCKET, "config", "show"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("usocket: No space left on device\n`usocket doctor`")
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_interrupted_while_it_is_loaded():
    code = "import sys, usocket_tools; sys.exit(usocket_tools.main())"
    command = [sys.executable, "-X", "importtime", "-c", code, "micropython", "--list"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        line = "some"
        while line and not line.rstrip().endswith("usocket_tools.errors"):
            line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in rest


def test_interrupted_while_a_board_starts(tmp_path):
    """Ctrl-C of the terminal, which all processes get: none has a traceback to show."""
    file = tmp_path / "waits.py"
    file.write_text("import time\ntime.sleep(60)\n")
    command = [*USOCKET, "run", "--target", "vboard", str(file)]
    env = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, start_new_session=True, text=True, env=env
    )
    with process:
        assert process.stderr
        loaded = 0
        while loaded < 2:  # in the first process, in the board's
            line = process.stderr.readline()
            assert line, "it ended before"
            loaded += line.rstrip().endswith("usocket_tools.errors")
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
    assert "Traceback" not in rest, rest
    assert process.returncode == 130


def test_micropython_prints_a_path():
    done = usocket("micropython", "--newest")
    assert Path(done.stdout.strip()).is_file()
    assert "built" in usocket("micropython", "--list").stdout


@pytest.mark.parametrize("command", [[], *([name] for name in cli.COMMANDS)])
def test_help(command):
    done = usocket(*command, "--help")
    assert done.returncode == 0
    assert "usage: usocket" in done.stdout
