# SPDX-License-Identifier: MIT
"""The drop-in on a board: brought, found, kept, taken away, and whole when that is interrupted."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from usocket_tools import files
from usocket_tools.boards import filesystem, identity
from usocket_tools.boards.device import Device
from usocket_tools.errors import UsocketError
from usocket_tools.layer import bundle, compiling, dropin, install
from usocket_tools.programs import remote
from usocket_tools.vboard.board import Board

ROOT = Path(__file__).resolve().parents[2]
USOCKET = [sys.executable, "-m", "usocket_tools.cli"]
SECONDS = 60
DROPIN = "CONFIG_ZVFS_OPEN_MAX=10\nCONFIG_ZVFS_POLL_MAX=10\nCONFIG_USOCKET_DROPIN=y\n"
OWN = b"import usocket\nsocket = usocket.socket\nmine = 1\n"

# Whose `socket` and `select` a program has, and asyncio.
SEEN = """
def seen():
    import sys
    found = []
    for n in ('socket', 'select'):
        m = __import__(n)
        found.append((getattr(m, '__file__', ''), sys.modules.get('u' + n) is m))
    from asyncio import core
    return found, core.select is __import__('select')
print(seen())
"""
FIRMWARE = [("", False), ("", False)]
OURS = [(f"/lib/{name}.mpy", True) for name in ("socket", "select")]


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with Board() as board:
        yield board


@pytest.fixture(scope="module")
def conf(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("conf") / "mine.conf"
    file.write_text(DROPIN)
    return file


@pytest.fixture
def device(board: Board) -> Iterator[Device]:
    """A board without the layer, and with nothing in /lib."""
    with Device(board.device) as device:
        clean(device)
        yield device


def clean(device: Device) -> None:
    device.fresh()
    install.remove(device)
    filesystem.sync(device, "/lib", {})
    device.exec("import os\ntry: os.rmdir('/lib/socket')\nexcept OSError: pass")


@pytest.fixture
def name(board: Board) -> str:
    """The same, left alone."""
    with Device(board.device) as device:
        clean(device)
    return board.device


def usocket(*args: object, conf: Path | None = None) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k != "USOCKET_COMPAT_CONF"}
    if conf:
        environment["USOCKET_COMPAT_CONF"] = str(conf)
    return subprocess.run(
        [*USOCKET, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=environment,
    )


def good(*args: object, conf: Path | None = None) -> str:
    done = usocket(*args, conf=conf)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def seen(name: str) -> object:
    with Device(name) as device:
        device.fresh()
        found, asyncio_too = ast.literal_eval(device.exec(SEEN))
        assert asyncio_too
        return found


def put(name: str, path: str, content: bytes) -> None:
    with Device(name) as device:
        device.fresh()
        filesystem.write(device, path, content)


def version_of(device: Device, conf: Path | None) -> bundle.Version:
    return bundle.version(identity.ask(device), conf)


# -- brought and taken away -------------------------------------------------------------------


def test_it_is_off_by_default(name: str) -> None:
    assert "with the drop-in" not in good("deploy", "--device", name)
    assert seen(name) == FIRMWARE
    with Device(name) as device:
        device.fresh()
        assert dropin.look(device) == {}
        assert not [n for n in filesystem.listing(device, "/lib") if "dropin" in n]


def test_deploy_and_a_reset_and_remove(name: str, board: Board, conf: Path) -> None:
    said = good("deploy", "--device", name, conf=conf)
    assert re.search(
        r"\(\w+\) with the drop-in is on the board: (\d+) files, \d+ sent, \d+ copied there\n$",
        said,
    )
    assert seen(name) == OURS
    board.control("reset")
    assert seen(name) == OURS
    again = good("deploy", "--device", name, conf=conf)
    assert again.endswith("with the drop-in was on the board already\n")
    assert good("deploy", "--device", name, "--remove") == f"{name}: the layer is removed\n"
    assert seen(name) == FIRMWARE
    with Device(name) as device:
        device.fresh()
        assert filesystem.listing(device, "/lib") == {}


def test_what_was_brought_is_what_is_here(device: Device, conf: Path) -> None:
    """In /lib, and a second time with the version that it belongs to, to be copied from there."""
    version = version_of(device, conf)
    install.install(device, version)
    there = filesystem.listing(device, "/lib")
    wanted = {f"usocket_compat/{n}": filesystem.sha256(c) for n, c in version.files}
    wanted.update((n, filesystem.sha256(c)) for n, c in version.dropin)
    assert there == wanted
    assert sorted(n for n, _ in version.dropin) == ["select.mpy", "socket.mpy"]


def test_another_configuration_takes_it_away(name: str, conf: Path) -> None:
    good("deploy", "--device", name, conf=conf)
    good("deploy", "--device", name)
    assert seen(name) == FIRMWARE
    with Device(name) as device:
        device.fresh()
        assert dropin.look(device) == {}


@pytest.mark.parametrize("lines", [False, True])
def test_it_is_compiled_as_the_layer_is(device: Device, tmp_path: Path, lines: bool) -> None:
    """-O3 and a short path, which is heap; or line numbers, and the path of the source."""
    conf = tmp_path / "lines.conf"
    conf.write_text(DROPIN + f"CONFIG_USOCKET_LINE_NUMBERS={'y' if lines else 'n'}\n")
    version = version_of(device, conf)
    compiler = compiling.Compiler(identity.ask(device))
    options = () if lines else ("-O3",)
    for name, content in version.dropin:
        module = name.partition(".")[0]
        shown = f"dropin/{module}.py" if lines else f"us/{module}"
        with compiling.lean_source(files.dropin_files()[module]) as source:
            assert content == compiler.compile(source, shown, options)
        place = dropin.Place(filesystem.sha256(content), content[:256])
        assert dropin.ours(name, place) and not dropin.stands_in(name, place)


def test_as_sources(device: Device, conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mpy-cross, over .mpy, and back."""
    compiled = version_of(device, conf)
    monkeypatch.setattr(compiling, "mpy_cross", lambda version: None)
    bundle._layer.cache_clear()
    plain = version_of(device, conf)
    for version, suffix in ((compiled, ".mpy"), (plain, ".py"), (compiled, ".mpy")):
        install.install(device, version)
        device.fresh()
        found, _ = ast.literal_eval(device.exec(SEEN))
        assert found == [(f"/lib/{n}{suffix}", True) for n in ("socket", "select")]
        assert sorted(dropin.look(device)) == [f"select{suffix}", f"socket{suffix}"]
    bundle._layer.cache_clear()


