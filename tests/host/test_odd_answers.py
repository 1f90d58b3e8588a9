"""Boards that answer what nobody asked for: a sentence, and nothing that drives the terminal."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import random
import re
import select
import tempfile
import threading
import time
import tty
from pathlib import Path
from types import SimpleNamespace

import pytest

from usocket_tools import cli
from usocket_tools.boards import device as line
from usocket_tools.boards import identity, named
from usocket_tools.commands import deploy, doctor
from usocket_tools.findings import of_board, of_import
from usocket_tools.layer import bundle, dropin, install, kconfig, romfs, trial
from usocket_tools.programs import errnames, remote, tracebacks

# Unicode's category Cc but what ends a line or is a tab, and what turns text around (annex 9).
DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ROUNDS = 5000
SECONDS = 10  # far more than one answer takes

DIGEST = "0" * 64
FACTS = "('ESP32_GENERIC', 'esp32', 0)"
# The beginning of what is run -> what a board prints.
HONEST = (
    (identity._ASK, FACTS),
    (
        of_board._ASK,
        "{'version': (1, 26, 0), 'machine': 'A board', 'heap': 90000, 'files': 900,"
        " 'clock': (2026, 1, 2, 3, 4, 5), 'tls': ['tls', 'ssl']}",
    ),
    (of_board._THERE, "True"),
    (of_board._COUNT[:60], "10"),
    (of_board._NETWORK, "'192.168.4.1'"),
    (of_board._LAYER, "('0.1', '/lib/usocket_compat/12345678', {'ZVFS_OPEN_MAX': 10}, 6000)"),
    (
        of_import._SEEN[:60],
        "({'socket': ('', '', False), 'select': ('', '', False)}, ['webrepl'])",
    ),
    (of_import._LAYER, "('0.1', '/lib/usocket_compat/12345678')"),
    (dropin._PLACES[:60], f"{{'socket.py': ('{DIGEST}', b'# mine'), 'select': ('', b'')}}"),
    ("print(names(", "['__init__.py', '12345678']"),
    ("\nimport os, hashlib, binascii\ndef walk", "{listing}"),
    ("with open(", "b'__path__ = \"/lib/usocket_compat/12345678\"'"),
    (romfs._FIND, "(256, 4096)"),
    ("print(others(", "[]"),
    ("dev.readblocks(", "12345"),
    (trial._TRY, "('/lib/usocket_compat/12345678', '')"),
    (trial._TRY_DROPIN[:40], "('socket', '/lib/socket.py', '')"),
    (remote._STATUS, "3"),
)
LISTING = f"{DIGEST} %s/__init__.py\r\n{DIGEST} %s/12345678/zsock.py"
ODD = [
    *("", " ", "\r\n", "None", "True", "()", "[]", "{}", "''", "b''", "0", "-1", "1.5", "1e999"),
    *("(", "((", "[" * 3000, "-" * 50000 + "1", "not " * 9000 + "1", "1" + "+1" * 9000),
    *("9" * 5000, "'" + "x" * 70000 + "'", "{[]: 1}", "{{}}", "{**1}", "'\\q'", "b'\\u1234'"),
    *("'\\ud800'", "'\\U00110000'", "<module 'x'>", "Traceback (most recent call last):", "(1,)"),
    *("\x1b]0;owned\x07", "'\x1b[2J'", "'\\x1b[2J'", "'\\x9b31m'", "'\\u202egnp.exe'", "\x00"),
    *("('../../../etc/shadow', 'esp32', 0)", "('ESP32', '../../../etc', 0)", "(('',), 'x', 0)"),
    *("('ESP32', 'rp2\\x1b[31m\\nok   a lie', 0)", "('', '', -1)", "('', 'esp32', 10**9)"),
    *(
        "__import__('os').system('false')",
        "None; 1",
        "'a' 'b'",
        "'''a'''",
        "f'{1}'",
        "1 if 1 else 2",
    ),
]
NASTY = "\x00\x07\x1b\x7f\x9b\u202e'\"\\()[]{},:-9\r\n \ud7ffNx"


class FakeDevice:
    """Answers as a board does, but the question of one number."""

    name = "/dev/ttyX"
    board = named.Named(name, name)

    def __init__(self, odd_at: int = -1, spoil=lambda honest: honest) -> None:
        self.odd_at, self.spoil, self.asked = odd_at, spoil, 0

    def exec(self, code: str, silence: float = 0) -> str:
        for beginning, answer in HONEST:
            if code.startswith(beginning):
                if answer == "{listing}":
                    root = re.search(r"walk\('(.*?)'\)", code)[1]
                    answer = listing(root)
                self.asked += 1
                return (self.spoil(answer) if self.asked == self.odd_at else answer) + "\r\n"
        return ""

    def fresh(self) -> None:
        pass

    leave = prompt = restart = fresh

    def end_program(self) -> str:
        return ""

    def __enter__(self) -> FakeDevice:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def listing(root: str) -> str:
    from usocket_tools.boards import filesystem

    files = [f"{root}/__init__.py", f"{root}/12345678/zsock.py"]
    if "print((" in filesystem._LIST:
        return "\r\n".join(repr((DIGEST, file)) for file in files)
    return "\r\n".join(f"{DIGEST} {file}" for file in files)


def spoiler(choice: random.Random):
    """One of the odd answers, or the honest one with something changed in it."""

    def spoil(honest: str) -> str:
        kind = choice.randrange(4)
        if kind == 0:
            return choice.choice(ODD)
        if kind == 1:  # another value in a value's place
            places = list(re.finditer(r"'[^']*'|-?\d+|None|True|False|\([^()]*\)", honest))
            if places:
                place = choice.choice(places)
                return honest[: place.start()] + choice.choice(ODD) + honest[place.end() :]
        text = list(honest)
        for _ in range(choice.randint(1, 4)):
            at = choice.randrange(len(text) + 1)
            text[at : at + choice.randrange(3)] = choice.choice(NASTY) * choice.randrange(3)
        return "".join(text)

    return spoil


# What is left of the commands with a board that only answers.


def looks() -> int:
    return cli.main(["doctor", "--device", FakeDevice.name])


def deploys(*more: str) -> int:
    return cli.main(["deploy", "--device", FakeDevice.name, *more])


def tries(what) -> int:
    """As do_deploy calls it, behind what a fake board does not get through."""

    def do(device: FakeDevice) -> None:
        what(device)

    deploy._deploy, before = do, deploy._deploy
    try:
        return deploys()
    finally:
        deploy._deploy = before


def ends(device: FakeDevice) -> None:
    execution = SimpleNamespace(error="", platform="esp32")
    status, words = remote.outcome(device, execution)
    assert 0 <= status <= 0xFF and isinstance(words, str)


COMMANDS = {
    "doctor": (looks, 10),
    "deploy": (deploys, 6),
    "remove": (functools.partial(deploys, "--remove"), 6),
    "romfs": (functools.partial(deploys, "--romfs"), 5),
    "layer": (lambda: tries(lambda d: trial.layer(d, bundle.LAYER)), 1),
    "modules": (lambda: tries(lambda d: trial.modules(d, dropin.LIB)), 1),
    "run": (lambda: tries(ends), 1),
    "active": (lambda: tries(lambda d: install._active(d, "/lib", {"__init__.py": ""})), 1),
}


@pytest.fixture
def fakes(monkeypatch):
    """The commands with a FakeDevice, which is set as `current`."""
    current = SimpleNamespace(device=FakeDevice())
    for module in (of_board, deploy):
        monkeypatch.setattr(module, "Device", lambda name: current.device)
    monkeypatch.setattr(doctor.of_machine, "host", lambda: ())
    monkeypatch.setattr(doctor.of_machine, "found_devices", lambda named: ())
    # What is the same each time is made once, and the other commands' arguments not at all.
    commands = {name: cli.COMMANDS[name] for name in ("doctor", "deploy")}
    monkeypatch.setattr(cli, "COMMANDS", commands)
    monkeypatch.setattr(kconfig, "load", functools.cache(kconfig.load))
    monkeypatch.setattr(bundle, "configuration", functools.cache(bundle.configuration))
    monkeypatch.setattr(kconfig, "boards", functools.cache(kconfig.boards))
    monkeypatch.setattr(kconfig, "generated", lambda values: {"ZVFS_OPEN_MAX": 10})
    monkeypatch.setattr(bundle, "dropin_modules", lambda compiler, chosen: {})
    return current


def said(do) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = do()
    return status, out.getvalue() + err.getvalue()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_fake_board_gets_asked(fakes, name):
    """All of these questions are asked, and answers of that shape are taken."""
    do, questions = COMMANDS[name]
    fakes.device = FakeDevice()
    _, text = said(do)
    assert fakes.device.asked >= questions, text
    assert "nonsense" not in text and "usocket: " not in text or name not in ("doctor", "run"), (
        text
    )


@pytest.mark.timeout(600)
def test_odd_answers(fakes):
    """From a seed, so that what fails can be repeated."""
    seen = set()
    names = list(COMMANDS)
    for number in range(ROUNDS):
        choice = random.Random(number)
        name = names[number % len(names)]
        do, questions = COMMANDS[name]
        fakes.device = FakeDevice(choice.randint(1, questions), spoiler(choice))
        begin = time.monotonic()
        try:
            status, text = said(do)
        except Exception as error:
            raise AssertionError(f"{name}, seed {number}") from error
        assert time.monotonic() - begin < SECONDS, (name, number)
        assert status in (0, 1), (name, number)
        assert not DRIVES.search(text), (name, number, text)
        lines = text.splitlines()
        if name == "doctor":
            beginnings = ("ok  ", "note", "WRONG", "      ->", "nothing is", "1 thing", "2 things")
            assert all(each.startswith(beginnings) for each in lines), (number, text)
        elif status:
            # What was done before is said before.
            assert len(lines) - (name == "remove") in (1, 2), (number, text)
            assert lines[-2].startswith("usocket: "), (name, number, text)
        seen.add((name, "nonsense" in text))
    assert {(name, True) for name in names} <= seen


# On a serial line.


class FakeRepl:
    """MicroPython's raw REPL behind a pseudo-terminal: `answer` gives its output and its error."""

    def __init__(self, answer) -> None:
        self.controller, self.terminal = os.openpty()
        tty.setraw(self.terminal)
        self.device = os.ttyname(self.terminal)
        self.answer = answer
        self._end, self._ended = os.pipe()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        code = b""
        while self._end not in select.select([self.controller, self._end], [], [])[0]:
            for byte in os.read(self.controller, 65536):
                out = b""
                if byte == 1 and code.endswith(b"\x05A"):
                    code, out = b"", b"R\x00"  # it has no raw paste
                elif byte == 1:
                    code, out = b"", b"raw REPL; CTRL-B to exit\r\n>"
                elif byte in (2, 3, 13):
                    code, out = b"", b"\r\n>>> " if byte == 2 else b""
                elif byte == 4 and not code:
                    out = b"OK\r\nMPY: soft reboot\r\nraw REPL; CTRL-B to exit\r\n>"
                elif byte == 4:
                    out = b"OK" + b"\x04".join(self.answer(code.decode())) + b"\x04>"
                    code = b""
                else:
                    code += bytes([byte])
                os.write(self.controller, out)

    def __enter__(self) -> FakeRepl:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ended)
        self._thread.join()
        for fd in (self.controller, self.terminal, self._end):
            os.close(fd)


