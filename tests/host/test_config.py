"""usocket config: what it shows of a board's configuration, and how it changes it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

from usocket_tools.commands import config
from usocket_tools.layer import kconfig

USOCKET = [sys.executable, "-m", "usocket_tools.cli", "config"]

MINE = """\
# My board

# It is small.
CONFIG_ZVFS_OPEN_MAX=8
CONFIG_NET_SOCKETPAIR_BUFFER_SIZE=64
# CONFIG_USOCKET_THREADS is not set
"""


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.conf"
    file.write_text(MINE)
    return file


def usocket_config(*args, env=None):
    environment = {name: text for name, text in os.environ.items() if "USOCKET" not in name}
    return subprocess.run(
        [*USOCKET, *map(str, args)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        env={**environment, **(env or {})},
    )


def fine(*args, **more) -> str:
    done = usocket_config(*args, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# Looking.


def test_boards():
    lines = fine("boards").splitlines()
    assert [line.split()[0] for line in lines] == kconfig.boards()
    assert [line for line in lines if line.startswith("ESP32_GENERIC_C2 ")] == [
        "ESP32_GENERIC_C2              6 sockets  ESP32-C2, also sold as ESP8684"
    ]


def shown(*args, **more) -> dict[str, str]:
    """symbol -> the rest of its line"""
    lines = fine("show", *args, **more).splitlines()
    return dict(line.split(" = ", 1) for line in lines[1:])


def test_show_names_the_line_of_each_value(mine):
    settings = shown("--board", mine)
    assert list(settings) == list(kconfig.prompts())
    assert settings["ZVFS_OPEN_MAX"].split()[:3] == ["8", "#", "mine.conf:4"]
    assert settings["USOCKET_THREADS"].split()[:3] == ["False", "#", "mine.conf:6"]
    value, _, origin = settings["ZVFS_POLL_MAX"].split()[:3]
    assert value == "16" and origin.startswith("Kconfig:")
    line = int(origin.partition(":")[2])
    assert kconfig.file().read_text().splitlines()[line - 1] == "config ZVFS_POLL_MAX"
    for name, prompt in kconfig.prompts().items():
        assert settings[name].endswith(prompt)


def test_show_which_file(mine):
    assert shown()["ZVFS_OPEN_MAX"].split()[2] == "UNIX.conf:5"
    env = {"USOCKET_COMPAT_CONF": str(mine)}
    assert shown(env=env)["ZVFS_OPEN_MAX"].split()[2] == "mine.conf:4"
    assert shown("--board", "UNIX", env=env)["ZVFS_OPEN_MAX"].split()[0] == "256"


def test_a_variant_has_the_file_of_its_board():
    assert fine("show", "--board", "ESP32_GENERIC-UNICORE") == fine(
        "show", "--board", "ESP32_GENERIC"
    )
    assert fine("show", "--board", "ESP32_GENERIC-SPIRAM") != fine(
        "show", "--board", "ESP32_GENERIC"
    )


def test_generate(tmp_path, mine):
    conf = kconfig.board_file("ESP32_GENERIC")
    text = kconfig.generate(kconfig.load(conf), "ESP32_GENERIC.conf")
    assert fine("generate", "--board", "ESP32_GENERIC") == text
    assert fine("generate", "--board", mine, "-o", tmp_path / "out.py") == ""
    module: dict = {}
    exec((tmp_path / "out.py").read_text(), module)
    assert module["ZVFS_OPEN_MAX"] == 8 and module["USOCKET_THREADS"] is False


def test_a_new_file_begins_with_a_board(tmp_path):
    """With that board's values, which Kconfig's defaults are not; what is there is kept."""
    file, plain = tmp_path / "my.conf", tmp_path / "plain.conf"
    board = kconfig.load(kconfig.board_file("ESP32_GENERIC_C2"))
    done = usocket_config("set", "--board", file, "--from", "ESP32_GENERIC_C2", "USOCKET_DROPIN=y")
    assert (done.returncode, done.stderr) == (0, "")
    assert kconfig.load(file) == {**board, "USOCKET_DROPIN": True} != kconfig.load()
    done = usocket_config("set", "--board", plain, "ZVFS_OPEN_MAX=4")
    assert done.returncode == 0 and done.stderr.startswith(f"{plain} is new, and has only this")
    assert kconfig.load(plain)["ZVFS_POLL_MAX"] == kconfig.load()["ZVFS_POLL_MAX"]
    again = usocket_config("set", "--board", plain, "ZVFS_OPEN_MAX=5")
    assert (again.returncode, again.stderr) == (0, "")
    for args, message in (
        ((plain, "--from", "ESP32_GENERIC", "ZVFS_OPEN_MAX=5"), f"{plain} is there already"),
        ((tmp_path / "x.conf", "--from", "TOASTER", "ZVFS_OPEN_MAX=5"), "there is no board 'TOA"),
    ):
        done = usocket_config("set", "--board", *args)
        assert done.returncode == 1 and done.stderr.startswith(f"usocket: {message}")
    assert not (tmp_path / "x.conf").exists()


def test_check():
    assert len(fine("check").splitlines()) == len(kconfig.boards())


def test_the_config_of_the_checkout_is_in_step():
    config.check_in_step()


# Changing.


def test_set_keeps_the_rest(mine):
    said = fine("set", "--board", mine, "ZVFS_OPEN_MAX=12", "CONFIG_ZVFS_POLL_MAX=5")
    assert said.splitlines() == [
        "ZVFS_OPEN_MAX = 12 (mine.conf:4, was 8)",
        "ZVFS_POLL_MAX = 5 (mine.conf:7, was 16)",
    ]
    changed = MINE.replace("OPEN_MAX=8", "OPEN_MAX=12") + "CONFIG_ZVFS_POLL_MAX=5\n"
    assert mine.read_text() == changed


def test_set_what_was_said_to_be_not_set(mine):
    fine("set", "--board", mine, "USOCKET_THREADS=y")
    assert mine.read_text().splitlines()[-1] == "CONFIG_USOCKET_THREADS=y"
    assert len(mine.read_text().splitlines()) == len(MINE.splitlines())


@pytest.mark.parametrize("text", ["unix", '"unix"'])
def test_set_a_string(mine, text):
    fine("set", "--board", mine, f"USOCKET_PORT={text}")
    assert mine.read_text().endswith('\nCONFIG_USOCKET_PORT="unix"\n')
    assert kconfig.load(mine)["USOCKET_PORT"] == "unix"


def test_set_makes_a_new_file(tmp_path):
    new = tmp_path / "NEW.conf"
    done = usocket_config("set", "--board", new, "ZVFS_OPEN_MAX=3")
    assert done.returncode == 0
    assert done.stderr.startswith(f"{new} is new, and has only this: ")
    assert new.read_text() == "CONFIG_ZVFS_OPEN_MAX=3\n"


def test_set_mends_a_wrong_line(mine):
    mine.write_text("CONFIG_ZVFS_OPEN_MAX=0\n")
    fine("set", "--board", mine, "ZVFS_OPEN_MAX=9")
    assert mine.read_text() == "CONFIG_ZVFS_OPEN_MAX=9\n"


def test_unset(mine):
    said = fine("unset", "--board", mine, "ZVFS_OPEN_MAX", "USOCKET_PORT")
    assert said.startswith("ZVFS_OPEN_MAX = 16 (Kconfig:")
    assert mine.read_text() == MINE.replace("CONFIG_ZVFS_OPEN_MAX=8\n", "")
    assert kconfig.load(mine)["ZVFS_OPEN_MAX"] == kconfig.load()["ZVFS_OPEN_MAX"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["ZVFS_OPEN_MAX=0"], "bad value 0 for CONFIG_ZVFS_OPEN_MAX: the range is 1 to 65536"),
        (["ZVFS_OPEN_MAX=many"], "bad value many .*: it is a decimal number"),
        (["ZVFS_OPENMAX=3"], r"unknown symbol CONFIG_ZVFS_OPENMAX \(did you mean"),
        (["NET_SOCKETPAIR=n"], "NET_SOCKETPAIR_BUFFER_SIZE cannot be '64': it depends on"),
        (["USOCKET_PORT=toaster"], "the ports are "),
        (["ZVFS_OPEN_MAX"], "'ZVFS_OPEN_MAX' is not SYMBOL=VALUE"),
        (["ZVFS_OPEN_MAX=3\nCONFIG_FLUX=y"], "unknown symbol CONFIG_FLUX"),
    ],
)
def test_a_wrong_value_changes_nothing(mine, changes, message):
    done = usocket_config("set", "--board", mine, "ZVFS_POLL_MAX=3", *changes)
    assert done.returncode == 1 and done.stdout == ""
    first, *hint = done.stderr.splitlines()
    assert first.startswith("usocket: ") and len(hint) <= 1
    assert re.search(message, first), first
    assert mine.read_text() == MINE


def test_a_change_for_the_host_is_to_be_generated(mine, monkeypatch, capsys):
    monkeypatch.setattr(config.kconfig, "board_file", lambda board: mine)
    config._update(mine, {"ZVFS_OPEN_MAX": "9"})
    assert "usocket config generate --board UNIX" in capsys.readouterr().err


# The menu.


class Menu:
    """menuconfig in a terminal."""

    def __init__(self, board: object, **env: str) -> None:
        self.controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = subprocess.Popen(
            [*USOCKET, "menuconfig", "--board", str(board)],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **env},
        )
        os.close(terminal)

    def __enter__(self) -> Menu:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.controller)

    def until(self, words: str) -> str:
        """What appears up to these words."""
        text, deadline = "", time.monotonic() + 20
        while words not in text:
            ready = select.select([self.controller], [], [], max(0, deadline - time.monotonic()))
            assert ready[0], f"no {words!r} in {text!r}"
            try:
                text += os.read(self.controller, 4096).decode(errors="replace")
            except OSError:
                raise AssertionError(f"it ended without {words!r}: {text!r}") from None
        return text

    def press(self, keys: str, words: str) -> str:
        os.write(self.controller, keys.encode())
        return self.until(words)


def test_menuconfig_changes_the_file(mine):
    with Menu(mine) as menu:
        menu.until("This layer")
        menu.press("\n", "(8) Largest number of open sockets")
        menu.press("j\n", "Largest number of open sockets (int)")
        menu.press("\x7f7\nq", "Save configuration?")
        menu.press("y", f"{mine}: ZVFS_OPEN_MAX changed")
        assert menu.process.wait(10) == 0
    assert mine.read_text() == MINE.replace("OPEN_MAX=8", "OPEN_MAX=7")


def test_menuconfig_that_changes_nothing_ends_at_once(mine):
    with Menu(mine) as menu:
        menu.until("This layer")
        menu.press("q", "No changes to save")
        assert menu.process.wait(10) == 0
    assert mine.read_text() == MINE


def test_menuconfig_takes_out_what_is_the_default_again(mine):
    with Menu(mine) as menu:
        menu.until("This layer")
        menu.press("j\n", "[ ] Safe use of sockets from several threads")
        menu.press("j q", "Save configuration?")
        menu.press("y", f"{mine}: USOCKET_THREADS changed")
    assert mine.read_text() == MINE.replace("# CONFIG_USOCKET_THREADS is not set\n", "")


def test_menuconfig_drops_what_no_longer_applies(mine):
    with Menu(mine) as menu:
        menu.until("This layer")
        menu.press("\n", "[*] socketpair")
        menu.press("jjjj q", "Save configuration?")
        menu.press("y", f"{mine}: NET_SOCKETPAIR, NET_SOCKETPAIR_BUFFER_SIZE changed")
    values = kconfig.load(mine)
    assert values["NET_SOCKETPAIR"] is False and values["ZVFS_OPEN_MAX"] == 8
    assert mine.read_text().startswith("# My board\n\n# It is small.\n")


def test_menuconfig_without_saving(mine):
    with Menu(mine) as menu:
        menu.until("This layer")
        menu.press("j\n", "[ ] Safe use")
        menu.press("j q", "Save configuration?")
        menu.press("n", "was not saved")
    assert mine.read_text() == MINE


def test_menuconfig_refuses_a_port_that_is_not_there(mine):
    with Menu(mine) as menu:
        menu.until("This layer")
        menu.press("j\n", "Port to load")
        menu.press("\n", "(string)")
        menu.press("toaster\nq", "Save configuration?")
        menu.press("y", 'bad value "toaster" for CONFIG_USOCKET_PORT')
    assert mine.read_text() == MINE


def test_menuconfig_in_a_terminal_of_no_known_kind(mine):
    with Menu(mine, TERM="toaster") as menu:
        menu.until("usocket: this terminal cannot show the menu")
        assert menu.process.wait(10) == 1


# The command.


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], ["boards", "show", "generate", "set", "unset", "menuconfig", "check"]),
        (["boards"], ["usage: usocket config boards"]),
        (["show"], ["--board", "USOCKET_COMPAT_CONF"]),
        (["generate"], ["--board", "-o FILE"]),
        (["set"], ["--board", "SYMBOL=VALUE", "ZVFS_OPEN_MAX=8"]),
        (["unset"], ["--board", "SYMBOL"]),
        (["menuconfig"], ["--board"]),
        (["check"], ["FILE", "board_configs"]),
    ],
)
def test_help(args, words):
    said = fine(*args, "--help")
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["show", "--board", "TOASTER"], "there is no board 'TOASTER' in board_configs\nThe boa"),
        (["show", "--board", "./missing.conf"], "cannot read the configuration missing.conf: No"),
        (["generate", "-o", "/missing/file"], "cannot write /missing/file: No such file"),
        (["check", "missing.conf"], "cannot read the configuration missing.conf: No such file"),
        (["set", "--board", "TOASTER", "ZVFS_OPEN_MAX=3"], "there is no board 'TOASTER'"),
        (["set", "--board", "/missing/x.conf", "ZVFS_OPEN_MAX=3"], "cannot write /missing/x.conf"),
        (["set", "--board", "UNIX", "SOCKETS=3"], "unknown symbol CONFIG_SOCKETS"),
        (["unset", "--board", "UNIX", "FLUX"], "unknown symbol CONFIG_FLUX\n`usocket config show"),
        (["unset", "--board", "./missing.conf", "ZVFS_OPEN_MAX"], "cannot read the configuration"),
        (["menuconfig", "--board", "UNIX"], "menuconfig needs a terminal\n`usocket config set`"),
        (["menuconfig", "--board", "TOASTER"], "there is no board 'TOASTER'"),
        (["menuconfig", "--board", "./missing.conf"], "cannot read the configuration"),
    ],
)
def test_a_mistake_is_one_sentence(args, message):
    done = usocket_config(*args)
    assert done.returncode == 1
    assert done.stderr.startswith("usocket: " + message)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("args", [[], ["set", "ZVFS_OPEN_MAX=3"], ["toast"]])
def test_an_incomplete_command_shows_its_usage(args):
    done = usocket_config(*args)
    assert done.returncode == 2 and done.stderr.startswith("usage: usocket config")