def test_run_and_test_bring_it(name: str, conf: Path, tmp_path: Path) -> None:
    """A program that has never heard of the layer."""
    program = tmp_path / "program.py"
    program.write_text(
        "import socket, select\nfrom asyncio import core\n"
        "print(socket.__file__, select.__file__, core.select is select)\n"
    )
    said = good("run", "--device", name, program, conf=conf)
    assert said == "/lib/socket.mpy /lib/select.mpy True\n"
    program.write_text("import socket\nprint(hasattr(socket, '__file__'))\n")
    assert good("run", "--device", name, program) == "True\n", "run alone takes nothing away"
    environment = {**os.environ, "USOCKET_COMPAT_CONF": str(conf)}
    good("deploy", "--device", name, "--remove")
    done = subprocess.run(
        [*USOCKET, "test", "--device", name, "test_zero", "-k", "datagram"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert seen(name) == OURS


def test_run_on_a_virtual_board_of_its_own(conf: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import socket\nprint(socket.__file__)\n")
    said = good("run", "--target", "vboard", program, conf=conf)
    assert said == "/lib/socket.mpy\n"


def test_a_traceback_names_its_file(device: Device, conf: Path) -> None:
    install.install(device, version_of(device, conf))
    said = device.exec(
        "import sys, io, socket\no = io.StringIO()\ntry: socket.no_such_name\n"
        "except AttributeError as e: sys.print_exception(e, o)\nprint(o.getvalue())"
    )
    assert 'File "us/socket", line 1, in __getattr__' in said, said
    shown = remote.tracebacks.unshortened(said)
    line = int(re.findall(r'File "dropin/socket.py", line (\d+), in __getattr__', shown)[0])
    source = files.dropin_files()["socket"].read_text().splitlines()
    assert source[line - 1].startswith("def __getattr__")


# -- what is the user's own -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/lib/socket.py", "/lib/select.mpy", "/lib/socket/__init__.py"])
def test_a_users_own_file_stays(name: str, conf: Path, path: str) -> None:
    put(name, path, OWN)
    shown = path.replace("/__init__.py", "")
    done = usocket("deploy", "--device", name, conf=conf)
    assert (done.returncode, done.stdout) == (1, "")
    wrong, hint = done.stderr.splitlines()
    assert wrong == (
        f"usocket: {name} has a {shown} that is not of this project, in the place of the drop-in"
    )
    assert "`mpremote fs rm`" in hint and "CONFIG_USOCKET_DROPIN=n" in hint
    with Device(name) as device:
        device.fresh()
        assert list(filesystem.listing(device, "/lib")) == [path[len("/lib/") :]], (
            "nothing was done"
        )
    # Without the drop-in it is nobody's business.
    assert good("deploy", "--device", name).count("\n") == 1
    said = good("deploy", "--device", name, "--remove").splitlines()
    assert said == [
        f"{name}: the layer is removed",
        f"{name}: {shown} is not of this project and stays; `mpremote fs rm` would remove it",
    ]
    with Device(name) as device:
        device.fresh()
        assert filesystem.listing(device, "/lib") == {path[len("/lib/") :]: filesystem.sha256(OWN)}


def test_a_users_own_beside_ours(name: str, conf: Path) -> None:
    """It came later, and goes before ours: ours goes, it stays."""
    good("deploy", "--device", name, conf=conf)
    put(name, "/lib/socket.py", OWN)
    said = good("deploy", "--device", name, "--remove")
    assert "/lib/socket.py is not of this project and stays" in said
    with Device(name) as device:
        device.fresh()
        assert filesystem.listing(device, "/lib") == {"socket.py": filesystem.sha256(OWN)}


def test_another_goes_first(name: str, conf: Path) -> None:
    """In the folder that MicroPython looks into first, where nothing of ours ever is."""
    put(name, "/select.py", b"from uselect import *\n")
    done = usocket("deploy", "--device", name, conf=conf)
    with Device(name) as device:
        device.fresh()
        device.exec("import os; os.remove('/select.py')")
    wrong, hint = done.stderr.splitlines()
    assert done.returncode == 1
    assert wrong == (
        f"usocket: {name} does not import the drop-in select: it finds select.py first"
    )
    assert "frozen" in hint


# -- broken -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"raise ValueError('broken')\n", "ValueError"),
        (b"import nothing_of_that_name\n", "ImportError"),
        (b"\x00\xff", "SyntaxError"),
    ],
)
def test_a_broken_one_leaves_the_prompt(
    name: str, board: Board, conf: Path, content: bytes, error: str
) -> None:
    good("deploy", "--device", name, conf=conf)
    put(name, "/lib/socket.py", dropin._LICENSE + b'"""`import socket`"""\n' + content)
    board.control("reset")
    with Device(name) as device:
        device.fresh()
        assert device.exec("print(1 + 1)") == "2\r\n"
        with pytest.raises(UsocketError, match=error):
            device.exec("import socket")
        # Each time, and nothing half loaded is kept.
        with pytest.raises(UsocketError, match=error):
            device.exec("import socket")
        assert device.exec("import usocket\nprint(usocket.socket().close())") == "None\r\n"
    done = usocket("doctor", "--device", name, conf=conf)
    assert done.returncode == 1
    assert f"WRONG {name}: `import socket` does not work: {error}" in done.stdout
    good("deploy", "--device", name, conf=conf)
    assert seen(name) == OURS


def test_a_broken_one_as_it_is_deployed(name: str, conf: Path) -> None:
    """Said at once, with the way out."""
    program = (
        "import sys\nfrom usocket_tools import cli, files\n"
        "found = files.dropin_files()\n"
        "from pathlib import Path\n"
        "broken = Path(sys.argv[1]) / 'socket.py'\n"
        "broken.write_text(found['socket'].read_text() + '\\n1 / 0\\n')\n"
        "files.dropin_files = lambda: {**found, 'socket': broken}\n"
        "sys.exit(cli.main(['deploy', '--device', sys.argv[2]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, conf.parent, name],
        capture_output=True,
        text=True,
        env={**os.environ, "USOCKET_COMPAT_CONF": str(conf)},
        timeout=SECONDS,
    )
    wrong, hint = done.stderr.splitlines()
    assert done.returncode == 1
    assert "the drop-in socket is on the board, but does not work: ZeroDivisionError" in wrong
    assert "--remove" in hint
    good("deploy", "--device", name, "--remove")
    assert seen(name) == FIRMWARE


# -- what doctor says -------------------------------------------------------------------------


def doctor(name: str, conf: Path | None = None, status: int = 0) -> str:
    """Its lines of imports."""
    done = usocket("doctor", "--device", name, conf=conf)
    assert (done.returncode, done.stderr) == (status, ""), done.stdout
    assert done.stdout.count("WRONG") >= status
    lines = done.stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if f"{name}: its address" in line)
    return "\n".join(lines[first:-1])