TITLE = b"\x1b]0;owned\x07\x9b2J \xe2\x80\xaegnp"


@pytest.mark.parametrize("command", ["doctor", "deploy"])
def test_an_error_on_the_board_is_shown_escaped(command):
    with FakeRepl(lambda code: (b"", b"Traceback:\r\nValueError: " + TITLE + b"\r\n")) as repl:
        status, text = said(lambda: cli.main([command, "--device", repl.device]))
    assert status == 1 and not DRIVES.search(text)
    # U+009B is no UTF-8 alone.
    assert r"the board says ValueError: \x1b]0;owned\x07" in text and r"\u202egnp" in text


def test_a_platform_is_shown_escaped():
    def answer(code: str) -> tuple[bytes, bytes]:
        fake = FakeDevice().exec(code.replace("\r", "")).encode()
        return (rb"('', '\x1b[31mrp2\nok', 0)", b"") if "_build" in code else (fake, b"")

    with FakeRepl(answer) as repl:
        status, text = said(lambda: cli.main(["deploy", "--device", repl.device]))
    assert status == 1 and not DRIVES.search(text)
    assert text.startswith("usocket: the layer has no port for \\x1b[31mrp2\\nok\n")


def test_an_answer_without_end(monkeypatch):
    """A board that prints at the speed of a network is left alone after so many bytes."""
    monkeypatch.setattr(line, "MOST", 20000)
    with FakeRepl(lambda code: (b"x" * 60000, b"")) as repl:
        begin = time.monotonic()
        status, text = said(lambda: cli.main(["deploy", "--device", repl.device]))
        # The rest, for which it waits, would be in the way of its end.
        while select.select([repl.terminal], [], [], 0.5)[0]:
            os.read(repl.terminal, 1 << 20)
    assert status == 1 and "answers without end" in text
    assert time.monotonic() - begin < 3 * line.EXEC_SILENCE