WHO = "`import socket`, asyncio and WebREPL have the "


def test_doctor_of_the_firmwares_own(name: str, conf: Path) -> None:
    said = doctor(name)
    assert f"ok    {name}: {WHO}firmware's own" in said
    said = doctor(name, conf)
    assert f"note  {name}: {WHO}firmware's own; mine.conf has USOCKET_DROPIN=y\n" in said
    assert f"      -> `usocket deploy --device {name}` brings the drop-in." in said


def test_doctor_of_the_drop_in(name: str, conf: Path) -> None:
    good("deploy", "--device", name, conf=conf)
    ours = f"{name}: {WHO}drop-in of usocket_compat 0."
    assert f"ok    {ours}" in doctor(name, conf)
    said = doctor(name)
    assert f"note  {ours}" in said and "ESP32_GENERIC.conf has USOCKET_DROPIN=n" in said


def test_doctor_of_an_old_one(name: str, conf: Path) -> None:
    """Of a version that is not the layer's."""
    good("deploy", "--device", name, conf=conf)
    with Device(name) as device:
        device.fresh()
        content = dict(version_of(device, conf).dropin)["select.mpy"]
        filesystem.write(device, "/lib/select.mpy", content + b"\0")
    said = doctor(name, conf)
    assert f"note  {name}: its drop-in select is of another version than the layer" in said


def test_doctor_of_one_without_its_layer(name: str, conf: Path) -> None:
    good("deploy", "--device", name, conf=conf)
    with Device(name) as device:
        device.fresh()
        device.exec(f"{install._TOOLS}drop('{bundle.LAYER}')")
    said = doctor(name, conf, status=1)
    for module in ("socket", "select"):
        assert f"WRONG {name}: `import {module}` finds the drop-in, whose layer is not " in said
    assert "the layer is not on it" in said
    good("deploy", "--device", name, "--remove")
    assert f"ok    {name}: {WHO}firmware's own" in doctor(name)


def test_doctor_of_a_half(name: str, conf: Path) -> None:
    good("deploy", "--device", name, conf=conf)
    with Device(name) as device:
        device.fresh()
        device.exec("import os; os.remove('/lib/select.mpy')")
    assert (
        f"note  {name}: the drop-in is there in part: socket is the drop-in,"
        " select is the firmware's own\n"
    ) in doctor(name, conf)
    good("deploy", "--device", name, conf=conf)
    assert seen(name) == OURS


def test_doctor_of_an_interrupted_change(name: str, conf: Path) -> None:
    good("deploy", "--device", name, conf=conf)
    put(name, "/lib/socket.py", dropin.stand_in("socket"))
    said = doctor(name, conf)
    assert f"note  {name}: the change of its socket was interrupted; it works" in said
    good("deploy", "--device", name, conf=conf)
    assert seen(name) == OURS


def test_doctor_of_a_users_own(name: str) -> None:
    put(name, "/lib/socket.py", OWN)
    said = doctor(name)
    assert (
        f"note  {name}: `import socket` finds /lib/socket.py, which is not of this project" in said
    )


WEBREPL = b"import socket\n"


def test_doctor_of_who_came_earlier(name: str, conf: Path) -> None:
    """WebREPL, as boot.py starts it, with a module that is no longer the one that is imported."""
    good("deploy", "--device", name, conf=conf)
    put(name, "/lib/webrepl.py", WEBREPL)
    try:
        assert "WebREPL has another" not in doctor(name, conf)
        put(
            name,
            "/boot.py",
            b"import sys\nsys.path.clear()\nsys.path.append('/lib')\nimport usocket\n"
            b"sys.modules['socket'] = usocket\nimport webrepl\ndel sys.modules['socket']\n",
        )
        said = doctor(name, conf)
    finally:
        with Device(name) as device:
            device.fresh()
            device.exec("import os; os.remove('/boot.py')")
    assert f"note  {name}: WebREPL has another socket or select than `import` finds" in said


# -- by mip -----------------------------------------------------------------------------------


def mip(name: str, package: str) -> None:
    command = [sys.executable, "-m", "mpremote", "connect", name, "mip", "install", package]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mip(name: str, conf: Path) -> None:
    mip(name, "package-dropin.json")
    as_sources = [(f"/lib/{module}.py", True) for module in ("socket", "select")]
    assert seen(name) == as_sources
    assert f"ok    {name}: {WHO}drop-in of usocket_compat 0." in doctor(name, conf)
    good("deploy", "--device", name, conf=conf)
    assert seen(name) == OURS
    mip(name, "package-dropin.json")
    assert seen(name) == as_sources
    good("deploy", "--device", name, "--remove")
    with Device(name) as device:
        device.fresh()
        assert filesystem.listing(device, "/lib") == {}


# -- interrupted ------------------------------------------------------------------------------