# Tracebacks.


def test_no_file_that_a_board_names_is_opened(tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text("THE SECRET\n")
    own = tmp_path / "program"
    own.mkdir()
    (own / "test_x.py").write_text("a line\n")
    (own / "link.py").symlink_to(secret)
    up = "/".join([".."] * 30)
    names = ["/etc/shadow", "/etc/passwd", str(secret), "../secret.py", "link.py", f"us{secret}"]
    names += [f"usocket_compat/{up}{secret}", f"usocket_compat/port/{up}{secret}", f"{up}{secret}"]
    names += [f"usocket_compat/{up}/etc/passwd", "usocket_compat//etc/passwd", "x" * 5000 + ".py"]
    names += ["\x00.py", "/dev/stdin", "."]
    for name in names:
        for number in ("1", "1" * 6, "1" * 6000):
            text = f'  File "{name}", line {number}, in f\nValueError: x'
            shown = tracebacks.with_source(text, [own])
            assert len(shown.splitlines()) == 2 and "SECRET" not in shown, name
    # The test itself: the program's own is shown, by either name.
    for name in ("test_x.py", str(own / "test_x.py")):
        assert "\n    a line" in tracebacks.with_source(f'  File "{name}", line 1', [own])


def test_a_function_is_looked_for_in_the_layer_alone():
    # A name as those of the layer on a board are: of letters, digits and _.
    with tempfile.TemporaryDirectory(prefix="usocket", dir="/tmp") as folder:
        secret = Path(folder, "secret.py")
        secret.write_text("\n\ndef f(): pass\n")
        text = f'  File "us/{secret.with_suffix("")}", line 1, in f\n'
        assert tracebacks.unshortened(text) == text
    assert 'usocket_compat/zsock.py", line ' in tracebacks.unshortened('File "us/zsock", line 1')


def test_a_platform_is_no_path(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "numbers.py").write_text("EEVIL=7\n")
    assert errnames.named("OSError: 7", str(folder)) == "OSError: 7"


def test_a_traceback_is_shown_escaped(monkeypatch):
    """And what the program has printed before goes on as it is."""
    text = (
        'Traceback (most recent call last):\n  File "main.py", line 1\nValueError: \x1b[2J\t\x9b'
    )
    execution = SimpleNamespace(
        error=text, platform="esp32", done=False, write=lambda data: None, read=None
    )

    def read(*_: object) -> bytes:
        execution.done = True
        return b"\x1b[1mbold\x1b[0m"

    execution.read = read
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = remote._follow(FakeDevice(), execution, remote.Options("main.py", []))
    assert out.buffer.getvalue() == b"\x1b[1mbold\x1b[0m"
    expected = text.replace("\x1b", "\\x1b").replace("\x9b", "\\x9b")
    assert (status, err.getvalue()) == (1, expected)