STATE = """
def state():
    import sys
    try:
        import usocket_compat as n
        from usocket_compat import _config
        most = _config.ZVFS_OPEN_MAX
        n.zsock_close(n.zsock_socket())
    except ImportError:
        most = 0
    found = [most]
    for n in ('socket', 'select'):
        m = __import__(n)
        # Which one, however it got there.
        found.append(getattr(m, 'version_of_the_test', None))
        m.socket().close() if n == 'socket' else m.poll()
    return found
print(state())
"""


class Cut(Exception):
    """The cable is pulled."""


class Cable:
    """A device that is gone after so many commands."""

    def __init__(self, device: Device, left: int):
        self.device, self.name, self.left = device, device.name, left
        self.count = 0

    def exec(self, code: str, *more: float) -> str:
        self.count += 1
        if self.count > self.left:
            raise Cut
        return self.device.exec(code, *more)


class Sets:
    """What a board can hold: name -> how it gets there, and what a program sees of it."""

    def __init__(self, device: Device, folder: Path):
        facts = identity.ask(device)
        real = files.dropin_files()
        self.versions: dict[str, bundle.Version] = {}
        for name, most, mark in (("plain", 5, ""), ("one", 6, "1"), ("two", 7, "2")):
            conf = folder / f"{name}.conf"
            conf.write_text(
                f"CONFIG_ZVFS_OPEN_MAX={most}\nCONFIG_USOCKET_DROPIN={'y' if mark else 'n'}\n"
            )
            there = {}
            for module, file in real.items():
                there[module] = folder / f"{module}.py"
                there[module].write_text(
                    file.read_text() + f"\nversion_of_the_test = 'version {mark}'\n"
                )
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(files, "dropin_files", lambda there=there: there)
                bundle._layer.cache_clear()
                self.versions[name] = bundle.version(facts, conf)
        bundle._layer.cache_clear()
        # As mip brings it: sources, flat, and the modules beside them.
        chosen = bundle.configuration(facts.board, folder / "one.conf")
        sources = bundle.sources("esp32", chosen, folder)
        self.flat = {name: file.read_bytes() for name, file in sources.items()}
        self.flat.update((f"{n}.py", f.read_bytes()) for n, f in there.items())
        self.looks = {
            "none": [0, None, None],
            "plain": [5, None, None],
            "one": [6, "version 1", "version 1"],
            "two": [7, "version 2", "version 2"],
            "mip": [6, "version 2", "version 2"],
        }

    def bring(self, device: object, name: str) -> None:
        if name == "none":
            install.remove(device)  # type: ignore[arg-type]
        elif name == "mip":
            clean(device)  # type: ignore[arg-type]
            filesystem.sync(device, "/lib", self.flat)  # type: ignore[arg-type]
        else:
            install.install(device, self.versions[name])  # type: ignore[arg-type]

    def find(self, device: Device) -> str:
        device.fresh()
        found = ast.literal_eval(device.exec(STATE))
        (name,) = [name for name, look in self.looks.items() if look == found] or [str(found)]
        return name


@pytest.fixture(scope="module")
def sets(board: Board, tmp_path_factory) -> Sets:
    with Device(board.device) as device:
        device.fresh()
        return Sets(device, tmp_path_factory.mktemp("sets"))


# Of the commands that a change takes: where it switches, and some of those before, which only fill
# its own folder.
LAST = 10


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("none", "one"),
        ("plain", "one"),
        ("one", "two"),
        ("one", "plain"),
        ("one", "none"),
        ("mip", "one"),
        ("mip", "none"),
    ],
)
def test_interrupted(device: Device, sets: Sets, before: str, after: str) -> None:
    """After each command that the board is sent: the set of before or the new one, whole."""
    sets.bring(device, before)
    assert sets.find(device) == before
    cable = Cable(device, 1 << 30)
    sets.bring(cable, after)
    assert sets.find(device) == after
    ends = []
    first = max(0, cable.count - 2 * LAST)
    for left in (*range(first, cable.count - LAST, 4), *range(cable.count - LAST, cable.count)):
        sets.bring(device, before)
        device.fresh()
        with pytest.raises(Cut):
            sets.bring(Cable(device, left), after)
        found = sets.find(device)
        assert found in (before, after), f"after {left} of {cable.count} commands"
        ends.append(found)
    # Once it is the new one it stays so.
    assert ends == sorted(ends, key=[before, after].index)
    assert set(ends) == {before, after}
    # Whatever lies about now is no obstacle, and goes.
    sets.bring(device, after)
    assert sets.find(device) == after
    names = set(filesystem.listing(device, "/lib"))
    version = sets.versions.get(after)
    wanted = [f"usocket_compat/{n}" for n, _ in version.files] if version else []
    assert names == {*wanted, *(n for n, _ in version.dropin if version)} if version else not names
